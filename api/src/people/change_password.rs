//! `/account/password`: somebody changes their own password, after they showed the one in force. Every other session of theirs ends.

use axum::extract::State;
use axum::response::Response;
use commands::user::SetPassword;
use commands::{HashError, Order, Ports, carry_out};
use domain::value::PresentedSecret;
use http::StatusCode;

use super::replace_password::{NotReplaced, replace_shown};
use super::sessions::Which;
use super::sign_in::later;
use super::verify::{NotVerified, verify_again};
use super::visitor::unavailable;
use super::{Next, People, Sent, SignedIn, Visitor, account};
use crate::oauth::Parameters;
use crate::pages::Fault;
use crate::pages::password::{Outcome, page};
use crate::passwords::NewPassword;

/// The form.
pub(super) async fn show<P: Ports + 'static>(State(people): State<People<P>>, visitor: Visitor) -> Response {
    match visitor.signed_in() {
        Ok(somebody) => shown(&people, &somebody, None).await,
        Err(visitor) => visitor.to_sign_in(&Next::of(Some("/account/password"))),
    }
}

/// Changes it.
pub(super) async fn change<P: Ports + 'static>(
    State(people): State<People<P>>,
    Sent { visitor, form }: Sent,
) -> Response {
    let somebody = match visitor.signed_in() {
        Ok(somebody) => somebody,
        Err(visitor) => return visitor.to_sign_in(&Next::of(Some("/account/password"))),
    };
    match changed(&people, &somebody, &form).await {
        Ok(()) => shown(&people, &somebody, Some(Outcome::Changed)).await,
        Err(NotChanged::Fault(fault)) => somebody.visitor.fault(fault),
        Err(NotChanged::Said(outcome, wait_seconds)) => {
            let response = shown(&people, &somebody, Some(outcome)).await;
            if wait_seconds == 0 { response } else { later(response, wait_seconds) }
        }
    }
}

enum NotChanged {
    Said(Outcome, u64),
    Fault(Fault),
}

async fn changed<P: Ports + 'static>(
    people: &People<P>,
    somebody: &SignedIn,
    form: &Parameters,
) -> Result<(), NotChanged> {
    let new = form.get("new").unwrap_or_default().to_owned();
    let new = NewPassword::parse(new).map_err(|_| NotChanged::Said(Outcome::Bad, 0))?;
    let current = PresentedSecret::new(form.get("current").unwrap_or_default().to_owned());
    let shown = verify_again(people, somebody.user(), &current).await.map_err(|why| match why {
        NotVerified::NoMatch => NotChanged::Said(Outcome::Wrong, 0),
        NotVerified::TooOften(wait) => NotChanged::Said(Outcome::TooOften, wait.as_secs().max(1)),
        NotVerified::Busy => NotChanged::Said(Outcome::Busy, 1),
        NotVerified::Fault(fault) => NotChanged::Fault(fault),
    })?;
    let (user, correlation) = (somebody.user(), somebody.visitor.correlation());
    let hash = people.passwords.hash(&new).await.map_err(|error| match error {
        HashError::Busy => NotChanged::Said(Outcome::Busy, 1),
        HashError::Failed(_) => NotChanged::Fault(unavailable(&error)),
    })?;
    let order = Order { command: None, request_digest: String::new(), correlation, causation: None };
    let actor = somebody.actor();
    let tell = async {
        let set = carry_out(&*people.ports, &actor, order, &SetPassword { user }).await;
        set.map(|done| done.position)
    };
    // Somebody who knew the old one may be changing it too, or an administrator sets another for that very reason: the one that was shown is replaced.
    let (of_them, others) = ((user, shown.password), Which::AllBut(somebody.session.id));
    let replaced = replace_shown(&people.pool, &people.passwords, of_them, &hash, others, tell).await;
    replaced.map_err(|why| match why {
        NotReplaced::TooLate => NotChanged::Said(Outcome::Wrong, 0),
        NotReplaced::Told(error) => NotChanged::Fault(unavailable(&error)),
        NotReplaced::Kept(error) => NotChanged::Fault(unavailable(&error)),
    })
}

async fn shown<P: Ports + 'static>(
    people: &People<P>,
    somebody: &SignedIn,
    outcome: Option<Outcome>,
) -> Response {
    let visitor = &somebody.visitor;
    let person = match account::person(people, somebody.user()).await {
        Ok(person) => person,
        Err(fault) => return visitor.fault(fault),
    };
    let status = match outcome {
        None | Some(Outcome::Changed) => StatusCode::OK,
        Some(Outcome::Wrong) => StatusCode::FORBIDDEN,
        Some(Outcome::Bad) => StatusCode::UNPROCESSABLE_ENTITY,
        Some(Outcome::TooOften) => StatusCode::TOO_MANY_REQUESTS,
        Some(Outcome::Busy) => StatusCode::SERVICE_UNAVAILABLE,
    };
    visitor.page(people, status, page(visitor.language(), &people.csrf(&visitor.token), &person, outcome))
}
