//! Where a form was sent from. A browser says so in headers that no script can write (Fetch, 3.2; Fetch Metadata); the token in the form is the
//! second lock, and the cookie's `SameSite=Lax` the third.

use http::{HeaderMap, header};

/// Whether a form came from a page of ours. Our pages tell no referrer, so their forms come with `Origin: null`, which a foreign sandbox could
/// send as well: then what counts is `Sec-Fetch-Site`. Whoever sends neither header is no browser, and rides on nobody's cookie.
pub(super) fn is_ours(headers: &HeaderMap, origin: &str) -> bool {
    let site = values(headers, "sec-fetch-site");
    let from = values(headers, header::ORIGIN.as_str());
    match (from.as_slice(), site.as_slice()) {
        ([], []) => true,
        ([from], []) => *from == Some(origin),
        ([], [site]) => *site == Some("same-origin"),
        ([from], [site]) => *site == Some("same-origin") && (*from == Some(origin) || *from == Some("null")),
        (_, _) => false,
    }
}

fn values<'a>(headers: &'a HeaderMap, name: &str) -> Vec<Option<&'a str>> {
    headers.get_all(name).iter().map(|value| value.to_str().ok()).collect()
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn ours(lines: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        is_ours(&headers, "https://a.example")
    }

    #[test]
    fn attack_06_a_form_from_elsewhere_is_not_ours() {
        for lines in [
            [("origin", "https://evil.example")].as_slice(),
            &[("origin", "null")],
            &[("origin", "http://a.example")],
            &[("origin", "https://a.example.evil.example")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "https://a.example"), ("sec-fetch-site", "cross-site")],
            &[("origin", "null"), ("sec-fetch-site", "cross-site")],
            &[("origin", "https://a.example"), ("origin", "https://evil.example")],
        ] {
            assert!(!ours(lines), "{lines:?}");
        }
    }

    #[test]
    fn a_form_of_ours_is() {
        assert!(ours(&[("origin", "https://a.example"), ("sec-fetch-site", "same-origin")]));
        assert!(ours(&[("origin", "null"), ("sec-fetch-site", "same-origin")]));
        assert!(ours(&[("origin", "https://a.example")]));
        assert!(ours(&[]));
    }
}
