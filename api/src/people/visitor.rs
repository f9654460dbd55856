//! Somebody with a browser: known by the text in its cookie, signed in if there is a session for it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::response::{IntoResponse as _, Redirect, Response};
use commands::{Actor, Ports};
use domain::policy::Standing;
use domain::value::{ProviderId, UserId};
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use url::Url;
use uuid::Uuid;

use super::People;
use super::cookie::{Cookie, VisitToken};
use super::next::{Next, encoded};
use super::sessions::{self, Session};
use crate::config::is_loopback;
use crate::limits::{Subscriber, speaks_for_another};
use crate::oauth::Parameters;
use crate::pages::{Fault, Language, Page, guard};
use crate::providers::{Standing as Vouched, Vouching};
use crate::trace_context::TraceContext;

/// A browser that asks for a page or sends a form.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    /// The text in its cookie.
    pub(super) token: VisitToken,
    /// Whether it has that cookie yet.
    is_new: bool,
    /// Who is signed in, and counts.
    session: Option<Box<Session>>,
    /// A session that its provider has to be asked about again.
    due: Option<Box<Session>>,
    /// Whether there is a session of this browser at all, also one that does not count now.
    may_leave: bool,
    /// Where it is.
    pub(super) address: IpAddr,
    headers: Arc<HeaderMap>,
    /// What the address says of the language.
    ui_locales: Option<String>,
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn {
    /// Their browser.
    pub(crate) visitor: Visitor,
    /// Their session.
    pub(crate) session: Session,
}

impl SignedIn {
    /// Who.
    pub(crate) const fn user(&self) -> UserId {
        self.session.user()
    }

    /// Whether they let every client in that comes, without a page.
    pub(crate) fn agrees_unasked(&self) -> bool {
        self.session.is_auto_consent() // none is found where auto consent is off
    }

    /// The same with what was said of the language before.
    #[must_use]
    pub(crate) fn reading(self, ui_locales: Option<&str>) -> Self {
        Self { visitor: self.visitor.reading(ui_locales), session: self.session }
    }

    /// Them, as whoever asks a use case.
    pub(crate) fn actor(&self) -> Actor {
        if self.session.is_auto_consent() {
            Actor::signed_in_unasked(self.user())
        } else {
            Actor::signed_in(self.user())
        }
    }
}

impl<P: Ports + 'static> FromRequestParts<People<P>> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, people: &People<P>) -> Result<Self, Response> {
        let shown = Cookie::Visit.read(&parts.headers, people.is_secure()).and_then(VisitToken::parse);
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let address = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip());
        let query = parts.uri.query().unwrap_or_default();
        let asked = Parameters::parse(query.as_bytes()).unwrap_or_default();
        let mut visitor = Self {
            is_new: shown.is_none(),
            token: shown.clone().unwrap_or_else(|| VisitToken::draw(people.ports.entropy())),
            session: None,
            due: None,
            may_leave: false,
            address: people.limits.caller(address, &parts.headers),
            headers: Arc::new(parts.headers.clone()),
            ui_locales: asked.get("ui_locales").map(str::to_owned),
        };
        if let Some(token) = shown {
            let correlation = visitor.correlation();
            match session(people, &token, &correlation).await.map_err(|fault| visitor.fault(fault))? {
                Found::Counts(session) => (visitor.session, visitor.may_leave) = (Some(session), true),
                Found::Due(session) => (visitor.due, visitor.may_leave) = (Some(session), true),
                Found::CountsNot => visitor.may_leave = true,
                Found::Nothing => {}
            }
        }
        Ok(visitor)
    }
}

/// What becomes of the session of a browser.
enum Found {
    Nothing,
    CountsNot,
    Counts(Box<Session>),
    /// Its provider is to be asked again.
    Due(Box<Session>),
}

/// The session of a browser, unless its person does not count any more, or the provider that it rests on was taken away.
async fn session<P: Ports>(
    people: &People<P>,
    token: &VisitToken,
    correlation: &str,
) -> Result<Found, Fault> {
    let found = sessions::find(&people.pool, token).await.map_err(|error| unavailable(&error))?;
    let Some(mut session) = found.map(Box::new) else { return Ok(Found::Nothing) };
    if session.is_auto_consent() && people.auto_consent.is_none() {
        return Ok(Found::Nothing); // begun when the demonstration was started otherwise
    }
    let view = people.deciding.fresh().ok_or(Fault::Unavailable)?;
    match view.user(session.user()) {
        Standing::Active => {}
        Standing::Suspended | Standing::Ended => return Ok(Found::CountsNot),
    }
    let Some(provider) = session.provider() else { return Ok(Found::Counts(session)) };
    let Some(provider) = view.provider(&provider) else { return Ok(Found::CountsNot) };
    let (providers, ports, pool) = (&people.providers, &*people.ports, &people.pool);
    let vouching = Vouching { providers, ports, pool, correlation };
    let standing = vouching.standing(session.user(), provider).await;
    match standing.map_err(|error| unavailable(&error))? {
        Vouched::Vouched => Ok(Found::Counts(session)),
        Vouched::Degraded => {
            if !session.degraded {
                sessions::degrade(pool, session.id).await.map_err(|error| unavailable(&error))?;
                session.degraded = true;
            }
            Ok(Found::Counts(session))
        }
        Vouched::ToRenew => Ok(Found::Due(session)),
        Vouched::Over => Ok(Found::CountsNot),
    }
}

/// Notes why, and tells that something is not there right now.
pub(crate) fn unavailable(cause: &dyn std::fmt::Display) -> Fault {
    tracing::error!(cause = %cause, "a page is not available");
    Fault::Unavailable
}

impl Visitor {
    /// The language of its pages.
    pub(crate) fn language(&self) -> Language {
        Language::of(self.ui_locales.as_deref(), &self.headers)
    }

    /// What was asked for as `ui_locales`.
    pub(crate) fn ui_locales(&self) -> Option<&str> {
        self.ui_locales.as_deref()
    }

    /// The same with what a form says of the language.
    #[must_use]
    pub(super) fn reading(mut self, ui_locales: Option<&str>) -> Self {
        if let Some(ui_locales) = ui_locales {
            self.ui_locales = Some(ui_locales.to_owned());
        }
        self
    }

    /// What the browser calls itself.
    pub(super) fn agent(&self) -> &str {
        self.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// What the browser holds of somebody who signed in there before.
    pub(super) fn known(&self, secure: bool) -> Option<&str> {
        Cookie::Known.read(&self.headers, secure)
    }

    /// The trace that its request belongs to.
    pub(crate) fn correlation(&self) -> String {
        TraceContext::current(&self.headers).trace_id().to_owned()
    }

    /// Whoever has the address that it is at.
    pub(crate) fn subscriber(&self) -> Subscriber {
        Subscriber::of(self.address)
    }

    /// Whoever is signed in, if anybody is.
    pub(crate) fn signed_in(self) -> Result<SignedIn, Self> {
        match self.session.clone() {
            Some(session) => Ok(SignedIn { visitor: self, session: *session }),
            None => Err(self),
        }
    }

    /// The session that is to be renewed, and where.
    pub(super) fn due(&self) -> Option<(Uuid, ProviderId)> {
        let session = self.due.as_ref()?;
        Some((session.id, session.provider()?))
    }

    /// Whether there is anything to sign out of: a session that is to be renewed, or does not count for another reason, would be back one day.
    pub(super) const fn may_leave(&self) -> bool {
        self.may_leave
    }

    /// The same after they signed out.
    pub(super) fn gone(mut self) -> Self {
        (self.session, self.due, self.may_leave) = (None, None, false);
        self
    }

    /// Whose this session is, when it is the one of this browser, whether or not it is to be renewed.
    pub(super) fn has_session(&self, id: Uuid) -> Option<UserId> {
        let sessions = [&self.session, &self.due].into_iter().flatten();
        sessions.filter(|session| session.id == id).map(|session| session.user()).next()
    }

    /// A page as the answer.
    pub(crate) fn page<P>(&self, people: &People<P>, status: StatusCode, page: Page) -> Response {
        self.answered(people, page.answer(status))
    }

    /// The same browser under a fresh token, with the session that begins with it.
    pub(super) fn with_session(self, token: VisitToken, session: Session) -> SignedIn {
        let visitor = Self { token, is_new: true, session: Some(Box::new(session.clone())), ..self };
        SignedIn { visitor, session }
    }

    /// Whether it runs on this very machine, and asked for it by a name of this machine: a page elsewhere whose name was made to lead here did not. Nor
    /// does a proxy that speaks for others, or a page of another site that leads here.
    pub(super) fn is_at_home(&self) -> bool {
        let host = self.headers.get(header::HOST).and_then(|value| value.to_str().ok());
        let host = host.and_then(|host| Url::parse(&format!("http://{host}")).ok());
        let site = self.headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
        let is_led_here = matches!(site, Some("cross-site" | "same-site"));
        let is_here = self.address.is_loopback() && !speaks_for_another(&self.headers);
        is_here && !is_led_here && host.is_some_and(|url| is_loopback(&url))
    }

    /// Gives the browser its cookie with an answer, when it has none.
    pub(crate) fn answered<P>(&self, people: &People<P>, mut response: Response) -> Response {
        if self.is_new
            && let Some(cookie) = Cookie::Visit.set(self.token.reveal(), people.is_secure())
        {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }

    /// A page that says why not.
    pub(crate) fn fault(&self, fault: Fault) -> Response {
        fault.page(self.language()).answer(fault.status())
    }

    /// Leads to the sign-in, and back from there.
    pub(crate) fn to_sign_in(&self, next: &Next) -> Response {
        let language = self.ui_locales.as_deref().map(|tags| format!("&ui_locales={}", encoded(tags)));
        let place = if self.due.is_some() { "/sign-in/renew" } else { "/sign-in" };
        leads_to(&format!("{place}?next={}{}", encoded(next.as_str()), language.unwrap_or_default()))
    }
}

/// Leads a browser on, by GET whatever it came with (RFC 9700, 4.12: never 307).
pub(crate) fn leads_to(address: &str) -> Response {
    let mut response = Redirect::to(address).into_response();
    guard(&mut response);
    response
}
