//! What calls asked for, told together: calls that put the same question to the policy are one row, so that judging millions of them again takes one
//! GROUP BY and as many decisions as there are different questions.

use domain::grant::ACCESS_TOKEN_SECONDS;
use domain::value::{ClientId, GrantId, InstanceId, Scopes, Timestamp, TokenId, UserId};
use sqlx::postgres::Postgres;
use sqlx::query_builder::QueryBuilder;
use sqlx::{FromRow, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::record::WishKind;
use super::timed::{Patience, from_id, timed, to_id};
use crate::access::{TokenClaims, TokenHolder};

/// Calls that put the same question.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Asked {
    /// The API key; of access tokens their grant, or the client that acts for itself; none for callers on loopback.
    pub credential_id: Option<Uuid>,
    /// The user in whose name it called, or the client itself.
    pub principal_id: Option<Uuid>,
    /// The client of the access tokens.
    pub client_id: Option<Uuid>,
    /// The grant that they rest on.
    pub grant_id: Option<Uuid>,
    /// The instance that they are for.
    pub audience_id: Option<Uuid>,
    /// Their own scopes.
    #[sqlx(json(nullable))]
    pub token_scopes: Option<Scopes>,
    /// The instance; none when the address held no id.
    pub instance_id: Option<Uuid>,
    /// What the policy was asked for; none when it was not asked, or only about the credential.
    pub wish: Option<WishKind>,
    /// The tool.
    pub tool: Option<String>,
    /// Whether the tool counted as read-only.
    pub read_only: bool,
    /// Whether the caller's address passed the maintenance that was under way.
    pub maintenance_exempt: bool,
    /// How many calls.
    pub calls: i64,
    /// How many of them were permitted when they came.
    pub permitted: i64,
    /// When the first of them began.
    pub first_at: OffsetDateTime,
    /// When the last of them began.
    pub last_at: OffsetDateTime,
    /// The record of the first.
    pub example: Uuid,
}

impl Asked {
    /// What an access token like those would say, were it given out now. Of one of them alone, nothing is asked: they are gone in minutes.
    pub fn token_claims(&self, now: Timestamp) -> Option<TokenClaims> {
        let holder = match self.grant_id {
            Some(grant) => {
                TokenHolder::User { user: UserId::new(self.principal_id?), grant: GrantId::new(grant) }
            }
            None => TokenHolder::Client,
        };
        Some(TokenClaims {
            token: TokenId::new(Uuid::nil()),
            client: ClientId::new(self.client_id?),
            holder,
            instance: InstanceId::new(self.audience_id?),
            scopes: self.token_scopes.clone()?,
            expires_at: now.plus_seconds(ACCESS_TOKEN_SECONDS),
        })
    }
}

/// All questions of a time, or those that most calls put.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Questions {
    /// The questions, the most frequent first.
    pub asked: Vec<Asked>,
    /// Calls of that time, also of questions that are not here.
    pub calls: i64,
    /// Questions of that time.
    pub different: i64,
}

#[derive(FromRow)]
struct Row {
    #[sqlx(flatten)]
    asked: Asked,
    all_calls: i64,
    all_different: i64,
}

/// What was asked in a time by an organization's callers, or by everybody: at most so many different questions.
pub async fn questions(
    pool: &PgPool,
    organization: Option<Uuid>,
    from: OffsetDateTime,
    to: OffsetDateTime,
    questions_max: u32,
    patience: Patience,
) -> Result<Questions, sqlx::Error> {
    // `min` of ids is that of their texts, which are in the same order; Postgres has the other one from version 18 on.
    let mut sql = QueryBuilder::<Postgres>::new(
        "select asked.*, (sum(calls) over ())::bigint as all_calls, count(*) over () as all_different from (
            select credential_id, principal_id, client_id, grant_id, (token ->> 'instance')::uuid as audience_id,
                   token -> 'scopes' as token_scopes, instance_id, wish, tool, read_only, maintenance_exempt, count(*) as calls,
                   count(*) filter (where decision = 'permit') as permitted, min(at) as first_at, max(at) as last_at,
                   min(id::text)::uuid as example
            from calls where true",
    );
    from_id(&mut sql, from);
    to_id(&mut sql, to);
    if let Some(organization) = organization {
        sql.push(" and organization_id = ").push_bind(organization);
    }
    sql.push(
        " group by credential_id, principal_id, client_id, grant_id, audience_id, token_scopes, instance_id, wish, tool, read_only, maintenance_exempt) asked
         order by calls desc, example limit ",
    );
    sql.push_bind(i64::from(questions_max));
    let rows: Vec<Row> = timed(pool, patience, sql.build_query_as()).await?;
    let (calls, different) = rows.first().map_or((0, 0), |row| (row.all_calls, row.all_different));
    Ok(Questions { asked: rows.into_iter().map(|row| row.asked).collect(), calls, different })
}
