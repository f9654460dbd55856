//! What is asked, and who is meant.

use domain::value::{
    ApiKeyId, IdError, InstanceId, KeyId, KeyIdError, OrganizationId, ToolName, ToolNameError, UserId,
};
use projections::history::{History, Moment, MomentError};

use super::{ExplainError, Found};

/// May this one call this tool, at that moment?
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) principal: Principal,
    pub(crate) call: Call,
}

/// A call of a tool, whoever makes it.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) instance: InstanceId,
    pub(crate) tool: ToolName,
    /// Whether the upstream calls the tool read-only.
    pub(crate) read_only: bool,
    /// When; `None` is now.
    pub(crate) at: Option<Moment>,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Principal {
    /// A key, by its id.
    Key(ApiKeyId),
    /// A key, by its public part.
    KeyId(KeyId),
    /// A user, with whatever key they have.
    User(UserId),
    /// An id that does not say of what.
    Either(ApiKeyId, UserId),
}

/// The question cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QuestionError {
    #[error("a principal is an API key (its id or its 22 characters) or a user's id: {0}")]
    Principal(#[from] PrincipalError),
    #[error(transparent)]
    Instance(#[from] IdError),
    #[error(transparent)]
    Tool(#[from] ToolNameError),
    #[error(transparent)]
    Moment(#[from] MomentError),
    #[error("read_only is true or false")]
    ReadOnly,
}

/// The text names no principal.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrincipalError {
    #[error(transparent)]
    Id(#[from] IdError),
    #[error(transparent)]
    KeyId(#[from] KeyIdError),
}

const KEY_ID_CHARS: usize = 22;

impl Principal {
    /// Reads an id, a key's public part, or either with what it is in front, as events name actors: `api_key:<id>`, `user:<id>`.
    pub(crate) fn parse(text: &str) -> Result<Self, PrincipalError> {
        match text.split_once(':') {
            Some(("user", id)) => Ok(Self::User(UserId::parse(id)?)),
            Some(("api_key", id)) => Self::key(id),
            Some(_) => Ok(Self::User(UserId::parse(text)?)), // which tells what an id looks like
            None if text.len() == KEY_ID_CHARS => Self::key(text),
            None => Ok(Self::Either(ApiKeyId::parse(text)?, UserId::parse(text)?)),
        }
    }

    fn key(text: &str) -> Result<Self, PrincipalError> {
        if text.len() == KEY_ID_CHARS {
            Ok(Self::KeyId(KeyId::parse(text)?))
        } else {
            Ok(Self::Key(ApiKeyId::parse(text)?))
        }
    }

    /// Finds who is meant, at an instance of this organization. Somebody whom the asker may not see is not found. Who may see everything may ask
    /// about the key of another tenant: it finds no such instance, as the gateway says to it.
    pub(super) async fn find(
        &self,
        history: &History,
        organization: OrganizationId,
        within: Option<OrganizationId>,
    ) -> Result<Found, ExplainError> {
        let (key, user) = match self {
            Self::Key(key) => (Some(*key), None),
            Self::KeyId(key_id) => (history.key_named(key_id.as_str()).await?, None),
            Self::User(user) => (None, Some(*user)),
            Self::Either(key, user) => (Some(*key), Some(*user)),
        };
        if let Some(key) = key
            && let Some(origin) = history.origin("api_key", &key.to_string()).await?
            && within.is_none_or(|within| origin.organization == Some(within))
        {
            return Ok(Found::Key(key));
        }
        if let Some(user) = user
            && history.was_ever_member(organization, user).await?
        {
            return Ok(Found::User(user));
        }
        Err(ExplainError::NotFound("principal"))
    }
}

impl std::str::FromStr for Principal {
    type Err = PrincipalError;
    fn from_str(text: &str) -> Result<Self, PrincipalError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0192f0c1-2b3c-7d4e-8f50-112233445566";

    #[test]
    fn what_names_nobody_is_refused() {
        for text in ["", "ann", "user:ann", "client:x", "api_key:", "2vqXWJ5hFY0aPzK9mR3t_7"] {
            assert!(Principal::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn keys_and_users_are_named_by_id_or_by_the_public_part_of_a_key() {
        let (key, user) = (ApiKeyId::parse(ID).unwrap(), UserId::parse(ID).unwrap());
        let key_id = KeyId::parse("2vqXWJ5hFY0aPzK9mR3tB7").unwrap();
        assert_eq!(Principal::parse(ID).unwrap(), Principal::Either(key, user));
        assert_eq!(Principal::parse(&format!("user:{ID}")).unwrap(), Principal::User(user));
        assert_eq!(Principal::parse(&format!("api_key:{ID}")).unwrap(), Principal::Key(key));
        for text in ["2vqXWJ5hFY0aPzK9mR3tB7", "api_key:2vqXWJ5hFY0aPzK9mR3tB7"] {
            assert_eq!(Principal::parse(text).unwrap(), Principal::KeyId(key_id.clone()));
        }
    }
}
