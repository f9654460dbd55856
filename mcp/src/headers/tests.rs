//! Headers against bodies, era by era; then media types.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::*;
use crate::envelope::Message;
use crate::error::code;
use crate::revision::{Era, Revision};

const SPOKEN: [Revision; 3] = [Revision::V2025_06_18, Revision::V2025_11_25, Revision::V2026_07_28];

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"));
    }
    headers
}

fn request(method: &str, params: &str) -> Message {
    let json = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
    Message::parse(Bytes::from(json)).expect("a message")
}

fn modern(method: &str, param: &str, revision: &str) -> Message {
    let meta = format!(
        r#""_meta":{{"io.modelcontextprotocol/protocolVersion":"{revision}","io.modelcontextprotocol/clientCapabilities":{{}}}}"#
    );
    request(method, &format!("{{{param}{meta}}}"))
}

fn check(lines: &[(&'static str, &str)], message: &Message) -> Result<Stated, HeaderError> {
    check_message(&headers(lines), message, &SPOKEN)
}

const V: (&str, &str) = ("mcp-protocol-version", "2026-07-28");
const CALL: (&str, &str) = ("mcp-method", "tools/call");

#[test]
fn a_standard_header_may_have_one_line_in_any_era() {
    let message = request("tools/call", r#"{"name":"a"}"#);
    for name in [
        "mcp-protocol-version",
        "mcp-method",
        "mcp-name",
        "mcp-session-id",
        "last-event-id",
        "content-type",
        "mcp-param-x",
    ] {
        let lines = [(name, "2025-06-18"), (name, "2025-06-18")];
        assert!(matches!(check(&lines, &message), Err(HeaderError::Duplicate(_))), "{name}");
        assert!(check_bodiless(&headers(&lines), &SPOKEN).is_err(), "{name}");
    }
    let lines =
        [("accept", "application/json"), ("accept", "text/event-stream"), ("x-any", "1"), ("x-any", "2")];
    assert!(check(&lines, &message).is_ok());
}

#[test]
fn a_modern_request_must_repeat_version_method_and_name() {
    let call = modern("tools/call", r#""name":"echo","#, "2026-07-28");
    assert_eq!(check(&[CALL, ("mcp-name", "echo")], &call), Err(HeaderError::Missing(MCP_PROTOCOL_VERSION)));
    assert_eq!(check(&[V, ("mcp-name", "echo")], &call), Err(HeaderError::Missing(MCP_METHOD)));
    assert_eq!(check(&[V, CALL], &call), Err(HeaderError::Missing(MCP_NAME)));
    let read = modern("resources/read", r#""uri":"test://a","#, "2026-07-28");
    assert_eq!(check(&[V, ("mcp-method", "resources/read")], &read), Err(HeaderError::Missing(MCP_NAME)));
    let task = modern("tasks/get", r#""taskId":"t","#, "2026-07-28");
    assert_eq!(check(&[V, ("mcp-method", "tasks/get")], &task), Err(HeaderError::Missing(MCP_NAME)));
}

#[test]
fn a_header_that_says_something_else_than_the_body_is_refused_in_any_era() {
    let call = modern("tools/call", r#""name":"echo","#, "2026-07-28");
    for lines in [
        &[("mcp-protocol-version", "2025-11-25"), CALL, ("mcp-name", "echo")],
        &[V, ("mcp-method", "Tools/Call"), ("mcp-name", "echo")],
        &[V, CALL, ("mcp-name", "Echo")],
        &[V, CALL, ("mcp-name", "=?base64?cm0=?=")],
    ] {
        let error = check(lines, &call).expect_err("refused");
        assert!(matches!(error, HeaderError::Mismatch(_)), "{lines:?}");
        assert_eq!(
            (error.status(), error.rpc_error().code()),
            (StatusCode::BAD_REQUEST, code::HEADER_MISMATCH)
        );
    }
    let legacy = request("tools/call", r#"{"name":"echo"}"#);
    let lines = [("mcp-protocol-version", "2025-11-25"), ("mcp-name", "rm")];
    assert_eq!(check(&lines, &legacy), Err(HeaderError::Mismatch(MCP_NAME)));
}

#[test]
fn a_value_that_cannot_be_decoded_is_malformed() {
    let call = modern("tools/call", r#""name":"echo","#, "2026-07-28");
    for value in ["=?base64?%%%?=", "=?base64?/w==?="] {
        assert_eq!(
            check(&[V, CALL, ("mcp-name", value)], &call),
            Err(HeaderError::Malformed(MCP_NAME)),
            "{value}"
        );
    }
    let mut not_ascii = headers(&[V, CALL]);
    not_ascii.insert(MCP_NAME, HeaderValue::from_bytes(b"ech\xf6").expect("opaque bytes"));
    assert_eq!(check_message(&not_ascii, &call, &SPOKEN), Err(HeaderError::Malformed(MCP_NAME)));
}

#[test]
fn an_unknown_version_is_answered_in_the_words_of_its_era() {
    let lines = [("mcp-protocol-version", "2099-01-01"), ("mcp-method", "ping")];
    let error = check(&lines, &modern("ping", "", "2099-01-01")).expect_err("refused");
    let body = error.rpc_error().body(None);
    let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(body["error"]["code"], code::UNSUPPORTED_PROTOCOL_VERSION);
    assert_eq!(body["error"]["data"]["requested"], "2099-01-01");
    assert_eq!(body["error"]["data"]["supported"], serde_json::json!(["2026-07-28"]));
    assert_eq!(check(&lines, &request("ping", "{}")), Err(HeaderError::UnsupportedLegacyVersion));
    let modern_without_meta = check_message(&headers(&[V]), &request("ping", "{}"), &[Revision::V2025_06_18]);
    assert!(matches!(modern_without_meta, Err(HeaderError::UnsupportedVersion { .. })));
    assert!(check_bodiless(&headers(&lines), &SPOKEN).is_err());
}

#[test]
fn legacy_requests_need_no_headers_and_modern_ones_may_encode_their_name() {
    let initialize = request("initialize", r#"{"protocolVersion":"2025-06-18"}"#);
    assert_eq!(check(&[], &initialize), Ok(Stated { era: Era::Legacy, revision: None }));
    let stated = check(&[("mcp-protocol-version", " 2025-11-25 ")], &request("tools/list", "{}"));
    assert_eq!(stated, Ok(Stated { era: Era::Legacy, revision: Some(Revision::V2025_11_25) }));
    let call = modern("tools/call", r#""name":"größe","#, "2026-07-28");
    let stated = check(&[V, CALL, ("mcp-name", "=?base64?Z3LDtsOfZQ==?=")], &call);
    assert_eq!(stated, Ok(Stated { era: Era::Modern, revision: Some(Revision::V2026_07_28) }));
}

#[test]
fn a_modern_notification_reaches_the_upstream_without_mirrors() {
    let json = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    let notification = Message::parse(Bytes::from(json)).expect("a message");
    assert_eq!(check(&[V], &notification).map(|stated| stated.era), Ok(Era::Modern));
}

#[test]
fn a_modern_request_that_does_not_say_what_it_must_is_refused_by_the_member_that_is_missing() {
    let version = "io.modelcontextprotocol/protocolVersion";
    let capabilities = "io.modelcontextprotocol/clientCapabilities";
    let only_version = format!(r#"{{"_meta":{{"{version}":"2026-07-28"}}}}"#);
    let no_object = format!(r#"{{"_meta":{{"{version}":"2026-07-28","{capabilities}":[]}}}}"#);
    for (params, member) in [
        ("{}", version),
        ("null", version),
        (r#"{"_meta":{}}"#, version),
        (&only_version, capabilities),
        (&no_object, capabilities),
    ] {
        let error =
            check(&[V, ("mcp-method", "tools/list")], &request("tools/list", params)).expect_err(params);
        assert_eq!(error, HeaderError::MetaMissing(member));
        assert_eq!(
            (error.status(), error.rpc_error().code()),
            (StatusCode::BAD_REQUEST, code::INVALID_PARAMS)
        );
    }
}

#[test]
fn a_method_that_the_modern_revision_took_away_does_not_exist_in_its_form_and_does_in_the_legacy_one() {
    for method in [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "tasks/result",
    ] {
        let error = check(&[V, ("mcp-method", method)], &modern(method, "", "2026-07-28")).expect_err(method);
        assert_eq!(
            (error.status(), error.rpc_error().code()),
            (StatusCode::NOT_FOUND, code::METHOD_NOT_FOUND)
        );
        assert!(check(&[], &request(method, "{}")).is_ok(), "{method}");
    }
}

#[test]
fn a_post_that_is_not_json_is_415_and_one_that_takes_no_answer_406() {
    for content in ["", "text/plain", "application/jsonx", "application/x-www-form-urlencoded"] {
        let error = check_post_media(&headers(&[("content-type", content)])).expect_err(content);
        assert_eq!(error.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    assert!(check_post_media(&HeaderMap::new()).is_err());
    for accept in ["text/html", "application/json;q=0", "text/plain, image/*", "*/*;q=0, text/html"] {
        let error = check_post_media(&headers(&[("content-type", "application/json"), ("accept", accept)]));
        assert_eq!(error.map_err(MediaError::status), Err(StatusCode::NOT_ACCEPTABLE), "{accept}");
    }
}

#[test]
fn a_post_takes_json_or_events_in_any_spelling() {
    for accept in
        ["application/json, text/event-stream", "TEXT/EVENT-STREAM;q=0.5", "*/*", "application/*;q=0.1"]
    {
        let lines = [("content-type", "Application/JSON; charset=utf-8"), ("accept", accept)];
        assert_eq!(check_post_media(&headers(&lines)), Ok(()), "{accept}");
    }
    assert_eq!(check_post_media(&headers(&[("content-type", "application/json")])), Ok(()));
}

#[test]
fn a_get_must_ask_for_events_by_name() {
    for accept in ["*/*", "text/html, */*;q=0.8", "application/json", "text/event-stream;q=0"] {
        assert_eq!(
            check_get_media(&headers(&[("accept", accept)])),
            Err(MediaError::NotAcceptable),
            "{accept}"
        );
    }
    assert!(check_get_media(&HeaderMap::new()).is_err());
    let mut two_lines = headers(&[("accept", "application/json")]);
    two_lines.append(header::ACCEPT, HeaderValue::from_static("text/event-stream"));
    assert_eq!(check_get_media(&two_lines), Ok(()));
}
