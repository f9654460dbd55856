//! W3C Trace Context (Level 1): read from callers, continued to upstreams, written into logs and events.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::random;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Where this request stands in a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TraceContext {
    trace_id: String,
    span_id: String,
    flags: String,
}

impl TraceContext {
    /// The caller's trace with a span of ours in it, or a new trace. A malformed header is ignored, as the standard asks.
    pub(crate) fn current(headers: &HeaderMap) -> Self {
        let mut lines = headers.get_all(&TRACEPARENT).iter();
        let theirs = match (lines.next(), lines.next()) {
            (Some(one), None) => one.to_str().ok().and_then(Self::parse),
            _ => None,
        };
        theirs.unwrap_or_else(|| {
            let mut trace_id = random::hex(16 + 8); // drawn at once
            let span_id = trace_id.split_off(2 * 16);
            Self { trace_id, span_id, flags: "01".to_owned() }
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('-');
        let (version, trace_id, span_id, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let hex = |text: &str, digits: usize| {
            text.len() == digits
                && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        };
        let shape = hex(version, 2) && hex(trace_id, 32) && hex(span_id, 16) && hex(flags, 2);
        let zero = trace_id.bytes().all(|byte| byte == b'0') || span_id.bytes().all(|byte| byte == b'0');
        let later_version = version != "00" || parts.next().is_none();
        if !shape || zero || version == "ff" || !later_version {
            return None;
        }
        Some(Self { trace_id: trace_id.to_owned(), span_id: span_id.to_owned(), flags: flags.to_owned() })
    }

    /// The next span of the same trace.
    #[must_use]
    pub(crate) fn child(&self) -> Self {
        Self { span_id: random::hex(8), ..self.clone() }
    }

    /// The trace's id.
    pub(crate) fn trace_id(&self) -> &str {
        &self.trace_id
    }

    /// Writes `traceparent`; `tracestate`, when the caller sent one, travels on untouched.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let text = format!("00-{}-{}-{}", self.trace_id, self.span_id, self.flags);
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(TRACEPARENT, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (TRACEPARENT, HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn a_malformed_or_doubled_traceparent_starts_a_new_trace() {
        let zero = "00-00000000000000000000000000000000-b7ad6b7169203331-01";
        let upper = "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01";
        for bad in [
            &["x"][..],
            &[zero],
            &[upper],
            &["ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
            &[GOOD, GOOD],
        ] {
            let fresh = TraceContext::current(&headers(bad));
            assert_ne!(fresh.trace_id(), "0af7651916cd43dd8448eb211c80319c", "{bad:?}");
        }
    }

    #[test]
    fn the_trace_goes_on_under_another_span() {
        let mut out = HeaderMap::new();
        TraceContext::current(&headers(&[GOOD])).child().write(&mut out);
        let text = out[TRACEPARENT].to_str().unwrap();
        assert!(
            text.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && text.ends_with("-01") && text != GOOD
        );
    }
}
