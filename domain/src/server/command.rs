//! What may be asked of an upstream server in the catalogue.

use super::{ServerOauth, Transport, Visibility};
use crate::value::{CredentialField, DisplayName, OrganizationId};

/// A request to a server.
#[derive(Debug, Clone)]
pub enum ServerCommand {
    /// Bring it into the catalogue.
    Register {
        /// Whose server it is; none is the deployment's own catalogue.
        organization: Option<OrganizationId>,
        /// The name shown in lists.
        name: DisplayName,
        /// How it is reached.
        transport: Transport,
        /// What it needs to be told on every call.
        credential_fields: Vec<CredentialField>,
        /// Who may connect to it.
        visibility: Visibility,
    },
    /// Replace its description.
    Update {
        /// The name shown in lists.
        name: DisplayName,
        /// How it is reached.
        transport: Transport,
        /// What it needs to be told on every call.
        credential_fields: Vec<CredentialField>,
        /// Who may connect to it.
        visibility: Visibility,
    },
    /// Say whether its connections are authorized by OAuth, and how.
    SetOauth {
        /// How; none when they are not.
        oauth: Option<ServerOauth>,
    },
    /// Offer it no longer.
    Retire,
}
