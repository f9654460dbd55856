//! The history as auditors read it: pages, lines and live streams over HTTP, and `sekisho replay`.

mod cost;
mod explain;
mod filters;
mod lines;
mod live;
mod pages;
mod replay;
mod story;

use std::time::Duration;

use harness::{Frame, Frames, Http, World};
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

const DEADLINE: Duration = Duration::from_secs(20);

/// Another organization than the founder's, with an owner of its own, who administers nothing.
pub(crate) struct Tenant {
    pub(crate) organization: String,
    pub(crate) owner: Http,
}

impl Tenant {
    pub(crate) async fn of(world: &World) -> Self {
        let body = json!({ "slug": "rival", "name": "Rival" });
        let made = world.admin().post("/v1/organizations", &body).await.good();
        let organization = made["id"].as_str().unwrap().to_owned();
        let founder = world.node.http().as_key(made["api_key"].as_str().unwrap());
        let path = |rest: &str| format!("/v1/organizations/{organization}{rest}");
        let user = founder.post(&path("/users"), &json!({ "name": "Rita" })).await.good()["id"].clone();
        let member = path(&format!("/members/{}", user.as_str().unwrap()));
        founder.json(Method::PUT, &member, &json!({ "role": "owner" })).await.good();
        let body = json!({ "name": "Rita's", "scopes": ["org:write", "keys:write", "audit:read", "mcp:write"], "principal": user });
        let key = founder.post(&path("/api-keys"), &body).await.good()["api_key"].clone();
        Self { owner: world.node.http().as_key(key.as_str().unwrap()), organization }
    }

    fn path(&self, rest: &str) -> String {
        format!("/v1/organizations/{}{rest}", self.organization)
    }
}

/// The position of the last event.
pub(crate) async fn head(world: &World) -> u64 {
    let head: i64 = sqlx::query_scalar("select coalesce(max(global_position), 0) from events")
        .fetch_one(&world.node.running.pool)
        .await
        .unwrap();
    head.unsigned_abs()
}

/// All events at an address, page by page, and how many pages there were.
pub(crate) async fn all_pages(http: &Http, path: &str, limit: u32) -> (Vec<Value>, usize) {
    let (mut events, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let joint = if path.contains('?') { '&' } else { '?' };
        let page = http.get(&format!("{path}{joint}limit={limit}{cursor}")).await.good();
        pages += 1;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= limit as usize);
        events.extend(items.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (events, pages),
        }
    }
}

fn positions(events: &[Value]) -> Vec<u64> {
    events.iter().map(|event| event["position"].as_u64().unwrap_or_else(|| panic!("{event}"))).collect()
}

/// The lines of an answer, parsed.
fn lines(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
}

/// A live stream as a client reads it.
struct Live(Frames);

impl Live {
    async fn open(http: &Http, path: &str) -> Self {
        let response = http.open(Method::GET, path, "").await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self(Frames::of(response.into_body()))
    }

    /// The next block; `None` when the stream has ended in order.
    async fn next(&mut self) -> Option<Frame> {
        let next = tokio::time::timeout(DEADLINE, self.0.next()).await.expect("something in time");
        next.expect("a stream that does not break off")
    }

    /// The next event; what is said between events is passed over.
    async fn event(&mut self) -> Value {
        loop {
            let frame = self.next().await.expect("the stream goes on");
            if let Some(data) = frame.data {
                assert_eq!(frame.event, None, "{data}");
                assert_eq!(frame.id, data["position"].as_u64());
                return data;
            }
        }
    }

    /// Why it ended.
    async fn end(&mut self) -> String {
        while let Some(frame) = self.next().await {
            if frame.event.as_deref() == Some("end") {
                assert_eq!(self.next().await, None, "nothing comes after the end");
                return frame.data.unwrap()["reason"].as_str().unwrap().to_owned();
            }
        }
        panic!("it ended without a word");
    }
}
