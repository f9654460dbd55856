//! The table of people's pages: method, address, required access, what is asked and sent, handler. Router and document are made of it.

use axum::Router;
use axum::handler::Handler;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use commands::Ports;
use http::{HeaderMap, Method};
use utoipa::ToSchema;

use super::People;
use crate::limits::{Gate, Surface, TooMany, limited};
use crate::openapi::{Parameter, SchemaOf};
use crate::pages::{Fault, Language};

/// Who may use a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageAccess {
    /// Anybody with a browser.
    Visitor,
    /// Somebody who is signed in: whoever is not is led to the sign-in, and a form of theirs is refused.
    Person,
}

/// One row of the table.
pub(crate) struct PageRoute<P> {
    /// HTTP method.
    pub(crate) method: Method,
    /// Its address.
    pub(crate) path: &'static str,
    /// Who may use it.
    pub(crate) access: PageAccess,
    /// Stable name of the operation.
    pub(crate) operation: &'static str,
    /// What it does, in one line.
    pub(crate) summary: &'static str,
    /// What may stand in the query.
    pub(crate) query: &'static [Parameter],
    /// The form that goes in, where one does.
    pub(crate) form: Option<SchemaOf>,
    /// By which limits those who ask are counted.
    surface: Option<Surface>,
    handler: MethodRouter<People<P>>,
}

impl<P: Ports + 'static> PageRoute<P> {
    /// A page to look at.
    pub(crate) fn page<H, A>(
        path: &'static str,
        access: PageAccess,
        operation: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<A, People<P>>,
        A: 'static,
    {
        let (method, handler) = (Method::GET, get(handler));
        Self { method, path, access, operation, summary, query: &[], form: None, surface: None, handler }
    }

    /// A form of one of our own pages.
    pub(crate) fn form<In: ToSchema, H, A>(
        path: &'static str,
        access: PageAccess,
        operation: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<A, People<P>>,
        A: 'static,
    {
        let (method, handler, form) = (Method::POST, post(handler), Some(SchemaOf::of::<In>()));
        Self { method, path, access, operation, summary, query: &[], form, surface: None, handler }
    }

    /// The same, reading these in its query.
    pub(crate) fn reading(self, query: &'static [Parameter]) -> Self {
        Self { query, ..self }
    }

    /// The same, asked no oftener from one address than this surface allows.
    pub(crate) fn limited(self, surface: Surface) -> Self {
        Self { surface: Some(surface), ..self }
    }
}

/// The router of rows.
pub(crate) fn into_router<P: Ports + 'static>(rows: Vec<PageRoute<P>>, people: People<P>) -> Router {
    let all = rows.into_iter().fold(Router::new(), |router, row| {
        let handler = match row.surface {
            None => row.handler,
            Some(surface) => {
                limited(row.handler, Gate { limits: people.limits.clone(), surface, refuse: too_often })
            }
        };
        router.route(row.path, handler)
    });
    all.with_state(people)
}

/// A page that says so.
fn too_often(headers: &HeaderMap, too_many: TooMany) -> Response {
    let fault = Fault::TooOften;
    let mut response = fault.page(Language::of(None, headers)).answer(fault.status());
    too_many.tell(response.headers_mut());
    response
}
