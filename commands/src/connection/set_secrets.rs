//! Put a new set of secrets in force, all fields at once. The vault takes them first; an event then names their version.
//!
//! Secrets are entrusted to one place. The unit rests on the server, so that no move of it can come between the look at its address and
//! the event; and an attempt after such a move is refused instead of meaning the new place.

use std::collections::{BTreeMap, BTreeSet};

use domain::connection::{Connection, ConnectionCommand, ConnectionError};
use domain::server::{Server, ServerError, Transport};
use domain::value::{ConnectionId, CredentialField, FieldName, OrganizationId, PresentedSecret};
use serde::{Deserialize, Serialize};

use super::holder::must_hold;
use crate::{Actor, Ports, Refused, Unit, UseCase, Vault as _};

/// One value: as long as a request header can reasonably be.
pub const SECRET_VALUE_BYTES_MAX: usize = 8 * 1024;

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
        self.must_fit(server.credential_fields())?;
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

    fn must_fit(&self, wanted: &[CredentialField]) -> Result<(), Refused> {
        let is_unknown = |name: &&FieldName| !wanted.iter().any(|field| field.name == **name);
        if let Some(name) = self.fields.keys().find(is_unknown) {
            return Err(Refused::Invalid(format!("the server has no credential field {name}")));
        }
        let is_missing = |field: &&CredentialField| field.required && !self.fields.contains_key(&field.name);
        match wanted.iter().find(is_missing) {
            Some(field) => {
                Err(Refused::Invalid(format!("the server requires the credential field {}", field.name)))
            }
            None => Ok(()),
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
