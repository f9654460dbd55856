//! The command line.

mod blast_radius;
mod call;
mod credential;
mod demo;
mod doctor;
mod endpoint;
mod erase;
mod explain;
mod keys;
mod migrate;
mod opened;
mod operator;
mod parked;
mod progress;
mod projections;
mod rebuild;
mod refused;
mod relay;
mod replay;
mod say;
mod serve;
mod store;
mod tools;
mod users;
mod verify;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::config::{ConfigError, Options};
use crate::open_files;
use crate::telemetry::{self, LogFormat};
use say::{as_said, complain, say};

/// Sekisho (関所, checkpoint) stands between AI agents and their tools.
///
/// Organizations register MCP servers once; people and programs connect to one endpoint, /mcp/{instance}, with an API key. Sekisho says who
/// they are, decides tool by tool what they may call, carries the call, and keeps every change as an event.
#[derive(Debug, Parser)]
#[command(name = "sekisho", version, max_term_width = 110, after_long_help = EXAMPLES)]
struct Line {
    #[command(subcommand)]
    command: Command,

    /// Form of the log on standard error
    #[arg(long, env = "SEKISHO_LOG_FORMAT", value_enum, default_value = "pretty", global = true)]
    log_format: LogFormat,

    /// What to log, such as info or api=debug,warn; without it info, and warn for what only looks or shows
    #[arg(long, env = "SEKISHO_LOG", global = true, value_name = "FILTER")]
    log: Option<String>,
}

const EXAMPLES: &str = "Examples:
  sekisho demo                                  try it: embedded store, demo server, one real call, a key to go on with
  sekisho serve                                 embedded Postgres and NATS in the data folder
  DATABASE_URL=postgres://... NATS_URL=nats://... SEKISHO_MASTER_KEY_FILE=/etc/sekisho/master.key sekisho serve
  sekisho tools INSTANCE                        what an instance offers to the credential in SEKISHO_API_KEY
  sekisho call INSTANCE TOOL --args JSON        one call of one tool
  sekisho replay --as-of 2026-11-22T10:50:00Z   everything that had happened by then
  sekisho explain --principal KEY --instance ID --tool NAME --at 412   whether that call was allowed, and by which events
  sekisho doctor                                what is wrong, and what to do about it";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve MCP endpoints and the management API until a signal comes
    Serve(Options),
    /// Serve a seeded demonstration, make one real MCP call through it, print how to connect, and stay up
    Demo(demo::Demo),
    /// List the tools that an instance offers to a credential
    Tools(Box<tools::Tools>),
    /// Call one tool of an instance, and print its answer
    Call(Box<call::Call>),
    /// Bring the schema of the database up to date
    Migrate(Box<migrate::Migrate>),
    /// Check Postgres, NATS, migrations, clock and master key, and say what to do
    #[command(mut_args(doctor::shown), after_long_help = doctor::BESIDE)]
    Doctor(Options),
    /// Print the history, or a part of it, as it was written
    Replay(replay::Replay),
    /// Tell whether a call is or was allowed, why, and by which events
    Explain(explain::Explain),
    /// Tell what a key could do in a span of time, and what it did
    BlastRadius(blast_radius::BlastRadius),
    /// Check that the log, or an export of it, still is what was signed, and name the first bad position if it is not
    Verify(Box<verify::Verify>),
    /// Tell how far each read model is, and what it could not fold
    Projections(Box<projections::Projections>),
    /// Build a read model anew from the log while it is served, then swap it in
    Rebuild(Box<rebuild::Rebuild>),
    /// The stream of events in NATS: look at it, or fill it from the log
    #[command(subcommand)]
    Relay(Box<relay::Relay>),
    /// Forget a person for good: destroy the key of everything personal in the log, and append that it was done
    Erase(Box<erase::Erase>),
    /// People: set a password
    #[command(subcommand)]
    Users(Box<users::Users>),
    /// The master key, and the keys that sign access tokens
    #[command(subcommand)]
    Keys(keys::Keys),
}

/// Reads the command line and does what it says.
pub fn run() -> ExitCode {
    let line = Line::parse();
    let quiet = match line.command {
        Command::Demo(_)
        | Command::Tools(_)
        | Command::Call(_)
        | Command::Replay(_)
        | Command::Explain(_)
        | Command::BlastRadius(_)
        | Command::Verify(_)
        | Command::Projections(_)
        | Command::Rebuild(_)
        | Command::Relay(_)
        | Command::Erase(_)
        | Command::Users(_) => true,
        Command::Serve(_) | Command::Migrate(_) | Command::Doctor(_) | Command::Keys(_) => false,
    };
    let filter = line.log.as_deref().unwrap_or(if quiet { "warn" } else { "info,sqlx=warn,async_nats=warn" });
    if let Err(error) = telemetry::start(line.log_format, filter) {
        complain(&error);
        return ExitCode::from(2);
    }
    open_files::raise();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("cannot start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(async {
        match line.command {
            Command::Serve(options) => match checked(options.check()) {
                Ok(config) => serve::run(config).await,
                Err(code) => code,
            },
            Command::Demo(demo) => demo.run().await,
            Command::Tools(tools) => tools.run().await,
            Command::Call(call) => call.run().await,
            Command::Migrate(line) => migrate::run(&line).await,
            Command::Doctor(options) => doctor::run(&options).await,
            Command::Replay(replay) => replay.run().await,
            Command::Explain(explain) => explain.run().await,
            Command::BlastRadius(asked) => asked.run().await,
            Command::Verify(verify) => verify::run(&verify).await,
            Command::Projections(projections) => projections.run().await,
            Command::Rebuild(rebuild) => rebuild.run().await,
            Command::Relay(relay) => relay.run().await,
            Command::Erase(erase) => erase.run().await,
            Command::Users(users) => users.run().await,
            Command::Keys(keys) => keys.run().await,
        }
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    as_said(code)
}

/// What was read of options, or exit code 2 after everything that is wrong with them was said.
fn checked<T>(read: Result<T, Vec<ConfigError>>) -> Result<T, ExitCode> {
    read.map_err(|errors| {
        for error in &errors {
            complain(&error.to_string());
        }
        ExitCode::from(2)
    })
}

/// Every option of `sekisho serve` with its variable, default and meaning, as a file to start from.
pub fn sample_environment() -> String {
    let heading = "# Environment of Sekisho, generated from the options of `sekisho serve`. Commented lines show the defaults; what is empty has none.\n";
    let command = Line::command();
    let serve = command.find_subcommand("serve");
    let entries = serve.into_iter().flat_map(clap::Command::get_arguments).filter_map(|argument| {
        let name = argument.get_env().and_then(std::ffi::OsStr::to_str)?;
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let default =
            argument.get_default_values().first().and_then(|value| value.to_str()).unwrap_or_default();
        Some(format!("\n# {help}\n# {name}={default}\n"))
    });
    std::iter::once(heading.to_owned()).chain(entries).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What people read to the end.
    const OPTIONS_SHOWN_MAX: usize = 14;

    #[test]
    fn the_command_line_is_consistent() {
        Line::command().debug_assert();
    }

    #[test]
    fn the_sample_environment_is_up_to_date() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../sekisho.env.example");
        if std::env::var_os("SEKISHO_WRITE_GENERATED").is_some() {
            std::fs::write(file, sample_environment()).unwrap();
        }
        let committed = std::fs::read_to_string(file).unwrap_or_default();
        assert_eq!(committed, sample_environment(), "run the tests once with SEKISHO_WRITE_GENERATED=1");
    }

    /// Every command that does something by itself, with its name as it is typed.
    fn leaves(name: &str, command: &clap::Command) -> Vec<(String, clap::Command)> {
        let own = (name.to_owned(), command.clone());
        let below = command.get_subcommands().filter(|command| command.get_name() != "help");
        let below: Vec<_> =
            below.flat_map(|below| leaves(&format!("{name} {}", below.get_name()), below)).collect();
        if below.is_empty() || command.get_arguments().any(|argument| argument.get_id() == "database_url") {
            std::iter::once(own).chain(below).collect()
        } else {
            below
        }
    }

    fn built() -> clap::Command {
        let mut command = Line::command();
        command.build();
        command
    }

    #[test]
    fn the_help_of_a_command_shows_only_what_it_uses() {
        for (name, mut command) in leaves("sekisho", &built()) {
            let serves = ["sekisho serve", "sekisho demo"].contains(&name.as_str());
            let help = command.render_long_help().to_string();
            let is_option =
                |line: &&str| line.trim_start().starts_with("--") || line.trim_start().starts_with("-h,");
            let shown = help.lines().filter(is_option).count();
            assert!(
                serves || (3..=OPTIONS_SHOWN_MAX).contains(&shown),
                "{name} shows {shown} options:\n{help}"
            );
        }
    }

    #[test]
    fn an_option_is_the_same_variable_wherever_it_is_taken() {
        let built = built();
        let serve = built.find_subcommand("serve").unwrap();
        for (name, command) in leaves("sekisho", &built) {
            for argument in command.get_arguments() {
                let of_serve = serve.get_arguments().find(|known| known.get_long() == argument.get_long());
                let Some(of_serve) = of_serve else { continue };
                assert_eq!(argument.get_env(), of_serve.get_env(), "{} of {name}", argument.get_id());
            }
        }
    }

    #[test]
    fn every_option_of_serve_is_also_an_environment_variable() {
        let command = Line::command();
        let serve = command.find_subcommand("serve").unwrap();
        for argument in serve.get_arguments().filter(|argument| argument.get_id() != "help") {
            assert!(argument.get_env().is_some(), "{} has no variable", argument.get_id());
        }
    }
}
