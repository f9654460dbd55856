//! Why a server refuses.

use super::CREDENTIAL_FIELDS_MAX;
use crate::value::{FieldName, HeaderName};

/// A refusal. The text is for the caller and says what to do where something can be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    /// Nothing was registered under this id.
    #[error("there is no such server")]
    Unknown,
    /// The id is taken.
    #[error("this server exists already")]
    Exists,
    /// Out of the catalogue for good.
    #[error("this server was retired; register it anew")]
    Retired,
    /// Only the deployment offers something to everybody.
    #[error(
        "only a server of the deployment's own catalogue can be public; an organization's is private or organization"
    )]
    PublicOfOrganization,
    /// More than any server needs.
    #[error("a server has at most {CREDENTIAL_FIELDS_MAX} credential fields")]
    TooManyFields,
    /// One name, one value.
    #[error("the credential field {0} is listed twice")]
    DuplicateField(FieldName),
    /// One header, one value.
    #[error("two credential fields write the header {0}")]
    DuplicateHeader(HeaderName),
}
