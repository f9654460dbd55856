//! What a client is told in the redirect when it gets no code (RFC 6749, 4.1.2.1; RFC 8707, 2).

/// Why there is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AuthorizeError {
    /// A parameter is there twice, too long, or no text.
    Unreadable,
    /// No `response_type`.
    NoResponseType,
    /// Another one than `code`.
    ResponseType,
    /// No challenge, or none of S256 (RFC 7636, 4.4.1).
    Challenge,
    /// Another way to answer than by the query.
    ResponseMode,
    /// The client does not get tokens this way.
    Client,
    /// No scope of those that were asked for can be granted.
    Scope,
    /// The resource is not the endpoint of an instance that this person may open to this client, or none was named.
    Target,
    /// The person said no.
    AccessDenied,
    /// Something behind us does not answer.
    Unavailable,
}

impl AuthorizeError {
    /// The code on the wire.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Unreadable | Self::NoResponseType | Self::Challenge | Self::ResponseMode => {
                "invalid_request"
            }
            Self::ResponseType => "unsupported_response_type",
            Self::Client => "unauthorized_client",
            Self::Scope => "invalid_scope",
            Self::Target => "invalid_target",
            Self::AccessDenied => "access_denied",
            Self::Unavailable => "temporarily_unavailable",
        }
    }

    /// A sentence for whoever writes the client.
    pub(super) const fn description(self) -> &'static str {
        match self {
            Self::Unreadable => "a parameter is there twice, too long, or not form-encoded UTF-8",
            Self::NoResponseType => "response_type is missing; send response_type=code",
            Self::ResponseType => "the only response_type is code",
            Self::Challenge => "send a code_challenge of 43 characters with code_challenge_method=S256",
            Self::ResponseMode => "the only response_mode is query",
            Self::Client => "this client is not registered for the grant type authorization_code",
            Self::Scope => "none of these scopes can be granted to this client by this person",
            Self::Target => {
                "send as resource the exact URL of one MCP endpoint that takes OAuth and is open to this person and this client"
            }
            Self::AccessDenied => "the person denied the request",
            Self::Unavailable => "something behind this server does not answer; try again",
        }
    }

    #[cfg(test)]
    pub(super) const ALL: [Self; 10] = [
        Self::Unreadable,
        Self::NoResponseType,
        Self::ResponseType,
        Self::Challenge,
        Self::ResponseMode,
        Self::Client,
        Self::Scope,
        Self::Target,
        Self::AccessDenied,
        Self::Unavailable,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn item_17_descriptions_hold_only_what_may_stand_in_one() {
        for error in AuthorizeError::ALL {
            let good = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            assert!(error.description().bytes().all(good), "{error:?}");
        }
    }
}
