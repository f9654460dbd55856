//! What rows of a table of routes say of what goes in and out.

use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

/// A schema and the named schemas that it needs.
#[derive(Clone)]
pub struct SchemaOf {
    /// The schema, or a reference to it.
    pub schema: RefOr<Schema>,
    /// Name and schema of everything that it refers to.
    pub needs: Vec<(String, RefOr<Schema>)>,
}

impl std::fmt::Debug for SchemaOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.needs.iter().map(|(name, _)| name)).finish()
    }
}

impl SchemaOf {
    /// The schema of a type.
    pub fn of<T: ToSchema>() -> Self {
        let mut needs = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut needs);
        let schema = RefOr::Ref(utoipa::openapi::Ref::from_schema_name(T::name()));
        Self { schema, needs }
    }
}

/// A parameter in the query.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Whether nothing is answered without it.
    pub required: bool,
    /// What it looks like.
    pub kind: ParameterKind,
    /// What it says.
    pub about: &'static str,
}

/// What a parameter looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// Text, of which `about` says more.
    Text,
    /// A whole number from 0 on.
    Count,
}

impl Parameter {
    /// One without which nothing is answered.
    pub const fn required(name: &'static str, about: &'static str) -> Self {
        Self { name, required: true, kind: ParameterKind::Text, about }
    }

    /// One that may be left out.
    pub const fn optional(name: &'static str, about: &'static str) -> Self {
        Self { name, required: false, kind: ParameterKind::Text, about }
    }

    /// The same as a whole number.
    #[must_use]
    pub const fn counting(self) -> Self {
        Self { kind: ParameterKind::Count, ..self }
    }

    /// As OpenAPI has it.
    pub(super) fn described(&self) -> Value {
        let schema = match self.kind {
            ParameterKind::Text => json!({ "type": "string" }),
            ParameterKind::Count => json!({ "type": "integer", "minimum": 0 }),
        };
        json!({ "name": self.name, "in": "query", "required": self.required, "schema": schema, "description": self.about })
    }
}

/// A parameter in a path: an id, or the name or number of what has none.
pub(super) fn in_path(name: &str) -> Value {
    let (schema, about) = match name {
        "projection" => (json!({ "type": "string" }), "Name of the read model".to_owned()),
        "parked" => {
            (json!({ "type": "integer", "minimum": 1 }), "Position of the event that was parked".to_owned())
        }
        _ => (json!({ "type": "string", "format": "uuid" }), format!("Id of the {}", name.replace('_', " "))),
    };
    json!({ "name": name, "in": "path", "required": true, "schema": schema, "description": about })
}
