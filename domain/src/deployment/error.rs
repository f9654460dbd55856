//! Why the deployment refuses.

use super::{
    ALLOWED_RANGES_MAX, ANNOUNCEMENTS_MAX, LINKS_MAX, PROVIDER_SCOPES_MAX, PROVIDERS_MAX,
    SIGNING_KEY_OVERLAP_SECONDS, SIGNING_KEYS_MAX,
};

/// A refusal. The text is for the caller and says what to do where something can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeploymentError {
    /// Nobody administers it yet.
    #[error("this deployment has no administrator yet; bootstrap it first")]
    Unknown,
    /// There is one first administrator.
    #[error("this deployment was bootstrapped already; an administrator can add others")]
    Exists,
    /// Somebody must stay responsible.
    #[error("the last administrator cannot be removed; add another one first")]
    LastAdministrator,
    /// It would be over before it starts.
    #[error("the end lies in the future; leave it out when it is not known")]
    EndNotInFuture,
    /// More than a firewall rule.
    #[error("at most {ALLOWED_RANGES_MAX} addresses and blocks pass during maintenance")]
    TooManyRanges,
    /// Nothing was published under this id.
    #[error("there is no such announcement")]
    UnknownAnnouncement,
    /// What was published stays as it is.
    #[error("this announcement was published with another text; withdraw it and publish a new one")]
    AnnouncementExists,
    /// What was withdrawn stays withdrawn.
    #[error("this announcement was withdrawn; publish a new one")]
    AnnouncementWithdrawn,
    /// More than people read.
    #[error("at most {ANNOUNCEMENTS_MAX} announcements stand at a time; withdraw one first")]
    TooManyAnnouncements,
    /// More than a page shows.
    #[error("at most {LINKS_MAX} links")]
    TooManyLinks,
    /// Nothing was published under this thumbprint.
    #[error("there is no such signing key")]
    UnknownSigningKey,
    /// A key goes one way only.
    #[error("this signing key was in use already; make a new one")]
    SigningKeySpent,
    /// It signs.
    #[error("this signing key is active; activate another one first, or retire it in an emergency")]
    SigningKeyActive,
    /// Tokens that it signed are still good.
    #[error(
        "this signing key is retired {SIGNING_KEY_OVERLAP_SECONDS} seconds after its successor began to sign, or in an emergency"
    )]
    SigningKeyInUse,
    /// More than anybody fetches.
    #[error("at most {SIGNING_KEYS_MAX} signing keys are published at a time; retire one first")]
    TooManySigningKeys,
    /// Nothing is offered under this name.
    #[error("there is no such identity provider")]
    UnknownProvider,
    /// The name is taken.
    #[error("this identity provider exists already, on other terms; change it instead")]
    ProviderExists,
    /// Nothing that it was entrusted with goes to somebody else.
    #[error("under this name there is or was a provider of another issuer; choose another name")]
    ProviderOfAnotherIssuer,
    /// Two buttons would lead to one place, and an identity to two providers.
    #[error("another provider speaks for this issuer already")]
    IssuerExists,
    /// More than a page offers.
    #[error("at most {PROVIDERS_MAX} identity providers are offered at a time; remove one first")]
    TooManyProviders,
    /// More than any provider knows.
    #[error("a provider is asked for at most {PROVIDER_SCOPES_MAX} scopes")]
    TooManyProviderScopes,
}
