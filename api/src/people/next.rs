//! Where somebody goes on after they signed in: one of our own pages, and of those only the ones that lead somewhere (`oauth.md`, case 40).

use domain::value::ConnectionId;

/// Longest address that is carried along: that of an authorization request.
const NEXT_BYTES_MAX: usize = 8 * 1024;
/// Pages that somebody may be led to.
const PLACES: [&str; 4] = ["/oauth/authorize", "/account/grants", "/account/password", "/sign-out"];

/// An address of ours, with its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Next(String);

impl Default for Next {
    fn default() -> Self {
        Self("/account/grants".to_owned())
    }
}

impl Next {
    /// The address that a request names; the account's, when it names none that is ours.
    pub(crate) fn of(text: Option<&str>) -> Self {
        text.and_then(Self::parse).unwrap_or_default()
    }

    /// Where an authorization request is answered, asked again.
    pub(crate) fn authorize(query: &str) -> Self {
        Self::of(Some(&format!("/oauth/authorize?{query}")))
    }

    fn parse(text: &str) -> Option<Self> {
        // Browsers take a backslash for a slash, and leave out line breaks and tabs.
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#');
        let (path, _) = text.split_once('?').unwrap_or((text, ""));
        let is_place = PLACES.contains(&path) || is_connection(path);
        (plain && text.len() <= NEXT_BYTES_MAX && is_place).then(|| Self(text.to_owned()))
    }

    /// The address.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The query of an authorization request, when it leads to one.
    pub(crate) fn authorization(&self) -> Option<&str> {
        self.0.strip_prefix("/oauth/authorize?")
    }
}

/// The page on which a connection is authorized.
fn is_connection(path: &str) -> bool {
    let id = path.strip_prefix("/connections/").and_then(|rest| rest.strip_suffix("/authorize"));
    id.is_some_and(|id| ConnectionId::parse(id).is_ok())
}

/// One value as it stands in a query.
pub(crate) fn encoded(value: &str) -> String {
    url::form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_40_whatever_is_not_a_page_of_ours_leads_to_the_account() {
        let long = format!("/oauth/authorize?{}", "x".repeat(NEXT_BYTES_MAX));
        for text in [
            "",
            "//evil.example/oauth/authorize",
            "/\\evil.example",
            "/\t/evil.example",
            "https://evil.example/",
            "javascript:alert(1)",
            "/oauth/authorize/../../x",
            "/oauth/authorize#x",
            "/oauth/token",
            "/oauth/authorize?a=b\r\nSet-Cookie: x",
            "/oauth/authorize?\u{95a2}",
            "oauth/authorize",
            "/connections/callback?code=x",
            "/connections/../authorize",
            "/connections//evil.example/authorize",
            &long,
        ] {
            assert_eq!(Next::of(Some(text)), Next::default(), "{text}");
        }
        assert_eq!(Next::of(None), Next::default());
    }

    #[test]
    fn an_authorization_request_is_gone_on_with_as_it_was() {
        let next = Next::authorize("client_id=a&state=%2F%2Fx");
        assert_eq!(next.as_str(), "/oauth/authorize?client_id=a&state=%2F%2Fx");
        assert_eq!(next.authorization(), Some("client_id=a&state=%2F%2Fx"));
    }
}
