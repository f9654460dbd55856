//! A made-up history, written straight into the log.

use std::collections::HashMap;
use std::fmt::Display;

use domain::event::Event;
use domain::organization::{OrganizationEvent, OrganizationKind};
use domain::user::UserEvent;
use domain::value::{
    DisplayName, EmailAddress, Personal, Position, Scope, Scopes, Slug, SubjectId, Timestamp, UserId,
};
use sqlx::{PgConnection, PgPool};

use super::everything::CAT;

/// Events in their order, each with its aggregate's id; the first one has position 1.
#[derive(Debug, Default)]
pub(crate) struct History {
    told: Vec<Told>,
    sequences: HashMap<(&'static str, String), i64>,
}

#[derive(Debug)]
struct Told {
    id: String,
    sequence: i64,
    version: u32,
    event: Event,
}

impl History {
    /// One event more.
    pub(crate) fn tell(&mut self, id: impl Display, event: impl Into<Event>) -> &mut Self {
        let event = event.into();
        let (_, _, version) = event.name();
        self.push(id.to_string(), version, event);
        self
    }

    /// One event more, as a release that does not exist yet might write it.
    pub(crate) fn tell_newer(&mut self, id: impl Display, event: impl Into<Event>) -> Position {
        let event = event.into();
        let (_, _, version) = event.name();
        self.push(id.to_string(), version + 1, event);
        self.head()
    }

    fn push(&mut self, id: String, version: u32, event: Event) {
        let (aggregate_type, _, _) = event.name();
        let sequence = self.sequences.entry((aggregate_type, id.clone())).or_default();
        *sequence += 1;
        self.told.push(Told { id, sequence: *sequence, version, event });
    }

    /// The position of the last event.
    pub(crate) fn head(&self) -> Position {
        Position::new(self.told.len() as u64)
    }

    /// The positions of all events.
    pub(crate) fn positions(&self) -> impl Iterator<Item = Position> + use<> {
        (1..=self.head().get()).map(Position::new)
    }

    /// Which events are told.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&'static str, &'static str, u32)> {
        self.told.iter().map(|told| told.event.name())
    }

    /// Writes all events into the log.
    pub(crate) async fn append(&self, pool: &PgPool) {
        for position in self.positions() {
            self.append_one(pool, position).await;
        }
    }

    /// Writes one event into the log. Each happens a minute after the one before.
    pub(crate) async fn append_one(&self, pool: &PgPool, position: Position) {
        self.append_one_on(&mut pool.acquire().await.unwrap(), position).await;
    }

    /// The same, in somebody's transaction.
    pub(crate) async fn append_one_on(&self, connection: &mut PgConnection, position: Position) {
        let number = i64::try_from(position.get()).unwrap();
        let told = &self.told[usize::try_from(number - 1).unwrap()];
        let (aggregate_type, event_type, _) = told.event.name();
        sqlx::query(
            "insert into events (global_position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata,
                                 occurred_at, recorded_at)
             values ($1, $2, $3, $4, $5, $6, $7, '{\"actor\": \"test\"}', $8, clock_timestamp())",
        )
        .bind(number)
        .bind(aggregate_type)
        .bind(&told.id)
        .bind(told.sequence)
        .bind(event_type)
        .bind(told.version.to_string())
        .bind(serde_json::to_value(&told.event).unwrap())
        .bind(moment("2026-03-01T00:00:00.000001Z").plus_seconds(60 * number).get())
        .execute(connection)
        .await
        .unwrap();
    }

    /// A user's life from end to end, read before or after the key to their data was destroyed.
    pub(crate) fn of_a_deleted_user(key_destroyed: bool) -> Self {
        let mut history = Self::default();
        let event = if key_destroyed {
            UserEvent::Registered {
                email: Some(erased(CAT)),
                name: Some(erased(CAT)),
                picture: None,
                registered_in: None,
            }
        } else {
            registered(CAT, "cat@example.com", "Cat")
        };
        history.tell(CAT, event).tell(CAT, UserEvent::Deleted {});
        history
    }
}

/// A team comes into being.
pub(crate) fn founded(slug: &str, name: &str) -> OrganizationEvent {
    OrganizationEvent::Created {
        kind: OrganizationKind::Team,
        slug: Slug::parse(slug).unwrap(),
        name: display(name),
    }
}

/// A person becomes known.
pub(crate) fn registered(user: UserId, address: &str, name: &str) -> UserEvent {
    UserEvent::Registered {
        email: Some(email(user, address)),
        name: Some(known(user, display(name))),
        picture: None,
        registered_in: None,
    }
}

/// A name.
pub(crate) fn display(text: &str) -> DisplayName {
    DisplayName::parse(text).unwrap()
}

pub(crate) fn email(user: UserId, address: &str) -> Personal<EmailAddress> {
    known(user, EmailAddress::parse(address).unwrap())
}

pub(crate) fn known<T>(user: UserId, value: T) -> Personal<T> {
    Personal::new(SubjectId::from(user), value)
}

pub(crate) fn erased<T>(user: UserId) -> Personal<T> {
    Personal::Erased { subject: SubjectId::from(user) }
}

pub(crate) fn scopes(names: &[&str]) -> Scopes {
    names.iter().map(|text| Scope::parse(text).unwrap()).collect()
}

pub(crate) fn moment(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}
