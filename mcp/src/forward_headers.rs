//! Which headers travel through, in both directions: a list of what may pass, never of what may not.
//!
//! A header that nobody thought of stays here. So the caller's credential cannot leak to an upstream under a name that
//! some product invented, and an upstream cannot set cookies or authentication challenges in our name.
//!
//! Absent on purpose: `Mcp-Session-Id`, in both directions. A session belongs to one hop and one principal; the
//! caller of this crate decides which one it is and sets the header itself.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use crate::headers::{
    LAST_EVENT_ID, MCP_METHOD, MCP_NAME, MCP_PARAM_PREFIX, MCP_PROTOCOL_VERSION, X_ACCEL_BUFFERING,
};

/// Towards the upstream.
const REQUEST: [HeaderName; 9] = [
    // The form of the exchange: the upstream negotiates with the client, not with us.
    header::ACCEPT,
    header::CONTENT_TYPE,
    // The protocol's own mirrors of the body, checked before.
    MCP_PROTOCOL_VERSION,
    MCP_METHOD,
    MCP_NAME,
    // Resumption of a legacy stream, whose event ids only the upstream understands.
    LAST_EVENT_ID,
    // W3C trace context: a call is one trace from end to end.
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    HeaderName::from_static("baggage"),
];

/// Back to the client.
const RESPONSE: [HeaderName; 6] = [
    // The form of the answer. Its length is set by whoever writes the body: a list may have become shorter.
    header::CONTENT_TYPE,
    MCP_PROTOCOL_VERSION,
    // How long it may be kept, and by whom; and that a stream must not be held back.
    header::CACHE_CONTROL,
    X_ACCEL_BUFFERING,
    // What the client may do after a refusal: when to come back, with which verb.
    header::RETRY_AFTER,
    header::ALLOW,
];

/// The headers of a client request that go to the upstream. `Accept` is filled in when the client left it out,
/// because servers insist on it.
pub fn request(method: &Method, headers: &HeaderMap) -> HeaderMap {
    let mut forwarded = HeaderMap::with_capacity(16); // room for the caller's own: credential, session
    for (name, value) in headers {
        if REQUEST.contains(name) || name.as_str().starts_with(MCP_PARAM_PREFIX) {
            forwarded.append(name.clone(), value.clone());
        }
    }
    let accept =
        if method == Method::GET { "text/event-stream" } else { "application/json, text/event-stream" };
    forwarded.entry(header::ACCEPT).or_insert(HeaderValue::from_static(accept));
    forwarded
}

/// The headers of an upstream answer that go to the client.
pub fn response(headers: &HeaderMap) -> HeaderMap {
    let mut returned = HeaderMap::with_capacity(8);
    for (name, value) in headers {
        if RESPONSE.contains(name) {
            returned.append(name.clone(), value.clone());
        }
    }
    returned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(names: &[&'static str]) -> HeaderMap {
        names.iter().map(|name| (HeaderName::from_static(name), HeaderValue::from_static("v"))).collect()
    }

    #[test]
    fn attack_21_no_credential_address_session_or_hop_header_reaches_the_upstream() {
        let kept_back = headers(&[
            "authorization",
            "x-api-key",
            "api-key",
            "cookie",
            "proxy-authorization",
            "host",
            "origin",
            "referer",
            "forwarded",
            "x-forwarded-for",
            "x-real-ip",
            "connection",
            "keep-alive",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "content-length",
            "accept-encoding",
            "mcp-session-id",
            "user-agent",
            "x-invented-token",
        ]);
        let forwarded = request(&Method::POST, &kept_back);
        assert_eq!(forwarded.keys().collect::<Vec<_>>(), [&header::ACCEPT]);
    }

    #[test]
    fn no_cookie_challenge_session_or_server_name_comes_back() {
        let kept_back = headers(&[
            "set-cookie",
            "www-authenticate",
            "proxy-authenticate",
            "server",
            "mcp-session-id",
            "location",
            "content-length",
            "transfer-encoding",
            "connection",
            "access-control-allow-origin",
            "link",
        ]);
        assert!(response(&kept_back).is_empty());
    }

    #[test]
    fn a_missing_accept_is_filled_in_and_a_given_one_kept() {
        assert_eq!(request(&Method::GET, &HeaderMap::new())[header::ACCEPT], "text/event-stream");
        let both = "application/json, text/event-stream";
        assert_eq!(request(&Method::POST, &HeaderMap::new())[header::ACCEPT], both);
        assert_eq!(request(&Method::POST, &headers(&["accept"]))[header::ACCEPT], "v");
    }

    #[test]
    fn the_protocols_own_headers_and_the_trace_travel_through() {
        let names = [
            "content-type",
            "mcp-protocol-version",
            "mcp-method",
            "mcp-name",
            "mcp-param-region",
            "traceparent",
        ];
        let forwarded = request(&Method::POST, &headers(&names));
        assert!(names.iter().all(|name| forwarded.contains_key(*name)));
        let names =
            ["content-type", "mcp-protocol-version", "cache-control", "retry-after", "x-accel-buffering"];
        let returned = response(&headers(&names));
        assert!(names.iter().all(|name| returned.contains_key(*name)));
    }
}
