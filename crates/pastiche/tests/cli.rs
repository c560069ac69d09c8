//! The command line itself; what the commands do is tested from outside, in `tests/`.

use std::process::{Command, Output};

fn pastiche(line: &str) -> Output {
    let program = env!("CARGO_BIN_EXE_pastiche");
    let output = Command::new(program).args(line.split_whitespace()).output();
    output.unwrap_or_else(|error| panic!("{program}: {error}"))
}

#[test]
fn help_lists_every_command_and_says_what_exit_codes_mean() {
    let output = pastiche("--help");
    assert_eq!(output.status.code(), Some(0));
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    for word in ["video", "image", "styles", "devices", "probe", "bench", "Exit codes"] {
        assert!(help.contains(word), "{word} is missing: {help}");
    }
}

#[test]
fn the_version_is_the_package_s() {
    let version = pastiche("--version").stdout;
    assert_eq!(String::from_utf8_lossy(&version), format!("pastiche {}\n", env!("CARGO_PKG_VERSION")));
}

/// Without a command it opens its window, and where there is no screen it says what works without one.
#[cfg(target_os = "linux")]
#[test]
fn without_a_screen_the_window_is_refused_in_words() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pastiche"));
    let output =
        command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET").output();
    let output = output.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("the window cannot be opened") && errors.contains("--headless"), "{errors}");
}

#[test]
fn wrong_usage_exits_with_2_and_leaves_standard_output_empty() {
    for line in [
        "--renderer paint",
        "--renderer glow styles",
        "paint",
        "video",
        "video in.mp4 --style wave",
        "video in.mp4 -o out.mp4",
        "video in.mp4 -o out.mp4 --style wave --strength 1.5",
        "video in.mp4 -o out.mp4 --style wave --size 8by8",
        "video in.mp4 -o out.mp4 --style wave --size 64x48 --scale 2",
        "video in.mp4 -o out.mp4 --style wave --start 1:75",
        "video in.mp4 -o out.mp4 --style wave --duration 0",
        "video in.mp4 -o out.mp4 --style wave --fps 0",
        "video in.mp4 -o out.mp4 --style wave --device gpu",
        "video in.mp4 -o out.mp4 --style wave --threads 0",
        "video in.mp4 -o out.mp4 --style wave --precision f64",
        "image -o out.png --style wave",
        "image a.jpg b.jpg -o out.png --style wave",
        "image a.jpg -o out.gif --style wave",
        "bench --size 64x48",
        "bench --style wave --random-weights transformer_net",
        "bench --random-weights picasso",
    ] {
        let output = pastiche(line);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{line}: {errors}");
        assert!(output.stdout.is_empty(), "{line}");
        assert!(!errors.is_empty(), "{line}");
    }
}
