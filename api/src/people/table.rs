//! The table of people's pages: method, address, required access, what is asked and sent, handler. Router and document are made of it.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodRouter, get, post};
use commands::Ports;
use http::Method;
use utoipa::ToSchema;

use super::People;
use crate::openapi::{Parameter, SchemaOf};

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
        Self { method, path, access, operation, summary, query: &[], form: None, handler }
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
        Self { method, path, access, operation, summary, query: &[], form, handler }
    }

    /// The same, reading these in its query.
    pub(crate) fn reading(self, query: &'static [Parameter]) -> Self {
        Self { query, ..self }
    }
}

/// The router of rows.
pub(crate) fn into_router<P: Ports + 'static>(rows: Vec<PageRoute<P>>, people: People<P>) -> Router {
    let all = rows.into_iter().fold(Router::new(), |router, row| router.route(row.path, row.handler));
    all.with_state(people)
}
