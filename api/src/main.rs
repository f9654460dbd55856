//! `sekisho`: read the command line, do the one thing, answer with an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    api::cli::run()
}
