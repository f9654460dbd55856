//! The table of OAuth routes: method, addresses, required access, what goes in and out, handler.

use axum::Router;
use axum::handler::Handler;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, delete, get, options, post, put};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use utoipa::ToSchema;

use super::{Oauth, OauthError};
use crate::limits::{Gate, Surface, TooMany, limited};
use crate::openapi::SchemaOf;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OauthAccess {
    /// Anybody: it tells nothing of anybody.
    Anybody,
    /// A registered client that proves who it is.
    Client,
    /// Whoever the deployment lets register a client: nobody, who shows an API key for it, or anybody.
    Registration,
    /// A client that registered itself, by its registration access token.
    OwnRegistration,
}

/// What goes in.
#[derive(Debug)]
pub struct Taken {
    /// As what.
    pub media_type: &'static str,
    /// Its shape.
    pub schema: SchemaOf,
}

/// One row of the table.
pub struct OauthRoute<P> {
    /// HTTP method.
    pub method: Method,
    /// Its addresses: the first one, and others under which the same is found.
    pub paths: Vec<String>,
    /// Who may use it.
    pub access: OauthAccess,
    /// Stable name of the operation.
    pub operation: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// What goes in, where anything does.
    pub request: Option<Taken>,
    /// Under which status it is answered, and what comes out, where anything does.
    pub response: (StatusCode, Option<SchemaOf>),
    /// By which limits those who ask are counted.
    surface: Option<Surface>,
    handler: MethodRouter<Oauth<P>>,
}

impl<P> std::fmt::Debug for OauthRoute<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?} ({:?})", self.method, self.paths, self.access)
    }
}

impl<P: Send + Sync + 'static> OauthRoute<P> {
    /// A document that anybody may read, also out of a page of somebody else's: clients that run in browsers look there.
    pub(super) fn document<Out: ToSchema, H, A>(
        paths: Vec<String>,
        operation: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<A, Oauth<P>>,
        A: 'static,
    {
        let handler =
            get(handler).merge(options(preflight)).layer(axum::middleware::map_response(open_to_pages));
        let (method, access, request) = (Method::GET, OauthAccess::Anybody, None);
        let response = (StatusCode::OK, Some(SchemaOf::of::<Out>()));
        Self { method, paths, access, operation, summary, request, response, surface: None, handler }
    }

    /// An endpoint that takes a form from a client.
    pub(super) fn form<In: ToSchema, Out: ToSchema, H, A>(
        path: &'static str,
        operation: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<A, Oauth<P>>,
        A: 'static,
    {
        let route = Self::at(Method::POST, path, OauthAccess::Client, operation, summary, handler);
        let media_type = "application/x-www-form-urlencoded";
        let request = Some(Taken { media_type, schema: SchemaOf::of::<In>() });
        Self { request, ..route.answering::<Out>(StatusCode::OK) }
    }

    /// Anything else: nothing goes in and nothing comes out, unless it is said below.
    pub(super) fn at<H, A>(
        method: Method,
        path: &str,
        access: OauthAccess,
        operation: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<A, Oauth<P>>,
        A: 'static,
    {
        let handler = match method {
            Method::GET => get(handler),
            Method::PUT => put(handler),
            Method::DELETE => delete(handler),
            _ => post(handler),
        };
        let (paths, response) = (vec![path.to_owned()], (StatusCode::NO_CONTENT, None));
        Self { method, paths, access, operation, summary, request: None, response, surface: None, handler }
    }

    /// Takes JSON.
    pub(super) fn taking<In: ToSchema>(self) -> Self {
        let request = Some(Taken { media_type: "application/json", schema: SchemaOf::of::<In>() });
        Self { request, ..self }
    }

    /// Answers with JSON, under this status.
    pub(super) fn answering<Out: ToSchema>(self, status: StatusCode) -> Self {
        Self { response: (status, Some(SchemaOf::of::<Out>())), ..self }
    }

    /// The same, asked no oftener from one address than this surface allows.
    pub(super) fn limited(self, surface: Surface) -> Self {
        Self { surface: Some(surface), ..self }
    }

    /// Adds it under all of its addresses.
    pub(super) fn into_router(self, router: Router, oauth: &Oauth<P>) -> Router {
        let handler = match self.surface {
            None => self.handler,
            Some(surface) => {
                limited(self.handler, Gate { limits: oauth.limits.clone(), surface, refuse: too_many })
            }
        };
        let handler = handler.with_state(oauth.clone());
        self.paths.iter().fold(router, |router, path| router.route(path, handler.clone()))
    }
}

fn too_many(_: &HeaderMap, too_many: TooMany) -> Response {
    OauthError::too_many(too_many).into_response()
}

const ANY: HeaderValue = HeaderValue::from_static("*");

/// No cookie and no credential opens these documents, so any page may read them (Fetch, 3.2.5).
async fn open_to_pages(mut response: axum::response::Response) -> axum::response::Response {
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    response
}

async fn preflight() -> (StatusCode, [(header::HeaderName, HeaderValue); 3]) {
    let methods = HeaderValue::from_static("GET");
    let age = HeaderValue::from_static("86400");
    (
        StatusCode::NO_CONTENT,
        [
            (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, ANY),
            (header::ACCESS_CONTROL_MAX_AGE, age),
        ],
    )
}
