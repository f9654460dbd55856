//! The first key of an organization, issued in the same unit that makes it: a key opens one organization only, so without it nobody could
//! open the new one.

use domain::api_key::{ApiKey, ApiKeyCommand, KeyEnvironment};
use domain::value::{
    ApiKeyId, Clock as _, DisplayName, IssuedSecret, KeyText, OrganizationId, Scope, UserId,
};

use crate::{Actor, Entropy as _, Ports, Refused, SecretHasher as _, Unit};

/// Everything that a key may do.
const EVERYTHING: [Scope; 6] = [
    Scope::OrgRead,
    Scope::OrgWrite,
    Scope::KeysWrite,
    Scope::ClientsWrite,
    Scope::AuditRead,
    Scope::McpAdmin,
];

/// Issues the first key, named like its organization. It may do everything that the credential it comes from may, and ends with it.
pub(crate) async fn issue_first<P: Ports>(
    ports: &P,
    unit: &mut Unit<'_, P::Log>,
    organization: (OrganizationId, &DisplayName),
    principal: UserId,
    actor: &Actor,
) -> Result<(ApiKeyId, IssuedSecret), Refused> {
    let id = ApiKeyId::new(ports.entropy().id());
    let key = KeyText::compose(KeyEnvironment::Live, id, &ports.entropy().secret());
    let scopes = EVERYTHING
        .into_iter()
        .filter(|scope| actor.scopes.as_ref().is_none_or(|held| held.grant(scope)))
        .collect();
    let issue = ApiKeyCommand::Issue {
        organization: organization.0,
        key_id: id.into(),
        name: organization.1.clone(),
        principal,
        issued_by: actor.issuer(principal, principal),
        instance: None,
        scopes,
        digest: ports.hasher().digest(&key),
        expires_at: actor.until,
        environment: KeyEnvironment::Live,
        at: ports.clock().now(),
    };
    unit.decide::<ApiKey>(id, issue).await?;
    Ok((id, key))
}
