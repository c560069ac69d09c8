//! `cargo xtask demo | test | check-cuda | soak`: sets up what a task needs, then does it.

mod arrows;
mod checks;
mod cuda;
mod demo;
mod setup;
mod shell;
mod soak;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask TASK

    demo [STYLE]   restyle the demo clip with a bundled style, or with a style file, and say where the result is
    test           check formatting, lints, documentation and the crates' arrows, licences too where cargo-deny is
                   installed; run every test
    check-cuda [--toolkit FOLDER]
                   build and lint what is for CUDA cards, and check what it links to; needs no card. CUDA's compiler and
                   libraries (2 GB) are installed from PyPI, in target/cuda/toolkit unless a folder is given
    soak [--minutes N]
                   run a live session for N minutes (20 unless given, 1 in CI) while style and size change all the
                   time, and check that memory, threads and latency stay";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["demo"] => demo::run(None),
        ["demo", style] => demo::run(Some(style)),
        ["test"] => checks::run(),
        ["check-cuda"] => cuda::run(None),
        ["check-cuda", "--toolkit", folder] => cuda::run(Some(folder)),
        ["soak"] => soak::run(None),
        ["soak", "--minutes", minutes] => soak::run(Some(minutes)),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
