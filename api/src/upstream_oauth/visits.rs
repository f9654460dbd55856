//! Browsers on their way to an authorization server, by the state that they come back with: kept for ten minutes, taken once, by the person and in the
//! browser that were sent.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use commands::Entropy;
use domain::server::Transport;
use domain::value::{AuthorizationServer, ConnectionId, OrganizationId, UserId};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgPool};
use url::Url;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::client::OauthClient;
use crate::passwords::Seal;

/// Whoever takes longer begins again.
const STATE_SECONDS: f64 = 600.0;
/// Ways that one person is on at once; the oldest goes for another one.
const VISITS_MAX: i64 = 16;

/// Whose way it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traveller<'a> {
    /// What is kept of the text in their cookie.
    pub(crate) browser: &'a [u8],
    /// Who is signed in.
    pub(crate) user: UserId,
}

/// What is remembered of a way.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    pub(super) organization: OrganizationId,
    pub(super) connection: ConnectionId,
    pub(super) errand: Errand,
}

/// What is expected back, and what is done with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Errand {
    /// Proves that whoever redeems the code is whoever asked for it (RFC 7636).
    pub(super) verifier: String,
    /// Whose answer it must be.
    pub(super) issuer: AuthorizationServer,
    /// Whether that one always says so (RFC 9207).
    pub(super) names_itself: bool,
    pub(super) endpoint: Url,
    pub(super) beside_the_server: bool,
    pub(super) client: OauthClient,
    pub(super) resource: String,
    pub(super) scope: String,
    /// Where the server was.
    pub(super) meant_for: Transport,
}

#[derive(FromRow)]
struct Row {
    organization_id: Uuid,
    connection_id: Uuid,
    sealed: Vec<u8>,
}

/// A way cannot be noted or looked up.
#[derive(Debug, thiserror::Error)]
pub(super) enum VisitError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error("the way to an authorization server cannot be sealed or opened")]
    Sealed,
}

/// The ways, and what opens them.
#[derive(Clone, Copy)]
pub(super) struct Visits<'a> {
    pub(super) pool: &'a PgPool,
    pub(super) seal: &'a dyn Seal,
}

impl Visits<'_> {
    /// Notes one under a fresh state.
    pub(super) async fn keep(
        &self,
        entropy: &impl Entropy,
        traveller: Traveller<'_>,
        visit: &Visit,
    ) -> Result<String, VisitError> {
        let state = URL_SAFE_NO_PAD.encode(entropy.secret());
        let digest = digest_of(&state);
        let plain = Zeroizing::new(serde_json::to_vec(&visit.errand).map_err(|_| VisitError::Sealed)?);
        let sealed = self.seal.seal(&place(&digest), &plain).ok_or(VisitError::Sealed)?;
        sqlx::query(
            "insert into upstream_visits (digest, browser, user_id, organization_id, connection_id, sealed, expires_at)
             values ($1, $2, $3, $4, $5, $6, clock_timestamp() + make_interval(secs => $7))",
        )
        .bind(digest)
        .bind(traveller.browser)
        .bind(traveller.user.uuid())
        .bind(visit.organization.uuid())
        .bind(visit.connection.uuid())
        .bind(sealed)
        .bind(STATE_SECONDS)
        .execute(self.pool)
        .await?;
        sqlx::query(
            "delete from upstream_visits where user_id = $1 and digest in
             (select digest from upstream_visits where user_id = $1 order by expires_at desc offset $2)",
        )
        .bind(traveller.user.uuid())
        .bind(VISITS_MAX)
        .execute(self.pool)
        .await?;
        Ok(state)
    }

    /// Takes one. In another browser, for somebody else, or a second time there is none; and whoever tries takes it from nobody.
    pub(super) async fn take(
        &self,
        traveller: Traveller<'_>,
        state: &str,
    ) -> Result<Option<Visit>, VisitError> {
        let digest = digest_of(state);
        let row: Option<Row> = sqlx::query_as(
            "delete from upstream_visits where digest = $1 and browser = $2 and user_id = $3 and expires_at > clock_timestamp()
             returning organization_id, connection_id, sealed",
        )
        .bind(&digest)
        .bind(traveller.browser)
        .bind(traveller.user.uuid())
        .fetch_optional(self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let plain = self.seal.open(&place(&digest), &row.sealed).ok_or(VisitError::Sealed)?;
        let errand = serde_json::from_slice(&plain).map_err(|_| VisitError::Sealed)?;
        let (organization, connection) =
            (OrganizationId::new(row.organization_id), ConnectionId::new(row.connection_id));
        Ok(Some(Visit { organization, connection, errand }))
    }
}

fn digest_of(state: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, state.as_bytes()).as_ref().to_vec()
}

fn place(digest: &[u8]) -> String {
    format!("visit/{}", URL_SAFE_NO_PAD.encode(digest))
}
