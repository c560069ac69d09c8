//! The program under test.

use std::{
    env,
    ffi::OsStr,
    path::PathBuf,
    process::{Command, Output},
};

use serde_json::Value;

/// The built program: cargo puts it beside the folder that this test's executable is in.
pub fn program() -> PathBuf {
    let test = env::current_exe().unwrap();
    let name = format!("pastiche{}", env::consts::EXE_SUFFIX);
    let program = test.parent().and_then(|folder| folder.parent()).unwrap().join(name);
    assert!(program.exists(), "{} is missing; cargo test --workspace builds it", program.display());
    program
}

/// How a run of the program ended, and what it said.
#[derive(Debug)]
pub struct Run {
    /// The exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    /// Checks that the program is done, and says what it said where it is not.
    pub fn done(self) -> Self {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        self
    }

    /// Checks that the program failed with this code, and returns the one line that says why.
    pub fn error(&self, code: i32) -> &str {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        let lines: Vec<&str> = self.err.lines().filter(|line| line.starts_with("error: ")).collect();
        let [line] = lines[..] else { panic!("not one error line: {}", self.err) };
        line
    }
}

/// Runs the program to its end.
pub fn pastiche<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Run {
    Command::new(program()).args(arguments).output().unwrap().into()
}

/// The JSON that a run printed.
pub fn json(run: &Run) -> Value {
    serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {}", run.out))
}
