//! The command line: one file a command. A command reads its arguments, calls the rooms below, prints.
//!
//! Exit codes are decided here and nowhere else: 0 done, 1 the check failed, 2 bad input or a command that could not run.

mod analyze;
mod convert;
mod demo;
mod init;
mod lock;
mod report;
mod run;
mod simulate;
mod term;
mod verify;

use crate::error::Error;
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    name = "cadproof",
    version,
    about = "Proves what a computer-aided detection or diagnosis (CAD) device does",
    long_about = "Proves what a computer-aided detection or diagnosis (CAD) device does: runs its ONNX model over a locked \
                  test set, analyses multi-reader scores with and without CAD, and renders MFDS- and FDA-style reports.",
    after_help = "Exit codes: 0 done; 1 the check failed (an endpoint not met under --strict, a verification that differs); \
                  2 bad input, with file, line, column and the mend.",
    propagate_version = true
)]
struct Arguments {
    /// Print one JSON document for machines in place of text.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write a commented starting study into a new folder.
    Init(init::Arguments),
    /// Seal protocol, test set and model; with --amend, record a deviation.
    Lock(lock::Arguments),
    /// Put the ONNX model over the locked test set.
    Run(run::Arguments),
    /// Make readers' scores from the Roe–Metz model that the protocol declares.
    Simulate(simulate::Arguments),
    /// Read readings of another program into readings.csv.
    Import(convert::ImportArguments),
    /// Turn readings from one format into another, so that another program can check us.
    Convert(convert::Arguments),
    /// Estimate every endpoint that the protocol declares.
    Analyze(analyze::Arguments),
    /// Render the reports.
    Report(report::Arguments),
    /// Rebuild results, figures and reports from the locked inputs and compare.
    Verify(verify::Arguments),
    /// The whole way, on the studies that ship with cadproof.
    Demo(demo::Arguments),
}

/// Where the study is; most commands begin with it.
#[derive(clap::Args)]
struct Folder {
    /// Study folder, the one that holds study.toml.
    #[arg(default_value = ".")]
    folder: PathBuf,
}

/// What a command came to, when it could do its work.
pub(crate) enum Outcome {
    Done,
    /// The work was done and its answer is "no": exit code 1.
    CheckFailed,
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    // clap ends with 0 for --help and --version and with 2 for a bad command line, as we do.
    let arguments = Arguments::parse();
    let json = arguments.json;
    let outcome = match arguments.command {
        Command::Init(a) => init::run(&a, json),
        Command::Lock(a) => lock::run(&a, json),
        Command::Run(a) => run::run(&a, json),
        Command::Simulate(a) => simulate::run(&a, json),
        Command::Import(a) => convert::import(&a, json),
        Command::Convert(a) => convert::run(&a, json),
        Command::Analyze(a) => analyze::run(&a, json),
        Command::Report(a) => report::run(&a, json),
        Command::Verify(a) => verify::run(&a, json),
        Command::Demo(a) => demo::run(&a, json),
    };
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::CheckFailed) => ExitCode::from(1),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Where even this can't be printed, the exit code still tells.
            let _ = term::print_error(&error, json);
            ExitCode::from(2)
        }
    }
}

/// `cadproof … | head` ends the pipe early; that is no fault.
fn is_broken_pipe(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.kind() == std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }
}
