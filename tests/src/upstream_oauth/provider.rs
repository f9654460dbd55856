//! An authorization server that we did not write (`tests/provider/protected.mjs`): registration, PKCE, resource, iss, and refresh tokens that end
//! everything when they are spent twice.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use futures_util::future::join_all;
use harness::{Answer, Http, Instance, World};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use url::Url;

use super::scene::{begin, led_to, page, protected};
use crate::installed::installed;
use crate::people::Person;
use crate::people::browser::{Browser, location, text};

const START_WAIT: Duration = Duration::from_mins(2);

struct Protected {
    _child: Child,
    _said: Lines<BufReader<ChildStdout>>,
    issuer: String,
    resource: Url,
}

impl Protected {
    async fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("provider/protected.mjs");
        let mut child = Command::new(installed("provider.env", "NODE"))
            .arg(script)
            .env("NODE_MODULES", installed("provider.env", "NODE_MODULES"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("Node runs");
        let mut said = BufReader::new(child.stdout.take().expect("its output")).lines();
        let line = async {
            while let Some(line) = said.next_line().await.expect("text") {
                if let Ok(told) = serde_json::from_str::<Value>(&line) {
                    return told;
                }
            }
            panic!("the provider says nothing");
        };
        let told = tokio::time::timeout(START_WAIT, line).await.expect("in time");
        let word = |name: &str| told[name].as_str().expect("it is told").to_owned();
        let resource = Url::parse(&word("resource")).expect("an address");
        Self { _child: child, _said: said, issuer: word("issuer"), resource }
    }

    async fn forget(&self) {
        Http::new(&self.issuer).post("/control", &json!({})).await.good();
    }

    /// How many requests there were to its token endpoint, and how often a refresh token came back.
    async fn counted(&self) -> (u64, u64) {
        let told = Http::new(&self.issuer).get("/control").await.good();
        (told["counts"]["/token"].as_u64().unwrap_or_default(), told["ended"].as_u64().expect("a number"))
    }

    /// Somebody goes there with a browser, until they are led back.
    async fn visited(&self, begun: &Answer, home: &str) -> String {
        let mut there = Browser::new(&self.issuer);
        let mut address = Url::parse(&led_to(begun)).expect("an address");
        for _ in 0..10 {
            if let Some(path) = address.as_str().strip_prefix(home) {
                return path.to_owned();
            }
            let path =
                address.as_str().strip_prefix(&self.issuer).expect("a place of the provider").to_owned();
            address = address.join(&location(&there.get(&path).await)).expect("an address");
        }
        panic!("the provider does not lead back: {address}");
    }
}

async fn call(http: Http, instance: &Instance) -> Answer {
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "x", "arguments": {} } });
    http.as_key(instance.api_key()).post(&instance.path(), &message).await
}

#[tokio::test]
async fn a_provider_that_we_did_not_write_gives_out_tokens_and_sees_each_refresh_token_once() {
    let world = World::start().await;
    let provider = Protected::start().await;
    let instance = protected(&world, &provider.resource, &json!({})).await;
    let owner = Person::member(&world, "Olga", "owner").await;
    let mut browser = owner.browser(&world).await;
    let begun = begin(&mut browser, &page(&world, &instance).await).await;
    let back = provider.visited(&begun, &world.node.running.url).await;
    let done = browser.get(&back).await;
    assert_eq!(done.status.as_u16(), 200, "{}", text(&done));
    let other = world.another_node().await;
    call(world.node.http(), &instance).await.good();
    call(other.http(), &instance).await.good();
    assert_eq!(provider.counted().await, (1, 0));
    provider.forget().await;
    let nodes = [world.node.http(), other.http()];
    let calls = (0..10).map(|n| call(nodes[n % 2].clone(), &instance));
    for answer in join_all(calls).await {
        answer.good();
    }
    assert_eq!(provider.counted().await, (2, 0), "renewed once for all, and no refresh token came back");
}
