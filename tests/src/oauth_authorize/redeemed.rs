//! From the code to tokens, to a call, and to the next tokens.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use harness::{Answer, Http};
use serde_json::json;

use super::scene::{Scene, VERIFIER};
use crate::people::browser::encoded;

const LOOPBACK: &str = "http://127.0.0.1:3000/callback";

impl Scene {
    /// A code for the client on the person's own computer.
    async fn code(&mut self) -> String {
        let request = self.request().with("redirect_uri", LOOPBACK);
        self.allow(&request).await["code"].clone()
    }

    /// What a client sends for a code; more replaces what is there.
    fn form(&self, code: &str, more: &[(&str, &str)]) -> String {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("client_id", self.client.as_str()),
            ("code", code),
            ("redirect_uri", LOOPBACK),
            ("code_verifier", VERIFIER),
        ];
        for (name, value) in more {
            fields.retain(|(known, _)| known != name);
            fields.push((name, value));
        }
        fields.retain(|(_, value)| !value.is_empty());
        encoded(&fields)
    }

    async fn exchange(&self, form: String) -> Answer {
        token(self.world.node.http(), form).await
    }

    /// The grant is over, as the directory tells once it has heard of it.
    async fn ended(&self) {
        let ended = async {
            while self.grants().await[0].2 != "revoked" {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), ended).await.expect("the grant ends");
    }

    async fn call(&self, token: &str) -> u16 {
        let http = self.world.node.http().with("authorization", &format!("Bearer {token}"));
        let message =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "echo" } });
        http.post(&format!("/mcp/{}", self.instance), &message).await.status.as_u16()
    }
}

async fn token(http: Http, form: String) -> Answer {
    let http = http.with("content-type", "application/x-www-form-urlencoded");
    http.send(hyper::Method::POST, "/oauth/token", form).await
}

fn refused(answer: &Answer, error: &str) {
    assert_eq!((answer.status.as_u16(), answer.body()["error"].as_str()), (400, Some(error)), "{answer:?}");
}

fn text(answer: &Answer, name: &str) -> String {
    answer.good()[name].as_str().unwrap_or_else(|| panic!("{name} in {answer:?}")).to_owned()
}

#[tokio::test]
async fn item_10_item_21_a_code_without_what_it_is_bound_to_gives_nothing_and_stays_good() {
    let mut scene = Scene::on_loopback().await;
    let code = scene.code().await;
    for wrong in [
        [("code_verifier", "")],
        [("code_verifier", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")],
        [("redirect_uri", "http://127.0.0.1:3001/callback")],
        [("code", &code[..42])],
    ] {
        refused(&scene.exchange(scene.form(&code, &wrong)).await, "invalid_grant");
    }
    let elsewhere = format!("{}/mcp/{}", scene.world.node.running.url, uuid::Uuid::new_v4());
    refused(&scene.exchange(scene.form(&code, &[("resource", &elsewhere)])).await, "invalid_target");
    refused(&scene.exchange(scene.form(&code, &[("code", "")])).await, "invalid_request");
    scene.exchange(scene.form(&code, &[])).await.good();
}

#[tokio::test]
async fn item_22_of_a_verifier_nothing_is_kept_but_the_digest_that_the_client_sent() {
    let mut scene = Scene::on_loopback().await;
    let code = scene.code().await;
    scene
        .exchange(scene.form(&code, &[("code_verifier", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]))
        .await;
    scene.exchange(scene.form(&code, &[])).await.good();
    let pool = &scene.world.node.running.pool;
    let tables: Vec<String> = sqlx::query_scalar(
        "select quote_ident(table_name) from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert!(tables.contains(&"authorization_codes".to_owned()), "{tables:?}");
    for secret in [VERIFIER, code.as_str()] {
        for table in &tables {
            let found: i64 = sqlx::query_scalar(&format!(
                "select count(*) from {table} as kept where strpos(kept::text, $1) > 0 or strpos(kept::text, encode(convert_to($1, 'UTF8'), 'hex')) > 0"
            ))
            .bind(secret)
            .fetch_one(pool)
            .await
            .unwrap();
            assert_eq!(found, 0, "{table}");
        }
    }
}

#[tokio::test]
async fn item_43_attack_14_what_is_no_access_token_opens_nothing_whoever_gave_it_out() {
    let mut scene = Scene::on_loopback().await;
    let code = scene.code().await;
    assert_eq!(scene.call(&code).await, 401);
    let answer = scene.exchange(scene.form(&code, &[])).await;
    assert_eq!(scene.call(&text(&answer, "refresh_token")).await, 401);
    assert_eq!(scene.call(&scene.client).await, 401);
    assert_eq!(scene.call(&text(&answer, "access_token")).await, 200, "none of that had an effect");
}

#[tokio::test]
async fn a_person_allows_and_the_client_calls_and_goes_on_calling_with_the_next_tokens() {
    let mut scene = Scene::on_loopback().await;
    let code = scene.code().await;
    let answer = scene.exchange(scene.form(&code, &[("resource", &scene.resource())])).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.body()["scope"], "mcp:write");
    assert_eq!(scene.call(&text(&answer, "access_token")).await, 200);
    let refresh = |token: &str| {
        let client = scene.client.as_str();
        encoded(&[("grant_type", "refresh_token"), ("client_id", client), ("refresh_token", token)])
    };
    let next = scene.exchange(refresh(&text(&answer, "refresh_token"))).await;
    assert_eq!(scene.call(&text(&next, "access_token")).await, 200);
    // The person takes it back: neither of them opens anything any more.
    let (grant, ..) = scene.grants().await.remove(0);
    let path = scene.world.path(&format!("/grants/{grant}"));
    scene.world.admin().json(hyper::Method::DELETE, &path, &json!({})).await.good();
    assert_eq!(scene.call(&text(&next, "access_token")).await, 401);
    refused(&scene.exchange(refresh(&text(&next, "refresh_token"))).await, "invalid_grant");
}

#[tokio::test]
async fn item_09_a_code_that_comes_back_ends_what_came_of_it() {
    let mut scene = Scene::on_loopback().await;
    let code = scene.code().await;
    let answer = scene.exchange(scene.form(&code, &[])).await;
    let access = text(&answer, "access_token");
    assert_eq!(scene.call(&access).await, 200);
    refused(&scene.exchange(scene.form(&code, &[])).await, "invalid_grant");
    assert_eq!(scene.call(&access).await, 401);
    scene.ended().await;
}

#[tokio::test]
async fn attack_10_of_64_redemptions_at_once_on_three_nodes_one_succeeds() {
    let mut scene = Scene::on_loopback().await;
    let nodes = [scene.world.another_node().await, scene.world.another_node().await];
    let code = scene.code().await;
    let form = scene.form(&code, &[]);
    let doors = [scene.world.node.http(), nodes[0].http(), nodes[1].http()];
    let all = (0..64).map(|number| token(doors[number % 3].clone(), form.clone()));
    let answers = join_all(all).await;
    let good = answers.iter().filter(|answer| answer.status == 200).count();
    let told: BTreeSet<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!((good, told), (1, BTreeSet::from([200, 400])));
    scene.ended().await;
}
