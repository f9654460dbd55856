//! Every event there is, and the one registry by which every reader decodes it.
//!
//! The log, the relay, the projections, replay and import all read through [`Event::decode`]: an event type that is not
//! here does not exist, and one that is newer than this binary is refused by name instead of being half understood.

mod lifter;
mod upcast;

use std::cmp::Ordering;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::lifter::upcasters_for_aggregates;
use self::upcast::{UPCASTERS, Upcaster};
use crate::access_token::AccessTokenEvent;
use crate::api_key::ApiKeyEvent;
use crate::client::ClientEvent;
use crate::connection::ConnectionEvent;
use crate::deployment::DeploymentEvent;
use crate::grant::GrantEvent;
use crate::instance::InstanceEvent;
use crate::organization::OrganizationEvent;
use crate::server::ServerEvent;
use crate::user::UserEvent;
use crate::{ClaimChange, Facts};

/// Why a row of the log cannot be read. Readers park it and say so; they never skip it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read {aggregate_type}.{event_type} version {event_version}: {reason}")]
pub struct Undecodable {
    /// The aggregate type of the row.
    pub aggregate_type: String,
    /// The event type of the row.
    pub event_type: String,
    /// The event version of the row.
    pub event_version: u32,
    /// What is wrong with it.
    pub reason: UndecodableReason,
}

/// What is wrong with a row of the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UndecodableReason {
    /// No aggregate of this binary has this name.
    #[error("there is no such aggregate type")]
    UnknownAggregateType,
    /// The aggregate has no event of this name.
    #[error("there is no such event type")]
    UnknownEventType,
    /// A later release changed the event.
    #[error("written by a newer version of Sekisho; this one reads up to version {known}")]
    Newer {
        /// The newest version that this binary reads.
        known: u32,
    },
    /// No step leads from the version of the row to the current one.
    #[error("no upcaster reads version {from_version}")]
    NoUpcaster {
        /// The version at which the chain is broken.
        from_version: u32,
    },
    /// Not JSON, or not of this type's shape.
    #[error("malformed payload: {0}")]
    Malformed(String),
    /// The payload says that it is another event than the row does.
    #[error("the payload is tagged {0:?}")]
    OtherTag(&'static str),
}

/// Declares the sum of all nouns' events, once for all readers.
macro_rules! registry {
    ($($(#[$meta:meta])* $noun:ident($event:ident),)+) => {
        /// An event of any aggregate. It is written as its own JSON, without a word about the aggregate.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(untagged)]
        pub enum Event {
            $($(#[$meta])* $noun($event),)+
        }

        $(impl From<$event> for Event {
            fn from(event: $event) -> Self { Self::$noun(event) }
        })+

        impl Event {
            /// Aggregate type, event type and version: the event's place in the catalogue.
            pub const fn name(&self) -> (&'static str, &'static str, u32) {
                match self {
                    $(Self::$noun(event) => {
                        let (event_type, event_version) = event.name();
                        (<$event as Facts>::AGGREGATE, event_type, event_version)
                    })+
                }
            }

            /// Unique names taken or given back by this event.
            pub fn claims(&self) -> Vec<ClaimChange> {
                match self { $(Self::$noun(event) => event.claims(),)+ }
            }

            /// Every event type: aggregate type, event type, current version.
            pub fn catalogue() -> impl Iterator<Item = (&'static str, &'static str, u32)> {
                let nouns = [$((<$event as Facts>::AGGREGATE, <$event as Facts>::TYPES)),+];
                nouns.into_iter().flat_map(|(aggregate_type, types)| {
                    types.iter().map(move |(event_type, version)| (aggregate_type, *event_type, *version))
                })
            }

            /// A pair of names as the catalogue has them, for whoever keeps many: an aggregate type, and a type of its events.
            pub fn known(aggregate_type: &str, event_type: &str) -> Option<(&'static str, &'static str)> {
                let (aggregate_type, types) = match aggregate_type {
                    $(<$event as Facts>::AGGREGATE => (<$event as Facts>::AGGREGATE, <$event as Facts>::TYPES),)+
                    _ => return None,
                };
                let (event_type, _) = *types.iter().find(|(known, _)| *known == event_type)?;
                Some((aggregate_type, event_type))
            }

            /// The JSON Schemas of all nouns' events.
            #[cfg(test)]
            fn schemas() -> std::collections::BTreeMap<String, serde_json::Value> {
                let nouns = [$(schemas::of_noun::<$event>(<$event as Facts>::AGGREGATE, <$event as Facts>::TYPES)),+];
                nouns.into_iter().flatten().collect()
            }

            fn decode_row(upcasters: &[Upcaster], row: &Row<'_>) -> Result<Self, UndecodableReason> {
                match row.aggregate_type {
                    $(<$event as Facts>::AGGREGATE => row.read(upcasters, $event::name).map(Self::$noun),)+
                    _ => Err(UndecodableReason::UnknownAggregateType),
                }
            }
        }
    };
}

registry! {
    /// Of an organization.
    Organization(OrganizationEvent),
    /// Of a user.
    User(UserEvent),
    /// Of an OAuth client.
    Client(ClientEvent),
    /// Of a grant.
    Grant(GrantEvent),
    /// Of an access token.
    AccessToken(AccessTokenEvent),
    /// Of an API key.
    ApiKey(ApiKeyEvent),
    /// Of an upstream server.
    Server(ServerEvent),
    /// Of a connection.
    Connection(ConnectionEvent),
    /// Of an instance.
    Instance(InstanceEvent),
    /// Of the deployment.
    Deployment(DeploymentEvent),
}

impl Event {
    /// Reads an event from the columns of its row. Its current version is read straight from the text; an older one is
    /// lifted step by step first.
    pub fn decode(
        aggregate_type: &str,
        event_type: &str,
        event_version: u32,
        payload_json: &str,
    ) -> Result<Self, Undecodable> {
        Self::decode_with(UPCASTERS, &Row { aggregate_type, event_type, event_version, payload_json })
    }

    fn decode_with(upcasters: &[Upcaster], row: &Row<'_>) -> Result<Self, Undecodable> {
        Self::decode_row(upcasters, row).map_err(|reason| Undecodable {
            aggregate_type: row.aggregate_type.to_owned(),
            event_type: row.event_type.to_owned(),
            event_version: row.event_version,
            reason,
        })
    }
}

/// What the log says about one event.
struct Row<'a> {
    aggregate_type: &'a str,
    event_type: &'a str,
    event_version: u32,
    payload_json: &'a str,
}

impl Row<'_> {
    fn read<E: Facts + DeserializeOwned>(
        &self,
        upcasters: &[Upcaster],
        name: fn(&E) -> (&'static str, u32),
    ) -> Result<E, UndecodableReason> {
        let known = E::TYPES.iter().find(|(event_type, _)| *event_type == self.event_type);
        let (_, current) = *known.ok_or(UndecodableReason::UnknownEventType)?;
        let event: E = match self.event_version.cmp(&current) {
            Ordering::Equal => serde_json::from_str(self.payload_json).map_err(|error| malformed(&error))?,
            Ordering::Greater => return Err(UndecodableReason::Newer { known: current }),
            Ordering::Less => {
                let payload = serde_json::from_str(self.payload_json).map_err(|error| malformed(&error))?;
                let place = (self.aggregate_type, self.event_type);
                let lifted = upcast::lift(upcasters, place, (self.event_version, current), payload)
                    .map_err(|from_version| UndecodableReason::NoUpcaster { from_version })?;
                serde_json::from_value(lifted).map_err(|error| malformed(&error))?
            }
        };
        let (tag, _) = name(&event);
        if tag == self.event_type { Ok(event) } else { Err(UndecodableReason::OtherTag(tag)) }
    }
}

fn malformed(error: &serde_json::Error) -> UndecodableReason {
    UndecodableReason::Malformed(error.to_string())
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod schemas;
#[cfg(test)]
mod tests;
