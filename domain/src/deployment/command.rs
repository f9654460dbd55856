//! What may be asked of the deployment.

use std::collections::{BTreeMap, BTreeSet};

use super::ProviderTerms;
use crate::value::{
    AddressRange, AnnouncementId, DisplayName, HttpsUrl, Issuer, KeyThumbprint, Notice, Position, ProviderId,
    PublicJwk, SigningAlgorithm, Timestamp, UserId,
};

/// A request to the deployment.
#[derive(Debug, Clone)]
pub enum DeploymentCommand {
    /// Give it its first administrator.
    Bootstrap {
        /// Who.
        administrator: UserId,
    },
    /// Give it one administrator more.
    AddAdministrator {
        /// Who.
        user: UserId,
    },
    /// Take an administrator away.
    RemoveAdministrator {
        /// Who.
        user: UserId,
    },
    /// Answer only to these addresses, or change what was said about it.
    StartMaintenance {
        /// When it is expected to end, if that is known.
        until: Option<Timestamp>,
        /// Who passes everywhere.
        allowed: BTreeSet<AddressRange>,
        /// Now.
        at: Timestamp,
    },
    /// Answer to everybody again.
    EndMaintenance,
    /// Tell people something.
    PublishAnnouncement {
        /// Which announcement.
        id: AnnouncementId,
        /// In Japanese.
        ja: Notice,
        /// In English.
        en: Notice,
        /// When it disappears by itself, if it does.
        until: Option<Timestamp>,
        /// Now.
        at: Timestamp,
    },
    /// Tell people no longer.
    WithdrawAnnouncement {
        /// Which announcement.
        id: AnnouncementId,
    },
    /// Replace the community links.
    ChangeLinks {
        /// Where each label leads.
        links: BTreeMap<DisplayName, HttpsUrl>,
    },
    /// Have a read model fold an event again that it could not fold.
    RetryParked {
        /// The read model.
        projection: DisplayName,
        /// The event's place in the log.
        position: Position,
        /// Why.
        reason: DisplayName,
    },
    /// Have a read model leave out an event that it could not fold.
    SkipParked {
        /// The read model.
        projection: DisplayName,
        /// The event's place in the log.
        position: Position,
        /// Why.
        reason: DisplayName,
    },
    /// Publish a key, before it signs anything.
    AddSigningKey {
        /// Which.
        kid: KeyThumbprint,
        /// How it signs.
        algorithm: SigningAlgorithm,
        /// What others verify with.
        public_jwk: PublicJwk,
        /// Now.
        at: Timestamp,
    },
    /// Have it sign from now on, in place of the one that did, whatever its algorithm.
    ActivateSigningKey {
        /// Which.
        kid: KeyThumbprint,
        /// Now.
        at: Timestamp,
    },
    /// Publish it no longer: what it signed is worth nothing any more.
    RetireSigningKey {
        /// Which.
        kid: KeyThumbprint,
        /// Now.
        at: Timestamp,
        /// Whether it is to be done though tokens of it are still in use.
        emergency: bool,
    },
    /// Let people sign in with an identity provider.
    AddProvider {
        /// Which.
        provider: ProviderId,
        /// Whom it speaks for.
        issuer: Issuer,
        /// On what terms.
        terms: ProviderTerms,
    },
    /// Go on with it on other terms.
    ChangeProvider {
        /// Which.
        provider: ProviderId,
        /// All of them.
        terms: ProviderTerms,
    },
    /// Let nobody sign in with it any more.
    RemoveProvider {
        /// Which.
        provider: ProviderId,
    },
}
