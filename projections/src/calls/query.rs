//! Records as they are asked for: by tenant first, in the order in which calls began.

use sqlx::PgPool;
use sqlx::postgres::Postgres;
use sqlx::query_builder::QueryBuilder;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::record::{CallRecord, Decision};

/// Which records are wanted: all that every part of it fits. For a tenant the organization is never left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CallFilter {
    /// Records of this organization's.
    pub organization: Option<Uuid>,
    /// Calls to this instance.
    pub instance: Option<Uuid>,
    /// Calls of this tool.
    pub tool: Option<String>,
    /// Calls with this API key, or with access tokens of this grant, or of this client's own.
    pub credential: Option<Uuid>,
    /// Calls with access tokens of this client.
    pub client: Option<Uuid>,
    /// Calls with access tokens of this grant.
    pub grant: Option<Uuid>,
    /// Calls in this user's name.
    pub principal: Option<Uuid>,
    /// Calls about which this was decided.
    pub decision: Option<Decision>,
    /// Calls that were denied or failed for this reason.
    pub reason: Option<String>,
    /// Calls that began then or later.
    pub from: Option<OffsetDateTime>,
    /// Calls that began before.
    pub to: Option<OffsetDateTime>,
}

/// The next records after an id, in the order in which calls began: at most so many. A record is written when its call ends, so that of a long
/// stream may come to stand before what was read already.
pub async fn page(
    pool: &PgPool,
    filter: &CallFilter,
    after: Option<Uuid>,
    rows_max: u32,
) -> Result<Vec<CallRecord>, sqlx::Error> {
    statement(filter, after, rows_max).build_query_as().fetch_all(pool).await
}

/// One record, within what may be seen: one organization, or everything.
pub async fn by_id(
    pool: &PgPool,
    organization: Option<Uuid>,
    id: Uuid,
) -> Result<Option<CallRecord>, sqlx::Error> {
    sqlx::query_as("select * from calls where id = $1 and ($2::uuid is null or organization_id = $2)")
        .bind(id)
        .bind(organization)
        .fetch_optional(pool)
        .await
}

/// The sealed arguments of a call that are kept before a day, if they still are.
pub async fn sealed_arguments(pool: &PgPool, until: Date, id: Uuid) -> Result<Option<Vec<u8>>, sqlx::Error> {
    sqlx::query_scalar("select sealed from call_arguments where until = $1 and id = $2")
        .bind(until)
        .bind(id)
        .fetch_optional(pool)
        .await
}

fn statement(filter: &CallFilter, after: Option<Uuid>, rows_max: u32) -> QueryBuilder<'_, Postgres> {
    let CallFilter {
        organization,
        instance,
        tool,
        credential,
        client,
        grant,
        principal,
        decision,
        reason,
        from,
        to,
    } = filter;
    let mut sql = QueryBuilder::new("select * from calls where true");
    for (column, id) in [
        ("organization_id", organization),
        ("instance_id", instance),
        ("credential_id", credential),
        ("client_id", client),
        ("grant_id", grant),
        ("principal_id", principal),
    ] {
        if let Some(id) = id {
            sql.push(format_args!(" and {column} = ")).push_bind(*id);
        }
    }
    if let Some(grant) = grant {
        sql.push(" and credential_id = ").push_bind(*grant); // which has an index
    }
    if let Some(tool) = tool {
        sql.push(" and tool = ").push_bind(tool.as_str());
    }
    if let Some(decision) = decision {
        sql.push(" and decision = ").push_bind(decision.as_str());
    }
    if let Some(reason) = reason {
        sql.push(" and reason = ").push_bind(reason.as_str());
    }
    // By the id too, which leads to the partitions and along the indexes.
    if let Some(from) = from {
        sql.push(" and id >= first_call_id(").push_bind(*from).push(") and at >= ").push_bind(*from);
    }
    if let Some(to) = to {
        let end = to.saturating_add(time::Duration::milliseconds(1)); // ids know whole milliseconds
        sql.push(" and id < first_call_id(").push_bind(end).push(") and at < ").push_bind(*to);
    }
    if let Some(after) = after {
        sql.push(" and id > ").push_bind(after);
    }
    sql.push(" order by id limit ").push_bind(i64::from(rows_max));
    sql
}
