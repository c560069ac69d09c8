//! Every word that is the window's own, so that it can be translated in one place. What a library says of its failures
//! comes from there.

use std::time::Duration;

use pastiche_pipeline::live::ProcessSize;

use super::settings::{AudioChoice, ExportSize, ExportUpscale, Quality};

pub(crate) const APP: &str = "Pastiche";

// Actions.
pub(crate) const PAUSE: &str = "Pause";
pub(crate) const PAUSE_TOOLTIP: &str = "Hold the picture still, or go on";
pub(crate) const RESUME: &str = "Go on";
pub(crate) const PREVIOUS_STYLE: &str = "Previous style";
pub(crate) const PREVIOUS_STYLE_TOOLTIP: &str = "Paint in the style before this one";
pub(crate) const NEXT_STYLE: &str = "Next style";
pub(crate) const NEXT_STYLE_TOOLTIP: &str = "Paint in the style after this one";
pub(crate) const RECORD: &str = "Record";
pub(crate) const RECORD_TOOLTIP: &str = "Record what is painted as an MP4 file";
pub(crate) const STOP_RECORDING: &str = "Stop recording";
pub(crate) const SAVING: &str = "Saving";
pub(crate) const SNAPSHOT: &str = "Snapshot";
pub(crate) const SNAPSHOT_TOOLTIP: &str = "Save the picture as a PNG file";
pub(crate) const VIRTUAL_CAMERA: &str = "Virtual camera";
pub(crate) const VIRTUAL_CAMERA_TOOLTIP: &str =
    "Show the painting to other programs as a camera (v4l2loopback on Linux)";
pub(crate) const COMPARE: &str = "Before and after";
pub(crate) const COMPARE_TOOLTIP: &str = "Show the source beside the painting; drag the line between them";
pub(crate) const FIGURES: &str = "Figures";
pub(crate) const FIGURES_TOOLTIP: &str = "Show speed, latency, device and precision on the picture";
pub(crate) const FULLSCREEN: &str = "Full screen";
pub(crate) const FULLSCREEN_TOOLTIP: &str =
    "Show nothing but the picture; a double click on it does the same";
pub(crate) const THEME: &str = "Light or dark";
pub(crate) const THEME_TOOLTIP: &str = "Change between the light and the dark theme";
pub(crate) const OPEN_FILE: &str = "Open a file";
pub(crate) const OPEN_FILE_TOOLTIP: &str = "Open a video, a photograph or a style";
pub(crate) const ADD_STYLE: &str = "Add a style";
pub(crate) const ADD_STYLE_TOOLTIP: &str = "Add a .safetensors style file to your styles";
pub(crate) const CHOOSE_FOLDER: &str = "Choose a folder";
pub(crate) const CHOOSE_FOLDER_TOOLTIP: &str = "Choose where recordings, snapshots and exports go";
pub(crate) const SHORTCUTS: &str = "Keyboard shortcuts";
pub(crate) const SHORTCUTS_TOOLTIP: &str = "List the keys";
pub(crate) const LEAVE: &str = "Leave full screen, close a dialog";
pub(crate) const LEAVE_TOOLTIP: &str = "Leave full screen, or close the dialog";
pub(crate) const QUIT: &str = "Quit";
pub(crate) const QUIT_TOOLTIP: &str = "Close the window";

// Screens.
pub(crate) const LIVE: &str = "Live";
pub(crate) const EXPORT: &str = "Export";

// The side panel.
pub(crate) const SOURCE: &str = "Source";
pub(crate) const STYLE: &str = "Style";
pub(crate) const PAINTING: &str = "Painting";
pub(crate) const PERFORMANCE: &str = "Performance";
pub(crate) const SAVING_TO: &str = "Recordings";
pub(crate) const MICROPHONE: &str = "Microphone";
pub(crate) const MICROPHONE_TOOLTIP: &str =
    "What is heard in the next recordings; they are silent unless you choose";
pub(crate) const MICROPHONE_OFF: &str = "Off";
pub(crate) const MICROPHONE_SYSTEM: &str = "The system's own";
pub(crate) const DEMO_CLIP: &str = "Demo clip";
pub(crate) const NO_CAMERA: &str = "No camera found";
pub(crate) const MIRROR: &str = "Mirror the picture";
pub(crate) const STRENGTH: &str = "Strength";
pub(crate) const STRENGTH_TOOLTIP: &str = "How much of the painting to see";
pub(crate) const SMOOTHING: &str = "Smoothing";
pub(crate) const SMOOTHING_TOOLTIP: &str = "Calm what flickers from frame to frame";
pub(crate) const KEEP_COLORS: &str = "Keep the source's colours";
pub(crate) const RESOLUTION: &str = "Resolution";
pub(crate) const RESOLUTION_TOOLTIP: &str = "How large the network works: smaller is faster and coarser. Automatic takes the largest that stays fluent";
pub(crate) const EXPORT_RESOLUTION_TOOLTIP: &str =
    "How large the network works, for the live picture too: smaller is faster and coarser";
pub(crate) const COARSER: &str = "Smaller than the source, so as to stay fluent";
pub(crate) const DEVICE: &str = "Device";
pub(crate) const DEVICE_AUTO: &str = "Automatic";
pub(crate) const FOLDER: &str = "Folder";
pub(crate) const SEARCH_STYLES: &str = "Search styles";
pub(crate) const NO_STYLE_FOUND: &str = "No style by that name";
pub(crate) const NO_STYLES: &str =
    "No style is installed. Drop a .safetensors style file on the window to add one.";
pub(crate) const CHOOSE_STYLE: &str = "Choose a style";
pub(crate) const STYLE_TOOLTIP: &str = "Click to see and search all styles";

// The picture.
pub(crate) const SPLIT: &str = "Line between before and after";
pub(crate) const BEFORE: &str = "Before";
pub(crate) const AFTER: &str = "After";
pub(crate) const PICTURE: &str = "Picture";
pub(crate) const OPENING: &str = "Opening the source";
pub(crate) const LOADING_STYLE: &str = "Loading the style";
pub(crate) const PAUSED: &str = "Paused";
pub(crate) const RETRYING: &str =
    "It is picked up again as soon as it returns. Until then you can choose another source.";
pub(crate) const NOT_RETRYING: &str = "Choose another source at the right, or drop a file here.";
pub(crate) const SOURCE_LOST: &str = "No picture from the source";
pub(crate) const DROP_HERE: &str = "Drop it anywhere";
pub(crate) const DROP_KINDS: &str = "A video to preview and export, a photograph to paint, or a style to add";
pub(crate) const WELCOME: &str = "Welcome to Pastiche";
pub(crate) const WELCOME_TEXT: &str = "No camera was found, so this is the demo clip. Choose a style at the right, plug in a \
    camera, or drop a video or a photograph anywhere on the window.";
pub(crate) const GOT_IT: &str = "Got it";
pub(crate) const DISMISS: &str = "Dismiss";
pub(crate) const SHOW_IN_FOLDER: &str = "Show in folder";

// Export.
pub(crate) const VIDEO: &str = "Video";
pub(crate) const CHOOSE_VIDEO: &str = "Choose a video";
pub(crate) const EXPORT_HINT: &str = "Drop a video anywhere on the window, or choose one. It is painted in the style that is \
    shown, with its sound.";
pub(crate) const IN_POINT: &str = "In point";
pub(crate) const OUT_POINT: &str = "Out point";
pub(crate) const TIMELINE: &str = "Part to export";
pub(crate) const FORMAT: &str = "Format";
pub(crate) const SIZE: &str = "Size";
pub(crate) const UPSCALE: &str = "Enlarge";
pub(crate) const UPSCALE_OFF: &str = "Off";
pub(crate) const UPSCALE_TOOLTIP: &str =
    "Make the painting larger than the size above, by a network that keeps edges sharp; takes much longer";
pub(crate) const QUALITY: &str = "Quality";
pub(crate) const ENCODER: &str = "Encoder";
pub(crate) const ENCODER_AUTO: &str = "Automatic";
pub(crate) const AUDIO: &str = "Sound";
pub(crate) const NO_AUDIO: &str = "This video has no sound";
pub(crate) const SAVE_AS: &str = "Save as";
pub(crate) const CHANGE: &str = "Choose name and place";
pub(crate) const ADD_TO_QUEUE: &str = "Add to the queue";
pub(crate) const QUEUE: &str = "Queue";
pub(crate) const QUEUE_EMPTY: &str = "Nothing to export yet. What you add appears here.";
pub(crate) const WAITING: &str = "Waiting";
pub(crate) const STARTING: &str = "Starting";
pub(crate) const STOPPING: &str = "Stopping";
pub(crate) const CANCELLED: &str = "Cancelled";
pub(crate) const CANCELLED_KEPT: &str = "Cancelled; what was done is kept";
pub(crate) const EXPORT_CRASHED: &str =
    "the export crashed, which is a defect in the program; please report it";
pub(crate) const CANCEL: &str = "Cancel";
pub(crate) const RETRY: &str = "Try again";
pub(crate) const REMOVE: &str = "Remove from the list";

pub(crate) const BUSY: &str = "too much is going on; try again";
pub(crate) const SERVICES_GONE: &str =
    "the services thread crashed, which is a defect in the program; please report it";

// Dialogs of the system.
pub(crate) const OPENABLE_FILES: &str = "Videos, photographs and styles";
pub(crate) const VIDEOS: &str = "Videos";
pub(crate) const STYLES: &str = "Styles";

// Dialogs.
pub(crate) const QUIT_TITLE: &str = "Work is going on";
pub(crate) const STAY: &str = "Keep going";
pub(crate) const FINISH_AND_QUIT: &str = "Save and close";
pub(crate) const FINISHING: &str = "Saving what was recorded";
pub(crate) const FINISHING_TEXT: &str = "The window closes by itself in a moment.";
pub(crate) const ADD_STYLE_TITLE: &str = "Add this style?";
pub(crate) const ADD: &str = "Add";
pub(crate) const CLOSE: &str = "Close";

/// From 0 to 1 as a percentage.
pub(crate) fn percent(fraction: f32) -> String {
    format!("{:.0} %", fraction * 100.0)
}

/// A size in pixels.
pub(crate) fn size((width, height): (u32, u32)) -> String {
    format!("{width} \u{d7} {height}")
}

/// A length of time as a clock shows it.
pub(crate) fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// A moment in a video, to the tenth of a second.
pub(crate) fn moment(seconds: f64) -> String {
    let tenths = (seconds * 10.0).round() as u64;
    format!("{}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
}

/// What can be chosen as resolution.
pub(crate) fn resolution(size_choice: ProcessSize) -> String {
    match size_choice {
        ProcessSize::Auto => "Automatic".to_owned(),
        ProcessSize::Source => "As the source".to_owned(),
        ProcessSize::Fixed(width, height) => size((width, height)),
    }
}

/// The microphone that is recorded.
pub(crate) fn recorded_with(name: &str) -> String {
    format!("Recordings have sound. {MICROPHONE}: {name}")
}

/// The automatic resolution with what it is now.
pub(crate) fn resolution_now(now: (u32, u32)) -> String {
    format!("Auto ({})", size(now))
}

/// What can be chosen as the size of an export.
pub(crate) fn export_size(choice: ExportSize, source: Option<(u32, u32)>) -> String {
    let name = match choice {
        ExportSize::Source => "Source".to_owned(),
        ExportSize::Half => "Half".to_owned(),
        ExportSize::Height(lines) => format!("{lines}p"),
    };
    match source.map(|(width, height)| choice.of(width, height).unwrap_or((width, height))) {
        Some(pixels) => format!("{name} ({})", size(pixels)),
        None => name,
    }
}

/// What can be chosen to enlarge by, with the size that comes of it.
pub(crate) fn export_upscale(choice: ExportUpscale, painted: Option<(u32, u32)>) -> String {
    let Some(factor) = choice.factor() else { return UPSCALE_OFF.to_owned() };
    match painted {
        Some((width, height)) => {
            format!(
                "\u{d7}{factor} ({})",
                size((width.saturating_mul(factor), height.saturating_mul(factor)))
            )
        }
        None => format!("\u{d7}{factor}"),
    }
}

/// What can be chosen as quality.
pub(crate) const fn quality(quality: Quality) -> &'static str {
    match quality {
        Quality::Best => "Best, large file",
        Quality::High => "High",
        Quality::Medium => "Medium",
        Quality::Small => "Small file",
    }
}

/// What can be chosen for the sound.
pub(crate) const fn audio(choice: AudioChoice) -> &'static str {
    match choice {
        AudioChoice::Keep => "As it is",
        AudioChoice::Aac => "Convert to AAC",
        AudioChoice::Leave => "Without sound",
    }
}

/// Frames a second.
pub(crate) fn fps(fps: f64) -> String {
    format!("{fps:.0} fps")
}

/// How fast it goes, for the picture's corner.
pub(crate) fn latency(p50_ms: f64, p95_ms: f64) -> String {
    format!("latency {p50_ms:.0} ms, 95 % within {p95_ms:.0} ms")
}

/// What of the latency the machine works for.
pub(crate) fn latency_parts(capture_ms: f64, inference_ms: f64) -> String {
    format!("getting a frame {capture_ms:.1} ms, painting it {inference_ms:.0} ms")
}

/// Where it is painted.
pub(crate) fn engine(device: &str, precision: &str, threads: usize) -> String {
    format!("{device}, {precision}, {threads} thread{}", if threads == 1 { "" } else { "s" })
}

/// What the window's own part takes.
pub(crate) fn window_cost(renderer: &str, upload_ms: f64, draw_ms: f64) -> String {
    format!("window by {renderer}: upload {upload_ms:.1} ms, drawing {draw_ms:.1} ms")
}

/// What the source gives and what was left out.
pub(crate) fn capture(capture_fps: f64, dropped: u64) -> String {
    format!("source {capture_fps:.0} fps, {dropped} left out")
}

/// A recording that runs, for the picture's corner.
pub(crate) fn recording(duration: Duration) -> String {
    format!("Recording {}", clock(duration))
}

/// A recording that lacks frames.
pub(crate) fn recording_dropped(dropped: u64) -> String {
    format!("{dropped} dropped")
}

/// A recording is saved.
pub(crate) fn recording_saved(name: &str, duration: Duration, dropped: u64, sound_lost: Duration) -> String {
    let frames = if dropped == 0 { String::new() } else { format!(", {dropped} frames dropped") };
    let sound = if sound_lost.is_zero() {
        String::new()
    } else {
        format!(", {:.1} s without sound", sound_lost.as_secs_f64())
    };
    format!("Recorded {} ({}{frames}{sound})", name, clock(duration))
}

/// The microphone gives no sound.
pub(crate) fn sound_lost(reason: &str) -> String {
    format!("The recording goes on without sound: {reason}")
}

/// A picture is saved.
pub(crate) fn snapshot_saved(name: &str) -> String {
    format!("Saved {name}")
}

/// A file that is nothing we know.
pub(crate) fn unknown_file(name: &str) -> String {
    format!("{name} is no video, photograph or style that can be opened")
}

/// A style is installed.
pub(crate) fn style_added(title: &str) -> String {
    format!("{title} is among your styles now")
}

/// A camera of which only the number is known.
pub(crate) fn camera_number(id: u32) -> String {
    format!("Camera {id}")
}

/// A camera that has its name in common with another.
pub(crate) fn numbered_camera(name: &str, id: u32) -> String {
    format!("{name} ({id})")
}

/// A source is back.
pub(crate) fn source_back(name: &str) -> String {
    format!("{name} is back")
}

/// What goes on while the window is asked to close.
pub(crate) fn quit_text(recording: bool, exports: usize) -> String {
    let exports_left = exports > 0;
    let exports = match exports {
        0 => None,
        1 => Some("an export is not finished".to_owned()),
        count => Some(format!("{count} exports are not finished")),
    };
    let recording = recording.then(|| "a recording is running".to_owned());
    let what: Vec<String> = recording.into_iter().chain(exports).collect();
    let what = what.join(" and ");
    let mut first = what.chars();
    let what: String = first.next().into_iter().flat_map(char::to_uppercase).chain(first).collect();
    let saved = "What is done so far is saved before the window closes, and plays";
    let rest = if exports_left { "; the rest of the exports is not made." } else { "." };
    format!("{what}. {saved}{rest}")
}

/// A style is offered.
pub(crate) fn add_style_text(title: &str, architecture: &str, file: &str) -> String {
    format!("{title} ({architecture}) is copied to your styles from {file}, and painted with from now on.")
}

/// An export that runs.
pub(crate) fn job_progress(percent_done: f32, fps: f64, left: Option<Duration>, paused: bool) -> String {
    if paused {
        return format!("Paused at {}", percent(percent_done));
    }
    let left = left.map_or_else(String::new, |left| format!(", {} left", clock(left)));
    format!("{} at {fps:.1} fps{left}", percent(percent_done))
}

/// An export that is done.
pub(crate) fn job_done(frames: u64, elapsed: Duration, bytes: u64) -> String {
    format!("Done: {frames} frames in {}, {:.1} MB", clock(elapsed), bytes as f64 / 1e6)
}

/// What a video is.
pub(crate) fn video_facts(pixels: (u32, u32), fps: Option<f64>, duration: Duration) -> String {
    let fps = fps.map_or_else(String::new, |fps| format!(", {fps:.2} fps"));
    format!("{}{fps}, {}", size(pixels), clock(duration))
}

/// The renderer that was taken in the place of another.
pub(crate) fn renderer_fallback(wanted: &str, reason: &str, taken: &str) -> String {
    format!("{wanted} cannot draw here ({reason}); drawing with {taken}")
}

/// Two sentences; the first gets its capital and its full stop where it has none.
pub(crate) fn sentences(first: &str, second: &str) -> String {
    let mut letters = first.trim_end_matches('.').chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    format!("{first}. {second}")
}

/// A length of all of them.
pub(crate) fn part_of(length_seconds: f64, total_seconds: f64) -> String {
    format!("{} / {}", moment(length_seconds), moment(total_seconds))
}

/// A screen's name with how many things are under way there.
pub(crate) fn counted(name: &str, count: usize) -> String {
    format!("{name} ({count})")
}

/// A file's name without its folders.
pub(crate) fn file_name(path: &std::path::Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// A handle on the timeline, beside the field of that name.
pub(crate) fn handle(name: &str) -> String {
    format!("{name}, on the timeline")
}
