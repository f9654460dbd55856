//! Who somebody is at an identity provider (OpenID Connect Core, 2): the provider's issuer and its name for the person.

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::text_value;

/// An issuer as its tokens spell it. The text is kept, because it is compared exactly.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct Issuer(String);

const ISSUER_BYTES_MAX: usize = 512;

/// Why a text is not an issuer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "an issuer is an https address (http on 127.0.0.1 or [::1]) without query, fragment and user name, with at most {ISSUER_BYTES_MAX} bytes"
)]
pub struct IssuerError;

impl Issuer {
    /// Checks an issuer and keeps its text.
    pub fn parse(text: &str) -> Result<Self, IssuerError> {
        let plain = text.len() <= ISSUER_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
        let url = Url::parse(text).ok().filter(|_| plain).ok_or(IssuerError)?;
        let bare = url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        let private = match url.scheme() {
            "https" => url.host().is_some(),
            "http" => match url.host() {
                Some(Host::Ipv4(address)) => address.is_loopback(),
                Some(Host::Ipv6(address)) => address.is_loopback(),
                Some(Host::Domain(_)) | None => false,
            },
            _ => false,
        };
        if bare && private { Ok(Self(text.to_owned())) } else { Err(IssuerError) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_value!(Issuer, IssuerError);

/// A provider's own name for a person: personal, and never shown.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct ProviderSubject(String);

/// OpenID Connect Core, 2: `sub` has at most 255 ASCII characters.
const SUBJECT_CHARS_MAX: usize = 255;

/// Why a text is not a provider's subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a provider's subject has 1 to {SUBJECT_CHARS_MAX} ASCII characters and no control character")]
pub struct ProviderSubjectError;

impl ProviderSubject {
    /// Checks a subject and keeps its text: it is compared exactly.
    pub fn parse(text: &str) -> Result<Self, ProviderSubjectError> {
        let fits = !text.is_empty() && text.len() <= SUBJECT_CHARS_MAX;
        if fits && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ProviderSubjectError)
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_value!(ProviderSubject, ProviderSubjectError);

/// Never prints the person.
impl std::fmt::Debug for ProviderSubject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProviderSubject(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_that_anybody_could_speak_for_is_refused() {
        for text in [
            "",
            "id.example.com",
            "http://id.example.com",
            "http://localhost:8080",
            "https://id.example.com?tenant=1",
            "https://id.example.com#x",
            "https://ann@id.example.com",
            "https://id.example.com/\n",
            "javascript:alert(1)",
        ] {
            assert_eq!(Issuer::parse(text), Err(IssuerError), "{text}");
        }
    }

    #[test]
    fn an_issuer_keeps_its_text() {
        for text in ["https://id.example.com", "https://id.example.com/", "http://127.0.0.1:9000/realms/a"] {
            assert_eq!(Issuer::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn a_subject_is_short_visible_and_never_printed() {
        for text in ["", "a\nb", "é", &"a".repeat(256)] {
            assert_eq!(ProviderSubject::parse(text), Err(ProviderSubjectError), "{text}");
        }
        assert_eq!(format!("{:?}", ProviderSubject::parse("248289761001").unwrap()), "ProviderSubject(…)");
    }
}
