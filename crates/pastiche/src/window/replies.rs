//! Taking in what the session and the services tell.

use std::{path::PathBuf, time::Duration};

use egui::Context;
use pastiche_inference::StyleEntry;
use pastiche_media::MediaInfo;
use pastiche_pipeline::live::LiveEvent;

use super::{
    app::App,
    picture::FrameTexture,
    services::{Pick, Reply, Request},
    settings::SourceChoice,
    state::{Dialog, ExportDraft, Notice, NoticeKind, Screen, StyleView},
    text,
};
use crate::args::DEFAULT_STYLE;

/// How many messages lie on the picture at most.
const MAX_NOTICES: usize = 4;
/// How long a message stays.
const NOTICE_SECONDS: f64 = 6.0;
/// How long one that tells of a failure stays.
const FAILURE_SECONDS: f64 = 15.0;

impl App {
    pub(super) fn take_events(&mut self) {
        let Some(session) = &mut self.session else { return };
        for event in session.drain_events() {
            match event {
                LiveEvent::Error(reason) | LiveEvent::CardReplaced { reason } => self.fail(reason),
                LiveEvent::SourceBack { name } => self.tell(text::source_back(&name)),
                LiveEvent::SoundLost { reason } => self.fail(text::sound_lost(&reason)),
                LiveEvent::SoundBack { name } => self.tell(text::source_back(&name)),
                LiveEvent::RecordingSaved { path, duration, dropped, sound_lost, .. } => {
                    let lost = sound_lost.unwrap_or_default();
                    let words = text::recording_saved(&text::file_name(&path), duration, dropped, lost);
                    self.done(words, path);
                }
                LiveEvent::SnapshotSaved { path } => {
                    self.done(text::snapshot_saved(&text::file_name(&path)), path);
                }
                // The status tells the rest for as long as it lasts.
                _ => {}
            }
        }
    }

    pub(super) fn take_replies(&mut self, context: &Context) {
        for reply in self.services.drain_replies() {
            match reply {
                Reply::Cameras(cameras) => self.take_cameras(cameras),
                Reply::Microphones(microphones) => self.state.microphones = microphones,
                Reply::Styles(styles) => self.take_styles(styles),
                Reply::Hardware { devices, encoders, upscalers } => {
                    self.state.devices = devices;
                    self.state.encoders = encoders;
                    self.state.upscalers = upscalers;
                }
                Reply::Thumbnail { name, picture } => {
                    if let Some(style) = self.state.styles.iter_mut().find(|style| style.name == name) {
                        style.thumbnail = Some(FrameTexture::new("preview").show(context, &picture));
                    }
                }
                Reply::Video { path, info } => self.take_video(path, &info),
                Reply::Still(path) => {
                    self.set_source(SourceChoice::Still(path));
                    self.state.screen = Screen::Live;
                }
                Reply::Style(style) => self.offer_style(style),
                Reply::Unknown(path) => self.fail(text::unknown_file(&text::file_name(&path))),
                Reply::StyleInstalled { name, title } => {
                    self.tell(text::style_added(&title));
                    self.wanted_style = Some(name);
                    self.services.request(Request::ListStyles(self.state.settings.device_choice()));
                }
                Reply::Picked(pick, path) => self.take_picked(pick, path),
                Reply::Failed(reason) => self.fail(reason),
            }
        }
    }

    /// Takes over a list of styles, keeps the previews that are there, and chooses one.
    pub(super) fn take_styles(&mut self, entries: Vec<StyleEntry>) {
        let painted = self.state.style().map(|style| style.path.clone());
        let known = std::mem::take(&mut self.state.styles);
        let extra = self.extra_styles.clone();
        // A file that was asked for stands in the place of the installed style of its name.
        let is_alone = |entry: &StyleEntry| extra.iter().all(|extra| extra.name != entry.name);
        self.state.styles = entries
            .into_iter()
            .filter(is_alone)
            .chain(extra.clone())
            .map(|entry| {
                let known = known.iter().find(|known| known.name == entry.name && known.path == entry.path);
                let thumbnail = known.and_then(|style| style.thumbnail.clone());
                if thumbnail.is_none() {
                    let (name, path) = (entry.name.clone(), entry.path.clone());
                    self.services.request(Request::PaintThumbnail { name, path });
                }
                StyleView {
                    name: entry.name,
                    title: entry.title,
                    credit: entry.credit.unwrap_or_default(),
                    path: entry.path,
                    thumbnail,
                }
            })
            .collect();
        // The same style may be another network now.
        let is_another = |style: &&StyleView| painted.as_ref().is_some_and(|painted| *painted != style.path);
        let another = self.state.style().filter(is_another).map(|style| style.name.clone());
        if let Some(name) = self.wanted_style.take().or(another) {
            self.set_style(&name);
        }
        if self.state.style().is_none() {
            let styles = &self.state.styles;
            let usual = styles.iter().find(|style| style.name == DEFAULT_STYLE).or(styles.first());
            self.state.settings.style = usual.map(|style| style.name.clone());
        }
    }

    fn take_video(&mut self, path: PathBuf, info: &MediaInfo) {
        let Some(video) = &info.video else { return };
        let duration = video.duration.or(info.duration).unwrap_or(Duration::ZERO);
        self.state.draft = Some(ExportDraft {
            input: path.clone(),
            output: PathBuf::new(),
            output_chosen: false,
            width: video.width,
            height: video.height,
            duration,
            frame_rate: video.frame_rate,
            has_audio: !info.audio.is_empty(),
            start: Duration::ZERO,
            end: duration,
        });
        self.name_output();
        if self.state.shown_video() != Some(&path) {
            self.set_source(SourceChoice::Video(path));
        }
        self.state.screen = Screen::Export;
    }

    fn offer_style(&mut self, style: StyleEntry) {
        if self.state.styles.iter().any(|known| known.path == style.path) {
            self.set_style(&style.name);
            return;
        }
        let architecture = style.architectures.first().cloned().unwrap_or_default();
        self.state.dialog = Some(Dialog::AddStyle { path: style.path, title: style.title, architecture });
    }

    fn take_picked(&mut self, pick: Pick, path: PathBuf) {
        match pick {
            Pick::File | Pick::Video | Pick::Style => self.services.request(Request::Inspect(path)),
            Pick::Folder => {
                self.state.settings.folder = Some(path);
                if let Some(draft) = &mut self.state.draft {
                    draft.output_chosen = false;
                }
                self.update_folder();
            }
            Pick::Output(_) => {
                if let Some(draft) = &mut self.state.draft {
                    (draft.output, draft.output_chosen) = (path, true);
                }
            }
        }
    }

    /// Says that something did not work.
    pub(super) fn fail(&mut self, reason: String) {
        self.add_notice(NoticeKind::Failed, reason, None, FAILURE_SECONDS);
    }

    fn tell(&mut self, words: String) {
        self.add_notice(NoticeKind::Told, words, None, NOTICE_SECONDS);
    }

    fn done(&mut self, words: String, file: PathBuf) {
        self.add_notice(NoticeKind::Done, words, Some(file), NOTICE_SECONDS);
    }

    fn add_notice(&mut self, kind: NoticeKind, text: String, file: Option<PathBuf>, seconds: f64) {
        let notices = &mut self.state.notices;
        // The same once more only stays longer.
        notices.retain(|notice| notice.text != text);
        if notices.len() == MAX_NOTICES {
            notices.remove(0);
        }
        let until_seconds = self.now_seconds + seconds;
        notices.push(Notice { id: self.next_notice, kind, text, file, until_seconds });
        self.next_notice += 1;
    }

    pub(super) fn expire_notices(&mut self, context: &Context) {
        let now = self.now_seconds;
        self.state.notices.retain(|notice| notice.until_seconds > now);
        let next = self.state.notices.iter().map(|notice| notice.until_seconds).fold(f64::INFINITY, f64::min);
        if let Ok(left) = Duration::try_from_secs_f64(next - now) {
            context.request_repaint_after(left);
        }
    }
}
