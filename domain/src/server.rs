//! A server is an upstream MCP server in the catalogue: how it is reached and what it needs to be told.
//!
//! ```text
//!   (unborn) --register--> offered --retire--> retired     nothing leaves `retired`
//! ```

mod command;
mod error;
mod event;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use command::ServerCommand;
pub use error::ServerError;
pub use event::{ServerEvent, ServerOauth, Transport, UpstreamGrant, Visibility};

use crate::value::{CredentialField, DisplayName, OrganizationId, ServerId};

/// Credential fields of one server.
pub const CREDENTIAL_FIELDS_MAX: usize = 16;

/// State of one server: only what its rules need.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Server {
    standing: Standing,
    organization: Option<OrganizationId>,
    description: Option<Description>,
    #[serde(default)]
    oauth: Option<ServerOauth>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Standing {
    #[default]
    Unborn,
    Offered,
    Retired,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Description {
    name: DisplayName,
    transport: Transport,
    credential_fields: Vec<CredentialField>,
    visibility: Visibility,
}

aggregate!(Server, id: ServerId, command: ServerCommand, event: ServerEvent, error: ServerError);

impl crate::Aggregate for Server {
    type Id = ServerId;

    fn organization(&self, _: ServerId) -> Option<OrganizationId> {
        self.organization
    }

    fn decide(&self, command: &ServerCommand) -> Result<Vec<ServerEvent>, ServerError> {
        match command {
            ServerCommand::Register { organization, name, transport, credential_fields, visibility } => {
                self.must_be_unborn()?;
                let description = Description::new(name, transport, credential_fields, *visibility);
                description.must_fit(*organization)?;
                let Description { name, transport, credential_fields, visibility } = description;
                let organization = *organization;
                Ok(vec![ServerEvent::Registered {
                    organization,
                    name,
                    transport,
                    credential_fields,
                    visibility,
                }])
            }
            ServerCommand::Update { name, transport, credential_fields, visibility } => {
                self.update(Description::new(name, transport, credential_fields, *visibility))
            }
            ServerCommand::SetOauth { oauth } => self.set_oauth(oauth.as_ref()),
            ServerCommand::Retire => self.retire(),
        }
    }
}

impl Server {
    /// Whether it can be connected to.
    pub const fn is_offered(&self) -> bool {
        matches!(self.standing, Standing::Offered)
    }

    /// Who may connect to it; none before it is registered.
    pub fn visibility(&self) -> Option<Visibility> {
        self.description.as_ref().map(|description| description.visibility)
    }

    /// The name shown in lists; none before it is registered.
    pub fn name(&self) -> Option<&DisplayName> {
        self.description.as_ref().map(|description| &description.name)
    }

    /// How it is reached; none before it is registered.
    pub fn transport(&self) -> Option<&Transport> {
        self.description.as_ref().map(|description| &description.transport)
    }

    /// What it needs to be told on every call.
    pub fn credential_fields(&self) -> &[CredentialField] {
        self.description.as_ref().map_or(&[], |description| &description.credential_fields)
    }

    /// How its connections are authorized by OAuth; none when they are not.
    pub const fn oauth(&self) -> Option<&ServerOauth> {
        self.oauth.as_ref()
    }

    fn must_be_unborn(&self) -> Result<(), ServerError> {
        match self.standing {
            Standing::Unborn => Ok(()),
            Standing::Offered | Standing::Retired => Err(ServerError::Exists),
        }
    }

    fn update(&self, wanted: Description) -> Result<Vec<ServerEvent>, ServerError> {
        match self.standing {
            Standing::Unborn => return Err(ServerError::Unknown),
            Standing::Retired => return Err(ServerError::Retired),
            Standing::Offered => {}
        }
        wanted.must_fit(self.organization)?;
        if self.description.as_ref() == Some(&wanted) {
            return Ok(vec![]);
        }
        let Description { name, transport, credential_fields, visibility } = wanted;
        Ok(vec![ServerEvent::Updated { name, transport, credential_fields, visibility }])
    }

    fn set_oauth(&self, oauth: Option<&ServerOauth>) -> Result<Vec<ServerEvent>, ServerError> {
        match self.standing {
            Standing::Unborn => Err(ServerError::Unknown),
            Standing::Retired => Err(ServerError::Retired),
            Standing::Offered if self.oauth.as_ref() == oauth => Ok(vec![]),
            Standing::Offered => Ok(vec![ServerEvent::OauthChanged { oauth: oauth.cloned() }]),
        }
    }

    fn retire(&self) -> Result<Vec<ServerEvent>, ServerError> {
        match self.standing {
            Standing::Unborn => Err(ServerError::Unknown),
            Standing::Retired => Ok(vec![]),
            Standing::Offered => Ok(vec![ServerEvent::Retired {}]),
        }
    }

    fn evolve(&mut self, event: ServerEvent) {
        match event {
            ServerEvent::Registered { organization, name, transport, credential_fields, visibility } => {
                self.standing = Standing::Offered;
                self.organization = organization;
                self.description = Some(Description { name, transport, credential_fields, visibility });
            }
            ServerEvent::Updated { name, transport, credential_fields, visibility } => {
                self.description = Some(Description { name, transport, credential_fields, visibility });
            }
            ServerEvent::OauthChanged { oauth } => self.oauth = oauth,
            ServerEvent::Retired {} => self.standing = Standing::Retired,
        }
    }
}

impl Description {
    fn new(
        name: &DisplayName,
        transport: &Transport,
        credential_fields: &[CredentialField],
        visibility: Visibility,
    ) -> Self {
        Self {
            name: name.clone(),
            transport: transport.clone(),
            credential_fields: credential_fields.to_vec(),
            visibility,
        }
    }

    fn must_fit(&self, organization: Option<OrganizationId>) -> Result<(), ServerError> {
        match (self.visibility, organization) {
            (Visibility::Public, Some(_)) => return Err(ServerError::PublicOfOrganization),
            (Visibility::Public, None) | (Visibility::Private | Visibility::Organization, _) => {}
        }
        if self.credential_fields.len() > CREDENTIAL_FIELDS_MAX {
            return Err(ServerError::TooManyFields);
        }
        let (mut names, mut headers) = (BTreeSet::new(), BTreeSet::new());
        for field in &self.credential_fields {
            if !names.insert(&field.name) {
                return Err(ServerError::DuplicateField(field.name.clone()));
            }
            if !headers.insert(&field.header) {
                return Err(ServerError::DuplicateHeader(field.header.clone()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
