//! How long something is good, as its headers say (RFC 9111, 5.2), within the bounds of its kind.

use std::time::Duration;

use http::{HeaderMap, header};

/// Where nothing is said.
const UNSAID: Duration = Duration::from_mins(5);

/// How short and how long something may be good, whatever is said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) min: Duration,
    pub(super) max: Duration,
}

impl Bounds {
    /// How long what came under these headers is good.
    pub(super) fn of(self, headers: &HeaderMap) -> Duration {
        self.within(said(headers).unwrap_or(UNSAID))
    }

    fn within(self, good: Duration) -> Duration {
        good.min(self.max).max(self.min)
    }
}

fn said(headers: &HeaderMap) -> Option<Duration> {
    let said = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let mut age = None;
    for directive in said.flat_map(|value| value.split(',')).map(str::trim) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
            return Some(Duration::ZERO);
        }
        if name.eq_ignore_ascii_case("max-age") {
            age = value.trim_matches('"').parse().ok();
        }
    }
    age.map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_good_for_as_long_as_it_says_within_bounds() {
        let bounds = Bounds { min: Duration::from_mins(1), max: Duration::from_hours(24) };
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
            assert_eq!(bounds.of(&headers).as_secs(), seconds, "{said:?}");
        }
    }
}
