//! What happened to a user.

use crate::value::{
    DisplayName, EmailAddress, HttpsUrl, Issuer, OrganizationId, Personal, ProviderSubject, Timestamp,
};
use crate::{ClaimChange, ClaimScope, Facts};

events! {
    /// Facts about a user. What is personal is marked, so that the log can forget it.
    pub enum UserEvent of "user" {
        /// The person is known.
        Registered = "registered" v 1 {
            /// The address, when the identity provider tells one.
            email: Option<Personal<EmailAddress>>,
            /// The name shown to others.
            name: Option<Personal<DisplayName>>,
            /// Where a picture is.
            picture: Option<Personal<HttpsUrl>>,
            /// The organization whose owner or admin made them known; none when the deployment did.
            registered_in: Option<OrganizationId>,
        },
        /// Another address; the old one is free.
        EmailChanged = "email_changed" v 1 {
            /// The new address, or none.
            email: Option<Personal<EmailAddress>>,
        },
        /// Another name or picture.
        ProfileChanged = "profile_changed" v 1 {
            /// The name shown to others.
            name: Option<Personal<DisplayName>>,
            /// Where a picture is.
            picture: Option<Personal<HttpsUrl>>,
        },
        /// Everything this user asks for is refused.
        Suspended = "suspended" v 1 {
            /// Why.
            reason: DisplayName,
        },
        /// A suspension ended.
        Resumed = "resumed" v 1 {},
        /// The user is gone; the address is free.
        Deleted = "deleted" v 1 {},
        /// Everything personal is to be forgotten: whoever reads this destroys the key under which it is sealed.
        Erased = "erased" v 1 {
            /// Why. In clear, so nothing about the person.
            reason: DisplayName,
        },
        /// They sign in with a password from now on, another one than before. What is kept of it lies beside the log.
        PasswordSet = "password_set" v 1 {},
        /// They sign in with no password.
        PasswordRemoved = "password_removed" v 1 {},
        /// They sign in with an identity of a provider from now on.
        IdentityLinked = "identity_linked" v 1 {
            /// The provider.
            issuer: Issuer,
            /// Its name for the person.
            subject: Personal<ProviderSubject>,
        },
        /// They sign in with it no longer; it is free.
        IdentityUnlinked = "identity_unlinked" v 1 {
            /// The provider.
            issuer: Issuer,
            /// Its name for the person.
            subject: Personal<ProviderSubject>,
        },
        /// The provider that they sign in with does not answer: they go on by its word of before, for a while.
        FallbackBegan = "fallback_began" v 1 {
            /// The provider.
            issuer: Issuer,
            /// When it vouched for them last.
            vouched_at: Timestamp,
        },
        /// It vouched for them again.
        FallbackEnded = "fallback_ended" v 1 {
            /// The provider.
            issuer: Issuer,
        },
    }
}

impl Facts for UserEvent {
    const AGGREGATE: &'static str = UserEvent::AGGREGATE;
    const TYPES: &'static [(&'static str, u32)] = UserEvent::TYPES;

    fn claims(&self) -> Vec<ClaimChange> {
        let scope = ClaimScope::Email;
        match self {
            Self::Registered { email, .. } => take(email.as_ref()).into_iter().collect(),
            Self::EmailChanged { email } => {
                std::iter::once(ClaimChange::Release { scope }).chain(take(email.as_ref())).collect()
            }
            Self::Deleted {} | Self::Erased { .. } => {
                vec![ClaimChange::Release { scope }, ClaimChange::Release { scope: ClaimScope::Identity }]
            }
            Self::IdentityLinked { issuer, subject } => {
                let take = |value| ClaimChange::Take { scope: ClaimScope::Identity, value };
                identity(issuer, subject).map(take).into_iter().collect()
            }
            Self::IdentityUnlinked { issuer, subject } => {
                let release = |value| ClaimChange::ReleaseOne { scope: ClaimScope::Identity, value };
                identity(issuer, subject).map(release).into_iter().collect()
            }
            Self::ProfileChanged { .. }
            | Self::Suspended { .. }
            | Self::Resumed {}
            | Self::PasswordSet {}
            | Self::PasswordRemoved {}
            | Self::FallbackBegan { .. }
            | Self::FallbackEnded { .. } => vec![],
        }
    }
}

/// An erased address claims nothing: nobody can tell any more what it was.
fn take(email: Option<&Personal<EmailAddress>>) -> Option<ClaimChange> {
    let value = email?.known()?.as_str().to_owned();
    Some(ClaimChange::Take { scope: ClaimScope::Email, value })
}

/// No issuer has a line break, so no two identities share a text.
pub fn identity_claim(issuer: &Issuer, subject: &ProviderSubject) -> String {
    format!("{}\n{}", issuer.as_str(), subject.as_str())
}

/// Likewise: an erased subject claims nothing.
fn identity(issuer: &Issuer, subject: &Personal<ProviderSubject>) -> Option<String> {
    Some(identity_claim(issuer, subject.known()?))
}
