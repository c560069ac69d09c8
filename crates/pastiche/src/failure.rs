//! How the program ends, and what it says when it fails.

use pastiche_inference::InferenceError;
use pastiche_media::MediaError;
use pastiche_pipeline::PipelineError;

/// How a command ended; the numbers are exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done = 0,
    Failed = 1,
    WrongUsage = 2,
    DoneInPart = 3,
    Interrupted = 130,
}

/// The command line cannot be meant as it stands.
#[derive(Debug)]
struct UsageError(String);

/// An error that says so.
pub(crate) fn wrong_usage(message: impl Into<String>) -> anyhow::Error {
    anyhow::Error::new(UsageError(message.into()))
}

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// The exit code that an error deserves.
pub(crate) fn outcome_of(error: &anyhow::Error) -> Outcome {
    let pipeline = error.downcast_ref::<PipelineError>();
    if let Some(PipelineError::NothingDone { .. } | PipelineError::NoPart { .. }) = pipeline {
        return Outcome::Interrupted;
    }
    let media = error.downcast_ref::<MediaError>().or(match pipeline {
        Some(PipelineError::Media(media)) => Some(media),
        _ => None,
    });
    if let Some(InferenceError::UnknownArchitecture { .. }) = error.downcast_ref() {
        return Outcome::WrongUsage;
    }
    let usage = matches!(media, Some(MediaError::OutputKind { .. } | MediaError::EncoderOption { .. }));
    if usage || error.is::<UsageError>() { Outcome::WrongUsage } else { Outcome::Failed }
}

/// An error and its causes in one line. Our libraries' errors tell their causes themselves.
pub(crate) fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain() {
        line.push_str(if line.is_empty() { "" } else { ": " });
        line.push_str(&cause.to_string().split_whitespace().collect::<Vec<_>>().join(" "));
        if cause.is::<MediaError>() || cause.is::<InferenceError>() || cause.is::<PipelineError>() {
            break;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_in_one_line_and_causes_once() {
        let error = anyhow::anyhow!("no\n  such folder").context("cannot open");
        assert_eq!(one_line(&error), "cannot open: no such folder");
        let source = std::io::Error::other("disk full");
        let error = PipelineError::from(MediaError::OutputNotWritable { path: "out.mp4".into(), source });
        assert_eq!(
            one_line(&error.into()),
            "the output cannot be written (disk full); choose another place: out.mp4"
        );
    }

    #[test]
    fn only_a_wrong_command_line_is_wrong_usage() {
        assert_eq!(outcome_of(&wrong_usage("two outputs")), Outcome::WrongUsage);
        assert_eq!(outcome_of(&anyhow::anyhow!("no such file")), Outcome::Failed);
        let interrupted = PipelineError::NothingDone { path: "out.mp4".into() };
        assert_eq!(outcome_of(&interrupted.into()), Outcome::Interrupted);
        let kind = MediaError::OutputKind { supported: ".mp4", path: "out.avi".into() };
        assert_eq!(outcome_of(&PipelineError::from(kind).into()), Outcome::WrongUsage);
    }
}
