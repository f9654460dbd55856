//! What is asked, and who is meant.

use domain::value::{
    ApiKeyId, ClientId, GrantId, IdError, InstanceId, KeyId, KeyIdError, OrganizationId, ToolName,
    ToolNameError, UserId,
};
use projections::LogError;
use projections::access::Credential;
use projections::history::{History, Moment, MomentError, Origin};
use uuid::Uuid;

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
    /// Whether the upstream calls the tool read-only; `None` when the question does not say, and then it is taken as one that writes.
    pub(crate) read_only: Option<bool>,
    /// When; `None` is now.
    pub(crate) at: Option<Moment>,
}

impl Call {
    /// As what the tool is judged.
    pub(crate) fn is_read_only(&self) -> bool {
        self.read_only.unwrap_or(false)
    }
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Principal {
    /// A key, by its id.
    Key(ApiKeyId),
    /// A key, by its public part.
    KeyId(KeyId),
    /// A client in the name of a user who consented.
    Grant(GrantId),
    /// A client in its own name.
    Client(ClientId),
    /// A user, with whatever they have.
    User(UserId),
    /// An id that does not say of what.
    Some(Uuid),
}

/// The question cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QuestionError {
    #[error(
        "who calls is an API key (its id or its 22 characters), or the id of a grant, a client or a user: {0}"
    )]
    Principal(#[from] PrincipalError),
    #[error("instance: {0}")]
    Instance(#[from] IdError),
    #[error("tool: {0}")]
    Tool(#[from] ToolNameError),
    #[error("{0}: {1}")]
    Moment(&'static str, MomentError),
    #[error("read_only: it is true or false")]
    ReadOnly,
}

/// The text names no principal.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrincipalError {
    #[error(
        "this is a whole API key, and a secret; its id part is enough: the 22 characters between the second and the third underscore"
    )]
    WholeKey,
    #[error(transparent)]
    Id(#[from] IdError),
    #[error(transparent)]
    KeyId(#[from] KeyIdError),
}

const KEY_ID_CHARS: usize = 22;
/// How a whole API key begins.
const KEY_START: &str = "sk_";

impl Principal {
    /// Reads an id, a key's public part, or either with what it is in front, as events name actors: `api_key:<id>`, `grant:<id>`, `client:<id>`,
    /// `user:<id>`.
    pub(crate) fn parse(text: &str) -> Result<Self, PrincipalError> {
        let id = text.strip_prefix("api_key:").unwrap_or(text);
        if id.starts_with(KEY_START) {
            return Err(PrincipalError::WholeKey); // whatever else is wrong with it is not said of a secret
        }
        match text.split_once(':') {
            Some(("user", id)) => Ok(Self::User(UserId::parse(id)?)),
            Some(("api_key", id)) => Self::key(id),
            Some(("grant", id)) => Ok(Self::Grant(GrantId::parse(id)?)),
            Some(("client", id)) => Ok(Self::Client(ClientId::parse(id)?)),
            Some(_) => Ok(Self::User(UserId::parse(text)?)), // which tells what an id looks like
            None if text.len() == KEY_ID_CHARS => Self::key(text),
            None => Ok(Self::Some(UserId::parse(text)?.uuid())),
        }
    }

    fn key(text: &str) -> Result<Self, PrincipalError> {
        if text.len() == KEY_ID_CHARS {
            Ok(Self::KeyId(KeyId::parse(text)?))
        } else {
            Ok(Self::Key(ApiKeyId::parse(text)?))
        }
    }

    /// The credential that is meant and where it comes from, when it is one that the asker may see.
    pub(crate) async fn credential(
        &self,
        history: &History,
        within: Option<OrganizationId>,
    ) -> Result<Option<(Credential, Origin)>, LogError> {
        let candidates = match self {
            Self::Key(key) => vec![Credential::Key(*key)],
            Self::KeyId(key_id) => {
                history.key_named(key_id.as_str()).await?.map(Credential::Key).into_iter().collect()
            }
            Self::Grant(grant) => vec![Credential::Grant(*grant)],
            Self::Client(client) => vec![Credential::Client(*client)],
            Self::User(_) => Vec::new(),
            Self::Some(id) => vec![
                Credential::Key(ApiKeyId::new(*id)),
                Credential::Grant(GrantId::new(*id)),
                Credential::Client(ClientId::new(*id)),
            ],
        };
        for credential in candidates {
            let id = credential.uuid().to_string();
            if let Some(origin) = history.origin(credential.kind(), &id).await?
                && within.is_none_or(|within| origin.organization == Some(within))
            {
                return Ok(Some((credential, origin)));
            }
        }
        Ok(None)
    }

    /// Finds who is meant, at an instance of this organization. Somebody whom the asker may not see is not found. Who may see everything may ask
    /// about the key of another tenant: it finds no such instance, as the gateway says to it.
    pub(super) async fn find(
        &self,
        history: &History,
        organization: OrganizationId,
        within: Option<OrganizationId>,
    ) -> Result<Found, ExplainError> {
        if let Some((found, _)) = self.credential(history, within).await? {
            return Ok(Found::Credential(found));
        }
        let user = match self {
            Self::User(user) => Some(*user),
            Self::Some(id) => Some(UserId::new(*id)),
            Self::Key(_) | Self::KeyId(_) | Self::Grant(_) | Self::Client(_) => None,
        };
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
        for text in ["", "ann", "user:ann", "client:x", "grant:", "api_key:", "2vqXWJ5hFY0aPzK9mR3t_7"] {
            assert!(Principal::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn of_a_whole_key_the_id_part_is_asked_for_and_nothing_of_it_is_repeated() {
        let whole = format!("sk_live_2vqXWJ5hFY0aPzK9mR3tB7_{}", "s".repeat(49));
        for text in [whole.clone(), format!("api_key:{whole}"), "sk_live_".to_owned()] {
            let told = QuestionError::from(Principal::parse(&text).unwrap_err()).to_string();
            assert!(told.contains("its id part is enough") && !told.contains("2vqX"), "{told}");
        }
    }

    #[test]
    fn keys_and_users_are_named_by_id_or_by_the_public_part_of_a_key() {
        let (key, user) = (ApiKeyId::parse(ID).unwrap(), UserId::parse(ID).unwrap());
        let key_id = KeyId::parse("2vqXWJ5hFY0aPzK9mR3tB7").unwrap();
        assert_eq!(Principal::parse(ID).unwrap(), Principal::Some(key.uuid()));
        assert_eq!(Principal::parse(&format!("user:{ID}")).unwrap(), Principal::User(user));
        assert_eq!(Principal::parse(&format!("api_key:{ID}")).unwrap(), Principal::Key(key));
        assert_eq!(
            Principal::parse(&format!("grant:{ID}")).unwrap(),
            Principal::Grant(GrantId::parse(ID).unwrap())
        );
        assert_eq!(
            Principal::parse(&format!("client:{ID}")).unwrap(),
            Principal::Client(ClientId::parse(ID).unwrap())
        );
        for text in ["2vqXWJ5hFY0aPzK9mR3tB7", "api_key:2vqXWJ5hFY0aPzK9mR3tB7"] {
            assert_eq!(Principal::parse(text).unwrap(), Principal::KeyId(key_id.clone()));
        }
    }
}
