//! One look at Postgres: the head of the log, and its clock before that.
//!
//! The statement goes by the simple protocol. In the extended one the snapshot is taken when the statement is bound and the statement's time is
//! that of its execution, which is later: a server that is paused in between would promise a head that is older than the time beside it.
//!
//! A standby says nothing: its log may have ended long ago, and an address may lead to one for a while when another server takes over.
//!
//! Each node keeps one connection for this alone. A pool that is used up by others must not make the node blind, and a connection on which an
//! answer did not come in time is thrown away, not waited for.

use std::time::Duration;

use domain::value::Position;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgConnection, Row as _};

use super::clock_map::ServerClock;
use super::mono::Mono;

/// The clock of the statement is read when it arrives, before its snapshot is taken.
const LOOK: &str = "select (select coalesce(max(global_position), 0) from events),
    (extract(epoch from statement_timestamp()) * 1000000)::bigint,
    (extract(epoch from pg_postmaster_start_time()) * 1000000)::bigint,
    pg_is_in_recovery()";

/// What one look found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The last position of the log.
    pub head: Position,
    /// Postgres' clock before that was read.
    pub clock: ServerClock,
    /// This node's clock before Postgres was asked.
    pub sent: Mono,
}

/// Postgres does not say.
#[derive(Debug, thiserror::Error)]
pub(super) enum LookError {
    /// It refuses, or cannot be reached.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// It says nothing.
    #[error("no answer within {0:?}")]
    Silent(Duration),
}

/// Looks at the log.
#[derive(Debug)]
pub struct Looks {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
}

impl Looks {
    /// At the log in this database.
    pub const fn at(options: PgConnectOptions) -> Self {
        Self { options, connection: None }
    }

    /// Looks once, for so long at most.
    pub(super) async fn look(
        &mut self,
        clock: impl Fn() -> Mono,
        patience: Duration,
    ) -> Result<Look, LookError> {
        // Taken out while it is used: whatever goes wrong, it is not used again.
        let connection = self.connection.take();
        let options = &self.options;
        let once = async {
            let mut connection = match connection {
                Some(connection) => connection,
                None => options.connect().await?,
            };
            let look = Look::by(&mut connection, clock).await?;
            Ok::<_, sqlx::Error>((connection, look))
        };
        let (connection, look) =
            tokio::time::timeout(patience, once).await.map_err(|_| LookError::Silent(patience))??;
        self.connection = Some(connection);
        Ok(look)
    }

    /// Says goodbye.
    pub(super) async fn close(self) {
        if let Some(connection) = self.connection {
            let _ = connection.close().await; // nobody needs it any more
        }
    }
}

impl Look {
    /// Looks by a connection that is at hand.
    pub async fn by(connection: &mut PgConnection, clock: impl Fn() -> Mono) -> Result<Self, sqlx::Error> {
        let sent = clock();
        let row = connection.fetch_one(LOOK).await?;
        if row.try_get(3)? {
            return Err(sqlx::Error::Protocol("this server is a standby, whose log may be old".to_owned()));
        }
        let clock = ServerClock { micros: row.try_get(1)?, started_micros: row.try_get(2)? };
        Ok(Self { head: Position::new(row.try_get::<i64, _>(0)?.unsigned_abs()), clock, sent })
    }
}
