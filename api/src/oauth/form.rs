//! The parameters of an OAuth request: a form in a body or in a query, read by one set of rules (RFC 6749, 3.1, 3.2 and appendix B).
//!
//! Nothing is said twice (but `resource`, RFC 8707, 2), an empty value is no value, what nobody asks for is ignored, and what cannot be read in
//! exactly one way is refused: two readers that understand one request differently are a hole.

use std::collections::BTreeMap;

use axum::body::Body;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::error::{OauthError, OauthErrorCode};

/// Longest form: ten times an assertion with everything around it.
const FORM_BYTES_MAX: usize = 64 * 1024;
/// Parameters in one request. The longest of ours has a dozen.
const PARAMETERS_MAX: usize = 64;
/// How long a form may take to arrive.
const FORM_WAIT: std::time::Duration = std::time::Duration::from_secs(10);
/// What may be said more than once.
const REPEATABLE: [&str; 1] = ["resource"];

const FORM: &str = "application/x-www-form-urlencoded";

/// The parameters of one request.
#[derive(Default)]
pub struct Parameters(BTreeMap<String, Vec<String>>);

/// Names alone: values may be secrets.
impl std::fmt::Debug for Parameters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Parameters {
    /// Reads the form in a body.
    pub async fn of_body(headers: &HeaderMap, body: Body) -> Result<Self, OauthError> {
        must_be_a_form(headers)?;
        let whole = tokio::time::timeout(FORM_WAIT, Limited::new(body, FORM_BYTES_MAX).collect()).await;
        let whole = whole.map_err(|_| {
            OauthError::invalid_request("the form did not arrive in time").under(StatusCode::REQUEST_TIMEOUT)
        })?;
        let bytes = whole.map_err(|error| {
            if error.is::<LengthLimitError>() {
                OauthError::invalid_request("the form is too long").under(StatusCode::PAYLOAD_TOO_LARGE)
            } else {
                OauthError::invalid_request("the form did not arrive whole")
            }
        })?;
        Self::parse(&bytes.to_bytes())
    }

    /// Reads a form.
    pub fn parse(text: &[u8]) -> Result<Self, OauthError> {
        let mut parameters: BTreeMap<String, Vec<String>> = BTreeMap::new();
        if text.len() > FORM_BYTES_MAX {
            return Err(OauthError::invalid_request("the form is too long"));
        }
        let pairs = text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
        for (count, pair) in pairs.enumerate() {
            if count >= PARAMETERS_MAX {
                return Err(OauthError::invalid_request("too many parameters"));
            }
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let (name, value) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
            let unreadable = || OauthError::invalid_request("a parameter is not form-encoded UTF-8");
            let (name, value) = (form_decode(name), form_decode(value));
            let (name, value) = (name.ok_or_else(unreadable)?, value.ok_or_else(unreadable)?);
            let said = parameters.entry(name).or_default();
            said.push(value);
        }
        let twice =
            parameters.iter().find(|(name, said)| said.len() > 1 && !REPEATABLE.contains(&name.as_str()));
        if let Some((name, _)) = twice {
            return Err(OauthError::invalid_request(format!("the parameter {name} is there twice")));
        }
        for said in parameters.values_mut() {
            said.retain(|value| !value.is_empty());
        }
        Ok(Self(parameters))
    }

    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.first().map(String::as_str)
    }

    /// All values of a parameter that may be repeated.
    pub fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The value of a parameter without which nothing is answered.
    pub fn required(&self, name: &str) -> Result<&str, OauthError> {
        self.get(name).ok_or_else(|| OauthError::invalid_request(format!("the parameter {name} is missing")))
    }
}

/// Exactly one media type, and this one. Parameters of it, such as a charset, change nothing: a form is UTF-8.
fn must_be_a_form(headers: &HeaderMap) -> Result<(), OauthError> {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (first, second) = (types.next(), types.next());
    let media = first.and_then(|value| value.to_str().ok()).and_then(|text| text.split(';').next());
    let is_form = media.is_some_and(|media| media.trim().eq_ignore_ascii_case(FORM));
    if is_form && second.is_none() {
        Ok(())
    } else {
        let message = format!("send one Content-Type: {FORM}");
        Err(OauthError::new(OauthErrorCode::InvalidRequest, message))
    }
}

/// Undoes form encoding; nothing when it is broken, or holds what is no text.
pub(super) fn form_decode(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match *first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let (digits, after) = rest.split_at_checked(2)?;
                let hex = |digit: &u8| char::from(*digit).to_digit(16);
                let mut byte = 0;
                for digit in digits {
                    byte = byte * 16 + hex(digit)?;
                }
                bytes.push(u8::try_from(byte).ok()?);
                rest = after;
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Parameters, String> {
        Parameters::parse(text.as_bytes()).map_err(|error| error.description().to_owned())
    }

    #[test]
    fn item_07_whatever_is_said_twice_is_refused_but_resources() {
        for text in ["scope=a&scope=b", "scope=a&scope=a", "scope=&scope=a", "x=1&x=2", "a=1&%61=2"] {
            assert!(parse(text).is_err(), "{text}");
        }
        let said = parse("resource=https%3A%2F%2Fa&resource=https://b&resource=").unwrap();
        assert_eq!(said.all("resource"), ["https://a", "https://b"]);
    }

    #[test]
    fn item_07_an_empty_value_is_none_and_what_nobody_asks_for_is_ignored() {
        let said = parse("&&scope=&client_id=x&=&surprise=1&flag&&").unwrap();
        assert_eq!(said.get("scope"), None);
        assert_eq!(said.get("flag"), None);
        assert_eq!(said.get("client_id"), Some("x"));
        assert!(said.required("scope").is_err());
    }

    #[test]
    fn attack_32_what_cannot_be_read_in_one_way_or_is_too_much_is_refused() {
        for text in ["a=%", "a=%4", "a=%zz", "a=%ff", "a=%00", "%C0%80=1"] {
            assert!(parse(text).is_err(), "{text}");
        }
        let many = (0..1_000).map(|number| format!("p{number}=1")).collect::<Vec<_>>().join("&");
        assert!(parse(&many).is_err());
        assert!(parse(&format!("a={}", "x".repeat(FORM_BYTES_MAX))).is_err());
    }

    #[test]
    fn a_value_is_what_was_meant() {
        let said = parse("a=1+2%2B3%20%E9%96%A2=&b=c%3Dd").unwrap();
        assert_eq!(said.get("a"), Some("1 2+3 \u{95a2}="));
        assert_eq!(said.get("b"), Some("c=d"));
    }

    #[test]
    fn item_02_a_body_that_is_no_form_is_refused_however_odd_its_type() {
        let headers = |types: &[&'static str]| {
            let values =
                types.iter().map(|value| (header::CONTENT_TYPE, http::HeaderValue::from_static(value)));
            let mut headers = HeaderMap::new();
            values.for_each(|(name, value)| {
                headers.append(name, value);
            });
            headers
        };
        for types in [
            [].as_slice(),
            &["application/json"],
            &["application/x-www-form-urlencoded, application/json"],
            &["application/x-www-form-urlencoded,application/x-www-form-urlencoded"],
            &["application/x-www-form-urlencoded", "application/json"],
            &["multipart/form-data; boundary=application/x-www-form-urlencoded"],
            &[""],
            &[";"],
        ] {
            assert!(must_be_a_form(&headers(types)).is_err(), "{types:?}");
        }
        for good in [FORM, "Application/X-WWW-Form-Urlencoded ; charset=UTF-8"] {
            assert!(must_be_a_form(&headers(&[good])).is_ok(), "{good}");
        }
    }
}
