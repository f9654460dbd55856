//! The slow call: progress in order, cancelled by whichever means its era has, and nothing left behind.

use std::time::{Duration, Instant};

use axum::response::Response;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use super::super::SLOW_CALLS_MAX;
use super::{Demo, MEDIA, modern_body, modern_headers};

fn slow(arguments: &Value, token: &Value) -> Value {
    json!({"name": "slow", "arguments": arguments, "_meta": {"progressToken": token}})
}

fn half_a_minute() -> Value {
    slow(&json!({"seconds": 30, "steps": 1000}), &json!("p"))
}

impl Demo {
    fn running(&self) -> usize {
        SLOW_CALLS_MAX - self.server.slow_calls.available_permits()
    }

    async fn until_running(&self, calls: usize) {
        let until = async {
            while self.running() != calls {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), until).await.unwrap();
    }

    async fn open_legacy(&self, session: &str, id: u32, accept: &str) -> Response {
        let headers = [("content-type", "application/json"), ("accept", accept), ("mcp-session-id", session)];
        let body = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": half_a_minute()});
        self.open("POST", &headers, body.to_string()).await
    }

    async fn cancel(&self, session: &str, params: Value) {
        let body = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params});
        assert_eq!(self.post(&[("mcp-session-id", session)], &body).await.status.as_u16(), 202);
    }
}

async fn first_event(response: &mut Response) -> String {
    let frame = response.body_mut().frame().await.unwrap().unwrap();
    String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn a_progress_token_that_is_no_token_is_refused_and_holds_no_place() {
    let demo = Demo::new();
    for token in [json!({}), json!(true), json!([1])] {
        let answered = demo.modern("tools/call", slow(&json!({"seconds": 0}), &token)).await;
        answered.refused(200, -32602, &json!(1));
    }
    assert_eq!(demo.running(), 0);
}

#[tokio::test]
async fn a_call_beyond_the_places_there_are_is_turned_away() {
    let demo = Demo::new();
    let places =
        demo.server.slow_calls.clone().try_acquire_many_owned(u32::try_from(SLOW_CALLS_MAX).unwrap());
    let result = demo.modern("tools/call", slow(&json!({"seconds": 0}), &Value::Null)).await.result();
    assert_eq!(result["content"][0]["text"], "too many slow calls at once");
    drop(places);
    assert_eq!(demo.modern("tools/call", slow(&json!({"seconds": 0}), &Value::Null)).await.events().len(), 1);
}

#[tokio::test]
async fn an_id_that_is_in_use_in_the_session_is_refused() {
    let demo = Demo::new();
    let session = demo.handshake().await;
    let _first = demo.open_legacy(&session, 1, MEDIA[1].1).await;
    demo.legacy(&session, "tools/call", half_a_minute()).await.refused(200, -32600, &json!(1));
    assert_eq!(demo.running(), 1);
}

#[tokio::test]
async fn a_cancellation_of_something_else_changes_nothing() {
    let demo = Demo::new();
    let (session, other) = (demo.handshake().await, demo.handshake().await);
    let mut response = demo.open_legacy(&session, 1, MEDIA[1].1).await;
    demo.cancel(&other, json!({"requestId": 1})).await;
    for params in [json!({"requestId": 2}), json!({"requestId": "1"}), json!({}), json!({"requestId": {}})] {
        demo.cancel(&session, params).await;
    }
    assert!(first_event(&mut response).await.contains("notifications/progress"));
    assert_eq!(demo.running(), 1);
}

#[tokio::test]
async fn a_cancelled_call_ends_its_stream_without_a_result() {
    let demo = Demo::new();
    let session = demo.handshake().await;
    let mut response = demo.open_legacy(&session, 1, MEDIA[1].1).await;
    first_event(&mut response).await;
    demo.cancel(&session, json!({"requestId": 1, "reason": "enough"})).await;
    let rest = response.into_body().collect().await.unwrap().to_bytes();
    assert!(!String::from_utf8_lossy(&rest).contains("result"));
    assert_eq!(demo.running(), 0);
}

#[tokio::test]
async fn a_cancelled_call_without_a_stream_is_answered_with_an_error() {
    let demo = Demo::new();
    let session = demo.handshake().await;
    let (response, ()) = tokio::join!(demo.open_legacy(&session, 1, "application/json"), async {
        demo.until_running(1).await;
        demo.cancel(&session, json!({"requestId": 1})).await;
    });
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let error: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&error["id"], &error["error"]["data"]["reason"]), (&json!(1), &json!("cancelled")));
    assert_eq!(demo.running(), 0);
}

#[tokio::test]
async fn the_end_of_the_session_ends_its_calls() {
    let demo = Demo::new();
    let session = demo.handshake().await;
    let response = demo.open_legacy(&session, 1, MEDIA[1].1).await;
    demo.send("DELETE", &[("mcp-session-id", &*session)], String::new()).await;
    response.into_body().collect().await.unwrap();
    assert_eq!(demo.running(), 0);
}

#[tokio::test]
async fn a_client_that_goes_away_ends_the_work_at_once() {
    let demo = Demo::new();
    let body = modern_body("tools/call", half_a_minute());
    let headers = [&MEDIA[..], &modern_headers("tools/call", "slow")].concat();
    let mut response = demo.open("POST", &headers, body.to_string()).await;
    first_event(&mut response).await;
    assert_eq!(demo.running(), 1);
    drop(response);
    assert_eq!(demo.running(), 0);
}

#[tokio::test]
async fn a_connection_that_closes_ends_the_work_whatever_form_the_answer_has() {
    let demo = Demo::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(axum::serve(listener, demo.router.clone()).into_future());
    for accept in ["application/json, text/event-stream", "application/json"] {
        let body = modern_body("tools/call", half_a_minute()).to_string();
        let head = format!(
            "POST /mcp HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\naccept: {accept}\r\n\
             mcp-protocol-version: 2026-07-28\r\nmcp-method: tools/call\r\nmcp-name: slow\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        let mut connection = TcpStream::connect(address).await.unwrap();
        connection.write_all((head + &body).as_bytes()).await.unwrap();
        demo.until_running(1).await;
        drop(connection);
        demo.until_running(0).await;
    }
    server.abort();
}

#[tokio::test]
async fn progress_comes_in_order_under_the_token_and_then_the_result() {
    let demo = Demo::new();
    for token in [json!("p \"1\""), json!(7)] {
        let started = Instant::now();
        let params = slow(&json!({"seconds": 0.2, "steps": 4}), &token);
        let answered = demo.modern("tools/call", params).await;
        assert!(started.elapsed() >= Duration::from_millis(200));
        assert_eq!(answered.headers["x-accel-buffering"], "no");
        let events = answered.events();
        let (result, progress) = events.split_last().unwrap();
        for (step, event) in (1..).zip(progress) {
            assert_eq!(event["method"], "notifications/progress");
            let params = &event["params"];
            assert_eq!((&params["progressToken"], &params["progress"]), (&token, &json!(step)));
            assert_eq!(params["total"], 4);
        }
        assert_eq!((progress.len(), &result["id"]), (4, &json!(1)));
        assert_eq!(result["result"]["content"][0]["text"], "4 steps in 0.2 s");
        assert_eq!(result["result"]["resultType"], "complete");
    }
}

#[tokio::test]
async fn without_a_token_there_is_no_progress_and_without_a_stream_just_the_result() {
    let demo = Demo::new();
    let session = demo.handshake().await;
    let params = json!({"name": "slow", "arguments": {"seconds": 0}});
    assert_eq!(demo.legacy(&session, "tools/call", params.clone()).await.events().len(), 1);
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    let headers =
        [("content-type", "application/json"), ("accept", "application/json"), ("mcp-session-id", &session)];
    let answered = demo.send("POST", &headers, body.to_string()).await;
    assert_eq!(answered.result()["content"][0]["text"], "5 steps in 0.0 s");
}
