//! `sekisho doctor`: one line for each thing that must be right, and what to do where it is not.
//!
//! Changes nothing. An embedded store that is not running is started for the look and stopped again; one that was never made is not made.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Arg;
use domain::value::{Clock as _, Timestamp};
use sqlx::PgPool;
use time::OffsetDateTime;

use super::say;
use crate::adapters::embedded::{Embedded, EmbeddedConfig, EmbeddedError, Survey};
use crate::adapters::key_digest::KeyDigests;
use crate::adapters::nats;
use crate::adapters::postgres;
use crate::adapters::system::SystemClock;
use crate::config::{Config, MasterKeySource, Options, Store, read_master_key};

/// A clock that is off by more than this makes keys expire too early or too late.
const CLOCK_SECONDS_MAX: i64 = 5;

/// What `--help` says of the options that it does not show.
pub(super) const BESIDE: &str = "Every other option of `sekisho serve`, and its variable, is taken too, and looked at for whether it is well formed.";

/// An option that something hangs on here is shown in its help, what is only looked at is not.
pub(super) fn shown(argument: Arg) -> Arg {
    let used = ["data", "database_url", "nats_url", "master_key", "master_key_file", "help"];
    let hidden = !used.contains(&argument.get_id().as_str());
    argument.hide(hidden)
}

/// What was found.
enum Finding {
    Good(String),
    /// Nobody looked.
    Unchecked(String),
    Bad {
        what: String,
        todo: String,
    },
}

impl Finding {
    fn bad(what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self::Bad { what: what.into(), todo: todo.into() }
    }
}

/// Checks everything that can be checked; exit code 1 when something is wrong.
pub(super) async fn run(options: &Options) -> ExitCode {
    let config = match options.check() {
        Ok(config) => config,
        Err(errors) => {
            for error in errors {
                report(
                    "configuration",
                    &Finding::bad(error.to_string(), "correct the option or its environment variable"),
                );
            }
            return ExitCode::FAILURE;
        }
    };
    report("configuration", &Finding::Good("every option is well formed".to_owned()));
    let mut good = true;
    for (name, finding) in examine(&config).await {
        good &= !matches!(finding, Finding::Bad { .. });
        report(name, &finding);
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn report(name: &str, finding: &Finding) {
    match finding {
        Finding::Good(what) => say(&format!("ok    {name:<14} {what}")),
        Finding::Unchecked(what) => say(&format!("-     {name:<14} {what}")),
        Finding::Bad { what, todo } => {
            say(&format!("WRONG {name:<14} {what}"));
            say(&format!("      {name:<14} do: {todo}"));
        }
    }
}

async fn examine(config: &Config) -> Vec<(&'static str, Finding)> {
    match &config.store {
        Store::Given { database, nats } => {
            let mut findings = examine_database(config, database).await;
            findings.push(("nats", examine_nats(nats.as_deref()).await));
            findings
        }
        Store::Embedded { nats } => {
            let stream = |nats: bool| nats.then(|| config.relay.stream.clone());
            let settings =
                EmbeddedConfig { data: config.data.clone(), nats: stream(*nats), search: Vec::new() };
            examine_embedded(config, settings).await.unwrap_or_else(|error| {
                let todo = "follow the message, or set DATABASE_URL and NATS_URL";
                vec![("store", Finding::bad(error.to_string(), todo))]
            })
        }
    }
}

async fn examine_embedded(
    config: &Config,
    settings: EmbeddedConfig,
) -> Result<Vec<(&'static str, Finding)>, EmbeddedError> {
    match Embedded::survey(&settings).await? {
        Survey::Empty(sentences) => Ok(vec![("store", Finding::Good(sentences.join("; ")))]),
        Survey::Running { holder, database_url, nats_url, reader } => {
            let running = format!("{} is served by a running sekisho{holder}", settings.data.display());
            let mut findings = vec![("store", Finding::Good(running))];
            findings.extend(examine_database(config, &database_url).await);
            findings.push(match nats_url {
                Some(address) => ("nats", examine_nats(Some(&address)).await),
                None => (
                    "nats",
                    Finding::Unchecked("there is none, or its configuration is not ours to read".to_owned()),
                ),
            });
            findings.extend(readers(reader));
            Ok(findings)
        }
        Survey::Stopped => {
            let embedded = Embedded::start(settings).await?;
            let mut findings = vec![("store", Finding::Good(embedded.describe().join("; ")))];
            findings.extend(examine_database(config, embedded.database_url()).await);
            findings.push(("nats", examine_nats(embedded.nats_url()).await));
            findings.extend(readers(embedded.reader_file()));
            embedded.stop().await;
            Ok(findings)
        }
    }
}

/// By what consumers on this machine read the events.
fn readers(file: Option<PathBuf>) -> Option<(&'static str, Finding)> {
    let told = |file: PathBuf| {
        format!("on this machine connect by {}, while it is served (docs/consumers.md)", file.display())
    };
    file.map(|file| ("consumers", Finding::Good(told(file))))
}

async fn examine_database(config: &Config, address: &str) -> Vec<(&'static str, Finding)> {
    let pool = match postgres::options(address) {
        Ok(options) => postgres::connect(options).await,
        Err(error) => Err(error),
    };
    let pool = match pool {
        Ok(pool) => pool,
        Err(error) => {
            return vec![(
                "postgres",
                Finding::bad(error.to_string(), "check that DATABASE_URL names a running Postgres 14 to 18"),
            )];
        }
    };
    let version = postgres::major(&pool)
        .await
        .map_or_else(|error| error.to_string(), |major| format!("version {major}"));
    let findings = vec![
        ("postgres", Finding::Good(version)),
        ("migrations", examine_migrations(&pool).await),
        ("log", examine_log(&pool).await),
        ("clock", examine_clock(&pool).await),
        ("master key", examine_master_key(config, &pool).await),
    ];
    pool.close().await;
    findings
}

async fn examine_migrations(pool: &PgPool) -> Finding {
    let newest = postgres::MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default();
    let applied: Result<(Option<i64>,), _> =
        sqlx::query_as("select max(version) from _sqlx_migrations where success").fetch_one(pool).await;
    match applied {
        Ok((Some(applied),)) if applied == newest => Finding::Good(format!("at version {newest}")),
        Ok((Some(applied),)) if applied > newest => Finding::bad(
            format!("the schema is at {applied}, this program knows {newest}"),
            "use the newer program that migrated it",
        ),
        Ok((applied,)) => Finding::bad(
            format!("the schema is at {}, this program wants {newest}", applied.unwrap_or_default()),
            "run `sekisho migrate` (or `sekisho serve`, which does it too)",
        ),
        Err(_) => Finding::bad(
            "the database has no schema yet",
            "run `sekisho migrate` (or `sekisho serve`, which does it too)",
        ),
    }
}

async fn examine_log(pool: &PgPool) -> Finding {
    Finding::Good(match postgres::may_change_events(pool).await {
        Ok(false) => "this role reads and appends events, and can change none".to_owned(),
        Ok(true) => "this role owns the events: a trigger keeps it from changing them, and `sekisho verify` finds it out if it does; \
                     `sekisho migrate --grant-to` makes a role that cannot"
            .to_owned(),
        Err(_) => "there is none yet".to_owned(),
    })
}

async fn examine_clock(pool: &PgPool) -> Finding {
    let theirs: Result<(OffsetDateTime,), _> =
        sqlx::query_as("select clock_timestamp()").fetch_one(pool).await;
    match theirs {
        Err(error) => Finding::bad(error.to_string(), "check the database"),
        Ok((theirs,)) => {
            let off = (SystemClock.now().get() - Timestamp::new(theirs).get()).whole_seconds();
            if off.abs() <= CLOCK_SECONDS_MAX {
                Finding::Good("agrees with the database's".to_owned())
            } else {
                Finding::bad(
                    format!("is {off} s off the database's"),
                    "run a time service (NTP) on both machines",
                )
            }
        }
    }
}

async fn examine_master_key(config: &Config, pool: &PgPool) -> Finding {
    let keys = match &config.master_key {
        MasterKeySource::Given(keys) => Ok(keys.clone()),
        MasterKeySource::Generated(file) if !file.exists() => {
            return Finding::Good(format!("will be generated in {} at the first start", file.display()));
        }
        MasterKeySource::Generated(file) => read_master_key(file),
    };
    let keys = match keys {
        Ok(keys) => keys,
        Err(error) => return Finding::bad(error, "restore the file from your backup"),
    };
    match KeyDigests::check(pool, &keys).await {
        Ok(sealed) => Finding::Good(format!("{} opens what it must ({sealed} data keys)", keys.active_id())),
        Err(error) => Finding::bad(
            error.to_string(),
            "give the master key that this database was sealed with, after the new one if you rotate",
        ),
    }
}

async fn examine_nats(address: Option<&str>) -> Finding {
    let Some(address) = address else {
        return Finding::Good(
            "none: the log is read from Postgres alone, and nothing is published".to_owned(),
        );
    };
    match nats::connect(address).await {
        Ok(client) => Finding::Good(format!("version {} with JetStream", client.server_info().version)),
        Err(error) => Finding::bad(
            error.to_string(),
            "check that NATS_URL names a running nats-server 2.10 or later, started with -js",
        ),
    }
}
