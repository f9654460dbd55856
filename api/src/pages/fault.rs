//! The pages that say why something is not done. They tell what to do next, and nothing about what exists.

use http::StatusCode;
use maud::html;

use super::words::Words;
use super::{Language, Page};

/// Why a browser is not led on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No such client, or one that is turned off.
    UnknownClient,
    /// The document that describes the client cannot be had.
    NoDocument,
    /// Not a redirect URI of this client.
    UnknownRedirect,
    /// No such identity provider, or none any more.
    UnknownProvider,
    /// No such connection, or none that this person may authorize.
    UnknownConnection,
    /// A form from elsewhere, of another session, or too old.
    StaleForm,
    /// A request that cannot be read.
    Malformed,
    /// Too many requests.
    TooOften,
    /// Something behind us does not answer.
    Unavailable,
}

impl Fault {
    /// Its status.
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::UnknownClient
            | Self::NoDocument
            | Self::UnknownRedirect
            | Self::UnknownProvider
            | Self::Malformed => StatusCode::BAD_REQUEST,
            Self::UnknownConnection => StatusCode::NOT_FOUND,
            Self::StaleForm => StatusCode::FORBIDDEN,
            Self::TooOften => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The page.
    pub(crate) fn page(self, language: Language) -> Page {
        let words = Words::of(language);
        let (title, text) = match self {
            Self::UnknownClient => (words.fault_client, words.fault_client_text),
            Self::NoDocument => (words.fault_document, words.fault_document_text),
            Self::UnknownRedirect => (words.fault_redirect, words.fault_redirect_text),
            Self::UnknownProvider => (words.fault_provider, words.fault_provider_text),
            Self::UnknownConnection => (words.fault_connection, words.fault_connection_text),
            Self::StaleForm => (words.fault_form, words.fault_form_text),
            Self::Malformed => (words.fault_request, words.fault_request_text),
            Self::TooOften => (words.fault_too_often, words.fault_too_often_text),
            Self::Unavailable => (words.fault_unavailable, words.fault_unavailable_text),
        };
        let content = html! {
            h1 { (title) }
            p { (text) }
            p.small { a href="/account/grants" { (words.fault_home) } }
        };
        Page::new(language, title, content)
    }
}
