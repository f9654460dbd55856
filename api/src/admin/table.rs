//! The table of routes: method, path, required access, what goes in and out, handler.

use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Router, middleware};
use commands::Ports;
use domain::value::Scope;
use http::{Method, StatusCode};
use utoipa::ToSchema;

use super::{Admin, admit};
use crate::openapi::{Parameter, SchemaOf};

/// Who may use a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Whoever holds the bootstrap token of a deployment that nobody has set up.
    Bootstrap,
    /// Whoever holds a good API key, whatever it opens: to ask who it is.
    AnyKey,
    /// Whoever holds a good API key with this scope, in the key's own organization.
    Key(Scope),
    /// A key of the organization in the path (`{organization}`), with this scope and a role that reaches it.
    Organization(Scope),
    /// A key with this scope, bound to an administrator of the deployment.
    Administrator(Scope),
}

/// What nearly everything answers with.
const JSON: &[&str] = &["application/json"];

/// One row of the table.
pub struct Route<P> {
    /// HTTP method.
    pub method: Method,
    /// Path with `{parameters}`.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// Stable name of the operation.
    pub operation: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// Whether it is a command: carried out once under its idempotency key, answered with a position.
    pub writes: bool,
    /// What goes in, where anything does.
    pub request: Option<SchemaOf>,
    /// What comes out, and under which status.
    pub response: (StatusCode, SchemaOf),
    /// Whether it takes `cursor` and `limit`.
    pub paged: bool,
    /// What else it takes in its query.
    pub parameters: &'static [Parameter],
    /// The media types that it answers with; the first one is what comes unasked.
    pub media_types: &'static [&'static str],
    handler: MethodRouter<Admin<P>>,
}

impl<P> std::fmt::Debug for Route<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ({:?})", self.method, self.path, self.access)
    }
}

/// The routes of one noun.
#[derive(Debug)]
pub struct Area<P> {
    /// The noun, as the documentation's heading.
    pub name: &'static str,
    /// What it is about, in one sentence.
    pub about: &'static str,
    /// Its rows.
    pub routes: Vec<Route<P>>,
}

impl<P: Ports + 'static> Area<P> {
    /// An area without routes yet.
    pub const fn new(name: &'static str, about: &'static str) -> Self {
        Self { name, about, routes: Vec::new() }
    }

    /// A read of one thing.
    #[must_use]
    pub fn read<T: ToSchema, H, A>(
        self,
        path: &'static str,
        access: Access,
        operation: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<A, Admin<P>>,
        A: 'static,
    {
        let (method, handler) = (Method::GET, on(MethodFilter::GET, handler));
        let response = (StatusCode::OK, SchemaOf::of::<T>());
        let (writes, request, paged) = (false, None, false);
        self.row(Route {
            method,
            path,
            access,
            operation,
            summary,
            writes,
            request,
            response,
            paged,
            parameters: &[],
            media_types: JSON,
            handler,
        })
    }

    /// A listing, page by page.
    #[must_use]
    pub fn list<T: ToSchema, H, A>(
        mut self,
        path: &'static str,
        access: Access,
        operation: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<A, Admin<P>>,
        A: 'static,
    {
        self = self.read::<T, H, A>(path, access, operation, summary, handler);
        if let Some(route) = self.routes.last_mut() {
            route.paged = true;
        }
        self
    }

    /// A command that makes something: `POST`, answered 201.
    #[must_use]
    pub fn make<In: ToSchema, Out: ToSchema, H, A>(
        self,
        path: &'static str,
        access: Access,
        operation: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<A, Admin<P>>,
        A: 'static,
    {
        let (method, handler) = (Method::POST, on(MethodFilter::POST, handler));
        let request = Some(SchemaOf::of::<In>());
        let response = (StatusCode::CREATED, SchemaOf::of::<Out>());
        let (writes, paged) = (true, false);
        self.row(Route {
            method,
            path,
            access,
            operation,
            summary,
            writes,
            request,
            response,
            paged,
            parameters: &[],
            media_types: JSON,
            handler,
        })
    }

    /// A command that changes or ends something, answered 200.
    #[must_use]
    pub fn change<In: ToSchema, Out: ToSchema, H, A>(
        mut self,
        method: Method,
        path: &'static str,
        access: Access,
        operation: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<A, Admin<P>>,
        A: 'static,
    {
        self = self.act::<Out, H, A>(method, path, access, operation, summary, handler);
        if let Some(route) = self.routes.last_mut() {
            route.request = Some(SchemaOf::of::<In>());
        }
        self
    }

    /// A command whose address says everything: no body goes in, answered 200.
    #[must_use]
    pub fn act<Out: ToSchema, H, A>(
        self,
        method: Method,
        path: &'static str,
        access: Access,
        operation: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<A, Admin<P>>,
        A: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::POST);
        let handler = on(filter, handler);
        let response = (StatusCode::OK, SchemaOf::of::<Out>());
        let (writes, request, paged) = (true, None, false);
        self.row(Route {
            method,
            path,
            access,
            operation,
            summary,
            writes,
            request,
            response,
            paged,
            parameters: &[],
            media_types: JSON,
            handler,
        })
    }

    /// A question that has a body: `POST`, answered 200, and nothing is written.
    #[must_use]
    pub fn ask<In: ToSchema, Out: ToSchema, H, A>(
        mut self,
        path: &'static str,
        access: Access,
        operation: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<A, Admin<P>>,
        A: 'static,
    {
        self = self.change::<In, Out, H, A>(Method::POST, path, access, operation, summary, handler);
        if let Some(route) = self.routes.last_mut() {
            route.writes = false;
        }
        self
    }

    /// The row before takes these in its query, too.
    #[must_use]
    pub fn taking(mut self, parameters: &'static [Parameter]) -> Self {
        if let Some(route) = self.routes.last_mut() {
            route.parameters = parameters;
        }
        self
    }

    /// The row before answers with these media types.
    #[must_use]
    pub fn answering_as(mut self, media_types: &'static [&'static str]) -> Self {
        if let Some(route) = self.routes.last_mut() {
            route.media_types = media_types;
        }
        self
    }

    fn row(mut self, route: Route<P>) -> Self {
        self.routes.push(route);
        self
    }

    /// The router of these rows: the check of access in front of every handler.
    pub(super) fn into_router(self, admin: &Admin<P>) -> Router {
        self.routes.into_iter().fold(Router::new(), |router, route| {
            let (access, made, writes) = (route.access, route.response.0, route.writes);
            let gate = admit::Gate { admin: admin.clone(), access, made, writes };
            let handler = route.handler.layer(middleware::from_fn_with_state(gate, admit::admit));
            router.route(route.path, handler.with_state(admin.clone()))
        })
    }
}
