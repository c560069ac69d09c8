//! What a live session is asked to do while it runs.

use std::path::PathBuf;

use pastiche_inference::Controls;

use super::{EngineOptions, LiveSource, ProcessSize, RecordingOptions};

/// A change to a running session. Each takes effect between two frames.
#[derive(Debug, Clone, PartialEq)]
pub enum LiveCommand {
    /// Shows another source. The old one is let go at once; a running recording goes on.
    SetSource(LiveSource),
    /// Paints in the style of this file, once it is loaded; `None` shows the source as it is.
    SetStyle(Option<PathBuf>),
    /// Gets these styles ready in spare moments, as far as memory allows, so that changing to one of them takes no loading.
    PrepareStyles(Vec<PathBuf>),
    /// Moves the painting to another device, once the style is loaded there.
    SetEngine(EngineOptions),
    /// Mixes the painting so.
    SetControls(Controls),
    /// Lets the network work at another size.
    SetProcessSize(ProcessSize),
    /// Shows the source as in a mirror, or not.
    SetMirror(bool),
    /// Keeps each frame's source beside it, or not.
    SetCompare(bool),
    /// Stands still, or goes on. What is changed meanwhile shows on the picture that stands; another source goes on. A
    /// recording has a gap there, and shows the last picture for as long.
    SetPaused(bool),
    /// Starts to record what is painted.
    StartRecording(RecordingOptions),
    /// Ends the recording; [`LiveEvent::RecordingSaved`](super::LiveEvent::RecordingSaved) tells when the file is whole.
    StopRecording,
    /// Writes the next painted picture as PNG or JPEG, by the name's ending; while it stands still, the one that is shown.
    Snapshot(PathBuf),
    /// Shows what is painted to other programs as a camera: `/dev/videoN` of v4l2loopback on Linux; the first that is there
    /// where nothing is said.
    StartVirtualCamera(Option<PathBuf>),
    /// Ends that.
    StopVirtualCamera,
}
