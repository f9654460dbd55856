//! Scopes as a request names them: a list separated by single spaces (RFC 6749, 3.3).

use domain::value::{Scope, Scopes};

use super::error::{OauthError, OauthErrorCode};

/// Scopes in one request.
const SCOPES_MAX: usize = 100;

/// Reads a list; nothing when none was sent.
pub fn read_scopes(text: Option<&str>) -> Result<Option<Scopes>, OauthError> {
    let Some(text) = text else { return Ok(None) };
    let refused = |why: &'static str| OauthError::new(OauthErrorCode::InvalidScope, why);
    if text.split(' ').count() > SCOPES_MAX {
        return Err(refused("too many scopes"));
    }
    let scopes: Result<Scopes, _> = text.split(' ').map(Scope::parse).collect();
    scopes.map(Some).map_err(|_| refused("one of the scopes is none; scopes are separated by one space"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_42_what_is_no_list_of_scopes_is_refused() {
        let many = vec!["mcp:read"; SCOPES_MAX + 1].join(" ");
        for text in [
            " ",
            "mcp:read ",
            " mcp:read",
            "mcp:read  mcp:write",
            "mcp:read\tmcp:write",
            "mcp:read\u{0}",
            "openid",
            "tool:a\u{7}",
            &many,
        ] {
            assert_eq!(read_scopes(Some(text)).unwrap_err().code(), OauthErrorCode::InvalidScope, "{text:?}");
        }
    }

    #[test]
    fn no_list_is_no_wish_and_a_list_is_a_set() {
        assert_eq!(read_scopes(None), Ok(None));
        let scopes = read_scopes(Some("tool:echo mcp:read tool:echo")).unwrap().unwrap();
        assert_eq!(scopes.iter().count(), 2);
    }
}
