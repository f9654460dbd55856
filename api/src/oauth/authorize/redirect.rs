//! Where a browser may be sent back to, and what it takes along (RFC 9700, 2.1 and 4.1; RFC 8252, 7.3 and 8.3).

use domain::value::RedirectUri;
use serde::{Deserialize, Serialize};
use url::{Host, Url, form_urlencoded};

use super::error::AuthorizeError;
use crate::pages::consent::Destination;

/// Of these a port may be any: a program on the computer of the browser takes what is free. `localhost` is a name that may lead elsewhere.
const LOOPBACK: [&str; 2] = ["http://127.0.0.1", "http://[::1]"];

/// Whether a client may send browsers there: byte for byte what it registered, but for the port of a loopback address.
pub(super) fn is_registered(registered: &RedirectUri, sent: &str) -> bool {
    registered.as_str() == sent
        || without_port(registered.as_str()).is_some_and(|one| without_port(sent) == Some(one))
}

/// A loopback URI as what stands before and after its port.
fn without_port(uri: &str) -> Option<(&str, &str)> {
    LOOPBACK.iter().find_map(|host| {
        let rest = uri.strip_prefix(host)?;
        let Some(rest) = rest.strip_prefix(':') else {
            return rest
                .starts_with(['/', '?'])
                .then_some((*host, rest))
                .or(rest.is_empty().then_some((*host, "")));
        };
        let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        let (port, rest) = rest.split_at_checked(end)?;
        let is_port = port.parse::<u16>().is_ok_and(|number| number > 0) && !port.starts_with('0');
        (is_port && (rest.is_empty() || rest.starts_with(['/', '?']))).then_some((*host, rest))
    })
}

/// What a person can judge of a redirect.
pub(super) fn destination(redirect_uri: &str) -> Destination {
    let Ok(url) = Url::parse(redirect_uri) else { return Destination::App(redirect_uri.to_owned()) };
    let place = |host: String| url.port().map_or(host.clone(), |port| format!("{host}:{port}"));
    match (url.scheme(), url.host()) {
        ("http" | "https", Some(host)) => {
            let loopback = match host {
                Host::Domain(name) => name == "localhost",
                Host::Ipv4(address) => address.is_loopback(),
                Host::Ipv6(address) => address.is_loopback(),
            };
            let place = place(host.to_string());
            if loopback { Destination::Loopback(place) } else { Destination::Site(place) }
        }
        (scheme, _) => Destination::App(format!("{scheme}:")),
    }
}

/// The way back to a client, and what it said to know its own request by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WayBack {
    /// A registered redirect URI, as it was sent.
    pub(super) redirect_uri: String,
    /// Comes back as it went.
    pub(super) state: Option<String>,
}

impl WayBack {
    /// With a code.
    pub(super) fn with_code(&self, code: &str, issuer: &str) -> String {
        self.with(&[("code", code)], issuer)
    }

    /// With what is wrong.
    pub(super) fn with_error(&self, error: AuthorizeError, issuer: &str) -> String {
        self.with(&[("error", error.code()), ("error_description", error.description())], issuer)
    }

    /// Whatever is answered says who answers (RFC 9207, 2).
    fn with(&self, pairs: &[(&str, &str)], issuer: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(pairs);
        if let Some(state) = &self.state {
            query.append_pair("state", state);
        }
        query.append_pair("iss", issuer);
        let mark = if self.redirect_uri.contains('?') { '&' } else { '?' };
        format!("{}{mark}{}", self.redirect_uri, query.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_registered(registered: &str, sent: &str) -> bool {
        super::is_registered(&RedirectUri::parse(registered).unwrap(), sent)
    }

    #[test]
    fn attack_01_whatever_is_not_exactly_what_was_registered_is_none() {
        let registered = "https://app.example.com/cb";
        for sent in [
            "https://app.example.com/cb/",
            "https://app.example.com/cb/more",
            "https://app.example.com/cb?x=1",
            "https://app.example.com/cb#x",
            "https://app.example.com@evil.example/cb",
            "https://app.example.com\\@evil.example/cb",
            "https://app.example.com/CB",
            "https://APP.example.com/cb",
            "https://app.example.com/%63b",
            "https://app.example.com/x/../cb",
            "https://app.example.com/x%2f..%2fcb",
            "https://app.example.com:443/cb",
            "https://app.example.com:8443/cb",
            "http://app.example.com/cb",
            "https://\u{430}pp.example.com/cb",
            "https://app.example.com./cb",
            " https://app.example.com/cb",
            "",
        ] {
            assert!(!is_registered(registered, sent), "{sent}");
        }
        assert!(is_registered(registered, registered));
    }

    #[test]
    fn item_59_only_the_port_of_a_loopback_literal_may_vary() {
        let registered = "http://127.0.0.1:3000/callback";
        for sent in [
            "http://127.0.0.1:0/callback",
            "http://127.0.0.1:65536/callback",
            "http://127.0.0.1:080/callback",
            "http://127.0.0.1:/callback",
            "http://127.0.0.1:3000@evil.example/callback",
            "http://127.0.0.1:3000.evil.example/callback",
            "http://127.0.0.1.evil.example/callback",
            "http://127.0.0.1:80:90/callback",
            "http://127.0.0.2:3000/callback",
            "http://[::1]:3000/callback",
            "http://localhost:3000/callback",
            "https://127.0.0.1:3000/callback",
            "http://127.0.0.1:3000/callback?x",
            "http://127.0.0.1:3000/Callback",
            "http://127.0.0.1:+80/callback",
        ] {
            assert!(!is_registered(registered, sent), "{sent}");
        }
        for sent in [registered, "http://127.0.0.1:49152/callback", "http://127.0.0.1/callback"] {
            assert!(is_registered(registered, sent), "{sent}");
        }
        assert!(is_registered("http://[::1]/cb", "http://[::1]:5000/cb"));
        assert!(!is_registered("http://localhost:3000/cb", "http://localhost:3001/cb"));
    }

    #[test]
    fn item_15_item_46_state_comes_back_as_it_went_and_whoever_answers_says_so() {
        let state = "a+b c&d=e%25\u{95a2}/?#";
        let back =
            WayBack { redirect_uri: "https://a.example/cb?keep=1".to_owned(), state: Some(state.to_owned()) };
        let address = back.with_code("abc", "https://issuer.example");
        assert!(address.starts_with("https://a.example/cb?keep=1&code=abc&state="), "{address}");
        let url = Url::parse(&address).unwrap();
        let pairs: Vec<_> =
            url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        assert_eq!(pairs[2], ("state".to_owned(), state.to_owned()));
        assert_eq!(pairs[3], ("iss".to_owned(), "https://issuer.example".to_owned()));
        assert_eq!(pairs.len(), 4);
        let refused = back.with_error(AuthorizeError::AccessDenied, "https://issuer.example");
        assert!(refused.contains("&error=access_denied&") && refused.contains("&iss="), "{refused}");
    }

    #[test]
    fn a_person_is_told_the_host_and_whether_it_is_their_own_computer() {
        assert_eq!(
            destination("https://app.example.com/cb"),
            Destination::Site("app.example.com".to_owned())
        );
        assert_eq!(
            destination("http://127.0.0.1:3000/cb"),
            Destination::Loopback("127.0.0.1:3000".to_owned())
        );
        assert_eq!(destination("http://[::1]:3000/cb"), Destination::Loopback("[::1]:3000".to_owned()));
        assert_eq!(destination("http://localhost:1/cb"), Destination::Loopback("localhost:1".to_owned()));
        assert_eq!(destination("com.example.app:/cb"), Destination::App("com.example.app:".to_owned()));
    }
}
