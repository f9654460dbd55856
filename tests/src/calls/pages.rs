//! Records as they are asked for: filters, pages, lines, and nobody else's.

use std::collections::BTreeSet;

use harness::Scripted;
use serde_json::{Value, json};

use super::{Scene, call, listed};

async fn scene_with_calls() -> Scene {
    let scene = Scene::of(Scripted::Tools(vec![("echo", false), ("look", true)])).await;
    for number in 0..6 {
        let tool = if number % 3 == 0 { "look" } else { "echo" };
        scene.client().post(&scene.instance.path(), &call(number, tool, &json!({}))).await.good();
    }
    let other = scene.world.key(&["mcp:read"], None).await;
    let other = scene.world.node.http().as_key(&other);
    other.post(&scene.instance.path(), &call(7, "echo", &json!({}))).await;
    scene.records(7).await;
    scene
}

#[tokio::test]
async fn what_is_misspelt_is_refused() {
    let scene = scene_with_calls().await;
    let admin = scene.world.admin();
    for (query, code) in [
        ("tol=echo", "bad-query"),
        ("instance=x", "bad-filter"),
        ("decision=yes", "bad-filter"),
        ("tool=%00", "bad-filter"),
        ("from=yesterday", "bad-moment"),
        ("cursor=x", "bad-cursor"),
        ("limit=0", "bad-limit"),
    ] {
        admin.get(&scene.world.path(&format!("/calls?{query}"))).await.refused(400, code);
    }
    let organization = &scene.world.organization;
    admin
        .get(&scene.world.path(&format!("/calls?organization={organization}")))
        .await
        .refused(400, "bad-query");
    admin.get(&scene.world.path("/calls/x")).await.refused(404, "not-found");
    let lines = admin.with("accept", "application/x-ndjson");
    lines.get(&scene.world.path("/calls?limit=3")).await.refused(400, "bad-limit");
}

#[tokio::test]
async fn each_filter_leaves_what_fits() {
    let scene = scene_with_calls().await;
    let admin = scene.world.admin();
    let all = listed(&admin, &scene.world.path("/calls")).await;
    let ask = async |query: &str| listed(&admin, &scene.world.path(&format!("/calls?{query}"))).await.len();
    assert_eq!(ask("tool=look").await, 2);
    assert_eq!(ask(&format!("instance={}", scene.instance.id)).await, 7);
    assert_eq!(ask(&format!("credential={}", all[6]["credential"].as_str().unwrap())).await, 1);
    assert_eq!(ask(&format!("principal={}", scene.world.founder)).await, 7);
    assert_eq!(
        (ask("decision=denial").await, ask("decision=permit").await, ask("decision=none").await),
        (1, 6, 0)
    );
    assert_eq!(ask("reason=insufficient-scope").await, 1);
    for record in &all {
        let moment = record["at"].as_str().unwrap();
        let (from, to) = (ask(&format!("from={moment}")).await, ask(&format!("to={moment}")).await);
        // Records of one millisecond stand in any order.
        let before = all.iter().filter(|other| other["at"].as_str().unwrap() < moment).count();
        assert_eq!((from, to), (all.len() - before, before), "{moment}");
    }
}

#[tokio::test]
async fn pages_and_lines_show_all_of_them_once() {
    let scene = scene_with_calls().await;
    let admin = scene.world.admin();
    let all = listed(&admin, &scene.world.path("/calls")).await;
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = admin.get(&scene.world.path(&format!("/calls?limit=2{cursor}"))).await.good();
        paged.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(paged, all);
    let answer = admin.with("accept", "application/x-ndjson").get(&scene.world.path("/calls")).await;
    let text = String::from_utf8(answer.bytes.to_vec()).unwrap();
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.pop().unwrap(), json!({ "end": { "calls": 7, "incomplete": [] } }));
    assert_eq!(lines, all);
}

#[tokio::test]
async fn nobody_reads_another_tenants_records() {
    let scene = scene_with_calls().await;
    let rival = scene.world.key_of_another_organization().await;
    let path = "/v1/organizations";
    let organizations = scene.world.admin().get(path).await.body();
    let rival_http = scene.world.node.http().as_key(&rival);
    // The founder administers the deployment with the first key; the key of the second organization is theirs too, so its own view is asked for by path.
    let ids: BTreeSet<String> = organizations["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|organization| organization["id"].as_str().map(str::to_owned))
        .collect();
    for id in ids.iter().filter(|id| **id != scene.world.organization) {
        assert_eq!(listed(&rival_http, &format!("/v1/organizations/{id}/calls")).await, Vec::<Value>::new());
    }
    rival_http.get(&scene.world.path("/calls")).await.refused(404, "organization-unknown");
}
