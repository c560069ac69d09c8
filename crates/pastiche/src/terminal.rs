//! Standard error, which messages, the log and the progress bar share.
//!
//! It may go away while we work: a terminal is closed, a reader ends. Then nobody listens any more, but the work goes on,
//! so nothing here fails.

use std::{
    fmt::Display,
    io::{self, Write, stderr},
    sync::OnceLock,
};

use indicatif::ProgressBar;

/// The one bar that can be on standard error, once it is.
static BAR: OnceLock<ProgressBar> = OnceLock::new();

/// Says something in a line of its own.
pub(crate) fn tell(text: impl Display) {
    beside_the_bar(|| {
        let _ = writeln!(stderr(), "{text}");
    });
}

/// The progress bar, there from the first time that it is asked for.
pub(crate) fn bar() -> &'static ProgressBar {
    BAR.get_or_init(ProgressBar::no_length)
}

/// Takes the bar away, if there is one.
pub(crate) fn remove_bar() {
    if let Some(bar) = BAR.get() {
        bar.finish_and_clear();
    }
}

/// Where the log goes.
pub(crate) struct LogWriter;

impl Write for LogWriter {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        beside_the_bar(|| stderr().write(text))
    }

    fn flush(&mut self) -> io::Result<()> {
        stderr().flush()
    }
}

/// Writes to standard error while the bar is not there.
fn beside_the_bar<R>(write: impl FnOnce() -> R) -> R {
    match BAR.get() {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}
