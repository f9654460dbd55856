//! Names that lead to one tool and back, lists that show nothing twice, and messages of which only what must change does.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::envelope::{Message, RequestId};
use crate::revision::Era;

fn id() -> RequestId {
    RequestId::parse("1.0").expect("an id")
}

fn bytes(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}

fn read(bytes: &Bytes) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

#[test]
fn a_tool_that_not_every_client_could_call_is_not_exposed() {
    assert_eq!(exposed("wiki", "fs.read"), Err(Unexposable::Characters));
    assert_eq!(exposed("wiki", ""), Err(Unexposable::Characters));
    assert_eq!(exposed("wiki", "結"), Err(Unexposable::Characters));
    assert_eq!(exposed("wiki", &"a".repeat(59)), Err(Unexposable::TooLong));
    assert_eq!(exposed("wiki", &"a".repeat(58)).map(|name| name.len()), Ok(EXPOSED_NAME_CHARS_MAX));
    assert_eq!(exposed("wiki", "_-").as_deref(), Ok("wiki___-"));
}

proptest! {
    #[test]
    fn an_exposed_name_leads_to_exactly_one_member_and_back(
        tools in prop::collection::btree_set(("[a-z0-9][a-z0-9-]{0,3}", "[a_-]{1,4}"), 1..40),
    ) {
        let mut names = BTreeMap::new();
        for (member, tool) in &tools {
            let name = exposed(member, tool).expect("short enough");
            prop_assert_eq!(name.split_once("__"), Some((member.as_str(), tool.as_str())));
            prop_assert_eq!(names.insert(name, (member, tool)), None, "two tools under one name");
        }
    }
}

#[test]
fn what_cannot_be_read_as_a_list_adds_nothing() {
    let mut merged = MergedList::new(Listed::Tools);
    for bad in [
        json!({ "error": { "code": -32601 } }),
        json!({ "result": {} }),
        json!({ "result": { "tools": [{}] } }),
    ] {
        assert!(merged.add("wiki", &bytes(&bad), |_, _| true).is_err(), "{bad}");
    }
    let answer = read(&merged.answer(&id(), Era::Legacy, None, &[]));
    assert_eq!(answer["result"], json!({ "tools": [] }));
}

#[test]
fn tools_of_several_stay_the_text_that_they_were_but_for_their_names() {
    let mut merged = MergedList::new(Listed::Tools);
    let wiki = r#"{"id":1,"result":{"tools":[{"x":1e2, "name" : "a\u0064d","annotations":{"name":"add"}},{"name":"hidden"}],"nextCursor":"n","ttlMs":9}}"#;
    let next = merged.add("wiki", &Bytes::from(wiki), |name, _| !name.ends_with("hidden")).expect("a list");
    assert_eq!(next.as_deref(), Some("n"));
    let desk = r#"{"result":{"tools":[{"name":"add"}],"ttlMs":7}}"#;
    assert_eq!(merged.add("desk", &Bytes::from(desk), |_, _| true), Ok(None));
    let answer = merged.answer(&id(), Era::Modern, Some("c".to_owned()), &[]);
    let text = std::str::from_utf8(&answer).expect("text");
    let tools = r#""result":{"tools":[{"x":1e2, "name" : "wiki__add","annotations":{"name":"add"}},{"name":"desk__add"}],"#;
    assert!(text.starts_with(&format!(r#"{{"jsonrpc":"2.0","id":1.0,{tools}"#)), "{text}");
    let result = &read(&answer)["result"];
    assert_eq!(
        (&result["nextCursor"], &result["ttlMs"], &result["cacheScope"]),
        (&json!("c"), &json!(7), &json!("private"))
    );
    assert_eq!(result.get("_meta"), None);
}

#[test]
fn what_is_left_out_is_named_to_whoever_could_call_it() {
    let mut merged = MergedList::new(Listed::Tools);
    let list = json!({ "result": { "tools": [{ "name": "a.b" }, { "name": "twice" }, { "name": "twice" }, { "name": "c.d" }] } });
    merged.add("wiki", &bytes(&list), |name, _| name != "wiki__c.d").expect("a list");
    let answer = read(&merged.answer(&id(), Era::Modern, None, &[("desk".to_owned(), "upstream-timeout")]));
    assert_eq!(answer["result"]["tools"], json!([{ "name": "wiki__twice" }]));
    assert_eq!(answer["result"]["ttlMs"], 0, "it is not whole");
    let meta = json!({
        "sekisho/missing": [{ "member": "desk", "reason": "upstream-timeout" }],
        "sekisho/withheld": [
            { "member": "wiki", "tool": "a.b", "reason": "name-characters" },
            { "member": "wiki", "tool": "twice", "reason": "name-twice" },
        ],
    });
    assert_eq!(answer["result"]["_meta"], meta);
}

#[test]
fn prompts_are_merged_like_tools() {
    let mut merged = MergedList::new(Listed::Prompts);
    let page = json!({ "result": { "prompts": [{ "name": "review", "arguments": [] }, { "name": "a.b" }] } });
    merged.add("wiki", &bytes(&page), |_, _| true).expect("a list");
    assert!(merged.add("desk", &bytes(&json!({ "result": { "tools": [] } })), |_, _| true).is_err());
    let answer = read(&merged.answer(&id(), Era::Legacy, None, &[]));
    assert_eq!(answer["result"]["prompts"], json!([{ "name": "wiki__review", "arguments": [] }]));
    let withheld = json!([{ "member": "wiki", "prompt": "a.b", "reason": "name-characters" }]);
    assert_eq!(answer["result"]["_meta"]["sekisho/withheld"], withheld);
}

fn asked() -> Message {
    let text = r#"{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"wiki__add","arguments":{"a":1e2,"a":2},"_meta":{
        "io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"sampling":{}},"progressToken":7,"acme/x":1.0}}}"#;
    Message::parse(Bytes::from(text)).expect("a message")
}

#[test]
fn a_call_travels_under_the_servers_own_name_for_its_tool_and_its_arguments_are_the_bytes_that_came() {
    let same = call(&asked(), "5", "add", Hop::SameEra).expect("a call");
    let text = std::str::from_utf8(&same).expect("text");
    assert!(text.contains(r#""arguments":{"a":1e2,"a":2}"#) && text.contains(r#""name":"add""#), "{text}");
    assert_eq!(read(&same)["params"]["_meta"], read(asked().bytes())["params"]["_meta"]);
}

#[test]
fn what_a_hop_says_of_itself_goes_no_further() {
    let legacy = read(&call(&asked(), "9", "add", Hop::ToLegacy).expect("a call"));
    assert_eq!(legacy["params"]["_meta"], json!({ "progressToken": 7, "acme/x": 1.0 }));
    assert_eq!(legacy["id"], 9);
    let modern = read(&call(&asked(), "5", "add", Hop::ToModern("gateway")).expect("a call"));
    let meta = &modern["params"]["_meta"];
    assert_eq!(meta["io.modelcontextprotocol/clientCapabilities"], json!({}));
    assert_eq!(meta["io.modelcontextprotocol/clientInfo"]["name"], "gateway");
    assert_eq!(meta["progressToken"], 7);
    let bare = r#"{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"x","_meta":{"io.modelcontextprotocol/a":1}}}"#;
    let bare = Message::parse(Bytes::from(bare)).expect("a message");
    let bare = read(&call(&bare, "5", "y", Hop::ToLegacy).expect("a call"));
    assert_eq!(bare["params"], json!({ "name": "y" }));
}

fn answered(message: &str, from: Era, to: Era) -> Value {
    read(&answer_for(&id(), message.as_bytes(), from, to).expect("an answer"))
}

#[test]
fn what_is_no_answer_is_none() {
    for message in
        ["", "{}", r#"{"method":"x"}"#, r#"{"result":{},"error":{}}"#, r#"{"result":{},"result":{}}"#]
    {
        assert_eq!(answer_for(&id(), message.as_bytes(), Era::Legacy, Era::Modern), None, "{message}");
    }
}

#[test]
fn results_are_written_as_the_clients_era_has_them() {
    let old = r#"{"id":9,"result":{"content":[],"x":1e2}}"#;
    let bytes = answer_for(&id(), old.as_bytes(), Era::Legacy, Era::Modern).expect("an answer");
    assert_eq!(
        bytes,
        r#"{"jsonrpc":"2.0","id":1.0,"result":{"resultType":"complete","content":[],"x":1e2}}"#
    );
    assert_eq!(
        answered(r#"{"result":{ }}"#, Era::Legacy, Era::Modern)["result"],
        json!({ "resultType": "complete" })
    );
    let asks = r#"{"id":9,"result":{"resultType":"input_required","inputRequests":{}}}"#;
    assert_eq!(answered(asks, Era::Modern, Era::Legacy)["error"]["data"]["reason"], "upstream-asks-back");
    let done = r#"{"id":9,"result":{"resultType":"complete","content":[]}}"#;
    assert_eq!(answered(done, Era::Modern, Era::Legacy)["result"]["content"], json!([]));
}

#[test]
fn errors_that_the_clients_era_does_not_know_are_told_in_words_of_every_era() {
    let error = |code: i64| format!(r#"{{"id":9,"error":{{"code":{code},"message":"no","data":1}}}}"#);
    for (code, from, to) in [(-32_042, Era::Legacy, Era::Modern), (-32_021, Era::Modern, Era::Legacy)] {
        let told = answered(&error(code), from, to);
        assert_eq!((&told["error"]["code"], &told["error"]["message"]), (&json!(-32_603), &json!("no")));
    }
    for (code, from, to) in [(-32_602, Era::Legacy, Era::Modern), (-32_042, Era::Legacy, Era::Legacy)] {
        assert_eq!(
            answered(&error(code), from, to)["error"],
            json!({ "code": code, "message": "no", "data": 1 })
        );
    }
}
