//! People at their browsers: signing in and out, sessions, passwords, and the page on which they see and end what they allowed.
//!
//! What a browser holds is one unguessable text in a cookie; what it stands for is a row here. Every form carries a token that is bound to that
//! text, and says where it was sent from. Deliberately absent: what a page looks like (`pages`), and every rule about people (`domain`, `commands`).

mod account;
mod auto_consent;
mod change_password;
mod connections;
mod cookie;
mod form;
mod forms;
mod leads_to;
mod next;
mod onboard;
mod origin;
mod ports;
mod provider;
mod replace_password;
pub(crate) mod sessions;
mod sign_in;
mod sign_out;
mod table;
mod throttle;
mod verify;
mod visitor;

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::constant_time;
use axum::Router;
use commands::{Actor, CarryOutError, Order, Ports, UseCase, carry_out};
use domain::value::{Clock, Position};
use projections::RunnerHandle;
use projections::access::{Deciding, Grounds, LiveView};
use sqlx::PgPool;

use crate::config::AutoConsent;
use crate::extract::SHOWN_WAIT;
use crate::limits::{Limits, Surface};
use crate::oauth::ClientDocuments;
use crate::openapi::Parameter;
use crate::passwords::{Passwords, Seal};
use crate::providers::Providers;
use crate::token::PublicUrl;
use crate::upstream_oauth::UpstreamOauth;

pub(crate) use account::person;
pub(crate) use form::Sent;
pub(crate) use leads_to::Expectation;
pub(crate) use next::{Next, encoded};
pub(crate) use ports::KeyedDigest;
pub(crate) use replace_password::replace_password;
pub(crate) use table::{PageAccess, PageRoute, into_router};
pub(crate) use verify::owner_of;
pub(crate) use visitor::{SignedIn, Visitor, leads_to, unavailable};

use cookie::{Cookie, VisitToken};
use forms::{
    AuthorizeConnectionForm, ChangePasswordForm, ChooseProviderForm, EndGrantForm, EndSessionsForm,
    LinkIdentityForm, SignInForm, SignOutForm, UnlinkIdentityForm,
};

const NEXT: Parameter = Parameter::optional("next", "The page of ours to go on to");
/// What an identity provider sends a browser back with (OpenID Connect Core 1.0, 3.1.2.5; RFC 9207).
const CALLBACK: &[Parameter] = &[
    Parameter::optional("code", "What the provider gives out for the sign-in"),
    Parameter::optional("state", "What the browser was sent there with"),
    Parameter::optional("error", "Why the provider gives nothing out"),
    Parameter::optional("iss", "Which provider it is"),
];
/// How every page is asked for in a language.
pub(crate) const UI_LOCALES: Parameter =
    Parameter::optional("ui_locales", "Languages of the page, best first (OpenID Connect Core 1.0, 3.1.2.1)");

/// What of all this is old: forgotten now and then.
pub(crate) const FORGET: [&str; 7] = {
    let [visits, vouchers, grants, secrets] = provider::FORGET;
    [sessions::FORGET[0], sessions::FORGET[1], throttle::FORGET, visits, vouchers, grants, secrets]
};

/// Everything that people's pages need. `P` are the ports of the use cases.
pub(crate) struct People<P> {
    /// The ports of the use cases.
    pub(crate) ports: Arc<P>,
    /// Sessions and read models.
    pub(crate) pool: PgPool,
    /// What decisions rest on.
    pub(crate) deciding: Deciding,
    /// The view of this node.
    pub(crate) view: LiveView,
    /// Progress of the directory.
    pub(crate) directory: RunnerHandle,
    /// The time of decisions.
    pub(crate) clock: Arc<dyn Clock>,
    /// Where people reach this deployment.
    pub(crate) url: PublicUrl,
    /// Ties forms to browsers, and finds people by their address.
    pub(crate) digests: Arc<dyn KeyedDigest>,
    /// What passwords are kept and checked with.
    pub(crate) passwords: Passwords,
    /// Seals an authorization request into the form that asks for consent.
    pub(crate) requests: Arc<dyn Seal>,
    /// The identity providers.
    pub(crate) providers: Providers,
    /// Tokens for upstreams.
    pub(crate) upstreams: UpstreamOauth<P>,
    /// What a person signs in for, read from where they go on to.
    pub(crate) expects: fn(&Grounds, &ClientDocuments, &Next) -> Option<Expectation>,
    /// The documents of clients that are known by one.
    pub(crate) documents: ClientDocuments,
    /// How often anybody may ask.
    pub(crate) limits: Limits,
    /// Who is signed in and agrees without being asked: at a demonstration that was started so.
    pub(crate) auto_consent: Option<AutoConsent>,
}

impl<P> Clone for People<P> {
    fn clone(&self) -> Self {
        Self {
            ports: Arc::clone(&self.ports),
            pool: self.pool.clone(),
            deciding: self.deciding.clone(),
            view: self.view.clone(),
            directory: self.directory.clone(),
            clock: Arc::clone(&self.clock),
            url: self.url.clone(),
            digests: Arc::clone(&self.digests),
            passwords: self.passwords.clone(),
            requests: Arc::clone(&self.requests),
            providers: self.providers.clone(),
            upstreams: self.upstreams.clone(),
            expects: self.expects,
            documents: self.documents.clone(),
            limits: self.limits.clone(),
            auto_consent: self.auto_consent.clone(),
        }
    }
}

impl<P> People<P> {
    /// Whether browsers reach us by https alone.
    pub(crate) fn is_secure(&self) -> bool {
        self.url.issuer().starts_with("https://")
    }

    /// The name of the cookie that stands for a session.
    pub(crate) fn session_cookie(&self) -> &'static str {
        Cookie::Visit.name(self.is_secure())
    }

    /// The token that ties a form to a browser, or to the session in it.
    pub(crate) fn csrf(&self, token: &VisitToken) -> String {
        self.digests.keyed("form of a browser", token.reveal())
    }

    /// The token of a form for this browser.
    pub(crate) fn csrf_of(&self, visitor: &Visitor) -> String {
        self.csrf(&visitor.token)
    }

    /// Whether a form was given to this browser.
    fn is_csrf_of(&self, presented: &str, token: &VisitToken) -> bool {
        constant_time::verify_slices_are_equal(presented.as_bytes(), self.csrf(token).as_bytes()).is_ok()
    }
}

impl<P: Ports + 'static> People<P> {
    /// Carries out what a person asks for, and waits until this node shows it.
    pub(crate) async fn carry_out<U: UseCase>(
        &self,
        actor: &Actor,
        use_case: &U,
        correlation: &str,
    ) -> Result<U::Answer, CarryOutError> {
        let order = Order {
            command: None,
            request_digest: String::new(),
            correlation: correlation.to_owned(),
            causation: None,
        };
        let done = carry_out(&*self.ports, actor, order, use_case).await?;
        if !self.shown(done.position, SHOWN_WAIT).await {
            tracing::warn!(position = done.position.get(), "written, but this node does not show it yet");
        }
        Ok(done.answer)
    }

    async fn shown(&self, position: Position, patience: Duration) -> bool {
        let both = async {
            self.view.reached(position).await;
            self.directory.reached(position).await;
        };
        tokio::time::timeout(patience, both).await.is_ok()
    }
}

/// Every page of this area.
pub(crate) fn routes<P: Ports + 'static>() -> Vec<PageRoute<P>> {
    own_routes().into_iter().chain(connection_routes()).collect()
}

/// Pages about connections to upstreams.
fn connection_routes<P: Ports + 'static>() -> Vec<PageRoute<P>> {
    use PageAccess::Person;
    type Row<P> = PageRoute<P>;
    vec![
        Row::page(
            "/connections/{connection}/authorize",
            Person,
            "showAuthorizeConnection",
            "Where somebody who holds a connection authorizes it at the server's authorization server",
            connections::show::<P>,
        )
        .reading(&[UI_LOCALES])
        .limited(Surface::Authorize),
        Row::form::<AuthorizeConnectionForm, _, _>(
            "/connections/{connection}/authorize",
            Person,
            "beginAuthorizeConnection",
            "Go to the server's authorization server",
            connections::begin::<P>,
        )
        .limited(Surface::Authorize),
        Row::page(
            "/connections/callback",
            Person,
            "authorizeConnectionCallback",
            "Where a server's authorization server sends a browser back to",
            connections::back::<P>,
        )
        .reading(CALLBACK)
        .limited(Surface::Authorize),
    ]
}

/// Pages about people themselves.
fn own_routes<P: Ports + 'static>() -> Vec<PageRoute<P>> {
    use PageAccess::{Person, Visitor};
    type Row<P> = PageRoute<P>;
    vec![
        Row::page("/sign-in", Visitor, "showSignIn", "Where a person signs in", sign_in::show::<P>)
            .reading(&[NEXT, UI_LOCALES])
            .limited(Surface::SignIn),
        Row::form::<SignInForm, _, _>("/sign-in", Visitor, "signIn", "Sign in", sign_in::sign_in::<P>)
            .limited(Surface::SignIn),
        Row::form::<ChooseProviderForm, _, _>(
            "/sign-in/provider/{provider}",
            Visitor,
            "signInWithProvider",
            "Go to an identity provider to sign in there",
            provider::choose::<P>,
        )
        .limited(Surface::SignIn),
        Row::page(
            "/sign-in/callback/{provider}",
            Visitor,
            "signInCallback",
            "Where an identity provider sends a browser back to",
            provider::back::<P>,
        )
        .reading(CALLBACK)
        .limited(Surface::SignIn),
        Row::page(
            "/sign-in/renew",
            Visitor,
            "renewSession",
            "Ask the identity provider of a session again",
            provider::renew::<P>,
        )
        .reading(&[NEXT, UI_LOCALES])
        .limited(Surface::SignIn),
        Row::page("/sign-out", Visitor, "showSignOut", "Where a person signs out", sign_out::show::<P>)
            .reading(&[NEXT, UI_LOCALES]),
        Row::form::<SignOutForm, _, _>("/sign-out", Visitor, "signOut", "Sign out", sign_out::sign_out::<P>),
        Row::page("/welcome", Person, "showWelcome", "What was made at the first visit", onboard::show::<P>)
            .reading(&[NEXT, UI_LOCALES]),
        Row::page(
            "/account/grants",
            Person,
            "showAccount",
            "What somebody allowed, and where they are signed in",
            account::show::<P>,
        )
        .reading(&[UI_LOCALES]),
        Row::form::<EndGrantForm, _, _>(
            "/account/grants/revoke",
            Person,
            "endOwnGrant",
            "Take back what was allowed",
            account::revoke::<P>,
        ),
        Row::form::<LinkIdentityForm, _, _>(
            "/account/identities/link",
            Person,
            "linkOwnIdentity",
            "Let an identity at a provider lead to one's account",
            provider::link::<P>,
        ),
        Row::form::<UnlinkIdentityForm, _, _>(
            "/account/identities/unlink",
            Person,
            "unlinkOwnIdentities",
            "Take the identities at a provider away",
            provider::unlink::<P>,
        ),
        Row::form::<EndSessionsForm, _, _>(
            "/account/sessions/end",
            Person,
            "endOwnSessions",
            "End sessions",
            account::end::<P>,
        ),
        Row::page(
            "/account/password",
            Person,
            "showChangePassword",
            "Where a person changes their password",
            change_password::show::<P>,
        )
        .reading(&[UI_LOCALES]),
        Row::form::<ChangePasswordForm, _, _>(
            "/account/password",
            Person,
            "changeOwnPassword",
            "Change one's password; ends every other session",
            change_password::change::<P>,
        ),
    ]
}

/// The pages, made of the table.
pub(crate) fn router<P: Ports + 'static>(people: People<P>) -> Router {
    into_router(routes(), people)
}
