//! Authorization codes (RFC 6749, 4.1.2; RFC 9700, 2.1.1 and 4.5): drawn for one client, redirect, challenge and instance, redeemed once.
//!
//! ```text
//!   issued --redeemed by its client with its verifier--> spent --presented again by the same--> its grant ends
//!     `------60 seconds------> expired
//! ```
//! Whatever else is presented changes nothing: somebody who stole a code, but has not what it is bound to, can neither use it nor use it up.

use aws_lc_rs::{constant_time, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use commands::Entropy;
use domain::value::{ClientId, GrantId, InstanceId, OrganizationId, Scope, Scopes, UserId};
use sqlx::{FromRow, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::pkce::Challenge;
use crate::people::sessions;
use crate::providers::{Ground, rests_on};

/// What every code begins with, so that whoever searches for secrets finds one.
const PREFIX: &str = "ac_";
/// A code is on its way for so long.
const CODE_SECONDS: f64 = 60.0;
/// What was used or ran out is remembered for as long, to be told from what never was.
pub(crate) const FORGET: &str =
    "delete from authorization_codes where expires_at < clock_timestamp() - interval '1 day'";

/// What a code stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeFacts {
    /// The grant that its tokens hang on.
    pub grant: GrantId,
    /// Whose code it is.
    pub client: ClientId,
    /// Who consented.
    pub user: UserId,
    /// Whose instance it is for.
    pub organization: OrganizationId,
    /// The instance: the audience of its tokens.
    pub instance: InstanceId,
    /// Where it was sent.
    pub redirect_uri: String,
    /// What it is redeemed with.
    pub challenge: Challenge,
    /// What was granted, as far as this request asked for it.
    pub scopes: Scopes,
}

/// Draws a code in a session; none when that was ended meanwhile. Only its digest is kept, and with it what its grant rests on.
pub(crate) async fn issue(
    pool: &PgPool,
    entropy: &impl Entropy,
    facts: &CodeFacts,
    (session, ground): (Uuid, &Ground),
) -> Result<Option<String>, sqlx::Error> {
    let mut unit = pool.begin().await?;
    if !sessions::lasts(&mut unit, session).await? {
        return Ok(None);
    }
    rests_on(&mut unit, facts.grant, ground).await?;
    let code = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(entropy.secret()));
    let scopes: Vec<String> = facts.scopes.iter().map(ToString::to_string).collect();
    sqlx::query(
        "insert into authorization_codes
            (digest, grant_id, client_id, user_id, organization_id, instance_id, redirect_uri, challenge, scopes, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, clock_timestamp() + make_interval(secs => $10))",
    )
    .bind(digest_of(&code))
    .bind(facts.grant.uuid())
    .bind(facts.client.uuid())
    .bind(facts.user.uuid())
    .bind(facts.organization.uuid())
    .bind(facts.instance.uuid())
    .bind(&facts.redirect_uri)
    .bind(facts.challenge.text())
    .bind(scopes)
    .bind(CODE_SECONDS)
    .execute(&mut *unit)
    .await?;
    unit.commit().await?;
    Ok(Some(code))
}

/// The grant behind a code, whoever presents it: to be looked at before the code is spent.
pub(super) async fn grant_of(pool: &PgPool, code: &str) -> Result<Option<GrantId>, sqlx::Error> {
    let found: Option<(Uuid,)> = sqlx::query_as("select grant_id from authorization_codes where digest = $1")
        .bind(digest_of(code))
        .fetch_optional(pool)
        .await?;
    Ok(found.map(|(grant,)| GrantId::new(grant)))
}

/// What a client presents at the token endpoint.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    /// The code.
    pub code: &'a str,
    /// The client, which has proven who it is.
    pub client: ClientId,
    /// Where it says the code was sent; a client may leave it out (OAuth 2.1, 4.1.3).
    pub redirect_uri: Option<&'a str>,
    /// What the challenge was made of.
    pub verifier: &'a str,
    /// The instance, where the request names one.
    pub instance: Option<InstanceId>,
}

impl std::fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Presented").field("client", &self.client).finish_non_exhaustive()
    }
}

/// What comes of a code that is presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redeemed {
    /// It is spent now, and this is what it stood for.
    Now(CodeFacts),
    /// Its own client presents it once more, with everything that it is bound to: the grant is to end (RFC 9700, 4.5).
    Again(GrantId),
    /// No such code for this client: unknown, run out, another client's, or with another verifier or redirect. Nothing has changed.
    Not,
    /// Its own client asks for another instance. Nothing has changed.
    OtherInstance,
}

#[derive(FromRow)]
struct Row {
    grant_id: Uuid,
    client_id: Uuid,
    user_id: Uuid,
    organization_id: Uuid,
    instance_id: Uuid,
    redirect_uri: String,
    challenge: String,
    scopes: Vec<String>,
    consumed_at: Option<OffsetDateTime>,
}

/// Redeems a code: whoever is first, of however many at once on however many nodes, and nobody else.
pub async fn redeem(pool: &PgPool, presented: Presented<'_>) -> Result<Redeemed, sqlx::Error> {
    let digest = digest_of(presented.code);
    let found: Option<Row> = sqlx::query_as(
        "select grant_id, client_id, user_id, organization_id, instance_id, redirect_uri, challenge, scopes, consumed_at
         from authorization_codes where digest = $1",
    )
    .bind(&digest)
    .fetch_optional(pool)
    .await?;
    let Some(facts) = found.as_ref().and_then(facts_of) else { return Ok(Redeemed::Not) };
    if !is_bound_to(&facts, &presented) {
        return Ok(Redeemed::Not);
    }
    if presented.instance.is_some_and(|instance| instance != facts.instance) {
        return Ok(Redeemed::OtherInstance);
    }
    if found.is_some_and(|row| row.consumed_at.is_some()) {
        return Ok(Redeemed::Again(facts.grant));
    }
    let spent: Option<(bool,)> = sqlx::query_as(
        "update authorization_codes set consumed_at = clock_timestamp()
         where digest = $1 and consumed_at is null and expires_at > clock_timestamp() returning true",
    )
    .bind(&digest)
    .fetch_optional(pool)
    .await?;
    if spent.is_some() {
        return Ok(Redeemed::Now(facts));
    }
    // Run out, or another one was faster.
    let query = "select consumed_at is not null from authorization_codes where digest = $1";
    let spent: Option<(bool,)> = sqlx::query_as(query).bind(&digest).fetch_optional(pool).await?;
    Ok(if spent == Some((true,)) { Redeemed::Again(facts.grant) } else { Redeemed::Not })
}

/// Whether everything that the code is bound to is there.
fn is_bound_to(facts: &CodeFacts, presented: &Presented<'_>) -> bool {
    let same = |sent: &str| {
        constant_time::verify_slices_are_equal(sent.as_bytes(), facts.redirect_uri.as_bytes()).is_ok()
    };
    presented.client == facts.client
        && facts.challenge.is_of(presented.verifier)
        && presented.redirect_uri.is_none_or(same)
}

/// A row as it was written; none when it was not written by us.
fn facts_of(row: &Row) -> Option<CodeFacts> {
    Some(CodeFacts {
        grant: GrantId::new(row.grant_id),
        client: ClientId::new(row.client_id),
        user: UserId::new(row.user_id),
        organization: OrganizationId::new(row.organization_id),
        instance: InstanceId::new(row.instance_id),
        redirect_uri: row.redirect_uri.clone(),
        challenge: Challenge::parse(&row.challenge)?,
        scopes: row.scopes.iter().map(|text| Scope::parse(text).ok()).collect::<Option<Scopes>>()?,
    })
}

fn digest_of(code: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, code.as_bytes()).as_ref().to_vec()
}
