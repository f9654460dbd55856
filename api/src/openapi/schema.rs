//! What rows of a table of routes say of what goes in and out.

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
    /// What it says.
    pub about: &'static str,
}

impl Parameter {
    /// One without which nothing is answered.
    pub const fn required(name: &'static str, about: &'static str) -> Self {
        Self { name, required: true, about }
    }

    /// One that may be left out.
    pub const fn optional(name: &'static str, about: &'static str) -> Self {
        Self { name, required: false, about }
    }
}
