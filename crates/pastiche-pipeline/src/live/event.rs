//! What happens in a live session.

use std::{path::PathBuf, time::Duration};

/// Something that a viewer is told once. [`LiveStatus`](super::LiveStatus) tells what lasts.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum LiveEvent {
    /// Something that was asked for could not be done; the session goes on without it.
    Error(String),
    /// A card cannot be used, or not any longer, and the processor works in its place. The status tells where the network runs.
    CardReplaced {
        /// Why.
        reason: String,
    },
    /// The source gives pictures, for the first time or after a change.
    SourceStarted {
        /// What it is called.
        name: String,
    },
    /// The source gives no more pictures for now.
    SourceLost {
        /// Why.
        reason: String,
    },
    /// The source is back.
    SourceBack {
        /// What it is called.
        name: String,
    },
    /// Frames are painted in another style from now on.
    StyleChanged {
        /// The style's name; `None`: as they are.
        name: Option<String>,
        /// From the command until the first frame so painted.
        took: Duration,
    },
    /// The network works at another size from now on.
    ProcessSizeChanged {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
    },
    /// The recording has begun.
    RecordingStarted {
        /// The file, which plays from now on, up to its last seconds.
        path: PathBuf,
    },
    /// A recording is whole.
    RecordingSaved {
        /// The file.
        path: PathBuf,
        /// How many frames it has.
        frames: u64,
        /// How many painted frames it lacks.
        dropped: u64,
        /// How long it is.
        duration: Duration,
        /// How much silence it has in the place of sound that was lost; `None`: no sound was asked for.
        sound_lost: Option<Duration>,
    },
    /// The recording's microphone gives no sound for now; the recording goes on.
    SoundLost {
        /// Why.
        reason: String,
    },
    /// The recording's microphone is back.
    SoundBack {
        /// What it is called.
        name: String,
    },
    /// A picture is saved.
    SnapshotSaved {
        /// The file.
        path: PathBuf,
    },
}
