//! Whose things are: what a question about the past needs to know before it is answered.

use domain::value::{ApiKeyId, ClientId, GrantId, IdError, InstanceId, OrganizationId, Position, UserId};
use sqlx::Row as _;
use uuid::Uuid;

use super::{History, Range, column};
use crate::access::Credential;
use crate::log::LogError;

/// A credential that came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// Which one.
    pub credential: Credential,
    /// In whose name it calls; `None` for a client, which calls in its own.
    pub user: Option<UserId>,
    /// The client that calls, when one does.
    pub client: Option<ClientId>,
    /// Where it began.
    pub position: Position,
}

/// What a user consented to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrantMade {
    /// Its id.
    pub id: GrantId,
    /// Who.
    pub user: UserId,
    /// Where.
    pub instance: InstanceId,
}

/// The first event of an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The tenant that it belongs to, if it belongs to one.
    pub organization: Option<OrganizationId>,
    /// Where it began.
    pub position: Position,
}

impl History {
    /// Where an aggregate comes from; `None` when there never was one.
    pub async fn origin(&self, kind: &str, id: &str) -> Result<Option<Origin>, LogError> {
        let row = sqlx::query(
            "select organization_id, global_position from events where aggregate_type = $1 and aggregate_id = $2 and sequence = 1",
        )
        .bind(kind)
        .bind(id)
        .fetch_optional(self.log.pool())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let organization: Option<Uuid> = row.try_get(0)?;
        let position = Position::new(row.try_get::<i64, _>(1)?.unsigned_abs());
        Ok(Some(Origin { organization: organization.map(OrganizationId::new), position }))
    }

    /// The key with a public part. Its claim is never given back, so it is found whatever became of the key.
    pub async fn key_named(&self, key_id: &str) -> Result<Option<ApiKeyId>, LogError> {
        let row: Option<(String,)> =
            sqlx::query_as("select owner_id from claims where scope = 'key_id' and value = $1")
                .bind(key_id)
                .fetch_optional(self.log.pool())
                .await?;
        let malformed = |error: IdError| LogError::Malformed(Position::START, error.to_string());
        row.map(|(id,)| ApiKeyId::parse(&id).map_err(malformed)).transpose()
    }

    /// Whether somebody ever was a member of an organization. Looks at the events of that organization alone.
    pub async fn was_ever_member(
        &self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<bool, LogError> {
        let (was,): (bool,) = sqlx::query_as(
            "select exists (select from events where aggregate_type = 'organization' and aggregate_id = $1
                            and event_type = 'member_added' and payload -> 'member_added' ->> 'user' = $2)",
        )
        .bind(organization.to_string())
        .bind(user.to_string())
        .fetch_one(self.log.pool())
        .await?;
        Ok(was)
    }

    /// The keys in somebody's name that an organization had issued by a position: the newest first, at most so many. They come out of the
    /// directory, which forgets no key.
    pub async fn keys_of(
        &self,
        organization: OrganizationId,
        user: UserId,
        at: Position,
        keys_max: u32,
    ) -> Result<Vec<ApiKeyId>, LogError> {
        let rows: Vec<(Uuid,)> = sqlx::query_as(
            "select id from api_keys where organization_id = $1 and principal_id = $2 and created_position <= $3
             order by created_position desc limit $4",
        )
        .bind(organization.uuid())
        .bind(user.uuid())
        .bind(column(at))
        .bind(i64::from(keys_max))
        .fetch_all(self.log.pool())
        .await?;
        Ok(rows.into_iter().map(|(id,)| ApiKeyId::new(id)).collect())
    }

    /// What somebody had consented to at an instance by a position, revoked or not: the newest first, at most so many.
    pub async fn grants_of(
        &self,
        user: UserId,
        instance: InstanceId,
        at: Position,
        grants_max: u32,
    ) -> Result<Vec<GrantId>, LogError> {
        let rows: Vec<(Uuid,)> = sqlx::query_as(
            "select id from grants where user_id = $1 and instance_id = $2 and created_position <= $3
             order by created_position desc limit $4",
        )
        .bind(user.uuid())
        .bind(instance.uuid())
        .bind(column(at))
        .bind(i64::from(grants_max))
        .fetch_all(self.log.pool())
        .await?;
        Ok(rows.into_iter().map(|(id,)| GrantId::new(id)).collect())
    }

    /// What users had consented to a client by a position, within what may be seen: the newest first, at most so many.
    pub async fn grants_to(
        &self,
        client: ClientId,
        within: Option<OrganizationId>,
        at: Position,
        grants_max: u32,
    ) -> Result<Vec<GrantMade>, LogError> {
        let rows: Vec<(Uuid, Uuid, Uuid)> = sqlx::query_as(
            "select id, user_id, instance_id from grants
             where client_id = $1 and created_position <= $2 and ($3::uuid is null or organization_id = $3)
             order by created_position desc limit $4",
        )
        .bind(client.uuid())
        .bind(column(at))
        .bind(within.map(OrganizationId::uuid))
        .bind(i64::from(grants_max))
        .fetch_all(self.log.pool())
        .await?;
        let made = |(id, user, instance)| GrantMade {
            id: GrantId::new(id),
            user: UserId::new(user),
            instance: InstanceId::new(instance),
        };
        Ok(rows.into_iter().map(made).collect())
    }

    /// The instances that an organization had made by a position, deleted ones too: the newest first, at most so many.
    pub async fn instances_made(
        &self,
        organization: OrganizationId,
        at: Position,
        instances_max: u32,
    ) -> Result<Vec<InstanceId>, LogError> {
        let rows: Vec<(Uuid,)> = sqlx::query_as(
            "select id from instances where organization_id = $1 and created_position <= $2 order by created_position desc limit $3",
        )
        .bind(organization.uuid())
        .bind(column(at))
        .bind(i64::from(instances_max))
        .fetch_all(self.log.pool())
        .await?;
        Ok(rows.into_iter().map(|(id,)| InstanceId::new(id)).collect())
    }

    /// What could call an instance of an organization, in the order in which it came to be: the organization's API keys and clients, and what users
    /// consented to at that instance. At most so many in a range, whatever became of them since.
    pub async fn credentials_made(
        &self,
        organization: OrganizationId,
        instance: InstanceId,
        range: Range,
        credentials_max: u32,
    ) -> Result<Vec<Made>, LogError> {
        type Row = (String, Uuid, Option<Uuid>, Option<Uuid>, i64);
        let rows: Vec<Row> = sqlx::query_as(
            "(select 'api_key', id, principal_id, null::uuid, created_position as position from api_keys
              where organization_id = $1 and created_position > $2 and created_position <= $3 order by position limit $4)
             union all
             (select 'grant', id, user_id, client_id, created_position from grants
              where organization_id = $1 and instance_id = $5 and created_position > $2 and created_position <= $3
              order by created_position limit $4)
             union all
             (select 'client', id, null::uuid, id, created_position from clients
              where organization_id = $1 and created_position > $2 and created_position <= $3 order by created_position limit $4)
             order by position limit $4",
        )
        .bind(organization.uuid())
        .bind(column(range.after))
        .bind(column(range.to))
        .bind(i64::from(credentials_max))
        .bind(instance.uuid())
        .fetch_all(self.log.pool())
        .await?;
        let made = rows.into_iter().filter_map(|(kind, id, user, client, position)| {
            Some(Made {
                credential: Credential::of_kind(&kind, id)?,
                user: user.map(UserId::new),
                client: client.map(ClientId::new),
                position: Position::new(position.unsigned_abs()),
            })
        });
        Ok(made.collect())
    }
}
