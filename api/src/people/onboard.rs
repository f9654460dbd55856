//! The first visit: whoever belongs to no organization gets one of their own in the step in which they sign in, and is told so on `/welcome`.

use axum::extract::State;
use axum::response::Response;
use commands::organization::{CreatePersonal, PersonalCreated};
use commands::{Actor, CarryOutError, Ports, Refused};
use domain::organization::OrganizationError;
use domain::value::UserId;
use http::{StatusCode, Uri};
use projections::directory::{Cursor, organizations};

use super::visitor::unavailable;
use super::{Next, People, Visitor, encoded};
use crate::oauth::Parameters;
use crate::pages::{Fault, welcome};

/// Makes a person's own organization, when they have no other. Answers it when it was made just now.
pub(super) async fn settle<P: Ports + 'static>(
    people: &People<P>,
    user: UserId,
    correlation: &str,
) -> Result<Option<PersonalCreated>, Fault> {
    let page = organizations::list_for_user(&people.pool, user, Cursor::default(), 1).await;
    if !page.map_err(|error| unavailable(&error))?.rows.is_empty() {
        return Ok(None);
    }
    let made = people.carry_out(&Actor::signed_in(user), &CreatePersonal, correlation).await;
    match made {
        Ok(made) => Ok(made),
        // Theirs was deleted once, and they have no other: they are signed in all the same, and may be taken into one.
        Err(CarryOutError::Refused(Refused::Organization(OrganizationError::Exists))) => Ok(None),
        Err(error) => Err(unavailable(&error)),
    }
}

/// Tells somebody what was made for them.
pub(super) async fn show<P: Ports + 'static>(
    State(people): State<People<P>>,
    visitor: Visitor,
    uri: Uri,
) -> Response {
    let query = Parameters::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    let next = Next::of(query.get("next"));
    let somebody = match visitor.signed_in() {
        Ok(somebody) => somebody,
        Err(visitor) => return visitor.to_sign_in(&next),
    };
    let visitor = &somebody.visitor;
    let own = CreatePersonal::id_of(somebody.user());
    match organizations::by_id(&people.pool, own).await {
        Ok(Some(own)) => {
            let here = format!("/welcome?next={}", encoded(next.as_str()));
            let page = welcome::page(visitor.language(), &own.slug, next.as_str(), here);
            visitor.page(&people, StatusCode::OK, page)
        }
        Ok(None) => super::visitor::leads_to(next.as_str()),
        Err(error) => visitor.fault(unavailable(&error)),
    }
}
