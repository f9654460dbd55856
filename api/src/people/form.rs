//! A form that a browser sent: from one of our own pages, given to this very browser.

use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::response::Response;
use commands::Ports;

use super::{People, Visitor, origin};
use crate::oauth::Parameters;
use crate::pages::Fault;

/// A form and who sent it.
#[derive(Debug)]
pub(crate) struct Sent {
    /// The browser.
    pub(crate) visitor: Visitor,
    /// What is in the form.
    pub(crate) form: Parameters,
}

impl<P: Ports + 'static> FromRequest<People<P>> for Sent {
    type Rejection = Response;

    async fn from_request(request: Request, people: &People<P>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, people).await?;
        if !origin::is_ours(&parts.headers, &people.url.origin()) {
            return Err(visitor.fault(Fault::StaleForm));
        }
        let form = Parameters::of_body(&parts.headers, body).await;
        let form = form.map_err(|_| visitor.fault(Fault::Malformed))?;
        let visitor = visitor.reading(form.get("ui_locales"));
        if !form.get("csrf").is_some_and(|token| people.is_csrf_of(token, &visitor.token)) {
            return Err(visitor.fault(Fault::StaleForm));
        }
        Ok(Self { visitor, form })
    }
}
