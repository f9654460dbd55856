//! What a caller is told of a limit: the fields `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10, 3 and 4), and
//! `Retry-After` (RFC 9110, 10.2.3) where they have to wait.

use http::{HeaderMap, HeaderName, HeaderValue, header};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// What is left of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    pub(super) policy: &'static str,
    /// Requests in a window, at this node.
    pub(super) quota: u32,
    pub(super) window_seconds: u32,
    /// Requests that are let through right now.
    pub(super) remaining: u32,
    /// When the bucket is full again.
    pub(super) refilled_in_seconds: u64,
}

/// Too many requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMany {
    pub(super) left: Left,
    pub(super) wait_seconds: u64,
}

impl Left {
    /// Of something that is not counted.
    pub(super) const fn uncounted() -> Self {
        Self { policy: "", quota: 0, window_seconds: 0, remaining: 0, refilled_in_seconds: 0 }
    }

    /// Says it in an answer, unless a narrower limit was told there already.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        if !self.policy.is_empty() && !headers.contains_key(LIMIT) {
            self.write(headers, self.refilled_in_seconds);
        }
    }

    fn write(&self, headers: &mut HeaderMap, seconds: u64) {
        let Self { policy, quota, window_seconds, remaining, .. } = self;
        let fields = [
            (POLICY, format!("\"{policy}\";q={quota};w={window_seconds}")),
            (LIMIT, format!("\"{policy}\";r={remaining};t={seconds}")),
        ];
        for (name, text) in fields {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(name, value);
            }
        }
    }
}

impl TooMany {
    /// Who has asked too often: `address`, `client`, `organization` or `person`.
    pub(crate) const fn who(&self) -> &'static str {
        self.left.policy
    }

    /// Says it in a refusal.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        self.left.write(headers, self.wait_seconds);
        headers.insert(header::RETRY_AFTER, HeaderValue::from(self.wait_seconds));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEFT: Left =
        Left { policy: "client", quota: 10, window_seconds: 60, remaining: 0, refilled_in_seconds: 60 };

    #[test]
    fn whoever_has_to_wait_is_told_by_which_limit_and_how_long() {
        let mut headers = HeaderMap::new();
        TooMany { left: LEFT, wait_seconds: 6 }.tell(&mut headers);
        assert_eq!(headers["ratelimit-policy"], "\"client\";q=10;w=60");
        assert_eq!(headers["ratelimit"], "\"client\";r=0;t=6");
        assert_eq!(headers["retry-after"], "6");
        // The wider limit, told on the way out, leaves that as it is.
        Left { policy: "address", remaining: 5, ..LEFT }.tell(&mut headers);
        assert_eq!(headers["ratelimit"], "\"client\";r=0;t=6");
    }
}
