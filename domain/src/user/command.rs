//! What may be asked of a user.

use crate::value::{
    DisplayName, EmailAddress, HttpsUrl, Issuer, OrganizationId, ProviderSubject, Timestamp, UserId,
};

/// A request to a user. Values come in clear with the user's id; the decision marks them as this person's.
#[derive(Debug, Clone)]
pub enum UserCommand {
    /// Make the person known.
    Register {
        /// Whose data it is.
        user: UserId,
        /// The address, if there is one.
        email: Option<EmailAddress>,
        /// The name, if there is one.
        name: Option<DisplayName>,
        /// The picture, if there is one.
        picture: Option<HttpsUrl>,
        /// The organization whose owner or admin makes them known, if one does.
        registered_in: Option<OrganizationId>,
    },
    /// Change or remove the address.
    ChangeEmail {
        /// Whose data it is.
        user: UserId,
        /// The new address, or none.
        email: Option<EmailAddress>,
    },
    /// Change name and picture.
    ChangeProfile {
        /// Whose data it is.
        user: UserId,
        /// The new name, or none.
        name: Option<DisplayName>,
        /// The new picture, or none.
        picture: Option<HttpsUrl>,
    },
    /// Refuse everything this user asks for.
    Suspend {
        /// Why, for the audit.
        reason: DisplayName,
    },
    /// End a suspension.
    Resume,
    /// End it for good.
    Delete,
    /// End it for good, and have everything personal forgotten.
    Erase {
        /// Why, for the audit. It stands in clear: nothing about the person belongs here.
        reason: DisplayName,
    },
    /// Let them sign in with a password from now on, another one than before. What is kept of it is stored beside the log.
    SetPassword,
    /// Let them sign in with no password.
    RemovePassword,
    /// Let them sign in with an identity of a provider.
    LinkIdentity {
        /// Whose data it is.
        user: UserId,
        /// The provider.
        issuer: Issuer,
        /// Its name for the person.
        subject: ProviderSubject,
    },
    /// Let them sign in with it no longer.
    UnlinkIdentity {
        /// Whose data it is.
        user: UserId,
        /// The provider.
        issuer: Issuer,
        /// Its name for the person.
        subject: ProviderSubject,
    },
    /// Take a provider's word of before, since it does not answer.
    BeginFallback {
        /// The provider.
        issuer: Issuer,
        /// When it answered last.
        vouched_at: Timestamp,
    },
    /// It answers again.
    EndFallback {
        /// The provider.
        issuer: Issuer,
    },
}
