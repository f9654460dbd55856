//! What must not pass: a tool outside the allow-list, a wrong key, and the caller's key on its way to the upstream.

use super::client::Client;
use super::endpoint::{Endpoint, through_gateway};
use super::installed::source;
use super::report::Report;
use super::upstream::Upstream;

#[tokio::test]
async fn a_wrong_key_opens_nothing_for_any_client() {
    let upstream = Upstream::Python.start().await;
    let gateway = through_gateway(&upstream.url, None).await;
    for client in Client::ALL {
        let refused = client.play(&gateway.with_key("sk_test_wrong"), &Upstream::Python.question()).await;
        assert!(refused.is_err(), "{client:?} was let in: {refused:?}");
    }
}

#[tokio::test]
async fn a_tool_outside_the_allow_list_is_neither_listed_nor_callable_by_any_client() {
    let upstream = Upstream::Python.start().await;
    let gateway = through_gateway(&upstream.url, Some(&["echo", "add"])).await;
    for client in Client::ALL {
        let report =
            client.play(&gateway, &source("scenarios/hidden_tool.json")).await.expect("the rest works");
        assert_eq!(report.tool_names(), ["echo", "add"], "{client:?}");
        assert_eq!(report.texts(0), ["allowed"], "{client:?}");
        assert!(report.call(1).get("error").is_some(), "{client:?} called it: {}", report.call(1));
        assert!(!report.call(1).to_string().contains("the secret was told"), "{client:?}");
        assert_eq!(report.texts(2), ["allowed after a refusal"], "{client:?} lost its connection");
    }
}

#[tokio::test]
async fn the_callers_key_never_reaches_the_upstream_whatever_the_client() {
    let upstream = Upstream::Python.start().await;
    let gateway = through_gateway(&upstream.url, None).await;
    for client in Client::ALL {
        let requests = seen_headers(client, &gateway).await;
        assert!(!leaks(&requests, &gateway.api_key), "{client:?}: {requests:?}");
    }
    // The same look at a client without the gateway finds the key, so the look above can see.
    let direct = Endpoint::direct(&upstream.url);
    assert!(leaks(&seen_headers(Client::PythonModern, &direct).await, &direct.api_key));
}

/// The headers of every HTTP request the server has received, one text per request.
async fn seen_headers(client: Client, endpoint: &Endpoint) -> Vec<String> {
    let report: Report =
        client.play(endpoint, &source("scenarios/seen_headers.json")).await.expect("the server tells");
    let seen = report.call(1)["result"]["structuredContent"]["result"].as_array().expect("a list").clone();
    assert!(!seen.is_empty(), "at least the request that asked");
    seen.iter().map(ToString::to_string).collect()
}

fn leaks(requests: &[String], key: &str) -> bool {
    let names = ["\"x-api-key\"", "\"authorization\"", "\"cookie\""];
    requests.iter().any(|request| request.contains(key) || names.iter().any(|name| request.contains(name)))
}
