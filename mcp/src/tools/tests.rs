//! What is cut, what stays byte for byte, and what is refused.

use proptest::prelude::*;

use super::*;

fn filter(answer: &str, hidden: &[&str]) -> Result<Filtered, ToolsError> {
    let answer = Bytes::copy_from_slice(answer.as_bytes());
    filter_tools(&answer, CacheScope::AsAnswered, |tool| !hidden.contains(&&*tool.name))
}

fn body(answer: &str, hidden: &[&str]) -> String {
    String::from_utf8(filter(answer, hidden).expect("a list").body.to_vec()).expect("UTF-8")
}

#[test]
fn an_error_answer_is_told_apart_from_a_broken_one() {
    let answer = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"no"}}"#;
    assert_eq!(filter(answer, &[]), Err(ToolsError::ErrorAnswer));
    for broken in ["", "[]", "null", "{", r#"{"result":{"tools":[]}} x"#, "\"tools\""] {
        assert_eq!(filter(broken, &[]), Err(ToolsError::NotJson), "{broken}");
    }
}

#[test]
fn the_answer_to_something_else_is_no_list() {
    for answer in [r#"{"result":null}"#, r#"{"result":{}}"#, r#"{"result":{"content":[]}}"#] {
        assert_eq!(filter(answer, &[]), Err(ToolsError::NoList), "{answer}");
    }
}

#[test]
fn a_list_of_another_shape_is_refused() {
    for answer in [
        r"{}",
        r#"{"result":{"tools":{}}}"#,
        r#"{"result":{"tools":[1]}}"#,
        r#"{"result":{"tools":[{}]}}"#,
        r#"{"result":{"tools":[{"name":7}]}}"#,
        r#"{"result":{"tools":[{"name":"\ud800"}]}}"#,
        r#"{"result":{"tools":[]},"error":{}}"#,
    ] {
        assert_eq!(filter(answer, &[]), Err(ToolsError::Shape), "{answer}");
    }
}

#[test]
fn a_member_that_is_read_may_not_stand_there_twice_even_when_escaped() {
    for (answer, member) in [
        (r#"{"result":{"tools":[]},"result":{"tools":[]}}"#, "result"),
        (r#"{"result":{"tools":[],"tools":[{"name":"x"}]}}"#, "tools"),
        (r#"{"result":{"tools":[],"t\u006fols":[{"name":"x"}]}}"#, "tools"),
        (r#"{"result":{"tools":[{"name":"a","name":"b"}]}}"#, "name"),
        (
            r#"{"result":{"tools":[{"name":"a","annotations":{"readOnlyHint":false,"readOnlyHint":true}}]}}"#,
            "readOnlyHint",
        ),
        (r#"{"result":{"tools":[],"cacheScope":"private","cacheScope":"public"}}"#, "cacheScope"),
    ] {
        assert_eq!(filter(answer, &[]), Err(ToolsError::Duplicate(member)), "{answer}");
    }
}

#[test]
fn when_nothing_is_removed_the_same_buffer_comes_back() {
    let answer = Bytes::from_static(br#"{ "result" : {"tools":[ {"name":"a"} ], "n":1.50} }"#);
    let filtered = filter_tools(&answer, CacheScope::Private, |_| true).expect("a list");
    assert_eq!(filtered.body.as_ptr(), answer.as_ptr());
    assert_eq!((filtered.kept, filtered.removed), (1, 0));
}

#[test]
fn the_first_a_middle_the_last_and_all_tools_can_go() {
    let list = |tools: &str| {
        format!(
            r#"{{"id":1.0,"result":{{"x":1e3,"tools":[ {tools}
 ],"nextCursor":"c"}}}}"#
        )
    };
    let all = list(r#"{"name":"a"} , {"name":"b", "z":{"q":[1]}} ,{"name":"\u0063"}"#);
    assert_eq!(body(&all, &["a"]), list(r#"{"name":"b", "z":{"q":[1]}} ,{"name":"\u0063"}"#));
    assert_eq!(body(&all, &["b"]), list(r#"{"name":"a"} ,{"name":"\u0063"}"#));
    assert_eq!(body(&all, &["c"]), list(r#"{"name":"a"} , {"name":"b", "z":{"q":[1]}}"#));
    assert_eq!(body(&all, &["a", "c"]), list(r#"{"name":"b", "z":{"q":[1]}}"#));
    assert_eq!(body(&all, &["a", "b", "c"]), list(""));
}

#[test]
fn policy_sees_the_decoded_name_and_the_hint_only_when_it_is_a_boolean() {
    let answer = Bytes::from_static(
        br#"{"result":{"tools":[{"name":"\u0061","annotations":{"readOnlyHint":true}},{"name":"b","annotations":null},
        {"name":"c","annotations":{"readOnlyHint":"true"}}]}}"#,
    );
    let mut seen = Vec::new();
    filter_tools(&answer, CacheScope::AsAnswered, |tool| {
        seen.push((tool.name.to_string(), tool.read_only_hint));
        true
    })
    .expect("a list");
    assert_eq!(seen, [("a".to_owned(), Some(true)), ("b".to_owned(), None), ("c".to_owned(), None)]);
}

#[test]
fn a_public_scope_becomes_private_wherever_it_stands_and_is_never_invented() {
    for (before, after) in [
        (
            r#"{"result":{"cacheScope": "public","tools":[{"name":"a"}]}}"#,
            r#"{"result":{"cacheScope": "private","tools":[]}}"#,
        ),
        (
            r#"{"result":{"tools":[{"name":"a"}],"cacheScope":"public"}}"#,
            r#"{"result":{"tools":[],"cacheScope":"private"}}"#,
        ),
        (r#"{"result":{"tools":[{"name":"a"}]}}"#, r#"{"result":{"tools":[]}}"#),
    ] {
        let filtered = filter_tools(&Bytes::from_static(before.as_bytes()), CacheScope::Private, |_| false);
        assert_eq!(&filtered.expect("a list").body[..], after.as_bytes());
    }
}

proptest! {
    #[test]
    fn cutting_equals_building_the_list_without_them(verdicts in prop::collection::vec(any::<bool>(), 0..8)) {
        let tool = |index: usize| format!(r#"{{"name":"t{index}","n":{index}.0}}"#);
        let list = |indexes: Vec<usize>| {
            let tools: Vec<String> = indexes.into_iter().map(tool).collect();
            format!(r#"{{"result":{{"tools":[{}],"after":0}}}}"#, tools.join(","))
        };
        let all = Bytes::from(list((0..verdicts.len()).collect()));
        let mut next = verdicts.iter().copied();
        let filtered = filter_tools(&all, CacheScope::Private, |_| next.next().unwrap()).unwrap();
        let expected = list((0..verdicts.len()).filter(|index| verdicts[*index]).collect());
        prop_assert_eq!(filtered.body, Bytes::from(expected));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = filter_tools(&Bytes::from(bytes), CacheScope::Private, |_| false);
    }
}

#[test]
fn a_tool_whose_repeated_arguments_break_the_rules_is_told_from_one_whose_do_not() {
    let tool = |name: &str, annotation: &str| {
        format!(
            r#"{{"name":"{name}","inputSchema":{{"type":"object","properties":{{"a":{{"type":"string"{annotation}}}}}}}}}"#
        )
    };
    let bare = r#"{"name":"bare"}"#.to_owned();
    let tools = [
        tool("plain", ""),
        tool("good", r#","x-mcp-header":"Region""#),
        tool("bad", r#","x-mcp-header":"My Region""#),
        bare,
    ];
    let answer = Bytes::from(format!(r#"{{"result":{{"tools":[{}]}}}}"#, tools.join(",")));
    let mut bad = Vec::new();
    let filtered = filter_tools(&answer, CacheScope::AsAnswered, |tool| {
        tool.must_be_callable().map_err(|error| bad.push((tool.name.to_string(), error))).is_ok()
    });
    assert_eq!(filtered.expect("a list").kept, 3);
    assert_eq!(bad, [("bad".to_owned(), crate::headers::BadAnnotation::NoToken)]);
}
