//! What happened to the deployment.

use std::collections::{BTreeMap, BTreeSet};

use crate::Facts;
use crate::value::{AddressRange, AnnouncementId, DisplayName, HttpsUrl, Notice, Timestamp, UserId};

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
    }
}

impl Facts for DeploymentEvent {
    const AGGREGATE: &'static str = DeploymentEvent::AGGREGATE;
    const TYPES: &'static [(&'static str, u32)] = DeploymentEvent::TYPES;
}
