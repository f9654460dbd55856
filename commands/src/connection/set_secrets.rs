//! Put a new set of secrets in force, all fields at once. The vault takes them first; an event then names their version.
//!
//! Secrets are entrusted to one place. The unit rests on the server, so that no move of it can come between the look at its address and
//! the event; and an attempt after such a move is refused instead of meaning the new place.

use std::collections::{BTreeMap, BTreeSet};

use domain::connection::{Connection, ConnectionCommand, ConnectionError};
use domain::server::{Server, ServerError, Transport};
use domain::value::{
    AuthorizationServer, ConnectionId, CredentialField, FieldName, OrganizationId, PresentedSecret,
};
use serde::{Deserialize, Serialize};

use super::holder::must_hold;
use crate::{Actor, Ports, Refused, Unit, UseCase, Vault as _};

/// One value: as long as a request header can reasonably be.
pub const SECRET_VALUE_BYTES_MAX: usize = 8 * 1024;

/// What the connection's own client is called at the server's authorization server, where that knows it already (RFC 6749, 2.2).
pub const OAUTH_CLIENT_ID: &str = "oauth_client_id";
/// What that client proves itself with.
pub const OAUTH_CLIENT_SECRET: &str = "oauth_client_secret";
/// The authorization server that knows it: nobody else is shown what it proves itself with, whomever the server names.
pub const OAUTH_ISSUER: &str = "oauth_issuer";
/// Fields that every server has whose connections are authorized by OAuth. They go to its authorization server, and never to itself.
const OAUTH_FIELDS: [&str; 3] = [OAUTH_CLIENT_ID, OAUTH_CLIENT_SECRET, OAUTH_ISSUER];

/// Put a new set of secrets in force. Its own user, owners and admins.
#[derive(Debug)]
pub struct SetSecrets {
    /// Where.
    pub organization: OrganizationId,
    /// Which connection.
    pub connection: ConnectionId,
    /// The whole set: a field that is not in it has no value any more.
    pub fields: BTreeMap<FieldName, PresentedSecret>,
    /// Where the server is, as far as whoever sets them knows; refused when it is at another origin by now. None: wherever it is when
    /// this is first tried.
    pub meant_for: Option<Transport>,
}

/// The set is in force.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SecretsSet {
    /// Its version, higher than any before.
    pub version: u32,
}

impl UseCase for SetSecrets {
    type Answer = SecretsSet;

    async fn run<P: Ports>(
        &self,
        ports: &P,
        actor: &Actor,
        unit: &mut Unit<'_, P::Log>,
    ) -> Result<SecretsSet, Refused> {
        let connection = must_hold(unit, actor, self.organization, self.connection).await?;
        let server = connection.server().ok_or(Refused::NotFound("server"))?;
        let server = unit.rest_on::<Server>(server).await?;
        if !server.is_offered() {
            return Err(ServerError::Retired.into());
        }
        let sealed = unit.kept::<Sealed>();
        let meant_for = sealed.as_ref().map(|sealed| &sealed.meant_for).or(self.meant_for.as_ref());
        let transport = server.transport().ok_or(Refused::NotFound("server"))?;
        if meant_for.is_some_and(|meant| !transport.is_at_origin_of(meant)) {
            return Err(ConnectionError::ServerMoved.into());
        }
        self.must_fit(&server)?;
        for (name, value) in &self.fields {
            must_fit_a_header(name, value)?;
        }
        let in_force = connection.secrets_version();
        let version = match sealed.filter(|sealed| sealed.version > in_force) {
            Some(sealed) => sealed.version,
            None => self.seal(ports, in_force).await?,
        };
        unit.keep(Sealed { version, meant_for: transport.clone() });
        let fields: BTreeSet<FieldName> = self.fields.keys().cloned().collect();
        unit.decide::<Connection>(self.connection, ConnectionCommand::SetSecrets { fields, version }).await?;
        Ok(SecretsSet { version })
    }
}

/// What an earlier attempt did: the vault has the set already, for the place that the server was at.
#[derive(Debug, Clone)]
struct Sealed {
    version: u32,
    meant_for: Transport,
}

impl SetSecrets {
    async fn seal<P: Ports>(&self, ports: &P, in_force: u32) -> Result<u32, Refused> {
        let copy = |value: &PresentedSecret| PresentedSecret::new(value.reveal().to_owned());
        let set = self.fields.iter().map(|(name, value)| (name.to_string(), copy(value))).collect();
        Ok(ports.vault().store(self.connection, in_force, &set).await?)
    }

    fn must_fit(&self, server: &Server) -> Result<(), Refused> {
        let wanted = server.credential_fields();
        let is_of_client =
            |name: &FieldName| server.oauth().is_some() && OAUTH_FIELDS.contains(&name.as_str());
        let is_unknown =
            |name: &&FieldName| !is_of_client(name) && !wanted.iter().any(|field| field.name == **name);
        if let Some(name) = self.fields.keys().find(is_unknown) {
            return Err(Refused::Invalid(format!("the server has no credential field {name}")));
        }
        self.must_name_its_issuer()?;
        let is_missing = |field: &&CredentialField| field.required && !self.fields.contains_key(&field.name);
        match wanted.iter().find(is_missing) {
            Some(field) => {
                Err(Refused::Invalid(format!("the server requires the credential field {}", field.name)))
            }
            None => Ok(()),
        }
    }
}

impl SetSecrets {
    fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field.as_str() == name).map(|(_, value)| value.reveal())
    }

    /// A client of the connection's own is known to one authorization server, and its secret goes there alone.
    fn must_name_its_issuer(&self) -> Result<(), Refused> {
        let (id, secret) = (self.value(OAUTH_CLIENT_ID), self.value(OAUTH_CLIENT_SECRET));
        let issuer = self.value(OAUTH_ISSUER);
        let refused = |text: String| Err(Refused::Invalid(text));
        match (id, issuer.map(AuthorizationServer::parse)) {
            (None, None) if secret.is_none() => Ok(()),
            (Some(_), Some(Ok(_))) => Ok(()),
            (_, Some(Err(error))) => refused(format!("{OAUTH_ISSUER}: {error}")),
            (None, _) => refused(format!("{OAUTH_CLIENT_ID} is missing")),
            (Some(_), None) => refused(format!(
                "{OAUTH_ISSUER} is missing: name the authorization server that knows the client"
            )),
        }
    }
}

/// A value ends in a header of the upstream's request, where a line break would begin another header. The refusal names the field, never
/// the value.
fn must_fit_a_header(name: &FieldName, value: &PresentedSecret) -> Result<(), Refused> {
    let text = value.reveal();
    let reason = if text.is_empty() {
        "is empty; leave it out instead".to_owned()
    } else if text.len() > SECRET_VALUE_BYTES_MAX {
        format!("has more than {SECRET_VALUE_BYTES_MAX} bytes")
    } else if text.chars().any(char::is_control) {
        "holds a control character, such as a line break at its end".to_owned()
    } else {
        return Ok(());
    };
    Err(Refused::Invalid(format!("the value of {name} {reason}")))
}
