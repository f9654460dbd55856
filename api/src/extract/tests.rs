//! Refusals first.

use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewThing {
    name: String,
}

fn post(body: impl Into<Body>, headers: &[(&str, &str)]) -> Request {
    let mut request = Request::post("/v1/things").header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).unwrap()
}

async fn read(request: Request) -> Result<Command<NewThing>, Value> {
    match Command::from_request(request, &()).await {
        Ok(command) => Ok(command),
        Err(problem) => {
            let body = problem.into_response().into_body().collect().await.unwrap().to_bytes();
            Err(serde_json::from_slice(&body).unwrap())
        }
    }
}

async fn refused(request: Request) -> (u64, String) {
    let problem = read(request).await.unwrap_err();
    (problem["status"].as_u64().unwrap(), problem["detail"].as_str().unwrap().to_owned())
}

async fn order(body: &str, headers: &[(&str, &str)]) -> Order {
    read(post(body.to_owned(), headers)).await.unwrap().order
}

#[tokio::test]
async fn what_is_no_object_of_the_command_is_refused_and_said_so() {
    for (body, said) in [
        (r#"{"name":"a","colour":"red"}"#, "unknown field `colour`"),
        (r#"{"name":"a","name":"b"}"#, "duplicate field `name`"),
        (r#"{"name":5}"#, "expected a string"),
        (r#"["a"]"#, "one JSON object"),
        ("null", "one JSON object"),
        ("", "missing field `name`"),
        (r#"{"name":"#, "EOF"),
        (r#"{"name":"a"} {}"#, "trailing"),
        ("\u{feff}{}", "one JSON object"),
    ] {
        let (status, detail) = refused(post(body, &[])).await;
        assert_eq!(status, 400, "{body}");
        assert!(detail.contains(said), "{body}: {detail}");
    }
}

#[tokio::test]
async fn ten_thousand_levels_of_nesting_are_refused_without_a_deep_stack() {
    let body = format!(r#"{{"name":{}}}"#, r#"{"a":"#.repeat(10_000));
    assert_eq!(refused(post(body, &[])).await.0, 400);
}

#[tokio::test]
async fn a_refusal_does_not_repeat_the_whole_of_a_long_text() {
    let body = json!({ "name": "a", "x".repeat(100_000): 1 }).to_string();
    let (_, detail) = refused(post(body, &[])).await;
    assert!(detail.chars().count() < REASON_CHARS_MAX + 60, "{}", detail.len());
}

#[tokio::test]
async fn the_rest_of_a_body_that_is_too_long_is_read_so_that_its_sender_gets_the_answer() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static READ: AtomicUsize = AtomicUsize::new(0);
    let pieces = (0..80).map(|_| {
        READ.fetch_add(1, Ordering::Relaxed);
        Ok::<_, std::io::Error>(vec![b' '; 65_536])
    });
    let body = Body::from_stream(futures_util::stream::iter(pieces));
    assert_eq!(refused(post(body, &[])).await.0, 413);
    assert_eq!(READ.load(Ordering::Relaxed), 80, "5 MiB are sent to the end");

    let endless = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 65_536]));
    assert_eq!(refused(post(Body::from_stream(endless), &[])).await.0, 413);
}

#[tokio::test]
async fn a_body_that_is_too_long_or_of_another_type_is_refused() {
    let long = json!({ "name": "x".repeat(COMMAND_BYTES_MAX) }).to_string();
    assert_eq!(refused(post(long, &[])).await.0, 413);
    let text =
        Request::post("/v1/things").header("content-type", "text/plain").body(Body::from("{}")).unwrap();
    assert_eq!(refused(text).await.0, 415);
}

#[tokio::test]
async fn an_idempotency_key_is_one_line_of_some_characters() {
    let long = "k".repeat(IDEMPOTENCY_KEY_CHARS_MAX + 1);
    let empty = [("idempotency-key", "")];
    let twice = [("idempotency-key", "a"), ("idempotency-key", "a")];
    for headers in [&empty[..], &twice[..], &[("idempotency-key", long.as_str())][..]] {
        assert_eq!(refused(post(r#"{"name":"a"}"#, headers)).await.0, 400, "{headers:?}");
    }
}

#[tokio::test]
async fn the_same_request_has_the_same_digest_and_another_one_another() {
    let mine = [("x-api-key", "mine"), ("idempotency-key", "once")];
    let theirs = [("x-api-key", "theirs"), ("idempotency-key", "once")];
    let first = order(r#"{"name":"a"}"#, &mine).await;
    let retry = order(r#"{"name":"a"}"#, &mine).await;
    assert_eq!((&first.command, &first.request_digest), (&retry.command, &retry.request_digest));
    assert_ne!(order(r#"{"name":"b"}"#, &mine).await.request_digest, first.request_digest);
    assert_ne!(order(r#"{"name":"a"}"#, &theirs).await.request_digest, first.request_digest);
}

#[tokio::test]
async fn without_an_idempotency_key_a_command_has_no_id_of_its_own() {
    let read = read(post(r#"{"name":"a"}"#, &[])).await.unwrap();
    assert_eq!((read.body.name.as_str(), read.order.command), ("a", None));
}

#[tokio::test]
async fn a_page_has_some_rows_and_starts_where_a_cursor_of_ours_says() {
    let page = async |query: &str| {
        let (mut parts, ()) = Request::get(format!("/v1/things?{query}")).body(()).unwrap().into_parts();
        Paging::from_request_parts(&mut parts, &()).await
    };
    for query in [
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=ten",
        "limit=",
        "cursor=",
        "cursor=zzz",
        "limit=1&limit=2",
    ] {
        assert!(page(query).await.is_err(), "{query}");
    }
    let cursor = Cursor::after(7);
    let asked = page(&format!("limit=200&cursor={cursor}")).await.unwrap();
    assert_eq!((asked.rows, asked.after), (200, cursor));
    assert_eq!(page("").await.unwrap().rows, PAGE_ROWS_DEFAULT);
}
