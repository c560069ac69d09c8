//! The program under test.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output},
};

use serde_json::Value;

/// The built program: cargo puts it beside the folder that this test's executable is in.
pub fn program() -> PathBuf {
    let test = env::current_exe().unwrap();
    let name = format!("pastiche{}", env::consts::EXE_SUFFIX);
    let program = test.parent().and_then(|folder| folder.parent()).unwrap().join(name);
    assert!(program.exists(), "{} is missing; cargo build --package pastiche", program.display());
    if let Some(source) = newer_source(&program) {
        panic!("{} is older than {source}; cargo build --package pastiche", program.display());
    }
    program
}

/// A library that is preloaded into the program; cargo builds it beside the folder that this test's executable is in.
pub fn preloaded(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let built = test.parent().and_then(Path::parent).unwrap().join(format!("examples/lib{name}.so"));
    assert!(built.exists(), "{} is missing; cargo build --package pastiche-e2e --examples", built.display());
    built
}

/// A source that has changed since the program was built from it. Cargo does not build the program for
/// `cargo test --package pastiche-e2e`, and `cargo build` leaves beside it the list of what it was built from. There is
/// no such list where `cargo test --workspace` built it, which does so each time.
fn newer_source(program: &Path) -> Option<String> {
    let modified = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    let built = modified(program)?;
    let list = fs::read_to_string(program.with_extension("d")).ok()?;
    let (_, sources) = list.trim_end().split_once(": ")?;
    // A space in a name is written `\ `.
    let sources = sources.replace("\\ ", "\0");
    let mut sources = sources.split(' ').map(|source| source.replace('\0', " "));
    sources.find(|source| modified(Path::new(source)).is_some_and(|changed| changed > built))
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

/// Runs the program in a folder, with the words of a line.
pub fn run_in(folder: &Path, line: &str) -> Run {
    Command::new(program()).args(line.split(' ')).current_dir(folder).output().unwrap().into()
}

/// Runs the `ffmpeg` program in a folder, with the words of a line.
pub fn ffmpeg(folder: &Path, line: &str) {
    let arguments = ["-v", "error", "-nostdin", "-y"].into_iter().chain(line.split(' '));
    let status = Command::new("ffmpeg").args(arguments).current_dir(folder).status().unwrap();
    assert!(status.success(), "ffmpeg {line}");
}

/// Sends a program that runs a signal, such as `-INT`.
pub fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// The last line that a run printed, as JSON; nothing where it printed nothing.
pub fn summary(run: &Run) -> Value {
    let last = run.out.lines().last().unwrap_or("null");
    serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {last}"))
}

/// The JSON that a run printed.
pub fn json(run: &Run) -> Value {
    serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {}", run.out))
}
