//! Which instance a token is to be for (RFC 8707): named by its endpoint, or the only one that there is.
//!
//! One token is for one instance. What is malformed, unknown, gone, of somebody else or closed to tokens is refused alike.

use std::collections::BTreeSet;

use domain::instance::CallerAuthentication;
use domain::policy::Standing;
use domain::value::{InstanceId, OrganizationId};
use projections::access::{AccessView, Instance};

use super::error::{OauthError, OauthErrorCode};
use super::form::Parameters;
use crate::token::PublicUrl;

/// The instance that a request names, if it names one.
pub(super) fn read(url: &PublicUrl, parameters: &Parameters) -> Result<Option<InstanceId>, OauthError> {
    let named: Option<BTreeSet<InstanceId>> =
        parameters.all("resource").iter().map(|resource| url.instance_named(resource)).collect();
    let named = named.ok_or_else(invalid)?;
    let mut named = named.into_iter();
    match (named.next(), named.next()) {
        (instance, None) => Ok(instance),
        (_, Some(_)) => Err(OauthError::new(
            OauthErrorCode::InvalidTarget,
            "a token is for one resource; ask once for each",
        )),
    }
}

/// The instance of this organization that is meant.
pub(super) fn of_organization(
    view: &AccessView,
    organization: OrganizationId,
    named: Option<InstanceId>,
) -> Result<InstanceId, OauthError> {
    if let Some(named) = named {
        let found = view.instance(named).filter(|instance| instance.organization == organization);
        return found
            .filter(|instance| takes_tokens(instance))
            .map(|instance| instance.id)
            .ok_or_else(invalid);
    }
    let mut open = view.instances_of(organization).filter(|instance| takes_tokens(instance));
    if let (Some(only), None) = (open.next(), open.next()) {
        return Ok(only.id);
    }
    let why = "say with resource which MCP endpoint the token is for: there is not exactly one";
    Err(OauthError::new(OauthErrorCode::InvalidTarget, why))
}

fn takes_tokens(instance: &Instance) -> bool {
    let open = match instance.authentication {
        CallerAuthentication::Oauth | CallerAuthentication::Both => true,
        CallerAuthentication::ApiKey | CallerAuthentication::None => false,
    };
    open && instance.standing != Standing::Ended
}

fn invalid() -> OauthError {
    OauthError::new(OauthErrorCode::InvalidTarget, "this resource is none that a token can be for")
}
