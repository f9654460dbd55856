//! What every aggregate of Sekisho is: a pure `decide`, a total `apply`, and events whose names outlive the Rust code.
//!
//! The framework is `cqrs-es`; the two macros write its glue once, so that a noun's file holds rules only.

use serde::{Deserialize, Serialize};

use crate::value::OrganizationId;

/// An aggregate whose decision is a pure function of its state and the command.
pub trait Aggregate: cqrs_es::Aggregate<Services = (), Event: Facts> + Send + Sync + 'static {
    /// The typed id; its text is the aggregate id in the log.
    type Id: Copy + std::fmt::Display + Send + Sync;

    /// The events that the command causes, or why it is refused. A retry of what already holds is `Ok(vec![])`.
    fn decide(&self, command: &Self::Command) -> Result<Vec<Self::Event>, Self::Error>;

    /// The tenant that this aggregate belongs to, if it belongs to one.
    fn organization(&self, id: Self::Id) -> Option<OrganizationId>;
}

/// An event type: its place in the log and its claims on names that must be unique across aggregates.
pub trait Facts: cqrs_es::DomainEvent {
    /// The aggregate type that writes these events, as it stands in the log and in NATS subjects.
    const AGGREGATE: &'static str;

    /// Every event type with its current version: the public promise that the snapshot test guards.
    const TYPES: &'static [(&'static str, u32)];

    /// Unique names taken or given back by this event. A pure function, so the table can be rebuilt from the log.
    fn claims(&self) -> Vec<ClaimChange> {
        Vec::new()
    }
}

/// A namespace in which a value has at most one owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimScope {
    /// Canonical e-mail address of a user. Stored as a keyed blind index, never in clear.
    Email,
    /// Slug of an organization.
    Slug,
    /// OAuth client identifier.
    ClientId,
    /// The public part of an API key.
    KeyId,
    /// Who somebody is at an identity provider: its issuer, a line break, the subject. Stored as a keyed blind index, never in clear.
    Identity,
    /// The user, client and instance of a live grant.
    Grant,
}

impl ClaimScope {
    /// The name of the scope in the claims table and in problem details.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Slug => "slug",
            Self::ClientId => "client_id",
            Self::KeyId => "key_id",
            Self::Identity => "identity",
            Self::Grant => "grant",
        }
    }

    /// Whether the value is personal and may be stored only as a keyed digest.
    pub const fn is_personal(self) -> bool {
        match self {
            Self::Email | Self::Identity => true,
            Self::Slug | Self::ClientId | Self::KeyId | Self::Grant => false,
        }
    }
}

/// One change to the table of unique names, made in the same transaction as the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimChange {
    /// The aggregate takes this value; refused when another one owns it.
    Take {
        /// Where the value must be unique.
        scope: ClaimScope,
        /// The canonical value.
        value: String,
    },
    /// The aggregate gives back whatever it owns in this scope.
    Release {
        /// Where to give it back.
        scope: ClaimScope,
    },
    /// The aggregate gives back this value, of several that it may own in this scope.
    ReleaseOne {
        /// Where to give it back.
        scope: ClaimScope,
        /// The canonical value.
        value: String,
    },
}

/// Declares an event enum: one line of name and version for each variant, stable apart from the Rust names.
///
/// The JSON is `{"<name>": {fields}}`; the name is also the `event_type` column and the last token of the NATS subject.
macro_rules! events {
    ($(#[$outer:meta])* pub enum $event:ident of $aggregate:literal {
        $($(#[$inner:meta])* $variant:ident = $name:literal v $version:literal { $($(#[$field_meta:meta])* $field:ident : $type:ty),* $(,)? },)+
    }) => {
        $(#[$outer])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        pub enum $event {
            $($(#[$inner])* #[serde(rename = $name)] $variant { $($(#[$field_meta])* $field: $type),* },)+
        }

        impl $event {
            /// The stable name and version of this event's type.
            pub const fn name(&self) -> (&'static str, u32) {
                match self { $(Self::$variant { .. } => ($name, $version),)+ }
            }
        }

        impl cqrs_es::DomainEvent for $event {
            fn event_type(&self) -> String { self.name().0.to_owned() }
            fn event_version(&self) -> String { self.name().1.to_string() }
        }

        impl $event {
            const TYPES: &'static [(&'static str, u32)] = &[$(($name, $version)),+];
            const AGGREGATE: &'static str = $aggregate;
        }
    };
}

/// Connects a noun to the framework: `handle` is `decide`, then every event through the sink, which applies it.
macro_rules! aggregate {
    ($state:ident, id: $id:ty, command: $command:ty, event: $event:ty, error: $error:ty) => {
        impl cqrs_es::Aggregate for $state {
            const TYPE: &'static str = <$event as $crate::Facts>::AGGREGATE;
            type Command = $command;
            type Event = $event;
            type Error = $error;
            type Services = ();

            async fn handle(
                &mut self,
                command: Self::Command,
                (): &Self::Services,
                sink: &cqrs_es::event_sink::EventSink<Self>,
            ) -> Result<(), Self::Error> {
                for event in $crate::Aggregate::decide(self, &command)? {
                    sink.write(event, self).await;
                }
                Ok(())
            }

            fn apply(&mut self, event: Self::Event) {
                self.evolve(event);
            }
        }
    };
}
