//! What handlers answer: something written, with its position, or something read, with the position that it was read at.

use std::borrow::Cow;

use axum::Json;
use axum::response::{IntoResponse, Response};
use domain::value::Position;
use http::{HeaderName, HeaderValue, StatusCode, header};
use projections::access::{Basis, Mark};
use projections::directory::Page;
use serde::Serialize;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// Carries a position in answers.
pub(super) const SEKISHO_POSITION: HeaderName = HeaderName::from_static("sekisho-position");

/// Tells that the caller was not let in by a fresh view of the node.
const SEKISHO_DECISION_BASIS: HeaderName = HeaderName::from_static("sekisho-decision-basis");

/// Tells in the answer to a write whether this node shows it already.
pub(super) const SEKISHO_VISIBLE: HeaderName = HeaderName::from_static("sekisho-visible");

/// Something was written.
#[derive(Debug)]
pub struct Written<T> {
    /// What the use case answered.
    pub answer: T,
    /// From where on every reader sees it.
    pub position: Position,
    /// Whether this node shows it already.
    pub visible: bool,
    /// Whether it was written before, and this is the answer of then.
    pub repeated: bool,
}

impl<T> Written<T> {
    /// With the answer in another shape.
    pub fn map<U>(self, with: impl FnOnce(T) -> U) -> Written<U> {
        let Self { answer, position, visible, repeated } = self;
        Written { answer: with(answer), position, visible, repeated }
    }
}

/// The body of a written answer: the answer's own members and `position`.
#[derive(Serialize)]
struct WithPosition<T> {
    #[serde(flatten)]
    answer: T,
    position: Position,
}

/// Marks a response whose position is that of a write.
#[derive(Clone, Copy)]
struct WrittenAt {
    position: Position,
    visible: bool,
}

impl<T: Serialize> IntoResponse for Written<T> {
    fn into_response(self) -> Response {
        let Self { answer, position, visible, repeated: _ } = self;
        let mut response = Json(WithPosition { answer, position }).into_response();
        response.extensions_mut().insert(WrittenAt { position, visible });
        response
    }
}

/// One page of a listing.
#[derive(Debug, Serialize)]
pub struct Listed<T> {
    /// The things.
    pub items: Vec<T>,
    /// Give this back as `cursor` to get the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl<T> Listed<T> {
    /// The rows of a page in the shape of the API.
    pub fn of<R>(page: Page<R>, shape: impl Fn(R) -> T) -> Self {
        let next_cursor = page.next.map(|cursor| cursor.to_string());
        Self { items: page.rows.into_iter().map(shape).collect(), next_cursor }
    }
}

impl<T: ToSchema> PartialSchema for Listed<T> {
    fn schema() -> RefOr<Schema> {
        let cursor = "Give this back as `cursor` to get the next page; absent on the last one";
        ObjectBuilder::new()
            .description(Some("One page of a listing"))
            .property(
                "items",
                ArrayBuilder::new().items(Ref::from_schema_name(T::name())).description(Some("The things")),
            )
            .property("next_cursor", ObjectBuilder::new().schema_type(Type::String).description(Some(cursor)))
            .required("items")
            .into()
    }
}

/// Named after what is listed: the derived name would be the same for all listings.
impl<T: ToSchema> ToSchema for Listed<T> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("{}List", T::name()))
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

impl<T: Serialize> IntoResponse for Listed<T> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

/// Where an answer to a write was written.
pub(super) fn written_at(response: &Response) -> Option<Position> {
    response.extensions().get::<WrittenAt>().map(|written| written.position)
}

/// The last touch on every answer of the API: status of what was made, position, whether a write is visible, no caching.
pub(super) fn finish(mut response: Response, made: StatusCode, read_at: Position, mark: Mark) -> Response {
    let written = response.extensions().get::<WrittenAt>().copied();
    if written.is_some() && response.status() == StatusCode::OK {
        *response.status_mut() = made;
    }
    let position = written.map_or(read_at, |WrittenAt { position, .. }| position);
    let headers = response.headers_mut();
    if let Some(WrittenAt { visible, .. }) = written {
        headers.insert(SEKISHO_VISIBLE, HeaderValue::from_static(if visible { "true" } else { "false" }));
    }
    if mark.basis != Basis::View {
        headers.insert(SEKISHO_DECISION_BASIS, HeaderValue::from_static(mark.basis.as_str()));
    }
    headers.insert(SEKISHO_POSITION, HeaderValue::from(position.get()));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
