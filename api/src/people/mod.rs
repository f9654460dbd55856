//! People at their browsers: signing in and out, sessions, passwords, and the page on which they see and end what they allowed.
//!
//! What a browser holds is one unguessable text in a cookie; what it stands for is a row here. Every form carries a token that is bound to that
//! text, and says where it was sent from. Deliberately absent: what a page looks like (`pages`), and every rule about people (`domain`, `commands`).

mod account;
mod auto_consent;
mod change_password;
mod cookie;
mod form;
mod leads_to;
mod next;
mod onboard;
mod origin;
mod ports;
pub(crate) mod sessions;
mod sign_in;
mod sign_out;
mod throttle;
mod verify;
mod visitor;

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::constant_time;
use axum::Router;
use axum::routing::{get, post};
use commands::{Actor, CarryOutError, Order, Ports, UseCase, carry_out};
use domain::value::{Clock, Position};
use projections::RunnerHandle;
use projections::access::{Deciding, Grounds, LiveView};
use sqlx::PgPool;

use crate::config::AutoConsent;
use crate::extract::SHOWN_WAIT;
use crate::passwords::{Passwords, Seal};
use crate::token::PublicUrl;

pub(crate) use account::person;
pub(crate) use form::Sent;
pub(crate) use leads_to::Expectation;
pub(crate) use next::{Next, encoded};
pub(crate) use ports::KeyedDigest;
pub(crate) use verify::owner_of;
pub(crate) use visitor::{SignedIn, Visitor, leads_to, unavailable};

use cookie::VisitToken;

/// What of all this is old: forgotten now and then.
pub(crate) const FORGET: [&str; 3] = [sessions::FORGET[0], sessions::FORGET[1], throttle::FORGET];

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
    /// What a person signs in for, read from where they go on to.
    pub(crate) expects: fn(&Grounds, &Next) -> Option<Expectation>,
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
            expects: self.expects,
            auto_consent: self.auto_consent.clone(),
        }
    }
}

impl<P> People<P> {
    /// Whether browsers reach us by https alone.
    pub(crate) fn is_secure(&self) -> bool {
        self.url.issuer().starts_with("https://")
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

/// The pages. Access: open to everybody up to the sign-in; whatever is behind it says so by leading there.
pub(crate) fn router<P: Ports + 'static>(people: People<P>) -> Router {
    Router::new()
        .route("/sign-in", get(sign_in::show::<P>).post(sign_in::sign_in::<P>))
        .route("/sign-out", get(sign_out::show::<P>).post(sign_out::sign_out::<P>))
        .route("/welcome", get(onboard::show::<P>))
        .route("/account/grants", get(account::show::<P>))
        .route("/account/grants/revoke", post(account::revoke::<P>))
        .route("/account/sessions/end", post(account::end::<P>))
        .route("/account/password", get(change_password::show::<P>).post(change_password::change::<P>))
        .with_state(people)
}
