//! What is refused, with which code; then what is read, and that the bytes stay.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::error::code;

fn parse(json: &str) -> Result<Message, EnvelopeError> {
    Message::parse(Bytes::copy_from_slice(json.as_bytes()))
}

fn message(json: &str) -> Message {
    parse(json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

fn refused(json: &str) -> EnvelopeError {
    parse(json).expect_err(json)
}

#[test]
fn what_is_not_utf8_or_not_json_is_a_parse_error() {
    let not_utf8 = Message::parse(Bytes::from_static(b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}"));
    assert_eq!(not_utf8.expect_err("refused"), EnvelopeError::NotUtf8);
    for json in [
        "",
        " ",
        "{",
        "[",
        "[1,]",
        "nul",
        "{\"a\":}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"x\"} {}",
        "\u{feff}{}",
        "{'a':1}",
    ] {
        let error = refused(json);
        assert_eq!((error.rpc_error().code(), error.reason()), (code::PARSE_ERROR, "not-json"), "{json}");
    }
}

#[test]
fn batches_and_scalars_are_no_message() {
    for json in
        ["[]", "[{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":1}]", "null", "7", "\"{}\"", " true "]
    {
        assert_eq!(refused(json), EnvelopeError::NotAnObject, "{json}");
        assert_eq!(refused(json).rpc_error().code(), code::INVALID_REQUEST);
    }
}

#[test]
fn ten_thousand_brackets_are_refused_without_recursion() {
    let deep = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{}{}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    assert_eq!(refused(&deep), EnvelopeError::TooDeep);
    let deep = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{}1{}}}"#,
        r#"{"a":"#.repeat(10_000),
        "}".repeat(10_000)
    );
    assert_eq!(refused(&deep), EnvelopeError::TooDeep);
}

#[test]
fn wrong_types_are_refused_by_name() {
    for (json, error) in [
        (r#"{"id":1,"method":"x"}"#, EnvelopeError::WrongVersion),
        (r#"{"jsonrpc":"1.0","id":1,"method":"x"}"#, EnvelopeError::WrongVersion),
        (r#"{"jsonrpc":2.0,"id":1,"method":"x"}"#, EnvelopeError::WrongVersion),
        (r#"{"jsonrpc":"2.0","id":null,"method":"x"}"#, EnvelopeError::WrongType("id")),
        (r#"{"jsonrpc":"2.0","id":[1],"method":"x"}"#, EnvelopeError::WrongType("id")),
        (r#"{"jsonrpc":"2.0","id":true,"method":"x"}"#, EnvelopeError::WrongType("id")),
        (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, EnvelopeError::WrongType("method")),
        (r#"{"jsonrpc":"2.0","id":1,"method":null}"#, EnvelopeError::WrongType("method")),
        (r#"{"jsonrpc":"2.0","id":1,"method":"x","params":[]}"#, EnvelopeError::WrongType("params")),
        (r#"{"jsonrpc":"2.0","id":1,"method":"x","params":"y"}"#, EnvelopeError::WrongType("params")),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":[]}}"#,
            EnvelopeError::WrongType("params._meta"),
        ),
        (r#"{"jsonrpc":"2.0","id":null,"result":{}}"#, EnvelopeError::WrongType("id")),
        (r#"{"jsonrpc":"2.0","result":{}}"#, EnvelopeError::WrongType("id")),
        (r#"{"jsonrpc":"2.0","id":1,"result":[]}"#, EnvelopeError::WrongType("result")),
        (r#"{"jsonrpc":"2.0","id":1,"result":[{"tools":[]}]}"#, EnvelopeError::WrongType("result")),
        (r#"{"jsonrpc":"2.0","id":1,"result":true}"#, EnvelopeError::WrongType("result")),
        (r#"{"jsonrpc":"2.0","id":1,"error":[-32600,"no"]}"#, EnvelopeError::WrongType("error")),
        (r#"{"jsonrpc":"2.0","id":1,"error":null}"#, EnvelopeError::WrongType("error")),
        (r#"{"jsonrpc":"2.0","id":1}"#, EnvelopeError::NoKind),
        (r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#, EnvelopeError::TwoKinds),
        (r#"{"jsonrpc":"2.0","id":1,"method":"x","result":{}}"#, EnvelopeError::TwoKinds),
    ] {
        assert_eq!(refused(json), error, "{json}");
    }
}

#[test]
fn a_member_that_is_read_may_not_stand_there_twice_however_it_is_spelled() {
    for (json, member) in [
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call"}"#, "method"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","m\u0065thod":"tools/call"}"#, "method"),
        (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"x"}"#, "id"),
        (r#"{"jsonrpc":"2.0","jsonrpc":"2.0","id":2,"method":"x"}"#, "jsonrpc"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{},"params":{}}"#, "params"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}"#, "params.name"),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","\u006eame":"b"}}"#,
            "params.name",
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"a","uri":"b"}}"#,
            "params.uri",
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskId":"a","taskId":"b"}}"#,
            "params.taskId",
        ),
        (r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":{},"_meta":{}}}"#, "params._meta"),
        (r#"{"jsonrpc":"2.0","id":1,"result":{},"result":{}}"#, "result"),
    ] {
        assert_eq!(refused(json), EnvelopeError::Duplicate(member), "{json}");
    }
}

#[test]
fn a_member_that_a_case_folding_reader_would_take_is_refused() {
    for (json, member) in [
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","Method":"tools/call"}"#, "method"),
        (r#"{"jsonrpc":"2.0","ID":1,"method":"x"}"#, "id"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"x","param\u017f":{}}"#, "params"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","Name":"b"}}"#, "name"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"a","URI":"b"}}"#, "uri"),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tasks/get\",\"params\":{\"taskId\":\"a\",\"tas\u{212a}Id\":\"b\"}}",
            "taskId",
        ),
    ] {
        assert_eq!(refused(json), EnvelopeError::LookAlike(member), "{json}");
    }
    message(r#"{"jsonrpc":"2.0","id":1,"method":"vendor/x","params":{"Name":1,"URI":2}}"#);
    message(
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"Name":1,"Name":2}}}"#,
    );
}

#[test]
fn a_tool_call_must_name_its_tool_and_the_refusal_names_the_request() {
    for params in [
        "",
        r#","params":{}"#,
        r#","params":null"#,
        r#","params":{"name":7}"#,
        r#","params":{"name":"\ud800"}"#,
    ] {
        let json = format!(r#"{{"jsonrpc":"2.0","id":1.0,"method":"tools/call"{params}}}"#);
        let error = refused(&json);
        assert_eq!(error.rpc_error().code(), code::INVALID_PARAMS);
        assert_eq!(
            Message::readable_id(json.as_bytes()).as_ref().map(RequestId::as_json),
            Some("1.0"),
            "{params}"
        );
    }
}

#[test]
fn the_id_of_a_refused_message_is_read_where_it_can_mean_one_thing() {
    let read = |json: &str| Message::readable_id(json.as_bytes()).map(|id| id.as_json().to_owned());
    for json in [
        "",
        "[]",
        r#"{"id":1"#,
        r#"{"id":1} x"#,
        r#"{"id":1,"id":2}"#,
        r#"{"id":null}"#,
        r#"{"id":{}}"#,
        "{}",
    ] {
        assert_eq!(read(json), None, "{json}");
    }
    for json in [
        r#"{"id":"a"}"#,
        r#"{"jsonrpc":"1.0","id":"a","method":"ping"}"#,
        r#"{"jsonrpc":"2.0","Method":"x","id":"a","method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":"a","method":7}"#,
    ] {
        assert!(Message::parse(Bytes::copy_from_slice(json.as_bytes())).is_err());
        assert_eq!(read(json).as_deref(), Some("\"a\""), "{json}");
    }
}

#[test]
fn a_request_is_read_and_its_bytes_stay() {
    let bytes = Bytes::from_static(
        br#" {"params":{"arguments":{"n":1.50,"e":1e400,"s":"\ud800"},"n\u0061me":"ech\u006f","_meta":{"progressToken": 7.0,
        "io.modelcontextprotocol/protocolVersion":"2026-07-28"}},"id":"\u0041","method":"tools/call","jsonrpc":"2.0","x":[1]} "#,
    );
    let read = Message::parse(bytes.clone()).expect("a request");
    assert_eq!(read.bytes().as_ptr(), bytes.as_ptr());
    assert_eq!(read.method(), Some("tools/call"));
    assert_eq!(read.id().map(RequestId::as_json), Some(r#""\u0041""#));
    assert_eq!(read.tool_name(), Some("echo"));
    assert_eq!(read.target(), Some("echo"));
    assert_eq!(read.progress_token(), Some("7.0"));
    assert_eq!(read.protocol_version(), Some("2026-07-28"));
    assert_eq!(read.into_bytes(), bytes);
}

#[test]
fn the_target_is_the_parameter_of_the_method() {
    let read = |method: &str| {
        let json = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{"name":"n","uri":"u","taskId":"t"}}}}"#
        );
        let read = message(&json);
        (read.target().map(str::to_owned), read.tool_name().is_some())
    };
    assert_eq!(read("prompts/get"), (Some("n".to_owned()), false));
    assert_eq!(read("resources/read"), (Some("u".to_owned()), false));
    assert_eq!(read("tasks/cancel"), (Some("t".to_owned()), false));
    assert_eq!(read("completion/complete"), (None, false));
}

#[test]
fn a_notification_of_a_tool_call_still_names_its_tool() {
    let read = message(r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"rm"}}"#);
    assert_eq!((read.kind(), read.tool_name()), (&MessageKind::Notification, Some("rm")));
}

#[test]
fn responses_are_told_by_their_outcome() {
    let read = message(r#"{"jsonrpc":"2.0","id":"a","result":null}"#);
    assert!(matches!(read.kind(), MessageKind::Response { id: Some(_), outcome: Outcome::Result }));
    for json in [r#"{"jsonrpc":"2.0","id":null,"error":{}}"#, r#"{"jsonrpc":"2.0","error":{}}"#] {
        assert_eq!(message(json).kind(), &MessageKind::Response { id: None, outcome: Outcome::Error });
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Message::parse(Bytes::from(bytes));
    }

    #[test]
    fn no_nearly_right_text_makes_it_panic(
        text in r#"\{("jsonrpc":"2.0"|"id":[0-9.e]{1,4}|"method":"[a-z/\\u0-9]{1,8}"|"params":\{("name":"[a\\"]{0,3}",?)*\}|[,:\[\]{}" ]){0,8}\}?"#
    ) {
        let _ = parse(&text);
    }

    #[test]
    fn any_name_is_read_as_it_was_meant(name in any::<String>()) {
        let json = serde_json::json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name}}).to_string();
        let read = parse(&json).unwrap();
        prop_assert_eq!(read.tool_name(), Some(&*name));
        prop_assert_eq!(&read.bytes()[..], json.as_bytes());
    }
}

#[test]
fn arguments_are_shown_as_they_came_and_not_when_they_are_there_twice() {
    let arguments = |params: &str| {
        let json = format!(
            r#"{{ "params" : {{"name":"x",{params}}}, "jsonrpc":"2.0","id":1,"method":"tools/call"}}"#
        );
        message(&json).arguments().map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
    };
    assert_eq!(arguments(r#""arguments":{"a":1},"arguments":{"a":2}"#), None);
    assert_eq!(arguments(r#""other":1"#), None);
    assert_eq!(
        arguments(r#""arguments": {"a": [1,  2], "ü":"\u00fc"} "#).unwrap(),
        r#"{"a": [1,  2], "ü":"\u00fc"}"#
    );
    assert_eq!(arguments(r#""argu\u006dents":7"#).unwrap(), "7");
}
