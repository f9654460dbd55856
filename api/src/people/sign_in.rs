//! `/sign-in`: a person proves who they are. A session begins under a fresh cookie, so that whoever planted the old one is left with nothing
//! (`oauth.md`, case 7).

use axum::extract::State;
use axum::response::Response;
use commands::{Entropy as _, Ports};
use domain::value::{PresentedSecret, Timestamp, UserId};
use http::{HeaderValue, StatusCode, Uri, header};

use super::cookie::{Cookie, VisitToken};
use super::sessions::{self, Begun, Method, NotBegun};
use super::verify::{Attempted, NotVerified, Verified, verify};
use super::visitor::{leads_to, unavailable};
use super::{Next, People, Sent, Visitor, encoded, onboard};
use crate::oauth::Parameters;
use crate::pages::Fault;
use crate::pages::sign_in::{ProviderButton, SignIn, Trouble};

/// The form. Whoever is signed in already is led on.
pub(super) async fn show<P: Ports + 'static>(
    State(people): State<People<P>>,
    visitor: Visitor,
    uri: Uri,
) -> Response {
    let query = Parameters::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    let next = Next::of(query.get("next"));
    match visitor.signed_in() {
        Ok(somebody) if query.get("again").is_some() => {
            form(&people, &somebody.visitor, &next, Some(Trouble::Again))
        }
        Ok(_) => leads_to(next.as_str()),
        Err(visitor) => form(&people, &visitor, &next, None),
    }
}

/// The form, with what went wrong.
pub(super) fn form<P: Ports + 'static>(
    people: &People<P>,
    visitor: &Visitor,
    next: &Next,
    trouble: Option<Trouble>,
) -> Response {
    let view = people.deciding.fresh();
    let expected = view.as_ref().and_then(|view| (people.expects)(view, &people.documents, next));
    let offered = view.iter().flat_map(|view| view.providers());
    let providers: Vec<_> = offered
        .map(|provider| ProviderButton { id: provider.id.to_string(), name: provider.name.to_string() })
        .collect();
    let page = SignIn {
        csrf: &people.csrf(&visitor.token),
        next: next.as_str(),
        ui_locales: visitor.ui_locales(),
        client: expected.as_ref().map(|expected| expected.client.as_str()),
        leads_to: expected.as_ref().and_then(|expected| expected.leads_to.clone()),
        here: format!("/sign-in?next={}", encoded(next.as_str())),
        trouble,
        providers: &providers,
    };
    let status = match trouble {
        None | Some(Trouble::Again) => StatusCode::OK,
        Some(Trouble::NoMatch | Trouble::ProviderRefused | Trouble::NotAllowed | Trouble::OtherPerson) => {
            StatusCode::FORBIDDEN
        }
        Some(Trouble::TooOften) => StatusCode::TOO_MANY_REQUESTS,
        Some(Trouble::Busy | Trouble::ProviderDown) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let response = visitor.page(people, status, page.page(visitor.language()));
    if status == StatusCode::SERVICE_UNAVAILABLE { later(response, 1) } else { response }
}

/// Somebody proves who they are, or does not.
pub(super) async fn sign_in<P: Ports + 'static>(
    State(people): State<People<P>>,
    Sent { visitor, form: sent }: Sent,
) -> Response {
    let next = Next::of(sent.get("next"));
    let attempted = Attempted::of(&people, sent.get("email").unwrap_or_default());
    let presented = PresentedSecret::new(sent.get("password").unwrap_or_default().to_owned());
    let signed_in = async {
        let Verified { user, password } = verify(&people, &visitor, &attempted, &presented).await?;
        let proof = Proof { method: Method::Password(password), proved_at: None };
        begin(&people, &visitor, user, proof, &next).await.map_err(|why| match why {
            NotLetIn::PasswordReplaced | NotLetIn::IdentityUnlinked => NotVerified::NoMatch,
            NotLetIn::Fault(fault) => NotVerified::Fault(fault),
        })
    };
    match signed_in.await {
        Ok(response) => known(&people, &attempted, response),
        Err(NotVerified::NoMatch) => form(&people, &visitor, &next, Some(Trouble::NoMatch)),
        Err(NotVerified::Busy) => form(&people, &visitor, &next, Some(Trouble::Busy)),
        Err(NotVerified::TooOften(wait)) => {
            later(form(&people, &visitor, &next, Some(Trouble::TooOften)), wait.as_secs())
        }
        Err(NotVerified::Fault(fault)) => visitor.fault(fault),
    }
}

/// The browser is known from now on.
fn known<P: Ports + 'static>(people: &People<P>, attempted: &Attempted, mut response: Response) -> Response {
    let cookie = Cookie::Known.set(&attempted.known_browser(people), people.is_secure());
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// With the moment when trying again makes sense.
pub(super) fn later(mut response: Response, seconds: u64) -> Response {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    response
}

/// How somebody proved who they are.
pub(super) struct Proof {
    pub(super) method: Method,
    /// When they themself were asked, where that was not here and now.
    pub(super) proved_at: Option<Timestamp>,
}

/// Why somebody who proved who they are is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotLetIn {
    /// The password that was shown is theirs no more.
    PasswordReplaced,
    /// The identity by which they came is theirs no more.
    IdentityUnlinked,
    /// Something does not answer.
    Fault(Fault),
}

impl From<Fault> for NotLetIn {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// The session, its cookie, and the way on.
pub(super) async fn begin<P: Ports + 'static>(
    people: &People<P>,
    visitor: &Visitor,
    user: UserId,
    Proof { method, proved_at }: Proof,
    next: &Next,
) -> Result<Response, NotLetIn> {
    let (token, id) = (VisitToken::draw(people.ports.entropy()), people.ports.entropy().id());
    let begun = Begun { id, user, method, proved_at };
    sessions::begin(&people.pool, (&visitor.token, &token), begun, visitor.agent()).await.map_err(
        |error| match error {
            NotBegun::PasswordReplaced => NotLetIn::PasswordReplaced,
            NotBegun::IdentityUnlinked => NotLetIn::IdentityUnlinked,
            NotBegun::Database(error) => NotLetIn::Fault(unavailable(&error)),
        },
    )?;
    tracing::info!(user.id = %user, session.id = %id, "signed in");
    let made = onboard::settle(people, user, &visitor.correlation()).await?;
    let mut response = if made.is_some() {
        let language = visitor.ui_locales().map(|tags| format!("&ui_locales={}", encoded(tags)));
        leads_to(&format!("/welcome?next={}{}", encoded(next.as_str()), language.unwrap_or_default()))
    } else {
        leads_to(next.as_str())
    };
    if let Some(cookie) = Cookie::Visit.set(token.reveal(), people.is_secure()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
