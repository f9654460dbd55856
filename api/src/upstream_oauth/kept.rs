//! Tokens as they are kept: one row for each authorization, sealed for it. Whoever renews holds the row for so long, on whatever node.

use std::time::{Duration, Instant};

use domain::server::UpstreamGrant;
use domain::value::{AuthorizationId, AuthorizationServer, ConnectionId, OrganizationId};
use http::HeaderValue;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use url::Url;
use zeroize::{Zeroize as _, Zeroizing};

use super::client::OauthClient;
use super::tokens::Tokens;
use crate::passwords::Seal;

/// How long a node may take to renew: far longer than a request, so that no other one spends the same refresh token meanwhile.
const RENEWING_SECONDS: f64 = 60.0;

/// Everything that is needed to call an upstream and to go on doing so.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) access_token: String,
    pub(super) refresh_token: Option<String>,
    /// How long the access token was to be good, in seconds.
    pub(super) life_seconds: Option<u64>,
    pub(super) grant: UpstreamGrant,
    pub(super) organization: OrganizationId,
    pub(super) issuer: AuthorizationServer,
    pub(super) endpoint: Url,
    /// Whether the endpoint is at the server's own host, and is reached as that is.
    pub(super) beside_the_server: bool,
    pub(super) resource: String,
    /// What was asked for.
    pub(super) scope: String,
    pub(super) client: OauthClient,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.access_token.zeroize();
        self.refresh_token.zeroize();
    }
}

impl Kept {
    /// Whether it can be renewed without anybody.
    pub(super) const fn is_renewable(&self) -> bool {
        match self.grant {
            UpstreamGrant::AuthorizationCode => self.refresh_token.is_some(),
            UpstreamGrant::ClientCredentials => true,
        }
    }

    /// The same with what was given out now. A refresh token that is not replaced stays (RFC 6749, 6).
    pub(super) fn renewed(&self, tokens: &Tokens) -> Self {
        let mut kept = self.clone();
        kept.access_token.clone_from(&tokens.access_token);
        kept.life_seconds = tokens.expires_in;
        if let Some(fresh) = &tokens.refresh_token {
            kept.refresh_token = Some(fresh.clone());
        }
        kept
    }
}

/// A token as calls use it.
#[derive(Clone)]
pub(super) struct Held {
    /// What stands in `Authorization`.
    pub(super) header: HeaderValue,
    /// How often it was renewed.
    pub(super) rotation: i64,
    pub(super) renewable: bool,
    until: Option<Instant>,
    ahead: Option<Instant>,
    /// When this node renewed it, if it did.
    renewed_at: Option<Instant>,
}

impl Held {
    /// Whether its time is over.
    pub(super) fn is_over(&self) -> bool {
        self.until.is_some_and(|until| until <= Instant::now())
    }

    /// Whether it should be renewed while it still counts: in the last fifth of its life.
    pub(super) fn is_due(&self) -> bool {
        self.renewable && self.ahead.is_some_and(|ahead| ahead <= Instant::now())
    }

    /// Whether this node had it renewed a moment ago: whoever refuses it now refuses the next one, too.
    pub(super) fn is_younger_than(&self, age: Duration) -> bool {
        self.renewed_at.is_some_and(|renewed| renewed.elapsed() < age)
    }

    fn of(kept: &Kept, rotation: i64, left_seconds: Option<f64>) -> Option<Self> {
        let text = Zeroizing::new(format!("Bearer {}", kept.access_token));
        let mut header = HeaderValue::from_str(&text).ok()?;
        header.set_sensitive(true);
        let now = Instant::now();
        let left =
            left_seconds.map(|left| Duration::try_from_secs_f64(left.max(0.0)).unwrap_or(Duration::MAX));
        let until = left.and_then(|left| now.checked_add(left));
        let reserve = Duration::from_secs(kept.life_seconds.unwrap_or_default()) / 5;
        let ahead = left.and_then(|left| now.checked_add(left.saturating_sub(reserve)));
        Some(Self { header, rotation, renewable: kept.is_renewable(), until, ahead, renewed_at: None })
    }
}

/// The rows, and what opens them.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) pool: &'a PgPool,
    pub(super) seal: &'a dyn Seal,
}

/// A row cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub(super) enum RowError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error("what was given out for an upstream cannot be sealed or opened")]
    Sealed,
}

type Row = (Vec<u8>, i64, Option<f64>);

impl Rows<'_> {
    /// Keeps what was given out. Nobody uses it before an event names it.
    pub(super) async fn keep(
        &self,
        id: AuthorizationId,
        connection: ConnectionId,
        kept: &Kept,
    ) -> Result<(), RowError> {
        sqlx::query(
            "insert into upstream_authorizations (id, connection_id, sealed, expires_at)
             values ($1, $2, $3, clock_timestamp() + make_interval(secs => $4))",
        )
        .bind(id.uuid())
        .bind(connection.uuid())
        .bind(self.sealed(id, kept)?)
        .bind(seconds(kept.life_seconds))
        .execute(self.pool)
        .await?;
        Ok(())
    }

    /// What is kept under an id; none when nothing is.
    pub(super) async fn open(&self, id: AuthorizationId) -> Result<Option<Held>, RowError> {
        let row: Option<Row> = sqlx::query_as(
            "select sealed, rotation, extract(epoch from expires_at - clock_timestamp())::float8
             from upstream_authorizations where id = $1",
        )
        .bind(id.uuid())
        .fetch_optional(self.pool)
        .await?;
        let Some((sealed, rotation, left)) = row else { return Ok(None) };
        Held::of(&self.opened(id, &sealed)?, rotation, left).map(Some).ok_or(RowError::Sealed)
    }

    /// Takes the turn to renew what was renewed so often; none when somebody else has it, or was faster.
    pub(super) async fn turn(&self, id: AuthorizationId, rotation: i64) -> Result<Option<Kept>, RowError> {
        let sealed: Option<Vec<u8>> = sqlx::query_scalar(
            "update upstream_authorizations set renewing_until = clock_timestamp() + make_interval(secs => $3)
             where id = $1 and rotation = $2 and (renewing_until is null or renewing_until < clock_timestamp())
             returning sealed",
        )
        .bind(id.uuid())
        .bind(rotation)
        .bind(RENEWING_SECONDS)
        .fetch_optional(self.pool)
        .await?;
        sealed.map(|sealed| self.opened(id, &sealed)).transpose()
    }

    /// Gives the turn back: after so long, somebody may try again.
    pub(super) async fn give_back(
        &self,
        id: AuthorizationId,
        rotation: i64,
        after: Duration,
    ) -> Result<(), RowError> {
        sqlx::query(
            "update upstream_authorizations set renewing_until = clock_timestamp() + make_interval(secs => $3)
             where id = $1 and rotation = $2",
        )
        .bind(id.uuid())
        .bind(rotation)
        .bind(after.as_secs_f64())
        .execute(self.pool)
        .await?;
        Ok(())
    }

    /// Keeps what was given out in the turn; nothing, where somebody else has kept something newer.
    pub(super) async fn renew(
        &self,
        id: AuthorizationId,
        rotation: i64,
        kept: &Kept,
    ) -> Result<Option<Held>, RowError> {
        let next = rotation.saturating_add(1);
        let kept_here = sqlx::query(
            "update upstream_authorizations set sealed = $2, rotation = $3, renewing_until = null,
             expires_at = clock_timestamp() + make_interval(secs => $4) where id = $1 and rotation = $5",
        )
        .bind(id.uuid())
        .bind(self.sealed(id, kept)?)
        .bind(next)
        .bind(seconds(kept.life_seconds))
        .bind(rotation)
        .execute(self.pool)
        .await?;
        if kept_here.rows_affected() == 0 {
            return Ok(None);
        }
        let held = Held::of(kept, next, seconds(kept.life_seconds)).ok_or(RowError::Sealed)?;
        Ok(Some(Held { renewed_at: Some(Instant::now()), ..held }))
    }

    fn sealed(&self, id: AuthorizationId, kept: &Kept) -> Result<Vec<u8>, RowError> {
        let plain = Zeroizing::new(serde_json::to_vec(kept).map_err(|_| RowError::Sealed)?);
        self.seal.seal(&place(id), &plain).ok_or(RowError::Sealed)
    }

    fn opened(&self, id: AuthorizationId, sealed: &[u8]) -> Result<Kept, RowError> {
        let plain = self.seal.open(&place(id), sealed).ok_or(RowError::Sealed)?;
        serde_json::from_slice(&plain).map_err(|_| RowError::Sealed)
    }
}

fn place(id: AuthorizationId) -> String {
    format!("authorization/{id}")
}

/// As the database counts: nothing where nothing was told.
fn seconds(life: Option<u64>) -> Option<f64> {
    life.and_then(|seconds| u32::try_from(seconds).ok()).map(f64::from)
}
