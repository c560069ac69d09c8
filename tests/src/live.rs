//! A live session of the program under test, watched while it runs.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{Run, program};

/// More lines than a test waits for.
const QUEUED_LINES: usize = 4096;

/// A running `pastiche live --headless --progress json`. Ends when it is dropped.
pub struct Live {
    child: Child,
    lines: Receiver<String>,
}

impl Live {
    /// Starts the program, with `environment` beside its own.
    pub fn start<A: AsRef<OsStr>>(
        arguments: impl IntoIterator<Item = A>,
        environment: &[(&str, &OsStr)],
    ) -> Self {
        let mut command = Command::new(program());
        command.args(["live", "--headless", "--progress", "json"]).args(arguments);
        command.envs(environment.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = sync_channel(QUEUED_LINES);
        let forward = move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line));
        thread::Builder::new().name("output".to_owned()).spawn(forward).unwrap();
        Self { child, lines }
    }

    /// The next line that `wanted` is true for, and how long it took to come.
    pub fn wait_for(
        &self,
        what: &str,
        limit: Duration,
        wanted: impl Fn(&Value) -> bool,
    ) -> (Value, Duration) {
        let begun = Instant::now();
        let mut seen = Vec::new();
        loop {
            let left = limit.saturating_sub(begun.elapsed());
            let line = match self.lines.recv_timeout(left) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => panic!("no {what} within {limit:?}, but {seen:#?}"),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended before {what}: {seen:#?}"),
            };
            let value: Value = serde_json::from_str(&line).unwrap();
            if wanted(&value) {
                return (value, begun.elapsed());
            }
            seen.push(line);
        }
    }

    /// Waits until the source does this, and says how long it took.
    pub fn wait_for_source(&self, state: &str, limit: Duration) -> (String, Duration) {
        let is_it = |line: &Value| line["event"] == "source" && line["state"] == state;
        let (line, took) = self.wait_for(&format!("source {state}"), limit, is_it);
        (line["text"].as_str().unwrap().to_owned(), took)
    }

    /// Throws away what was said until now.
    pub fn forget_lines(&self) {
        self.lines.try_iter().for_each(drop);
    }

    /// A line of the system's about the program, such as `VmRSS` (in KiB) or `Threads`.
    #[cfg(target_os = "linux")]
    pub fn system_figure(&self, name: &str) -> f64 {
        let path = format!("/proc/{}/status", self.child.id());
        let text = std::fs::read_to_string(path).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
        line.trim_end_matches("kB").trim().parse().unwrap()
    }

    /// The lines that have come until now.
    pub fn lines(&self) -> Vec<Value> {
        self.lines.try_iter().map(|line| serde_json::from_str(&line).unwrap()).collect()
    }

    /// Presses Ctrl-C.
    pub fn interrupt(&self) {
        let done = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    /// Waits for its end; `out` is the last line, the summary.
    pub fn end(mut self) -> Run {
        let mut out = String::new();
        for line in &self.lines {
            out = line;
        }
        let mut err = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        Run { code: self.child.wait().unwrap().code(), out, err }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // It has ended already, except where a test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
