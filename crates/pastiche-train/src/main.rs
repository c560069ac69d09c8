//! `pastiche-train`: turns a painting and a folder of photographs into a style.

mod commands;

use std::process::ExitCode;

use clap::Parser;
use pastiche_train::TrainError;

/// Trains styles for Pastiche, and measures them.
#[derive(Parser)]
#[command(version, arg_required_else_help = true, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: commands::Command,
}

const EXIT_CODES: &str =
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted (what was done is kept).";

fn main() -> ExitCode {
    let cli = Cli::parse();
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn"))
        .format(|out, record| {
            use std::io::Write;
            writeln!(out, "{}: {}", record.level().as_str().to_lowercase(), record.args())
        })
        .init();
    let outcome = cli.command.run().unwrap_or_else(|error| {
        eprintln!("error: {}", one_line(&error));
        commands::outcome_of(&error)
    });
    ExitCode::from(outcome as u8)
}

/// An error and its causes in one line. The library's errors tell their causes themselves.
fn one_line(error: &anyhow::Error) -> String {
    let text = if error.is::<TrainError>() { error.to_string() } else { format!("{error:#}") };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
