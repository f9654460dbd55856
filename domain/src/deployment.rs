//! The deployment is there once: its administrators, maintenance, announcements, community links, signing keys
//! and identity providers.
//!
//! ```text
//!   (unborn) --bootstrap--> set up, open <---end--- set up, in maintenance
//!                                  `-----start-------^
//!   an announcement: (none) --publish--> published --withdraw--> withdrawn     nothing leaves `withdrawn`
//! ```

mod command;
mod error;
mod event;
mod provider;
mod signing;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use command::DeploymentCommand;
pub use error::DeploymentError;
pub use event::DeploymentEvent;
pub use provider::{AccountMatching, PROVIDER_SCOPES_MAX, PROVIDERS_MAX, ProviderTerms};
pub use signing::{CLOCK_SKEW_SECONDS, JWKS_CACHE_SECONDS, SIGNING_KEY_OVERLAP_SECONDS, SIGNING_KEYS_MAX};

use crate::value::{
    AddressRange, AnnouncementId, DeploymentId, DisplayName, HttpsUrl, Notice, OrganizationId, ProviderId,
    Timestamp, UserId,
};

/// Addresses and blocks that pass during maintenance.
pub const ALLOWED_RANGES_MAX: usize = 100;
/// Announcements that stand at a time.
pub const ANNOUNCEMENTS_MAX: usize = 20;
/// Community links.
pub const LINKS_MAX: usize = 20;

/// State of the deployment: only what its rules need.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Deployment {
    /// Empty before the bootstrap, and never again.
    administrators: BTreeSet<UserId>,
    maintenance: Option<Maintenance>,
    announcements: BTreeMap<AnnouncementId, Announcement>,
    links: BTreeMap<DisplayName, HttpsUrl>,
    /// Made when a node starts, so also before the bootstrap.
    signing_keys: signing::SigningKeys,
    providers: provider::Providers,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Maintenance {
    until: Option<Timestamp>,
    allowed: BTreeSet<AddressRange>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Announcement {
    Published(Text),
    Withdrawn,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Text {
    ja: Notice,
    en: Notice,
    until: Option<Timestamp>,
}

aggregate!(
    Deployment,
    id: DeploymentId,
    command: DeploymentCommand,
    event: DeploymentEvent,
    error: DeploymentError
);

impl crate::Aggregate for Deployment {
    type Id = DeploymentId;

    fn organization(&self, _: DeploymentId) -> Option<OrganizationId> {
        None // it stands above them all
    }

    fn decide(&self, command: &DeploymentCommand) -> Result<Vec<DeploymentEvent>, DeploymentError> {
        match command {
            DeploymentCommand::Bootstrap { administrator } => self.bootstrap(*administrator),
            DeploymentCommand::AddAdministrator { user } => self.add_administrator(*user),
            DeploymentCommand::RemoveAdministrator { user } => self.remove_administrator(*user),
            DeploymentCommand::StartMaintenance { until, allowed, at } => {
                self.start_maintenance(Maintenance { until: *until, allowed: allowed.clone() }, *at)
            }
            DeploymentCommand::EndMaintenance => self.end_maintenance(),
            DeploymentCommand::PublishAnnouncement { id, ja, en, until, at } => {
                self.publish(*id, Text { ja: ja.clone(), en: en.clone(), until: *until }, *at)
            }
            DeploymentCommand::WithdrawAnnouncement { id } => self.withdraw(*id),
            DeploymentCommand::ChangeLinks { links } => self.change_links(links),
            DeploymentCommand::RetryParked { projection, position, reason } => {
                self.must_be_set_up()?;
                let (projection, position, reason) = (projection.clone(), *position, reason.clone());
                Ok(vec![DeploymentEvent::ParkedEventRetried { projection, position, reason }])
            }
            DeploymentCommand::SkipParked { projection, position, reason } => {
                self.must_be_set_up()?;
                let (projection, position, reason) = (projection.clone(), *position, reason.clone());
                Ok(vec![DeploymentEvent::ParkedEventSkipped { projection, position, reason }])
            }
            DeploymentCommand::AddSigningKey { kid, algorithm, public_jwk, at } => {
                self.signing_keys.add(kid, *algorithm, public_jwk, *at)
            }
            DeploymentCommand::ActivateSigningKey { kid, at } => self.signing_keys.activate(kid, *at),
            DeploymentCommand::RetireSigningKey { kid, at, emergency } => {
                self.signing_keys.retire(kid, *at, *emergency)
            }
            DeploymentCommand::AddProvider { provider, issuer, terms } => {
                self.must_be_set_up()?;
                self.providers.add(provider, issuer, terms)
            }
            DeploymentCommand::ChangeProvider { provider, terms } => self.providers.change(provider, terms),
            DeploymentCommand::RemoveProvider { provider } => self.providers.remove(provider),
        }
    }
}

impl Deployment {
    /// Whether this user stands above all organizations.
    pub fn is_administrator(&self, user: UserId) -> bool {
        self.administrators.contains(&user)
    }

    /// What is agreed with a provider, while it is offered.
    pub fn provider(&self, provider: &ProviderId) -> Option<&ProviderTerms> {
        self.providers.terms(provider)
    }

    fn bootstrap(&self, administrator: UserId) -> Result<Vec<DeploymentEvent>, DeploymentError> {
        if self.administrators.is_empty() {
            Ok(vec![DeploymentEvent::Bootstrapped { administrator }])
        } else {
            Err(DeploymentError::Exists)
        }
    }

    fn add_administrator(&self, user: UserId) -> Result<Vec<DeploymentEvent>, DeploymentError> {
        self.must_be_set_up()?;
        if self.administrators.contains(&user) {
            return Ok(vec![]);
        }
        Ok(vec![DeploymentEvent::AdministratorAdded { user }])
    }

    fn remove_administrator(&self, user: UserId) -> Result<Vec<DeploymentEvent>, DeploymentError> {
        self.must_be_set_up()?;
        if !self.administrators.contains(&user) {
            return Ok(vec![]);
        }
        if self.administrators.len() == 1 {
            return Err(DeploymentError::LastAdministrator);
        }
        Ok(vec![DeploymentEvent::AdministratorRemoved { user }])
    }

    fn start_maintenance(
        &self,
        wanted: Maintenance,
        at: Timestamp,
    ) -> Result<Vec<DeploymentEvent>, DeploymentError> {
        self.must_be_set_up()?;
        if self.maintenance.as_ref() == Some(&wanted) {
            return Ok(vec![]);
        }
        must_lie_ahead(wanted.until, at)?;
        if wanted.allowed.len() > ALLOWED_RANGES_MAX {
            return Err(DeploymentError::TooManyRanges);
        }
        let Maintenance { until, allowed } = wanted;
        Ok(vec![DeploymentEvent::MaintenanceStarted { until, allowed }])
    }

    fn end_maintenance(&self) -> Result<Vec<DeploymentEvent>, DeploymentError> {
        self.must_be_set_up()?;
        match self.maintenance {
            None => Ok(vec![]),
            Some(_) => Ok(vec![DeploymentEvent::MaintenanceEnded {}]),
        }
    }

    fn publish(
        &self,
        id: AnnouncementId,
        wanted: Text,
        at: Timestamp,
    ) -> Result<Vec<DeploymentEvent>, DeploymentError> {
        self.must_be_set_up()?;
        match self.announcements.get(&id) {
            Some(Announcement::Published(held)) if *held == wanted => return Ok(vec![]),
            Some(Announcement::Published(_)) => return Err(DeploymentError::AnnouncementExists),
            Some(Announcement::Withdrawn) => return Err(DeploymentError::AnnouncementWithdrawn),
            None => must_lie_ahead(wanted.until, at)?,
        }
        let is_standing = |it: &&Announcement| matches!(it, Announcement::Published(_));
        if self.announcements.values().filter(is_standing).count() >= ANNOUNCEMENTS_MAX {
            return Err(DeploymentError::TooManyAnnouncements);
        }
        let Text { ja, en, until } = wanted;
        Ok(vec![DeploymentEvent::AnnouncementPublished { id, ja, en, until }])
    }

    fn withdraw(&self, id: AnnouncementId) -> Result<Vec<DeploymentEvent>, DeploymentError> {
        self.must_be_set_up()?;
        match self.announcements.get(&id) {
            None => Err(DeploymentError::UnknownAnnouncement),
            Some(Announcement::Withdrawn) => Ok(vec![]),
            Some(Announcement::Published(_)) => Ok(vec![DeploymentEvent::AnnouncementWithdrawn { id }]),
        }
    }

    fn change_links(
        &self,
        links: &BTreeMap<DisplayName, HttpsUrl>,
    ) -> Result<Vec<DeploymentEvent>, DeploymentError> {
        self.must_be_set_up()?;
        if links.len() > LINKS_MAX {
            return Err(DeploymentError::TooManyLinks);
        }
        if self.links == *links {
            return Ok(vec![]);
        }
        Ok(vec![DeploymentEvent::LinksChanged { links: links.clone() }])
    }

    fn must_be_set_up(&self) -> Result<(), DeploymentError> {
        if self.administrators.is_empty() { Err(DeploymentError::Unknown) } else { Ok(()) }
    }

    fn evolve(&mut self, event: DeploymentEvent) {
        match event {
            DeploymentEvent::Bootstrapped { administrator: user }
            | DeploymentEvent::AdministratorAdded { user } => {
                self.administrators.insert(user);
            }
            DeploymentEvent::AdministratorRemoved { user } => {
                self.administrators.remove(&user);
            }
            DeploymentEvent::MaintenanceStarted { until, allowed } => {
                self.maintenance = Some(Maintenance { until, allowed });
            }
            DeploymentEvent::MaintenanceEnded {} => self.maintenance = None,
            DeploymentEvent::AnnouncementPublished { id, ja, en, until } => {
                self.announcements.insert(id, Announcement::Published(Text { ja, en, until }));
            }
            DeploymentEvent::AnnouncementWithdrawn { id } => {
                self.announcements.insert(id, Announcement::Withdrawn);
            }
            DeploymentEvent::LinksChanged { links } => self.links = links,
            // What is parked is the read models' business; that it was asked for is the fact.
            DeploymentEvent::ParkedEventRetried { .. } | DeploymentEvent::ParkedEventSkipped { .. } => {}
            DeploymentEvent::SigningKeyAdded { kid, algorithm: _, public_jwk: _, at: _ } => {
                self.signing_keys.added(kid); // one key signs at a time, whatever its algorithm
            }
            DeploymentEvent::SigningKeyActivated { kid, at } => self.signing_keys.activated(&kid, at),
            DeploymentEvent::SigningKeyRetired { kid, emergency: _ } => self.signing_keys.retired(&kid),
            DeploymentEvent::ProviderAdded {
                provider,
                name,
                issuer,
                client_id,
                scopes,
                matching,
                secret,
            } => {
                let terms = ProviderTerms { name, client_id, scopes, matching, secret };
                self.providers.added(provider, issuer, terms);
            }
            DeploymentEvent::ProviderChanged { provider, name, client_id, scopes, matching, secret } => {
                let terms = ProviderTerms { name, client_id, scopes, matching, secret };
                self.providers.changed(&provider, Some(terms));
            }
            DeploymentEvent::ProviderRemoved { provider } => self.providers.changed(&provider, None),
        }
    }
}

fn must_lie_ahead(until: Option<Timestamp>, at: Timestamp) -> Result<(), DeploymentError> {
    match until {
        Some(until) if until <= at => Err(DeploymentError::EndNotInFuture),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod provider_tests;
#[cfg(test)]
mod tests;
