//! The deployment: its administrators, its maintenance, and what people are told. It stands above the tenants, so nothing here asks for one.

use std::collections::BTreeMap;

use domain::deployment::DeploymentEvent;
use domain::value::{AddressRange, DisplayName, HttpsUrl, Timestamp};
use sqlx::{FromRow, PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::mark::{Mark, column, write_one};
use super::page::{Cursor, Listed, Page};
use crate::projection::ProjectionError;
use crate::recorded::Recorded;

/// A row of `administrators`, with what is shown of the person.
#[derive(Debug, Clone, FromRow)]
pub struct AdministratorRow {
    /// Who.
    pub user_id: Uuid,
    /// Their address, where it is known.
    pub email: Option<String>,
    /// Their name, where it is known.
    pub name: Option<String>,
    /// Since when.
    pub created_at: OffsetDateTime,
    /// Position of the event that made them one.
    pub created_position: i64,
}

/// The row of `maintenance`.
#[derive(Debug, Clone, FromRow)]
pub struct MaintenanceRow {
    /// When it is expected to end, if that is known.
    pub until: Option<OffsetDateTime>,
    /// Addresses and blocks that pass.
    pub allowed: Vec<String>,
    /// When it began.
    pub created_at: OffsetDateTime,
    /// Position of the event that began it.
    pub created_position: i64,
    /// When its terms changed last.
    pub updated_at: OffsetDateTime,
    /// Position of the event that changed them last.
    pub updated_position: i64,
}

/// A row of `announcements`.
#[derive(Debug, Clone, FromRow)]
pub struct AnnouncementRow {
    /// Its id.
    pub id: Uuid,
    /// In Japanese.
    pub ja: String,
    /// In English.
    pub en: String,
    /// When it disappears by itself, if it does.
    pub until: Option<OffsetDateTime>,
    /// `published` or `withdrawn`.
    pub standing: String,
    /// When it was published.
    pub created_at: OffsetDateTime,
    /// Position of the event that published it.
    pub created_position: i64,
    /// When it changed last.
    pub updated_at: OffsetDateTime,
    /// Position of the event that changed it last.
    pub updated_position: i64,
}

/// A row of `links`.
#[derive(Debug, Clone, FromRow)]
pub struct LinkRow {
    /// What it is called.
    pub label: String,
    /// Where it leads.
    pub url: String,
    /// When the links were set.
    pub created_at: OffsetDateTime,
    /// Position of the event that set them.
    pub created_position: i64,
}

impl Listed for AdministratorRow {
    fn created_position(&self) -> i64 {
        self.created_position
    }
}

/// Folds one event about the deployment.
pub(super) async fn fold(
    connection: &mut PgConnection,
    event: &Recorded,
    fact: &DeploymentEvent,
) -> Result<(), ProjectionError> {
    let statement = match fact {
        DeploymentEvent::Bootstrapped { administrator: user } | DeploymentEvent::AdministratorAdded { user } => {
            Mark::about(user.uuid(), event)
                .query("insert into administrators (user_id, created_at, created_position) values ($1, $2, $3)")
        }
        DeploymentEvent::AdministratorRemoved { user } => {
            Mark::about(user.uuid(), event).query("delete from administrators where user_id = $1")
        }
        DeploymentEvent::MaintenanceStarted { until, allowed } => {
            // again while in maintenance: other terms, the same beginning
            sqlx::query(
                "insert into maintenance (id, until, allowed, created_at, created_position, updated_at, updated_position)
                 values ($1, $4, $5, $2, $3, $2, $3)
                 on conflict (id) do update set until = $4, allowed = $5, updated_at = $2, updated_position = $3",
            )
            .bind(&event.aggregate_id)
            .bind(event.occurred_at.get())
            .bind(column(event.position))
            .bind(until.map(Timestamp::get))
            .bind(allowed.iter().map(AddressRange::to_string).collect::<Vec<_>>())
        }
        DeploymentEvent::MaintenanceEnded {} => {
            sqlx::query("delete from maintenance where id = $1").bind(&event.aggregate_id)
        }
        DeploymentEvent::AnnouncementPublished { id, ja, en, until } => Mark::about(id.uuid(), event)
            .query(
                "insert into announcements (id, ja, en, until, standing, created_at, created_position, updated_at, updated_position)
                 values ($1, $4, $5, $6, 'published', $2, $3, $2, $3)",
            )
            .bind(ja.as_str())
            .bind(en.as_str())
            .bind(until.map(Timestamp::get)),
        DeploymentEvent::AnnouncementWithdrawn { id } => Mark::about(id.uuid(), event).query(
            "update announcements set standing = 'withdrawn', updated_at = $2, updated_position = $3 where id = $1",
        ),
        DeploymentEvent::LinksChanged { links } => return replace_links(connection, event, links).await,
    };
    write_one(connection, statement).await
}

async fn replace_links(
    connection: &mut PgConnection,
    event: &Recorded,
    links: &BTreeMap<DisplayName, HttpsUrl>,
) -> Result<(), ProjectionError> {
    sqlx::query("delete from links").execute(&mut *connection).await?;
    sqlx::query(
        "insert into links (label, url, created_at, created_position)
         select label, url, $3, $4 from unnest($1::text[], $2::text[]) as l (label, url)",
    )
    .bind(links.keys().map(|label| label.as_str().to_owned()).collect::<Vec<_>>())
    .bind(links.values().map(|url| url.as_str().to_owned()).collect::<Vec<_>>())
    .bind(event.occurred_at.get())
    .bind(column(event.position))
    .execute(connection)
    .await?;
    Ok(())
}

/// The administrators, in the order in which they came.
pub async fn administrators(
    pool: &PgPool,
    after: Cursor,
    rows: u32,
) -> Result<Page<AdministratorRow>, sqlx::Error> {
    let query = sqlx::query_as(
        "select a.*, u.email, u.name from administrators a left join users u on u.id = a.user_id
         where a.created_position > $1 order by a.created_position limit $2",
    );
    Page::read(query, pool, after, rows).await
}

/// The maintenance under way, if there is one.
pub async fn maintenance(pool: &PgPool) -> Result<Option<MaintenanceRow>, sqlx::Error> {
    sqlx::query_as("select * from maintenance").fetch_optional(pool).await
}

/// What people are to be told at this moment, oldest first. There are never many: the rules limit how many stand at a time.
pub async fn announcements(pool: &PgPool, at: Timestamp) -> Result<Vec<AnnouncementRow>, sqlx::Error> {
    sqlx::query_as(
        "select * from announcements where standing = 'published' and (until is null or until > $1) order by created_position",
    )
    .bind(at.get())
    .fetch_all(pool)
    .await
}

/// The community links, by label.
pub async fn links(pool: &PgPool) -> Result<Vec<LinkRow>, sqlx::Error> {
    sqlx::query_as(r#"select * from links order by label collate "C""#).fetch_all(pool).await
}
