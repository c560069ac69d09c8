//! Everything a user can ask of the window, in one place.

use std::path::PathBuf;

use egui::{Key, KeyboardShortcut, Modifiers};
use pastiche_pipeline::live::ProcessSize;

use super::{
    export::JobId,
    icons::Icon,
    settings::{AudioChoice, ExportSize, ExportUpscale, MicrophoneSetting, Quality, SourceChoice},
    state::Screen,
    text,
};

/// What has a name, and mostly a key: buttons and shortcuts ask for it alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    TogglePause,
    PreviousStyle,
    NextStyle,
    ToggleRecording,
    TakeSnapshot,
    ToggleVirtualCamera,
    ToggleCompare,
    ToggleOverlay,
    ToggleFullscreen,
    ToggleTheme,
    OpenFile,
    AddStyle,
    ChooseFolder,
    ShowShortcuts,
    Leave,
    Quit,
}

/// The actions that have a key, in the order in which the list of shortcuts tells them.
pub(crate) const WITH_KEYS: [Action; 12] = [
    Action::TogglePause,
    Action::NextStyle,
    Action::PreviousStyle,
    Action::ToggleRecording,
    Action::TakeSnapshot,
    Action::ToggleCompare,
    Action::ToggleOverlay,
    Action::ToggleFullscreen,
    Action::Leave,
    Action::OpenFile,
    Action::ShowShortcuts,
    Action::Quit,
];

impl Action {
    /// What it is called.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::TogglePause => text::PAUSE,
            Self::PreviousStyle => text::PREVIOUS_STYLE,
            Self::NextStyle => text::NEXT_STYLE,
            Self::ToggleRecording => text::RECORD,
            Self::TakeSnapshot => text::SNAPSHOT,
            Self::ToggleVirtualCamera => text::VIRTUAL_CAMERA,
            Self::ToggleCompare => text::COMPARE,
            Self::ToggleOverlay => text::FIGURES,
            Self::ToggleFullscreen => text::FULLSCREEN,
            Self::ToggleTheme => text::THEME,
            Self::OpenFile => text::OPEN_FILE,
            Self::AddStyle => text::ADD_STYLE,
            Self::ChooseFolder => text::CHOOSE_FOLDER,
            Self::ShowShortcuts => text::SHORTCUTS,
            Self::Leave => text::LEAVE,
            Self::Quit => text::QUIT,
        }
    }

    /// What it does, in a sentence.
    pub(crate) const fn tooltip(self) -> &'static str {
        match self {
            Self::TogglePause => text::PAUSE_TOOLTIP,
            Self::PreviousStyle => text::PREVIOUS_STYLE_TOOLTIP,
            Self::NextStyle => text::NEXT_STYLE_TOOLTIP,
            Self::ToggleRecording => text::RECORD_TOOLTIP,
            Self::TakeSnapshot => text::SNAPSHOT_TOOLTIP,
            Self::ToggleVirtualCamera => text::VIRTUAL_CAMERA_TOOLTIP,
            Self::ToggleCompare => text::COMPARE_TOOLTIP,
            Self::ToggleOverlay => text::FIGURES_TOOLTIP,
            Self::ToggleFullscreen => text::FULLSCREEN_TOOLTIP,
            Self::ToggleTheme => text::THEME_TOOLTIP,
            Self::OpenFile => text::OPEN_FILE_TOOLTIP,
            Self::AddStyle => text::ADD_STYLE_TOOLTIP,
            Self::ChooseFolder => text::CHOOSE_FOLDER_TOOLTIP,
            Self::ShowShortcuts => text::SHORTCUTS_TOOLTIP,
            Self::Leave => text::LEAVE_TOOLTIP,
            Self::Quit => text::QUIT_TOOLTIP,
        }
    }

    /// Its icon.
    pub(crate) const fn icon(self) -> Icon {
        match self {
            Self::TogglePause => Icon::Pause,
            Self::PreviousStyle => Icon::Previous,
            Self::NextStyle => Icon::Next,
            Self::ToggleRecording => Icon::Record,
            Self::TakeSnapshot => Icon::Snapshot,
            Self::ToggleVirtualCamera => Icon::Broadcast,
            Self::ToggleCompare => Icon::Compare,
            Self::ToggleOverlay => Icon::Gauge,
            Self::ToggleFullscreen => Icon::Fullscreen,
            Self::ToggleTheme => Icon::Moon,
            Self::OpenFile | Self::ChooseFolder => Icon::Folder,
            Self::AddStyle => Icon::Add,
            Self::ShowShortcuts => Icon::Keyboard,
            Self::Leave | Self::Quit => Icon::Close,
        }
    }

    /// Its keys; the first is the one that is told.
    pub(crate) const fn shortcuts(self) -> &'static [KeyboardShortcut] {
        match self {
            Self::TogglePause => const { &[key(Key::Space)] },
            Self::PreviousStyle => const { &[key(Key::ArrowLeft), key(Key::ArrowUp)] },
            Self::NextStyle => const { &[key(Key::ArrowRight), key(Key::ArrowDown)] },
            Self::ToggleRecording => const { &[key(Key::R)] },
            Self::TakeSnapshot => const { &[key(Key::S)] },
            Self::ToggleCompare => const { &[key(Key::C)] },
            Self::ToggleOverlay => const { &[key(Key::I)] },
            Self::ToggleFullscreen => const { &[key(Key::F), key(Key::F11)] },
            Self::Leave => const { &[key(Key::Escape)] },
            Self::OpenFile => const { &[with_command(Key::O)] },
            Self::ShowShortcuts => const { &[key(Key::F1)] },
            Self::Quit => const { &[with_command(Key::Q)] },
            Self::ToggleVirtualCamera | Self::ToggleTheme | Self::AddStyle | Self::ChooseFolder => &[],
        }
    }
}

const fn key(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::NONE, key)
}

const fn with_command(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND, key)
}

/// Something to be done, by a widget, a key or a dropped file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum AppCommand {
    /// What has a name.
    Do(Action),
    ShowScreen(Screen),
    SetSource(SourceChoice),
    SetStyle(String),
    SearchStyles(String),
    SetStrength(f32),
    SetKeepColors(bool),
    SetSmoothing(f32),
    SetProcessSize(ProcessSize),
    SetDevice(String),
    SetMirror(bool),
    SetSplit(f32),
    SetMicrophone(MicrophoneSetting),
    /// Look for cameras again.
    RefreshCameras,
    /// Look for microphones again.
    RefreshMicrophones,
    /// Files that were dropped on the window.
    Drop(Vec<PathBuf>),
    /// Copy this file to the user's styles.
    InstallStyle(PathBuf),
    /// Show where a file is.
    Reveal(PathBuf),
    Export(ExportCommand),
    /// Close the dialog that is open.
    CloseDialog,
    /// Close the window although work goes on: finish it first.
    FinishAndQuit,
    DismissNotice(u64),
    DismissWelcome,
}

/// What concerns exports.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ExportCommand {
    ChooseVideo,
    ChooseOutput,
    SetRange {
        start_seconds: f64,
        end_seconds: f64,
    },
    SetSize(ExportSize),
    SetUpscale(ExportUpscale),
    SetQuality(Quality),
    /// `None`: the best that works here.
    SetEncoder(Option<String>),
    SetAudio(AudioChoice),
    Add,
    Pause(JobId),
    Resume(JobId),
    Cancel(JobId),
    Retry(JobId),
    Remove(JobId),
}

impl From<Action> for AppCommand {
    fn from(action: Action) -> Self {
        Self::Do(action)
    }
}

impl From<ExportCommand> for AppCommand {
    fn from(command: ExportCommand) -> Self {
        Self::Export(command)
    }
}
