//! `pastiche`: repaints videos and photographs in the manner of a painting.

mod args;
mod bench_figures;
mod commands;
mod engine;
mod failure;
mod interrupt;
mod report;
mod terminal;
mod window;

use std::process::ExitCode;

use clap::Parser;

use commands::Command;
use failure::Outcome;
use terminal::{LogWriter, tell};
use window::{RendererChoice, WindowOptions};

/// Repaints a camera, videos and photographs in the manner of a painting. Without a command it opens its window.
#[derive(Parser)]
#[command(version, after_help = EXIT_CODES, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    /// What draws the window; the one that works unless given.
    #[arg(long, value_name = "NAME", value_enum)]
    renderer: Option<RendererChoice>,

    /// Say more about what happens; twice for everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

const EXIT_CODES: &str =
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done in part, 130 interrupted (what was done is kept).";

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log(cli.verbose);
    let result = match &cli.command {
        Some(command) => command.run(),
        None => window::open(WindowOptions::new(cli.renderer)).map(|()| Outcome::Done),
    };
    let outcome = result.unwrap_or_else(|error| {
        tell(format_args!("error: {}", failure::one_line(&error)));
        failure::outcome_of(&error)
    });
    ExitCode::from(outcome as u8)
}

/// Warnings go to standard error; `RUST_LOG` overrides what is asked for on the command line.
fn start_log(verbose: u8) {
    let level = match verbose {
        // What graphics drivers say about each other is not for everybody; the window opens, or says why not.
        0 => "warn,wgpu_hal=off",
        1 => "info",
        _ => "debug",
    };
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(level))
        .format(|out, record| {
            use std::io::Write;
            writeln!(out, "{}: {}", record.level().as_str().to_lowercase(), record.args())
        })
        .target(env_logger::Target::Pipe(Box::new(LogWriter)))
        .init();
    pastiche_media::show_ffmpeg_messages(verbose >= 2);
}
