//! What happened to the deployment.

use std::collections::{BTreeMap, BTreeSet};

use super::AccountMatching;
use crate::Facts;
use crate::value::{
    AddressRange, AnnouncementId, DisplayName, HttpsUrl, Issuer, KeyThumbprint, Notice, Position,
    ProviderClientId, ProviderId, ProviderScope, ProviderSecretId, PublicJwk, SigningAlgorithm, Timestamp,
    UserId,
};

events! {
    /// Facts about the deployment as a whole.
    pub enum DeploymentEvent of "deployment" {
        /// It has its first administrator.
        Bootstrapped = "bootstrapped" v 1 {
            /// Who.
            administrator: UserId,
        },
        /// It has one administrator more.
        AdministratorAdded = "administrator_added" v 1 {
            /// Who.
            user: UserId,
        },
        /// It has one administrator less.
        AdministratorRemoved = "administrator_removed" v 1 {
            /// Who.
            user: UserId,
        },
        /// It answers only to these addresses; while in maintenance, this replaces what was said before.
        MaintenanceStarted = "maintenance_started" v 1 {
            /// When it is expected to end, if that is known.
            until: Option<Timestamp>,
            /// Who passes everywhere.
            allowed: BTreeSet<AddressRange>,
        },
        /// It answers to everybody again.
        MaintenanceEnded = "maintenance_ended" v 1 {},
        /// People are told something.
        AnnouncementPublished = "announcement_published" v 1 {
            /// Which announcement.
            id: AnnouncementId,
            /// In Japanese.
            ja: Notice,
            /// In English.
            en: Notice,
            /// When it disappears by itself, if it does.
            until: Option<Timestamp>,
        },
        /// People are told no longer.
        AnnouncementWithdrawn = "announcement_withdrawn" v 1 {
            /// Which announcement.
            id: AnnouncementId,
        },
        /// Other community links; they replace all that were there.
        LinksChanged = "links_changed" v 1 {
            /// Where each label leads.
            links: BTreeMap<DisplayName, HttpsUrl>,
        },
        /// An event that a read model could not fold is to be folded again, with those that wait behind it.
        ParkedEventRetried = "parked_event_retried" v 1 {
            /// The read model.
            projection: DisplayName,
            /// The event's place in the log.
            position: Position,
            /// Why.
            reason: DisplayName,
        },
        /// An event that a read model could not fold is left out of it for ever; those that wait behind it are to be folded.
        ParkedEventSkipped = "parked_event_skipped" v 1 {
            /// The read model.
            projection: DisplayName,
            /// The event's place in the log.
            position: Position,
            /// Why.
            reason: DisplayName,
        },
        /// A key is published that signs nothing yet.
        SigningKeyAdded = "signing_key_added" v 1 {
            /// Which.
            kid: KeyThumbprint,
            /// How it signs.
            algorithm: SigningAlgorithm,
            /// What others verify with, as JSON.
            public_jwk: PublicJwk,
            /// Since when.
            at: Timestamp,
        },
        /// It signs from now on; the one that did begins to retire, whatever its algorithm.
        SigningKeyActivated = "signing_key_activated" v 1 {
            /// Which.
            kid: KeyThumbprint,
            /// Since when.
            at: Timestamp,
        },
        /// It is published no longer: what it signed is worth nothing any more.
        SigningKeyRetired = "signing_key_retired" v 1 {
            /// Which.
            kid: KeyThumbprint,
            /// Whether tokens of it may still have been in use.
            emergency: bool,
        },
        /// People sign in with an identity provider from now on.
        ProviderAdded = "provider_added" v 1 {
            /// Which.
            provider: ProviderId,
            /// What its button says.
            name: DisplayName,
            /// Whom it speaks for.
            issuer: Issuer,
            /// What it calls this deployment.
            client_id: ProviderClientId,
            /// What it is asked for beside `openid`.
            scopes: BTreeSet<ProviderScope>,
            /// How accounts are matched.
            matching: AccountMatching,
            /// Where the client secret lies, sealed, beside the log; none for a public client.
            secret: Option<ProviderSecretId>,
        },
        /// It goes on, on these terms.
        ProviderChanged = "provider_changed" v 1 {
            /// Which.
            provider: ProviderId,
            /// What its button says.
            name: DisplayName,
            /// What it calls this deployment.
            client_id: ProviderClientId,
            /// What it is asked for beside `openid`.
            scopes: BTreeSet<ProviderScope>,
            /// How accounts are matched.
            matching: AccountMatching,
            /// Where the client secret lies, sealed, beside the log; none for a public client.
            secret: Option<ProviderSecretId>,
        },
        /// Nobody signs in with it any more.
        ProviderRemoved = "provider_removed" v 1 {
            /// Which.
            provider: ProviderId,
        },
    }
}

impl Facts for DeploymentEvent {
    const AGGREGATE: &'static str = DeploymentEvent::AGGREGATE;
    const TYPES: &'static [(&'static str, u32)] = DeploymentEvent::TYPES;
}
