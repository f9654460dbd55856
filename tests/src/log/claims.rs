//! Day-one test 6: a unique name never has two owners, and is free again when it is given back.

use futures_util::future::join_all;
use harness::World;
use hyper::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::command;

const CALLERS: usize = 32;

#[tokio::test]
async fn thirty_two_that_want_one_e_mail_address_at_once_get_it_once() {
    let world = World::start().await;
    let other = world.another_node().await;
    let senders = (0..CALLERS).map(|number| {
        let node = if number % 2 == 0 { &world.node } else { &other };
        let http = node.http().as_key(&world.admin_key);
        let (path, body) =
            (world.path("/users"), json!({ "email": "Mika@Example.com", "name": format!("Mika {number}") }));
        async move { http.post(&path, &body).await }
    });
    let answers = join_all(senders).await;
    let good = answers.iter().filter(|answer| answer.status.is_success()).count();
    assert_eq!(good, 1);
    for answer in answers.iter().filter(|answer| !answer.status.is_success()) {
        answer.refused(409, "taken");
        assert_eq!(answer.body()["scope"], "email");
    }
}

#[tokio::test]
async fn the_table_of_names_holds_no_address_in_clear() {
    let world = World::start().await;
    let rows: Vec<(String, String)> =
        sqlx::query_as("select scope, value from claims").fetch_all(&world.node.running.pool).await.unwrap();
    let email = rows.iter().find(|(scope, _)| scope == "email").expect("the founder's address is claimed");
    assert!(!email.1.contains('@') && email.1.len() == 64, "{}", email.1);
    let payloads: Vec<(String,)> = sqlx::query_as("select payload::text || metadata::text from events")
        .fetch_all(&world.node.running.pool)
        .await
        .unwrap();
    assert!(payloads.iter().all(|(text,)| !text.contains("ann@example.com") && !text.contains("\"Ann\"")));
}

#[tokio::test]
async fn a_slug_that_was_given_back_can_be_taken_by_somebody_else() {
    let world = World::start().await;
    let rename = json!({ "slug": "acme-tools" });
    world.admin().json(Method::PATCH, &world.path(""), &rename).await.good();
    let taken =
        world.admin().post("/v1/organizations", &json!({ "slug": "acme-tools", "name": "Thief" })).await;
    taken.refused(409, "taken");
    world.admin().post("/v1/organizations", &json!({ "slug": "acme", "name": "Heir" })).await.good();
}

#[tokio::test]
async fn the_claims_are_what_the_log_says_they_are() {
    let world = World::start().await;
    world.admin().json(Method::PATCH, &world.path(""), &json!({ "slug": "acme-tools" })).await.good();
    world.admin().post("/v1/organizations", &json!({ "slug": "acme", "name": "Heir" })).await.good();
    let rows: Vec<(String, String, String)> =
        sqlx::query_as("select scope, owner_id, value from claims where scope = 'slug' order by value")
            .fetch_all(&world.node.running.pool)
            .await
            .unwrap();
    let directory: Vec<(String, String, String)> = sqlx::query_as(
        "select 'slug', id::text, slug from organizations where standing <> 'deleted' order by slug",
    )
    .fetch_all(&world.node.running.pool)
    .await
    .unwrap();
    assert_eq!(rows, directory);
}

/// One command of a fresh aggregate that takes and gives back names.
fn naming(takes: &[(&str, &str)], releases: &[&str]) -> Value {
    let take = |(owner, value): &(&str, &str)| json!({ "owner_type": "organization", "owner_id": owner, "scope": "slug", "value": value });
    let release = |owner: &&str| json!({ "owner_type": "organization", "owner_id": owner, "scope": "slug" });
    let mut command = command(Uuid::new_v4(), 1, 1);
    command["takes"] = takes.iter().map(take).collect();
    command["releases"] = releases.iter().map(release).collect();
    command
}

/// Appends batches to a fresh log; tells how every command ended and what names are held afterwards.
async fn told(batches: &[Value]) -> (Vec<String>, Vec<(String, String)>) {
    let (pool, _database) = harness::database().await;
    let mut outcomes = Vec::new();
    for batch in batches {
        let ended: Vec<(String,)> =
            sqlx::query_as("select outcome from append_commands($1) order by ordinal")
                .bind(batch)
                .fetch_all(&pool)
                .await
                .unwrap();
        outcomes.extend(ended.into_iter().map(|(outcome,)| outcome));
    }
    let (head, count) = super::head_and_count(&pool).await;
    assert_eq!(head, count, "a hole");
    let names = sqlx::query_as("select value, owner_id from claims order by value").fetch_all(&pool).await;
    (outcomes, names.unwrap())
}

#[tokio::test]
async fn names_that_are_given_back_and_taken_in_one_batch_end_as_if_they_came_one_by_one() {
    let batches = [
        // a name is taken before the command that gives it back
        vec![naming(&[("a", "acme")], &[]), naming(&[("b", "acme")], &[]), naming(&[], &["a"])],
        // and after it
        vec![naming(&[("a", "acme")], &[]), naming(&[], &["a"]), naming(&[("b", "acme")], &[])],
        // two swap
        vec![
            naming(&[("a", "one"), ("b", "two")], &[]),
            naming(&[("a", "two")], &["a"]),
            naming(&[("b", "one")], &["b"]),
        ],
        // what is taken is given back again by a later command
        vec![
            naming(&[("a", "one")], &[]),
            naming(&[("a", "two")], &["a"]),
            naming(&[("a", "three")], &["a"]),
        ],
        // one that fails gives nothing back
        vec![
            naming(&[("a", "one"), ("b", "two")], &[]),
            naming(&[("a", "two")], &["a"]),
            naming(&[("c", "one")], &[]),
        ],
    ];
    for batch in batches {
        // The first command is the past; the rest comes in one batch, or one by one.
        let (past, rest) = batch.split_first().unwrap();
        let together = told(&[json!([past]), json!(rest)]).await;
        let single: Vec<_> = batch.iter().map(|command| json!([command])).collect();
        assert_eq!(together, told(&single).await, "{batch:?}");
    }
}

/// One command that gives back one of several names of an owner.
fn giving_back(owner: &str, value: &str, takes: &[(&str, &str)]) -> Value {
    let mut command = naming(takes, &[]);
    command["releases"] =
        json!([{ "owner_type": "organization", "owner_id": owner, "scope": "slug", "value": value }]);
    command
}

#[tokio::test]
async fn one_of_several_names_is_given_back_alone_by_its_owner_alone() {
    let past = || naming(&[("acme", "one"), ("acme", "two"), ("rival", "three")], &[]);
    let rest = [
        giving_back("acme", "three", &[("other", "three")]),
        giving_back("acme", "one", &[("heir", "one")]),
        giving_back("rival", "three", &[]),
    ];
    let expected = ["ok", "taken", "ok", "ok"];
    let held = [("one", "heir"), ("two", "acme")].map(|(name, owner)| (name.to_owned(), owner.to_owned()));
    let together = told(&[json!([past()]), json!(rest)]).await;
    assert_eq!((together.0, together.1), (expected.map(str::to_owned).to_vec(), held.to_vec()));
    let single: Vec<_> = std::iter::once(past()).chain(rest).map(|command| json!([command])).collect();
    let single = told(&single).await;
    assert_eq!((single.0, single.1), (expected.map(str::to_owned).to_vec(), held.to_vec()));
}

#[tokio::test]
async fn whoever_takes_a_name_before_it_is_given_back_does_not_get_it() {
    let batch = json!([naming(&[("b", "acme")], &[]), naming(&[], &["a"])]);
    let (outcomes, held) = told(&[json!([naming(&[("a", "acme")], &[])]), batch]).await;
    assert_eq!(outcomes, ["ok", "taken", "ok"]);
    assert!(held.is_empty(), "{held:?}");
}

/// One command of a fresh aggregate that rests on another one as it was at a sequence.
fn resting(on: Uuid, sequence: u64) -> Value {
    let mut command = command(Uuid::new_v4(), 1, 1);
    command["rests_on"] =
        json!([{ "aggregate_type": "organization", "aggregate_id": on, "sequence": sequence }]);
    command
}

#[tokio::test]
async fn a_command_that_rests_on_what_has_changed_is_a_conflict_in_whatever_order_they_come() {
    let server = Uuid::new_v4();
    let past = || json!([command(server, 1, 2)]);
    let (outcomes, _) = told(&[past(), json!([resting(server, 1)])]).await;
    assert_eq!(outcomes, ["ok", "conflict"], "it changed before");
    let (outcomes, _) = told(&[past(), json!([resting(server, 2)])]).await;
    assert_eq!(outcomes, ["ok", "ok"], "it did not change");
    let (outcomes, _) = told(&[past(), json!([command(server, 3, 1), resting(server, 2)])]).await;
    assert_eq!(outcomes, ["ok", "ok", "conflict"], "it changed earlier in the batch");
    let (outcomes, _) = told(&[past(), json!([resting(server, 2), command(server, 3, 1)])]).await;
    assert_eq!(outcomes, ["ok", "ok", "ok"], "it changed later in the batch");
}
