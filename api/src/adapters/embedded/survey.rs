//! Looking without touching: what a data folder holds, and what a start would use.

use std::path::PathBuf;

use super::account::Account;
use super::binaries::Places;
use super::error::EmbeddedError;
use super::folder::{self, Holder};
use super::{EmbeddedConfig, without_nats};
use super::{nats, postgres, reader};

/// How a data folder stands.
#[derive(Debug)]
pub enum Survey {
    /// Nothing was made yet. A sentence for each server that a start would use.
    Empty(Vec<String>),
    /// There is a cluster, and nobody has it.
    Stopped,
    /// Another process serves from it.
    Running {
        /// Who, where that is known: ` (process 123)`, else empty.
        holder: String,
        /// How its Postgres is reached meanwhile.
        database_url: String,
        /// How its NATS is reached, where its configuration can be read.
        nats_url: Option<String>,
        /// The file by which consumers on this machine read the events, if there is one.
        reader: Option<PathBuf>,
    },
}

/// Looks at a data folder and at the programs of this machine. Makes, starts and changes nothing.
pub(super) async fn survey(config: &EmbeddedConfig) -> Result<Survey, EmbeddedError> {
    if folder::is_claimed(&config.data)? {
        return match folder::holder(&config.data)? {
            Holder::Nobody => Ok(Survey::Stopped),
            Holder::Somebody { holder, socket } => Ok(Survey::Running {
                holder,
                database_url: postgres::url_at(&socket),
                nats_url: nats::url_in(&config.data),
                reader: reader::file_in(&config.data),
            }),
        };
    }
    let account = Account::choose(std::env::var_os("SEKISHO_SERVICE_USER").as_deref()).await?;
    let places = Places::from_environment(&config.search);
    let found = places.postgres(&account).await?;
    let Some(best) = found.usable.first() else {
        return Err(EmbeddedError::NoPostgres { skipped: found.skipped });
    };
    let mut sentences = vec![format!(
        "the first start makes a cluster in {} with PostgreSQL {} from {}",
        config.data.display(),
        best.version,
        best.bin.display()
    )];
    if config.nats.is_some() {
        let search = places.nats(&account).await?;
        sentences.push(match search.usable.first() {
            Some(binary) => format!("NATS {} from {}", binary.version, binary.path.display()),
            None => without_nats(&search.skipped),
        });
    }
    Ok(Survey::Empty(sentences))
}
