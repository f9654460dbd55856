//! Which events are found: what is misspelt is refused, and tenants are kept apart.

use harness::World;
use serde_json::Value;
use uuid::Uuid;

use super::story::{a_key_comes_and_goes, rename, rename_often};
use super::{Tenant, all_pages, head, positions};

async fn found(world: &World, query: &str) -> Vec<Value> {
    all_pages(&world.admin(), &format!("/v1/events?{query}"), 200).await.0
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_is_misspelt_is_refused_by_its_name() {
    let world = World::start().await;
    for (query, code) in [
        ("actro=user:x", "bad-query"),
        ("actor=a&actor=b", "bad-query"),
        ("aggregate=apikey", "bad-filter"),
        ("aggregate=api_key/", "bad-filter"),
        ("type=revokd", "bad-filter"),
        ("type=organization.issued", "bad-filter"),
        ("organization=acme", "bad-filter"),
        ("from=yesterday", "bad-moment"),
        ("to=-1", "bad-moment"),
        ("cursor=17", "bad-cursor"),
        ("limit=0", "bad-limit"),
        ("limit=201", "bad-limit"),
    ] {
        let refused = world.admin().get(&format!("/v1/events?{query}")).await;
        refused.refused(400, code);
        let (name, detail) = (query.split('=').next().unwrap(), refused.body()["detail"].to_string());
        assert!(detail.contains(name), "{query}: {detail}");
        world.admin().get(&world.path(&format!("/events?{query}"))).await.refused(400, code);
    }
    let own = format!("/events?organization={}", world.organization);
    world.admin().get(&world.path(&own)).await.refused(400, "bad-query");
    for (query, code) in [("from=1", "bad-query"), ("after=x", "bad-position")] {
        world.admin().get(&format!("/v1/events/stream?{query}")).await.refused(400, code);
    }
}

#[tokio::test]
async fn one_aggregate_a_type_an_actor_and_an_event_type_are_found() {
    let world = World::start().await;
    let key = a_key_comes_and_goes(&world).await;
    let one = found(&world, &format!("aggregate=api_key/{key}")).await;
    assert_eq!(types(&one), ["issued", "renamed", "revoked"]);
    assert_eq!(one.iter().map(|event| event["sequence"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 3]);
    let keys = found(&world, "aggregate=api_key").await;
    assert!(keys.len() > one.len() && keys.iter().all(|event| event["aggregate"] == "api_key"));
    let revoked = found(&world, "type=revoked").await;
    assert_eq!(revoked, [one[2].clone()]);
    assert_eq!(found(&world, "type=api_key.revoked").await, revoked);
    assert_eq!(found(&world, "type=client.registered").await, Vec::<Value>::new());
    let apart = found(&world, &format!("type=api_key.issued&aggregate=organization/{key}")).await;
    assert_eq!(apart, Vec::<Value>::new(), "both hold");
    let actor = one[2]["metadata"]["actor"].as_str().unwrap();
    assert_eq!(actor, format!("user:{}", world.founder));
    let acted = found(&world, &format!("actor={actor}&type=revoked")).await;
    assert_eq!(acted, revoked);
    assert_eq!(found(&world, "actor=user:nobody").await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_rare_event_in_a_long_history_is_found() {
    let world = World::start().await;
    let key = a_key_comes_and_goes(&world).await;
    rename_often(&world.node.running.pool, &world.organization, 45_000).await; // more than two windows
    let revoked = found(&world, "type=revoked").await;
    assert_eq!(revoked.len(), 1);
    assert_eq!(revoked[0]["id"], key);
}

#[tokio::test]
async fn positions_and_times_are_inclusive_at_both_ends() {
    let world = World::start().await;
    for name in ["One", "Two", "Three", "Four"] {
        rename(&world, name).await;
    }
    let head = head(&world).await;
    let (first, last) = (head - 2, head - 1);
    let by_position = found(&world, &format!("from={first}&to={last}")).await;
    assert_eq!(positions(&by_position), [first, last]);
    let time = |event: &Value| event["recorded_at"].as_str().unwrap().to_owned();
    let query = format!("from={}&to={}", time(&by_position[0]), time(&by_position[1]));
    assert_eq!(found(&world, &query).await, by_position);
    assert_eq!(found(&world, "from=2999-01-01T00:00:00Z").await, Vec::<Value>::new());
    assert_eq!(found(&world, "to=1999-01-01T00:00:00Z").await, Vec::<Value>::new());
    let all = found(&world, "from=1999-01-01T00:00:00Z&to=2999-01-01T00:00:00Z").await;
    assert_eq!(positions(&all), (1..=head).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_tenant_reads_its_own_history_and_cannot_tell_anothers_from_none() {
    let world = World::start().await;
    let rival = Tenant::of(&world).await;
    rename(&world, "Acme and Sons").await;
    let nothing = Uuid::new_v4().to_string();
    for rest in ["", "/stream"] {
        for other in [world.organization.as_str(), &nothing] {
            let path = format!("/v1/organizations/{other}/events{rest}");
            rival.owner.get(&path).await.refused(404, "organization-unknown");
            let path = format!("/v1/events{rest}?organization={other}");
            rival.owner.get(&path).await.refused(404, "not-found");
        }
    }
    let (own, _) = all_pages(&rival.owner, "/v1/events", 7).await;
    assert!(own.len() > 4, "{own:?}");
    assert!(own.iter().all(|event| event["metadata"]["organization"] == rival.organization), "{own:?}");
    assert_eq!(all_pages(&rival.owner, &rival.path("/events"), 200).await.0, own);
    let named = format!("/v1/events?organization={}", rival.organization);
    assert_eq!(all_pages(&rival.owner, &named, 200).await.0, own);
    assert_eq!(
        all_pages(&world.admin(), &named, 200).await.0,
        own,
        "the administrator may ask for one tenant"
    );
    let foreign = format!("/v1/events?aggregate=organization/{}", world.organization);
    assert_eq!(all_pages(&rival.owner, &foreign, 200).await.0, Vec::<Value>::new());
    let (all, _) = all_pages(&world.admin(), "/v1/events", 200).await;
    assert_eq!(positions(&all), (1..=head(&world).await).collect::<Vec<_>>());
}
