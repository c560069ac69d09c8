//! The real window on a virtual screen, driven by its keys: each style, a recording, an export, and closing while it
//! records. Screenshots go to the target folder, to be looked at.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread::sleep,
    time::{Duration, Instant},
};

use pastiche_e2e::{BUNDLED_STYLES, Clip, decode, demo_clip, program, write_clip, write_photo};

/// A busy machine draws slowly; each step takes a moment otherwise.
const PATIENCE: Duration = Duration::from_secs(30);
/// What is waited for is looked at this often.
const POLL: Duration = Duration::from_millis(100);

/// A screen that nobody sees.
struct Screen {
    server: Child,
    display: String,
    /// One window at a time: each wants all the processor.
    _turn: MutexGuard<'static, ()>,
}

impl Screen {
    /// Xvfb chooses a number that is free, and tells it.
    fn start() -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb runs (apt-get install xvfb)");
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        Self { server, display: format!(":{}", number.trim()), _turn: turn }
    }

    fn xdotool(&self, arguments: &[&str]) -> String {
        let output = Command::new("xdotool").args(arguments).env("DISPLAY", &self.display).output();
        String::from_utf8(output.expect("xdotool runs (apt-get install xdotool)").stdout).unwrap()
    }

    fn key(&self, key: &str) {
        self.xdotool(&["key", key]);
    }

    /// What is on the screen, kept as `target/screenshots/<name>.png`.
    fn shoot(&self, name: &str) {
        let target = program().parent().unwrap().parent().unwrap().join("screenshots");
        fs::create_dir_all(&target).unwrap();
        let path = target.join(format!("{name}.png"));
        let grab = Command::new("ffmpeg")
            .args(["-v", "error", "-y", "-f", "x11grab", "-video_size", "1280x800", "-i", &self.display])
            .args(["-frames:v", "1"])
            .arg(&path)
            .status()
            .expect("ffmpeg runs (apt-get install ffmpeg)");
        assert!(grab.success());
        // A window that shows nothing compresses to nearly nothing.
        assert!(fs::metadata(&path).unwrap().len() > 20_000, "{} shows nothing", path.display());
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The program with its window on that screen and a home of its own.
struct Window {
    program: Child,
    home: PathBuf,
}

impl Window {
    fn open(screen: &Screen, home: &Path, arguments: &[&str]) -> Self {
        Self::open_with(screen, home, arguments, &[])
    }

    /// In an environment that has these variables too. What it says on standard error goes to the file `said`.
    fn open_with(screen: &Screen, home: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let program = Command::new(program())
            .args(arguments)
            .envs(variables.iter().copied())
            .stderr(fs::File::create(home.join("said")).unwrap())
            .env("DISPLAY", &screen.display)
            .env_remove("WAYLAND_DISPLAY")
            .env("HOME", home)
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("XDG_DATA_HOME", home.join("data"))
            .spawn()
            .unwrap();
        let window = Self { program, home: home.to_owned() };
        let mut id = String::new();
        window.wait_for("a window", || {
            id = screen.xdotool(&["search", "--onlyvisible", "--name", "^Pastiche$"]).trim().to_owned();
            !id.is_empty()
        });
        // There is no window manager to give it the keyboard.
        window.wait_for("the keyboard", || {
            screen.xdotool(&["windowfocus", &id]);
            screen.xdotool(&["getwindowfocus"]).trim() == id
        });
        window
    }

    fn wait_for(&self, what: &str, mut is_there: impl FnMut() -> bool) {
        let started = Instant::now();
        while !is_there() {
            let said = || fs::read_to_string(self.home.join("said")).unwrap_or_default();
            assert!(started.elapsed() < PATIENCE, "no {what} after {PATIENCE:?}: {}", said());
            sleep(POLL);
        }
    }

    /// A file that the window has written, whole.
    fn wait_for_file(&self, name: &str) -> PathBuf {
        let path = self.home.join("Pastiche").join(name);
        self.wait_for(name, || path.exists());
        path
    }

    /// Waits until it is closed; `nudge` asks for it, again and again.
    fn wait_for_end(&mut self, nudge: impl Fn()) {
        let started = Instant::now();
        loop {
            if let Some(status) = self.program.try_wait().unwrap() {
                assert!(status.success(), "{status}");
                return;
            }
            assert!(started.elapsed() < PATIENCE, "the window does not close");
            nudge();
            sleep(POLL);
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[test]
fn the_window_paints_records_and_keeps_a_recording_when_it_is_closed() {
    if demo_clip().is_none() {
        return;
    }
    let screen = Screen::start();
    let home = tempfile::tempdir().unwrap();
    let mut window = Window::open(&screen, home.path(), &["--renderer", "glow"]);

    // The first is written as soon as there is a picture.
    screen.key("s");
    window.wait_for_file("starry_night.png");
    screen.shoot("first-start");
    screen.key("Right");
    screen.key("s");
    let painting = window.wait_for_file("udnie.png");
    screen.shoot("udnie");
    assert_ne!(fs::read(painting).unwrap(), fs::read(home.path().join("Pastiche/starry_night.png")).unwrap());

    screen.key("r");
    sleep(Duration::from_secs(5));
    screen.shoot("recording");
    screen.key("r");
    let recording = window.wait_for_file("udnie.mp4");
    // It is there from its start; an index of its fragments is its end.
    window.wait_for("the recording's end", || {
        fs::read(&recording).unwrap().windows(4).any(|name| name == b"mfra")
    });
    let recording = decode(&recording);
    let times = &recording.times;
    assert!(times.len() > 15, "{} frames in five seconds", times.len());
    let seconds = times.last().unwrap() - times[0];
    assert!((3.5..8.0).contains(&seconds), "{seconds} s recorded in five seconds");

    // Closed while it records: it asks, and the recording is whole.
    screen.key("r");
    window.wait_for("recording", || home.path().join("Pastiche/udnie 2.mp4").exists());
    sleep(Duration::from_secs(2));
    screen.key("ctrl+q");
    sleep(Duration::from_millis(700));
    screen.shoot("closing");
    assert!(window.program.try_wait().unwrap().is_none(), "it closed without a question");
    // Pressed again where the question was not there yet.
    window.wait_for_end(|| screen.key("Return"));
    assert!(decode(&home.path().join("Pastiche/udnie 2.mp4")).times.len() > 5);
    assert!(home.path().join("config/pastiche/window.json").exists(), "its settings are remembered");
}

#[test]
fn each_style_is_painted_in_the_window() {
    let screen = Screen::start();
    let home = tempfile::tempdir().unwrap();
    let photo = home.path().join("photo.png");
    write_photo(&photo, 320, 240);
    let arguments = ["live", photo.to_str().unwrap(), "--style", BUNDLED_STYLES[0], "--renderer", "glow"];
    let mut window = Window::open(&screen, home.path(), &arguments);
    // A photograph stands still, so two pictures of it differ where their styles do.
    let mut pictures = vec![fs::read(&photo).unwrap()];
    for style in BUNDLED_STYLES {
        let mut number = 0;
        window.wait_for(style, || {
            number += 1;
            screen.key("s");
            let name = if number == 1 { format!("{style}.png") } else { format!("{style} {number}.png") };
            let picture = fs::read(window.wait_for_file(&name)).unwrap();
            let is_new = !pictures.contains(&picture);
            if is_new {
                pictures.push(picture);
            }
            is_new
        });
        screen.shoot(&format!("photo-{style}"));
        screen.key("Right");
    }
    assert_eq!(pictures.len(), 1 + BUNDLED_STYLES.len());
    window.wait_for_end(|| screen.key("ctrl+q"));
}

#[test]
fn a_window_that_wgpu_cannot_draw_is_drawn_with_opengl_and_says_so() {
    let screen = Screen::start();
    let home = tempfile::tempdir().unwrap();
    let photo = home.path().join("photo.png");
    write_photo(&photo, 320, 240);
    // Vulkan without a driver, and nothing else allowed.
    let variables = [("WGPU_BACKEND", "vulkan"), ("VK_ICD_FILENAMES", "/nonexistent")];
    let arguments = ["live", photo.to_str().unwrap(), "--style", "great_wave"];
    let mut window = Window::open_with(&screen, home.path(), &arguments, &variables);
    screen.key("s");
    window.wait_for_file("great_wave.png");
    screen.shoot("drawn-with-opengl");
    let said = fs::read_to_string(home.path().join("said")).unwrap();
    let lines: Vec<&str> = said.lines().filter(|line| line.contains("wgpu")).collect();
    assert!(matches!(lines[..], [line] if line.contains("drawing with glow")), "{said}");
    window.wait_for_end(|| screen.key("ctrl+q"));
}

#[test]
fn a_video_is_exported() {
    let screen = Screen::start();
    let home = tempfile::tempdir().unwrap();
    let clip = home.path().join("clip.mp4");
    write_clip(&clip, Clip { width: 320, height: 240, frames: 30, frames_per_second: 15 });
    let arguments = ["live", clip.to_str().unwrap(), "--style", "great_wave", "--renderer", "glow"];
    let mut window = Window::open(&screen, home.path(), &arguments);
    screen.key("s");
    window.wait_for_file("great_wave.png");
    // The tab, and then the button at the bottom of the panel.
    screen.xdotool(&["mousemove", "265", "24", "click", "1"]);
    sleep(Duration::from_secs(2));
    // Clicked again where the video was still being looked at.
    let export = home.path().join("Pastiche/clip - great_wave.mp4");
    window.wait_for("export", || {
        screen.xdotool(&["mousemove", "1116", "765", "click", "1"]);
        sleep(Duration::from_secs(1));
        export.exists() || export.with_extension("mp4.pastiche-unfinished").exists()
    });
    let export = window.wait_for_file("clip - great_wave.mp4");
    screen.shoot("export");
    assert_eq!(decode(&export).times.len(), 30);
    window.wait_for_end(|| {
        screen.key("ctrl+q");
        // Yes, also where a click too many had asked for another export.
        screen.key("Return");
    });
}
