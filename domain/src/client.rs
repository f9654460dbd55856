//! An OAuth client is a program that asks in somebody's name: its standing, its redirect URIs, its secret.
//!
//! ```text
//!   (unborn) --register--> enabled <--enable-- disabled
//!                             |  `---disable-----^ |
//!                             `----delete--> deleted <-'     nothing leaves `deleted`
//! ```
//!
//! A disabled client can still be changed: after a leak it is disabled first, given a new secret, then enabled.

mod about;
mod command;
mod document;
mod error;
mod event;
mod own;
mod usage;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use about::{ApplicationType, ClientAbout};
pub use command::{ClientCommand, ItselfDescribed, ItselfRegistered};
pub use document::ClientDocument;
pub use error::ClientError;
pub use event::{ClientEnd, ClientEvent, ClientKind};
use own::{Managed, Own};
pub use usage::{ClientAuthentication, GrantType};

use crate::value::{
    ClientId, ClientUrl, DisplayName, OrganizationId, RedirectUri, Scopes, SecretDigest, Timestamp, UserId,
};

/// Redirect URIs of one client.
pub const REDIRECT_URIS_MAX: usize = 20;

/// State of one client: only what its rules need.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Client {
    standing: Standing,
    organization: Option<OrganizationId>,
    description: Option<Description>,
    registered_by: Option<UserId>,
    /// What it proves itself with.
    kind: Option<ClientKind>,
    /// None when it named none.
    grant_types: Option<BTreeSet<GrantType>>,
    /// What it says of itself, where it registered itself.
    about: Option<ClientAbout>,
    own: Option<Own>,
    /// Where its document is, where its identifier is that.
    #[serde(default)]
    document: Option<ClientUrl>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Standing {
    #[default]
    Unborn,
    Enabled,
    Disabled,
    Deleted,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Description {
    name: DisplayName,
    redirect_uris: BTreeSet<RedirectUri>,
    scopes: Scopes,
}

aggregate!(Client, id: ClientId, command: ClientCommand, event: ClientEvent, error: ClientError);

impl crate::Aggregate for Client {
    type Id = ClientId;

    fn organization(&self, _: ClientId) -> Option<OrganizationId> {
        self.organization
    }

    fn decide(&self, command: &ClientCommand) -> Result<Vec<ClientEvent>, ClientError> {
        match command {
            ClientCommand::Register {
                organization,
                client_id,
                name,
                kind,
                redirect_uris,
                scopes,
                registered_by,
                authentication,
                grant_types,
            } => {
                self.must_be_unborn()?;
                let is_public = matches!(kind, ClientKind::Public);
                must_be_reachable(redirect_uris, is_public)?;
                must_fit(grant_types.as_ref(), redirect_uris, is_public)?;
                must_prove(kind, *authentication)?;
                Ok(vec![ClientEvent::Registered {
                    organization: *organization,
                    client_id: *client_id,
                    name: name.clone(),
                    kind: kind.clone(),
                    redirect_uris: redirect_uris.clone(),
                    scopes: scopes.clone(),
                    registered_by: *registered_by,
                    authentication: *authentication,
                    grant_types: grant_types.clone(),
                }])
            }
            ClientCommand::Update { name, redirect_uris, scopes } => {
                Ok(self.taken_over(self.update(name, redirect_uris, scopes)?))
            }
            ClientCommand::RotateSecret { secret, previous_until } => {
                Ok(self.taken_over(self.rotate(secret, *previous_until)?))
            }
            ClientCommand::Disable { reason } => self.disable(reason),
            ClientCommand::Enable => self.enable(),
            ClientCommand::Delete => self.delete(),
            ClientCommand::RegisterItself(said) => self.register_itself(said),
            ClientCommand::DescribeItself(said) => self.describe_itself(said),
            ClientCommand::SeeDocument(seen) => self.see_document(seen),
            ClientCommand::ReplaceKeys { keys } => Ok(self.taken_over(self.replace_keys(keys)?)),
            ClientCommand::RevokeRegistrationToken => self.revoke_registration_token(),
            ClientCommand::Use => self.be_used(),
            ClientCommand::EndIfUnused { since } => Ok(self.end_if_unused(*since)),
            ClientCommand::Leave => self.leave(),
        }
    }
}

impl Client {
    /// Whether it was registered and is not gone.
    pub const fn exists(&self) -> bool {
        matches!(self.standing, Standing::Enabled | Standing::Disabled)
    }

    /// Whether what it asks for counts.
    pub const fn is_enabled(&self) -> bool {
        matches!(self.standing, Standing::Enabled)
    }

    /// The most it can be granted; none before it is registered.
    pub fn scopes(&self) -> Option<&Scopes> {
        self.description.as_ref().map(|description| &description.scopes)
    }

    /// Whose it is inside the organization; none before it is registered.
    pub const fn registered_by(&self) -> Option<UserId> {
        self.registered_by
    }

    const fn is_public(&self) -> bool {
        matches!(self.kind, Some(ClientKind::Public) | None)
    }

    fn update(
        &self,
        name: &DisplayName,
        redirect_uris: &BTreeSet<RedirectUri>,
        scopes: &Scopes,
    ) -> Result<Vec<ClientEvent>, ClientError> {
        self.must_live()?;
        must_be_reachable(redirect_uris, self.is_public())?;
        must_fit(self.grant_types.as_ref(), redirect_uris, self.is_public())?;
        let wanted =
            Description { name: name.clone(), redirect_uris: redirect_uris.clone(), scopes: scopes.clone() };
        if self.description.as_ref() == Some(&wanted) {
            return Ok(vec![]);
        }
        let Description { name, redirect_uris, scopes } = wanted;
        Ok(vec![ClientEvent::Updated { name, redirect_uris, scopes }])
    }

    fn rotate(
        &self,
        secret: &SecretDigest,
        previous_until: Option<Timestamp>,
    ) -> Result<Vec<ClientEvent>, ClientError> {
        self.must_live()?;
        match &self.kind {
            Some(ClientKind::Public | ClientKind::Keyed { .. } | ClientKind::Publishing { .. }) | None => {
                Err(ClientError::NoSecret)
            }
            Some(ClientKind::Confidential { secret: held }) if held == secret => Ok(vec![]),
            Some(ClientKind::Confidential { .. }) => {
                Ok(vec![ClientEvent::SecretRotated { secret: secret.clone(), previous_until }])
            }
        }
    }

    fn disable(&self, reason: &DisplayName) -> Result<Vec<ClientEvent>, ClientError> {
        match self.standing {
            Standing::Unborn => Err(ClientError::Unknown),
            Standing::Deleted => Err(ClientError::Deleted),
            Standing::Disabled => Ok(vec![]),
            Standing::Enabled => Ok(vec![ClientEvent::Disabled { reason: reason.clone() }]),
        }
    }

    fn enable(&self) -> Result<Vec<ClientEvent>, ClientError> {
        match self.standing {
            Standing::Unborn => Err(ClientError::Unknown),
            Standing::Deleted => Err(ClientError::Deleted),
            Standing::Enabled => Ok(vec![]),
            Standing::Disabled => Ok(vec![ClientEvent::Enabled {}]),
        }
    }

    fn delete(&self) -> Result<Vec<ClientEvent>, ClientError> {
        match self.standing {
            Standing::Unborn => Err(ClientError::Unknown),
            Standing::Deleted => Ok(vec![]),
            Standing::Enabled | Standing::Disabled => Ok(vec![ClientEvent::Deleted { reason: None }]),
        }
    }

    fn must_be_unborn(&self) -> Result<(), ClientError> {
        match self.standing {
            Standing::Unborn => Ok(()),
            Standing::Enabled | Standing::Disabled | Standing::Deleted => Err(ClientError::Exists),
        }
    }

    fn must_live(&self) -> Result<(), ClientError> {
        match self.standing {
            Standing::Unborn => Err(ClientError::Unknown),
            Standing::Deleted => Err(ClientError::Deleted),
            Standing::Enabled | Standing::Disabled => Ok(()),
        }
    }

    fn evolve(&mut self, event: ClientEvent) {
        match event {
            ClientEvent::Registered {
                organization,
                client_id: _, // the aggregate's own id
                name,
                kind,
                redirect_uris,
                scopes,
                registered_by,
                authentication: _, // no rule reads it; the token endpoint does
                grant_types,
            } => {
                self.standing = Standing::Enabled;
                self.grant_types = grant_types;
                self.registered_by = Some(registered_by);
                self.organization = Some(organization);
                self.description = Some(Description { name, redirect_uris, scopes });
                self.kind = Some(kind);
            }
            ClientEvent::SelfRegistered {
                organization,
                client_id: _, // the aggregate's own id
                name,
                kind,
                redirect_uris,
                scopes,
                registered_by,
                authentication: _, // as above
                grant_types,
                registration_token: _, // checked where it is presented
                about,
                at,
            } => {
                self.standing = Standing::Enabled;
                self.grant_types = Some(grant_types);
                self.registered_by = registered_by;
                self.organization = organization;
                self.description = Some(Description { name, redirect_uris, scopes });
                self.kind = Some(kind);
                self.about = Some(*about);
                self.own = Some(Own { since: at, used: false, managed: Managed::ByItself });
            }
            ClientEvent::SelfDescribed { name, redirect_uris, scopes, grant_types, about } => {
                self.description = Some(Description { name, redirect_uris, scopes });
                self.grant_types = Some(grant_types);
                self.about = Some(*about);
            }
            ClientEvent::DocumentSeen { url, name, kind, redirect_uris, scopes, grant_types } => {
                if self.standing == Standing::Unborn {
                    self.standing = Standing::Enabled;
                }
                self.document = Some(url);
                self.grant_types = Some(grant_types);
                self.description = Some(Description { name, redirect_uris, scopes });
                self.kind = Some(kind);
            }
            ClientEvent::KeysReplaced { keys } => self.kind = Some(ClientKind::Keyed { keys }),
            ClientEvent::KeysPublished { keys } => self.kind = Some(ClientKind::Publishing { keys }),
            ClientEvent::FirstUsed {} => self.own = self.own.map(|own| Own { used: true, ..own }),
            ClientEvent::Updated { name, redirect_uris, scopes } => {
                self.description = Some(Description { name, redirect_uris, scopes });
                self.be_taken_over(); // also where it happened before that was told of its own
            }
            ClientEvent::RegistrationTokenRevoked {} => self.be_taken_over(),
            ClientEvent::SecretRotated { secret, previous_until: _ } => {
                self.kind = Some(ClientKind::Confidential { secret });
            }
            ClientEvent::Disabled { .. } => self.standing = Standing::Disabled,
            ClientEvent::Enabled {} => self.standing = Standing::Enabled,
            ClientEvent::Deleted { reason: _ } => self.standing = Standing::Deleted,
            ClientEvent::TokenRevoked { token: _, expires_at: _ } => {} // no rule of clients asks for tokens
        }
    }
}

/// A confidential client may do without redirects: it can ask in its own name.
fn must_be_reachable(redirect_uris: &BTreeSet<RedirectUri>, is_public: bool) -> Result<(), ClientError> {
    if redirect_uris.len() > REDIRECT_URIS_MAX {
        return Err(ClientError::TooManyRedirectUris);
    }
    if is_public && redirect_uris.is_empty() {
        return Err(ClientError::NoRedirectUri);
    }
    Ok(())
}

/// Whoever names grant types names such that the client can use.
fn must_fit(
    grant_types: Option<&BTreeSet<GrantType>>,
    redirect_uris: &BTreeSet<RedirectUri>,
    is_public: bool,
) -> Result<(), ClientError> {
    let Some(grant_types) = grant_types else { return Ok(()) };
    if grant_types.is_empty() {
        return Err(ClientError::NoGrantType);
    }
    for grant_type in grant_types {
        match grant_type {
            GrantType::AuthorizationCode if redirect_uris.is_empty() => {
                return Err(ClientError::NoRedirectUri);
            }
            GrantType::RefreshToken if !grant_types.contains(&GrantType::AuthorizationCode) => {
                return Err(ClientError::RefreshWithoutCode);
            }
            GrantType::ClientCredentials if is_public => return Err(ClientError::PublicCredentials),
            GrantType::AuthorizationCode | GrantType::RefreshToken | GrantType::ClientCredentials => {}
        }
    }
    Ok(())
}

/// What a client has and how it proves itself belong together.
const fn must_prove(
    kind: &ClientKind,
    authentication: Option<ClientAuthentication>,
) -> Result<(), ClientError> {
    match (kind, authentication) {
        (ClientKind::Public, None)
        | (
            ClientKind::Confidential { .. },
            None | Some(ClientAuthentication::SecretBasic | ClientAuthentication::SecretPost),
        )
        | (
            ClientKind::Keyed { .. } | ClientKind::Publishing { .. },
            Some(ClientAuthentication::PrivateKeyJwt),
        ) => Ok(()),
        (ClientKind::Public, Some(_)) => Err(ClientError::PublicAuthentication),
        (ClientKind::Confidential { .. }, Some(ClientAuthentication::PrivateKeyJwt))
        | (
            ClientKind::Keyed { .. } | ClientKind::Publishing { .. },
            None | Some(ClientAuthentication::SecretBasic | ClientAuthentication::SecretPost),
        ) => Err(ClientError::OtherAuthentication),
    }
}

#[cfg(test)]
mod tests;
