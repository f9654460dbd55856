//! Forms of people's pages, as the document describes them: the handlers read `Parameters`.
#![expect(dead_code, reason = "the document describes their members; the handlers read the form as it comes")]

use utoipa::ToSchema;

/// What a person signs in with.
#[derive(Debug, ToSchema)]
pub(super) struct SignInForm {
    /// Out of the page: ties the form to this browser.
    csrf: String,
    /// The e-mail address of the account.
    email: String,
    /// The password.
    #[schema(format = Password)]
    password: String,
    /// The page of ours to go on to; the account's, when left out.
    next: Option<String>,
    /// Languages of the pages, best first (OpenID Connect Core 1.0, 3.1.2.1).
    ui_locales: Option<String>,
}

/// That the session of this browser ends.
#[derive(Debug, ToSchema)]
pub(super) struct SignOutForm {
    /// Out of the page: ties the form to this browser.
    csrf: String,
    /// The page of ours that somebody else is to sign in for.
    next: Option<String>,
}

/// That a client may not act for a person any more.
#[derive(Debug, ToSchema)]
pub(super) struct EndGrantForm {
    /// Out of the page: ties the form to this browser.
    csrf: String,
    /// The grant.
    #[schema(format = Uuid)]
    grant: String,
}

/// That sessions of a person end.
#[derive(Debug, ToSchema)]
pub(super) struct EndSessionsForm {
    /// Out of the page: ties the form to this browser.
    csrf: String,
    /// The id of one, `others` for all but this one, or `all`.
    session: String,
}

/// Another password.
#[derive(Debug, ToSchema)]
pub(super) struct ChangePasswordForm {
    /// Out of the page: ties the form to this browser.
    csrf: String,
    /// The one in force.
    #[schema(format = Password)]
    current: String,
    /// The new one: 8 to 71 bytes of UTF-8 without a null character.
    #[schema(format = Password)]
    new: String,
}

/// That somebody signs in with an identity provider.
#[derive(Debug, ToSchema)]
pub(super) struct ChooseProviderForm {
    /// Out of the page: ties the form to this browser.
    csrf: String,
    /// The page of ours to go on to; the account's, when left out.
    next: Option<String>,
    /// That the provider is to ask the person, also one whom it knows.
    again: Option<String>,
    /// Languages of the pages, best first (OpenID Connect Core 1.0, 3.1.2.1).
    ui_locales: Option<String>,
}

/// That an identity at a provider is to lead to whoever is signed in.
#[derive(Debug, ToSchema)]
pub(super) struct LinkIdentityForm {
    /// Out of the page: ties the form to this browser.
    csrf: String,
    /// The provider.
    provider: String,
}

/// That no identity at a provider is to lead to whoever is signed in.
#[derive(Debug, ToSchema)]
pub(super) struct UnlinkIdentityForm {
    /// Out of the page: ties the form to this browser.
    csrf: String,
    /// The provider's issuer.
    #[schema(format = Uri)]
    issuer: String,
}

/// That somebody is led to the authorization server of a connection's server.
#[derive(Debug, ToSchema)]
pub(super) struct AuthorizeConnectionForm {
    /// Out of the page: ties the form to this browser.
    csrf: String,
}
