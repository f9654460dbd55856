//! How long a document is good, as its headers say (RFC 9111, 5.2), within bounds: not so short that one person's way through the pages needs it
//! twice, and not longer than a day.

use std::time::Duration;

use http::{HeaderMap, header};

const MIN: Duration = Duration::from_mins(1);
const MAX: Duration = Duration::from_hours(24);
/// Where nothing is said.
const UNSAID: Duration = Duration::from_mins(5);

/// How long the document under these headers is good.
pub(super) fn of(headers: &HeaderMap) -> Duration {
    let said = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let mut directives = said.flat_map(|value| value.split(',')).map(str::trim).peekable();
    if directives.peek().is_none() {
        return UNSAID;
    }
    let mut age = None;
    for directive in directives {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
            return MIN;
        }
        if name.eq_ignore_ascii_case("max-age") {
            age = value.trim_matches('"').parse().ok();
        }
    }
    age.map_or(UNSAID, Duration::from_secs).clamp(MIN, MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_good_for_as_long_as_it_says_within_bounds() {
        for (said, seconds) in [
            (None, 300),
            (Some("max-age=600"), 600),
            (Some("public, Max-Age=600, must-revalidate"), 600),
            (Some("max-age=0"), 60),
            (Some("max-age=31536000"), 86_400),
            (Some("max-age=99999999999999999999999"), 300),
            (Some("max-age=-1"), 300),
            (Some("max-age=600, no-store"), 60),
            (Some("no-cache"), 60),
            (Some("public"), 300),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(said) = said {
                headers.insert(header::CACHE_CONTROL, said.parse().unwrap());
            }
            assert_eq!(of(&headers).as_secs(), seconds, "{said:?}");
        }
    }
}
