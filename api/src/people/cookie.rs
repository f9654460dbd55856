//! The cookie that tells one browser from another: an unguessable text and nothing else. What it stands for is kept by the server.
//!
//! Over https its name begins with `__Host-`, so that no neighbouring domain and no plain connection can set it (RFC 6265bis, 4.1.3.2). Where
//! Sekisho is reached by plain http, on loopback, no browser would take such a cookie: there it goes without the prefix and without `Secure`.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use commands::Entropy;
use http::{HeaderMap, HeaderValue, header};
use zeroize::Zeroizing;

const TOKEN_BYTES: usize = 32;
/// What every token begins with, so that whoever searches for secrets finds one.
const PREFIX: &str = "ss_";
/// A browser that was let in once is known for so long.
const KNOWN_SECONDS: u32 = 180 * 24 * 3_600;

/// What a cookie is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// Tells one browser from another while it is open.
    Visit,
    /// Says that somebody signed in from this browser before.
    Known,
}

impl Cookie {
    /// Its name, where browsers come by https alone and elsewhere.
    pub(crate) const fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Visit, true) => "__Host-sekisho",
            (Self::Visit, false) => "sekisho",
            (Self::Known, true) => "__Host-sekisho-known",
            (Self::Known, false) => "sekisho-known",
        }
    }

    /// Its value in a request. Two of a name are none: whichever counted would be a guess.
    pub(crate) fn read(self, headers: &HeaderMap, secure: bool) -> Option<&str> {
        let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut values = pairs
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| *name == self.name(secure))
            .map(|(_, value)| value);
        values.next().filter(|_| values.next().is_none())
    }

    /// The header that sets it. `value` is ours: letters, digits, and `-`, `_`, `.`.
    pub(crate) fn set(self, value: &str, secure: bool) -> Option<HeaderValue> {
        let name = self.name(secure);
        let secure = if secure { "; Secure" } else { "" };
        let age = match self {
            Self::Visit => String::new(),
            Self::Known => format!("; Max-Age={KNOWN_SECONDS}"),
        };
        HeaderValue::from_str(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}")).ok()
    }
}

/// The text in the cookie of a browser. It can be neither printed nor guessed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct VisitToken(Zeroizing<String>);

impl std::fmt::Debug for VisitToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VisitToken(…)")
    }
}

impl VisitToken {
    /// A fresh one.
    pub(crate) fn draw(entropy: &impl Entropy) -> Self {
        let drawn = Zeroizing::new(URL_SAFE_NO_PAD.encode(entropy.secret()));
        Self(Zeroizing::new(format!("{PREFIX}{}", drawn.as_str())))
    }

    /// The one that a browser shows.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?);
        (bytes.len() == TOKEN_BYTES).then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The text.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub(crate) fn digest(&self) -> Vec<u8> {
        digest::digest(&digest::SHA256, self.0.as_bytes()).as_ref().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    struct Drawn(u8);

    impl Entropy for Drawn {
        fn id(&self) -> Uuid {
            Uuid::nil()
        }

        fn secret(&self) -> [u8; 32] {
            [self.0; 32]
        }
    }

    fn headers(lines: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_static(line));
        }
        headers
    }

    #[test]
    fn of_two_cookies_of_one_name_neither_counts() {
        assert_eq!(Cookie::Visit.read(&headers(&["sekisho=a; sekisho=b"]), false), None);
        assert_eq!(Cookie::Visit.read(&headers(&["sekisho=a", "sekisho=b"]), false), None);
        assert_eq!(Cookie::Visit.read(&headers(&["x=1;sekisho=a"]), false), Some("a"));
    }

    #[test]
    fn over_https_only_the_name_that_neighbours_cannot_set_counts() {
        assert_eq!(Cookie::Visit.read(&headers(&["sekisho=a"]), true), None);
        assert_eq!(Cookie::Visit.read(&headers(&["__Host-sekisho=a"]), true), Some("a"));
    }

    #[test]
    fn item_62_the_cookie_is_host_bound_secure_and_out_of_reach_of_scripts() {
        let set = Cookie::Visit.set("abc", true).unwrap();
        assert_eq!(set, "__Host-sekisho=abc; Path=/; HttpOnly; SameSite=Lax; Secure");
        let plain = Cookie::Visit.set("abc", false).unwrap();
        assert_eq!(plain, "sekisho=abc; Path=/; HttpOnly; SameSite=Lax");
    }

    #[test]
    fn only_what_we_drew_ourselves_is_a_token() {
        for text in ["", "short", &"A".repeat(42), &"A".repeat(44), &"=".repeat(43), "../../etc"] {
            assert!(VisitToken::parse(&format!("ss_{text}")).is_none(), "{text}");
        }
        for text in ["A".repeat(43), format!("ac_{}", "A".repeat(43))] {
            assert!(VisitToken::parse(&text).is_none(), "{text}");
        }
        let drawn = VisitToken::draw(&Drawn(1));
        assert_eq!(VisitToken::parse(drawn.reveal()), Some(drawn.clone()));
        assert_ne!(drawn, VisitToken::draw(&Drawn(2)));
        assert!(!format!("{drawn:?}").contains(drawn.reveal()));
    }
}
