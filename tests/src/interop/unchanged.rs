//! Nothing is lost on the way: what a client sees through the gateway is what it sees without it.

use serde_json::json;

use super::client::Client;
use super::endpoint::{Endpoint, through_gateway};
use super::upstream::Upstream;

/// Lists, results of every kind, structured content, progress in order, errors, resources, prompts, and a cancelled call.
async fn sees_the_same(client: Client, server: Upstream) {
    let upstream = server.start().await;
    let gateway = through_gateway(&upstream.url, None).await;
    let scenario = server.scenario();

    let direct =
        client.play(&Endpoint::direct(&upstream.url), &scenario).await.expect("the pair works without us");
    let carried = client.play(&gateway, &scenario).await.expect("the pair works through the gateway");

    assert_eq!(carried.payload(), direct.payload(), "{client:?} in front of {server:?}");
    if server == Upstream::Python {
        assert_eq!(carried.revision, client.revision());
        assert_eq!(carried.cancellation_witness()["structuredContent"], json!({ "result": true }));
    }
}

#[tokio::test]
async fn the_python_client_of_2025_sees_the_python_server_unchanged() {
    sees_the_same(Client::PythonLegacy, Upstream::Python).await;
}

#[tokio::test]
async fn the_python_client_of_2025_sees_the_everything_server_unchanged() {
    sees_the_same(Client::PythonLegacy, Upstream::Everything).await;
}

#[tokio::test]
async fn the_python_client_of_2026_sees_the_python_server_unchanged() {
    sees_the_same(Client::PythonModern, Upstream::Python).await;
}

#[tokio::test]
async fn the_python_client_of_2026_sees_the_everything_server_unchanged() {
    sees_the_same(Client::PythonModern, Upstream::Everything).await;
}

#[tokio::test]
async fn the_first_npm_client_sees_the_python_server_unchanged() {
    sees_the_same(Client::NpmV1, Upstream::Python).await;
}

#[tokio::test]
async fn the_first_npm_client_sees_the_everything_server_unchanged() {
    sees_the_same(Client::NpmV1, Upstream::Everything).await;
}

#[tokio::test]
async fn the_second_npm_client_in_2025_sees_the_python_server_unchanged() {
    sees_the_same(Client::NpmV2Legacy, Upstream::Python).await;
}

#[tokio::test]
async fn the_second_npm_client_in_2025_sees_the_everything_server_unchanged() {
    sees_the_same(Client::NpmV2Legacy, Upstream::Everything).await;
}

#[tokio::test]
async fn the_second_npm_client_in_2026_sees_the_python_server_unchanged() {
    sees_the_same(Client::NpmV2Modern, Upstream::Python).await;
}

#[tokio::test]
async fn the_second_npm_client_in_2026_sees_the_everything_server_unchanged() {
    sees_the_same(Client::NpmV2Modern, Upstream::Everything).await;
}

#[tokio::test]
async fn the_rust_client_in_2025_sees_the_python_server_unchanged() {
    sees_the_same(Client::RmcpLegacy, Upstream::Python).await;
}

#[tokio::test]
async fn the_rust_client_in_2025_sees_the_everything_server_unchanged() {
    sees_the_same(Client::RmcpLegacy, Upstream::Everything).await;
}

#[tokio::test]
async fn the_rust_client_in_2026_sees_the_python_server_unchanged() {
    sees_the_same(Client::RmcpModern, Upstream::Python).await;
}

#[tokio::test]
async fn the_rust_client_in_2026_sees_the_everything_server_unchanged() {
    sees_the_same(Client::RmcpModern, Upstream::Everything).await;
}

/// A request of the server's own in 2025-11-25, an `input_required` result and a second round in 2026-07-28.
#[tokio::test]
async fn a_question_of_the_server_reaches_the_user_and_the_answer_reaches_the_server() {
    let upstream = Upstream::Python.start().await;
    let gateway = through_gateway(&upstream.url, None).await;
    for client in Client::ALL {
        let carried =
            client.play(&gateway, &Upstream::Python.question()).await.expect("the question is answered");
        assert_eq!(carried.texts(0), ["Hello, Ada."], "{client:?}");
    }
}

#[tokio::test]
async fn a_question_of_the_everything_server_is_answered_through_the_gateway() {
    let upstream = Upstream::Everything.start().await;
    let gateway = through_gateway(&upstream.url, None).await;
    for client in Client::ALL.into_iter().filter(|client| client.revision() == "2025-11-25") {
        let carried =
            client.play(&gateway, &Upstream::Everything.question()).await.expect("the question is answered");
        assert!(carried.texts(0)[1].contains("Name: Ada"), "{client:?}: {:?}", carried.texts(0));
    }
}
