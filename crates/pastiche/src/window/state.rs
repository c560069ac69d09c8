//! What the window knows: plain data, without threads, files or widgets. Panels read it and change nothing.

use std::{path::PathBuf, time::Duration};

use egui::TextureHandle;
use pastiche_frame::Rational;
use pastiche_media::{CameraInfo, MicrophoneInfo};
use pastiche_pipeline::live::LiveStatus;

use super::{
    export::Job,
    settings::{Settings, SourceChoice},
};

/// Everything that is drawn.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) screen: Screen,
    /// What is shown, which the settings may have left open.
    pub(crate) source: SourceChoice,
    pub(crate) fullscreen: bool,
    /// How the session stands.
    pub(crate) status: LiveStatus,
    pub(crate) picture: Option<Picture>,
    pub(crate) figures: WindowFigures,
    pub(crate) styles: Vec<StyleView>,
    pub(crate) style_search: String,
    pub(crate) cameras: Vec<CameraInfo>,
    pub(crate) microphones: Vec<MicrophoneInfo>,
    /// The devices that can run networks.
    pub(crate) devices: Vec<DeviceView>,
    /// The video encoders that work here.
    pub(crate) encoders: Vec<String>,
    /// The networks that enlarge.
    pub(crate) upscalers: Vec<UpscalerView>,
    /// The clip that comes with the program, where it is found.
    pub(crate) demo: Option<PathBuf>,
    /// Where recordings, snapshots and exports go.
    pub(crate) folder: PathBuf,
    pub(crate) draft: Option<ExportDraft>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) dialog: Option<Dialog>,
    /// Whether the greeting lies over the picture.
    pub(crate) welcome: bool,
    /// Whether files are being dragged over the window.
    pub(crate) files_hover: bool,
}

impl State {
    /// The style that is chosen.
    pub(crate) fn style(&self) -> Option<&StyleView> {
        let chosen = self.settings.style.as_deref()?;
        self.styles.iter().find(|style| style.name == chosen)
    }

    /// The network that enlarges as is chosen.
    pub(crate) fn upscaler(&self) -> Option<&UpscalerView> {
        let factor = self.settings.export_upscale.factor()?;
        self.upscalers.iter().find(|upscaler| upscaler.factor == factor)
    }

    /// The video that is shown.
    pub(crate) fn shown_video(&self) -> Option<&PathBuf> {
        match &self.source {
            SourceChoice::Video(path) => Some(path),
            SourceChoice::Demo => self.demo.as_ref(),
            _ => None,
        }
    }

    /// The styles that the search lets through.
    pub(crate) fn found_styles(&self) -> impl Iterator<Item = &StyleView> {
        let wanted = self.style_search.trim().to_lowercase();
        self.styles.iter().filter(move |style| style.matches(&wanted))
    }

    /// How many exports are not finished.
    pub(crate) fn unfinished_exports(&self) -> usize {
        self.jobs.iter().filter(|job| !job.state.is_over()).count()
    }
}

/// What fills the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Screen {
    #[default]
    Live,
    Export,
}

/// The picture as it lies on the graphics card.
pub(crate) struct Picture {
    pub(crate) painted: TextureHandle,
    /// What it was painted from, where that is compared.
    pub(crate) source: Option<TextureHandle>,
}

/// What the window's own part of the work takes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct WindowFigures {
    /// To hand a picture to the graphics card.
    pub(crate) upload_ms: f64,
    /// To draw the window.
    pub(crate) draw_ms: f64,
    /// What draws it.
    pub(crate) renderer: &'static str,
}

/// A style in the list.
#[derive(Clone)]
pub(crate) struct StyleView {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) credit: String,
    pub(crate) path: PathBuf,
    /// The demo clip in this style, once it is painted.
    pub(crate) thumbnail: Option<TextureHandle>,
}

impl StyleView {
    /// Whether `wanted`, in lower case, is in what is known about the style.
    fn matches(&self, wanted: &str) -> bool {
        [&self.name, &self.title, &self.credit].iter().any(|text| text.to_lowercase().contains(wanted))
    }
}

/// A device in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeviceView {
    /// As on the command line.
    pub(crate) id: String,
    pub(crate) name: String,
}

/// A network that enlarges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UpscalerView {
    pub(crate) factor: u32,
    pub(crate) path: PathBuf,
}

/// A video that is being prepared for export.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ExportDraft {
    pub(crate) input: PathBuf,
    pub(crate) output: PathBuf,
    /// Whether the user has named the output.
    pub(crate) output_chosen: bool,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) duration: Duration,
    pub(crate) frame_rate: Option<Rational>,
    pub(crate) has_audio: bool,
    /// The in point.
    pub(crate) start: Duration,
    /// The out point.
    pub(crate) end: Duration,
}

impl ExportDraft {
    /// In and out points in order, at least this far apart, and inside the video.
    pub(crate) fn set_range(&mut self, start_seconds: f64, end_seconds: f64) {
        const SHORTEST_SECONDS: f64 = 0.1;
        let total = self.duration.as_secs_f64();
        let shortest = SHORTEST_SECONDS.min(total);
        let start = start_seconds.clamp(0.0, total - shortest);
        let end = end_seconds.clamp(start + shortest, total);
        self.start = Duration::from_secs_f64(start);
        self.end = if end >= total { self.duration } else { Duration::from_secs_f64(end) };
    }

    /// The in point as a job takes it.
    pub(crate) fn job_start(&self) -> Option<Duration> {
        (!self.start.is_zero()).then_some(self.start)
    }

    /// The length as a job takes it; the rest of the video where nothing is said.
    pub(crate) fn job_duration(&self) -> Option<Duration> {
        (self.end < self.duration).then(|| self.end.saturating_sub(self.start))
    }
}

/// A message that lies on the picture for a while.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Notice {
    pub(crate) id: u64,
    pub(crate) kind: NoticeKind,
    pub(crate) text: String,
    /// A file that it tells of, which can be shown in its folder.
    pub(crate) file: Option<PathBuf>,
    /// When it goes by itself, on egui's clock.
    pub(crate) until_seconds: f64,
}

/// How a message is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoticeKind {
    Done,
    Told,
    Failed,
}

/// A question or a list that lies over the window.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Dialog {
    /// Work goes on: finish it, or stay.
    Quit {
        recording: bool,
        exports: usize,
    },
    /// Work is being finished; the window closes after it.
    Finishing,
    /// A style file was dropped: add it?
    AddStyle {
        path: PathBuf,
        title: String,
        architecture: String,
    },
    Shortcuts,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(seconds: f64) -> ExportDraft {
        ExportDraft {
            input: "in.mp4".into(),
            output: "out.mp4".into(),
            output_chosen: false,
            width: 640,
            height: 480,
            duration: Duration::from_secs_f64(seconds),
            frame_rate: None,
            has_audio: true,
            start: Duration::ZERO,
            end: Duration::from_secs_f64(seconds),
        }
    }

    #[test]
    fn in_and_out_points_stay_in_order_and_inside_the_video() {
        let mut draft = draft(10.0);
        assert_eq!((draft.job_start(), draft.job_duration()), (None, None));
        draft.set_range(2.0, 5.0);
        assert_eq!(draft.job_start(), Some(Duration::from_secs(2)));
        assert_eq!(draft.job_duration(), Some(Duration::from_secs(3)));
        draft.set_range(8.0, 3.0);
        assert!(draft.start < draft.end && draft.end - draft.start < Duration::from_millis(101));
        draft.set_range(-5.0, 50.0);
        assert_eq!((draft.start, draft.end), (Duration::ZERO, Duration::from_secs(10)));
        assert_eq!(draft.job_duration(), None);
    }
}
