//! The deployment: its administrators, its maintenance, and what people are told. It stands above the tenants, so nothing here asks for one.

use std::collections::{BTreeMap, BTreeSet};

use domain::deployment::DeploymentEvent;
use domain::value::{AddressRange, DisplayName, HttpsUrl, Timestamp};
use sqlx::{FromRow, PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::mark::{Mark, changed, changing, column, moment};
use super::page::{Cursor, Listed, Page};
use crate::projection::Poison;
use crate::recorded::Foldable;
use crate::rows::Table;
use crate::table;

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
    /// The deployment.
    pub id: String,
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

/// A row of `administrators`, as it stands in the table.
#[derive(Debug, FromRow)]
pub(super) struct Administratorship {
    user_id: Uuid,
    created_at: OffsetDateTime,
    created_position: i64,
}

table!(Administratorship in "administrators" by Uuid = user_id; user_id, created_at, created_position);
table!(MaintenanceRow in "maintenance" by String = id;
    id, until, allowed, created_at, created_position, updated_at, updated_position);
table!(AnnouncementRow in "announcements" by Uuid = id;
    id, ja, en, until, standing, created_at, created_position, updated_at, updated_position);
table!(LinkRow in "links" by String = label; label, url, created_at, created_position);
changing!(MaintenanceRow, AnnouncementRow);

/// All that is kept about the deployment.
#[derive(Debug, Default)]
pub(super) struct Deployment {
    pub(super) administrators: Table<Administratorship>,
    pub(super) maintenance: Table<MaintenanceRow>,
    pub(super) announcements: Table<AnnouncementRow>,
    pub(super) links: Table<LinkRow>,
    links_change: bool,
}

impl Deployment {
    /// Notes which rows an event is about.
    pub(super) fn want(&mut self, event: &Foldable, fact: &DeploymentEvent) {
        match fact {
            DeploymentEvent::Bootstrapped { administrator: user }
            | DeploymentEvent::AdministratorAdded { user }
            | DeploymentEvent::AdministratorRemoved { user } => self.administrators.want(user.uuid()),
            DeploymentEvent::MaintenanceStarted { .. } | DeploymentEvent::MaintenanceEnded {} => {
                self.maintenance.want(event.aggregate_id.clone());
            }
            DeploymentEvent::AnnouncementPublished { id, .. }
            | DeploymentEvent::AnnouncementWithdrawn { id } => self.announcements.want(id.uuid()),
            DeploymentEvent::LinksChanged { .. } => self.links_change = true,
            DeploymentEvent::ParkedEventRetried { .. }
            | DeploymentEvent::ParkedEventSkipped { .. }
            | DeploymentEvent::SigningKeyAdded { .. }
            | DeploymentEvent::SigningKeyActivated { .. }
            | DeploymentEvent::SigningKeyRetired { .. }
            | DeploymentEvent::ProviderAdded { .. }
            | DeploymentEvent::ProviderChanged { .. }
            | DeploymentEvent::ProviderRemoved { .. } => {}
        }
    }

    /// Loads the rows that were noted. All links are replaced together, so they are loaded together: there are never many.
    pub(super) async fn load(&mut self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        self.administrators.load(connection).await?;
        self.maintenance.load(connection).await?;
        self.announcements.load(connection).await?;
        if std::mem::take(&mut self.links_change) {
            self.links.hold(sqlx::query_as("select * from links").fetch_all(connection).await?);
        }
        Ok(())
    }

    fn make_administrator(&mut self, mark: Mark) -> Result<(), Poison> {
        self.administrators.make(Administratorship {
            user_id: mark.id,
            created_at: mark.at,
            created_position: mark.position,
        })
    }

    /// Again while in maintenance: other terms, the same beginning.
    fn maintain(&mut self, event: &Foldable, until: Option<Timestamp>, allowed: &BTreeSet<AddressRange>) {
        let (at, position) = (event.occurred_at.get(), column(event.position));
        let id = event.aggregate_id.clone();
        let (created_at, created_position) =
            self.maintenance.get(&id).map_or((at, position), |row| (row.created_at, row.created_position));
        self.maintenance.put(MaintenanceRow {
            id,
            until: moment(until),
            allowed: allowed.iter().map(AddressRange::to_string).collect(),
            created_at,
            created_position,
            updated_at: at,
            updated_position: position,
        });
    }

    fn replace_links(&mut self, event: &Foldable, links: &BTreeMap<DisplayName, HttpsUrl>) {
        self.links.end_all();
        for (label, url) in links {
            self.links.put(LinkRow {
                label: label.as_str().to_owned(),
                url: url.as_str().to_owned(),
                created_at: event.occurred_at.get(),
                created_position: column(event.position),
            });
        }
    }
}

/// Folds one event about the deployment.
pub(super) fn fold(
    deployment: &mut Deployment,
    event: &Foldable,
    fact: &DeploymentEvent,
) -> Result<(), Poison> {
    match fact {
        DeploymentEvent::Bootstrapped { administrator: user }
        | DeploymentEvent::AdministratorAdded { user } => {
            deployment.make_administrator(Mark::about(user.uuid(), event))?;
        }
        DeploymentEvent::AdministratorRemoved { user } => deployment.administrators.end(&user.uuid())?,
        DeploymentEvent::MaintenanceStarted { until, allowed } => {
            deployment.maintain(event, *until, allowed);
        }
        DeploymentEvent::MaintenanceEnded {} => deployment.maintenance.end(&event.aggregate_id)?,
        DeploymentEvent::AnnouncementPublished { id, ja, en, until } => {
            let mark = Mark::about(id.uuid(), event);
            deployment.announcements.make(AnnouncementRow {
                id: mark.id,
                ja: ja.as_str().to_owned(),
                en: en.as_str().to_owned(),
                until: moment(*until),
                standing: "published".to_owned(),
                created_at: mark.at,
                created_position: mark.position,
                updated_at: mark.at,
                updated_position: mark.position,
            })?;
        }
        DeploymentEvent::AnnouncementWithdrawn { id } => {
            let mark = Mark::about(id.uuid(), event);
            "withdrawn".clone_into(&mut changed(&mut deployment.announcements, &mark.id, mark)?.standing);
        }
        DeploymentEvent::LinksChanged { links } => deployment.replace_links(event, links),
        // Orders to whoever folds; keys and identity providers, which everybody is told of by the view.
        DeploymentEvent::ParkedEventRetried { .. }
        | DeploymentEvent::ParkedEventSkipped { .. }
        | DeploymentEvent::SigningKeyAdded { .. }
        | DeploymentEvent::SigningKeyActivated { .. }
        | DeploymentEvent::SigningKeyRetired { .. }
        | DeploymentEvent::ProviderAdded { .. }
        | DeploymentEvent::ProviderChanged { .. }
        | DeploymentEvent::ProviderRemoved { .. } => {}
    }
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
