//! An event as the API shows it: the envelope that also travels on NATS.

use projections::{Envelope, Recorded};
use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

/// An event.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Event(Envelope);

impl From<Recorded> for Event {
    fn from(event: Recorded) -> Self {
        Self(event.into())
    }
}

impl PartialSchema for Event {
    fn schema() -> RefOr<Schema> {
        let of = |kind, about| ObjectBuilder::new().schema_type(kind).description(Some(about));
        let moment =
            |about| of(Type::String, about).format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
        let members = [
            ("position", of(Type::Integer, "Place in the one order of everything, from 1, without holes")),
            ("aggregate", of(Type::String, "Type of what it happened to, such as api_key")),
            ("id", of(Type::String, "Id of what it happened to")),
            ("sequence", of(Type::Integer, "Its number there, from 1")),
            ("type", of(Type::String, "What happened, such as revoked")),
            ("version", of(Type::Integer, "Version of that type")),
            ("occurred_at", moment("When it happened")),
            ("recorded_at", moment("When it was written, by the clock of the database")),
            (
                "metadata",
                of(Type::Object, "Actor, credential, organization, command, correlation, causation"),
            ),
            ("payload", of(Type::Object, "The event; personal data are sealed")),
        ];
        let object = ObjectBuilder::new().description(Some("An event, as it was written"));
        let object = members
            .into_iter()
            .fold(object, |object, (name, member)| object.property(name, member).required(name));
        object.into()
    }
}

impl ToSchema for Event {}
