//! Items 16, 18 and 41, cases 11, 12 and 50: what a refresh token gives, to whom, and when not.

use hyper::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::scene::{Client, Scene, id, refused, text};

#[tokio::test]
async fn item_18_a_refresh_token_is_refused_to_every_other_client_and_stays_as_it_was() {
    let scene = Scene::start().await;
    let of_desk = scene.granted(&scene.desk).await;
    let of_app = scene.granted(&scene.app).await;
    let other = Client::register(&scene.world.admin(), &scene.world.path("/clients"), "public").await;
    refused(&scene.refresh(&scene.app, &of_desk.token, "").await, 400, "invalid_grant");
    refused(&scene.refresh(&scene.desk, &of_app.token, "").await, 400, "invalid_grant");
    refused(&scene.refresh(&other, &of_app.token, "").await, 400, "invalid_grant");
    scene.refresh(&scene.desk, &of_desk.token, "").await.good();
    scene.refresh(&scene.app, &of_app.token, "").await.good();
    // Spent or not, what others do with it has no effect.
    scene.seconds_pass(60).await;
    refused(&scene.refresh(&other, &of_app.token, "").await, 400, "invalid_grant");
    assert_eq!(scene.ends(&of_app.grant).await, Vec::<String>::new());
}

#[tokio::test]
async fn item_18_a_confidential_client_proves_itself_at_every_refresh() {
    let scene = Scene::start().await;
    let granted = scene.granted(&scene.desk).await;
    let form =
        format!("grant_type=refresh_token&refresh_token={}&client_id={}", granted.token, scene.desk.id);
    let http = scene.http().with("content-type", "application/x-www-form-urlencoded");
    refused(&http.send(Method::POST, "/oauth/token", form).await, 401, "invalid_client");
    scene.refresh(&scene.desk, &granted.token, "").await.good();
}

#[tokio::test]
async fn attack_12_what_is_no_token_or_asks_for_more_or_for_another_place_leaves_the_token_usable() {
    let scene = Scene::start().await;
    let granted = scene.granted(&scene.app).await;
    for none in ["", "x", "rt_", &format!("rt_{}", "0".repeat(43)), &granted.token[..45]] {
        let answer = scene.refresh(&scene.app, none, "").await;
        refused(&answer, 400, if none.is_empty() { "invalid_request" } else { "invalid_grant" });
    }
    for scope in ["mcp:admin", "mcp:read%20mcp:admin", "org:read", "mcp:read%20org:read"] {
        let answer = scene.refresh(&scene.app, &granted.token, &format!("&scope={scope}")).await;
        refused(&answer, 400, "invalid_scope");
    }
    let base = &scene.world.node.running.url;
    for resource in [format!("{base}/mcp/{}", Uuid::new_v4()), base.clone(), format!("{}/", scene.resource())]
    {
        let answer = scene.refresh(&scene.app, &granted.token, &format!("&resource={resource}")).await;
        refused(&answer, 400, "invalid_target");
    }
    assert_eq!(scene.tokens().await, 1);
    scene.refresh(&scene.app, &granted.token, &format!("&resource={}", scene.resource())).await.good();
}

#[tokio::test]
async fn attack_12_a_changed_password_ends_what_was_allowed_before_and_a_first_one_nothing() {
    let scene = Scene::start().await;
    let path = format!("/v1/users/{}/password", scene.user);
    let set = async |password: &str| {
        scene.world.admin().json(Method::PUT, &path, &json!({ "password": password })).await.good();
    };
    let before = scene.granted(&scene.app).await;
    set("correct horse battery").await;
    let answer = scene.refresh(&scene.app, &before.token, "").await.good();
    let token = text(&answer, "refresh_token");
    set("another horse battery").await;
    for _ in 0..2 {
        refused(&scene.refresh(&scene.app, &token, "").await, 400, "invalid_grant");
    }
    let ended =
        "select count(*) from refresh_families where end_reason = 'password_changed' and told_at is not null";
    assert_eq!(scene.count(ended).await, 1);
    let after = scene.family(&scene.app, id(&before.grant)).await;
    scene.refresh(&scene.app, &after, "").await.good();
}

#[tokio::test]
async fn attack_12_a_token_of_before_a_password_change_ends_nothing_that_was_allowed_after_it() {
    let scene = Scene::start().await;
    let path = format!("/v1/users/{}/password", scene.user);
    let live = scene.granted(&scene.app).await;
    let spent = scene.family(&scene.app, id(&live.grant)).await;
    scene.refresh(&scene.app, &spent, "").await.good();
    for password in ["correct horse battery", "another horse battery"] {
        scene.world.admin().json(Method::PUT, &path, &json!({ "password": password })).await.good();
    }
    // Consented to anew: one user, client and instance have one grant.
    let after = scene.family(&scene.app, id(&live.grant)).await;
    let answer = scene.refresh(&scene.app, &after, "").await.good();
    scene.seconds_pass(60).await;
    for old in [&live.token, &spent, &live.token] {
        refused(&scene.refresh(&scene.app, old, "").await, 400, "invalid_grant");
    }
    assert_eq!(scene.ends(&live.grant).await, Vec::<String>::new());
    scene.call(&text(&answer, "access_token")).await.good();
    scene.refresh(&scene.app, &text(&answer, "refresh_token"), "").await.good();
}

#[tokio::test]
async fn attack_12_whoever_left_is_suspended_or_is_disabled_gets_nothing() {
    let scene = Scene::start().await;
    let granted = scene.granted(&scene.desk).await;
    let user = format!("/v1/deployment/users/{}", scene.user);
    let (why, none) = (json!({ "reason": "A test" }), json!({}));
    let refresh = async || scene.refresh(&scene.desk, &granted.token, "").await;
    let manage = async |method: Method, path: &str, body: &Value| {
        scene.world.admin().json(method, &format!("{path}?wait=all"), body).await.good();
    };

    manage(Method::POST, &format!("{user}/suspend"), &why).await;
    refused(&refresh().await, 400, "invalid_grant");
    manage(Method::POST, &format!("{user}/resume"), &none).await;

    let client = scene.world.path(&format!("/clients/{}", scene.desk.id));
    manage(Method::POST, &format!("{client}/disable"), &why).await;
    refused(&refresh().await, 401, "invalid_client");
    manage(Method::POST, &format!("{client}/enable"), &none).await;

    let member = scene.world.path(&format!("/members/{}", scene.user));
    manage(Method::DELETE, &member, &none).await;
    refused(&refresh().await, 400, "invalid_grant");
    let role = json!({ "role": "member" });
    scene.world.admin().json(Method::PUT, &format!("{member}?wait=all"), &role).await.good();

    assert_eq!(scene.tokens().await, 1, "nothing was spent");
    refresh().await.good();
    scene.seconds_pass(-3_600).await;
    refresh().await.good();
    let suspend = format!("/v1/deployment/organizations/{}/suspend", scene.world.organization);
    manage(Method::POST, &suspend, &why).await;
    refused(&refresh().await, 400, "invalid_grant"); // not even what it was answered a moment ago
}

#[tokio::test]
async fn item_18_a_token_is_exchanged_for_its_successor_and_an_access_token_that_works() {
    let scene = Scene::start().await;
    for client in [&scene.desk, &scene.app] {
        let granted = scene.granted(client).await;
        let answer = scene.refresh(client, &granted.token, "").await;
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let answer = answer.good();
        assert_eq!((&answer["token_type"], &answer["scope"]), (&json!("Bearer"), &json!("mcp:write")));
        let next = text(&answer, "refresh_token");
        assert_ne!(next, granted.token);
        scene.call(&text(&answer, "access_token")).await.good();

        let narrowed = scene.refresh(client, &next, "&scope=mcp:read").await.good();
        assert_eq!(narrowed["scope"], "mcp:read");
        let last = text(&narrowed, "refresh_token");
        let whole = scene.refresh(client, &last, "").await.good();
        assert_eq!(whole["scope"], "mcp:write", "what was narrowed was one access token");
    }
}

#[tokio::test]
async fn attack_50_a_retry_inside_the_window_gets_the_very_same_answer_and_is_counted() {
    let scene = Scene::start().await;
    let granted = scene.granted(&scene.app).await;
    let first = scene.refresh(&scene.app, &granted.token, "").await;
    first.good();
    scene.seconds_pass(20).await;
    for _ in 0..3 {
        let again = scene.refresh(&scene.app, &granted.token, "").await;
        again.good();
        assert_eq!(again.bytes, first.bytes);
    }
    assert_eq!(scene.tokens().await, 2, "no new member of the family");
    assert_eq!(scene.count("select sum(replays) from refresh_tokens").await, 3);
}

#[tokio::test]
async fn attack_50_another_ask_inside_the_window_is_not_answered_alike_and_ends_nothing() {
    let scene = Scene::start().await;
    let granted = scene.granted(&scene.app).await;
    for (first, others) in [
        ("", ["&scope=mcp:read", "&scope=mcp:write"]),
        ("&scope=mcp:read", ["", "&scope=mcp:write"]),
        ("&scope=mcp:write%20mcp:read", ["&scope=mcp:read", ""]),
    ] {
        let token = scene.family(&scene.app, id(&granted.grant)).await;
        let answer = scene.refresh(&scene.app, &token, first).await;
        answer.good();
        for other in others {
            refused(&scene.refresh(&scene.app, &token, other).await, 400, "invalid_scope");
        }
        let elsewhere = format!("{first}&resource={}/mcp/{}", scene.world.node.running.url, Uuid::new_v4());
        refused(&scene.refresh(&scene.app, &token, &elsewhere).await, 400, "invalid_target");
        // Whoever asks the same gets the same, in whatever words.
        let words = first.replace("mcp:write%20mcp:read", "mcp:read%20mcp:write");
        for same in [first.to_owned(), words, format!("{first}&resource={}", scene.resource())] {
            assert_eq!(scene.refresh(&scene.app, &token, &same).await.bytes, answer.bytes, "{same}");
        }
        scene.refresh(&scene.app, &text(&answer.good(), "refresh_token"), "").await.good();
    }
    assert_eq!(scene.ends(&granted.grant).await, Vec::<String>::new());
}

#[tokio::test]
async fn attack_11_reuse_outside_the_window_ends_the_family_and_the_grant() {
    let scene = Scene::start().await;
    let granted = scene.granted(&scene.app).await;
    let sibling = scene.family(&scene.app, id(&granted.grant)).await;
    let first = scene.refresh(&scene.app, &granted.token, "").await.good();
    let (next, access) = (text(&first, "refresh_token"), text(&first, "access_token"));
    scene.call(&access).await.good();
    scene.seconds_pass(31).await;
    refused(&scene.refresh(&scene.app, &granted.token, "").await, 400, "invalid_grant");
    assert_eq!(scene.ends(&granted.grant).await, ["refresh_reused"]);
    scene.call(&access).await.refused_call(401, "grant-revoked", &json!(1));
    refused(&scene.refresh(&scene.app, &next, "").await, 400, "invalid_grant");
    refused(&scene.refresh(&scene.app, &sibling, "").await, 400, "invalid_grant");
    refused(&scene.refresh(&scene.app, &granted.token, "").await, 400, "invalid_grant");
    assert_eq!(scene.ends(&granted.grant).await.len(), 1, "once");
}

#[tokio::test]
async fn item_18_a_family_ends_when_nobody_uses_it_and_in_the_end_in_any_case() {
    let scene = Scene::start().await;
    for (column, client) in [("idle_until", &scene.desk), ("ends_at", &scene.app)] {
        let granted = scene.granted(client).await;
        let over = format!("update refresh_families set {column} = clock_timestamp() where grant_id = $1");
        sqlx::query(&over)
            .bind(id(&granted.grant))
            .execute(&scene.world.node.running.pool)
            .await
            .expect("time passes");
        refused(&scene.refresh(client, &granted.token, "").await, 400, "invalid_grant");
        assert!(!scene.is_active(&scene.desk, &granted.token).await);
        assert_eq!(scene.ends(&granted.grant).await, Vec::<String>::new(), "a user may have other families");
    }
}

#[tokio::test]
async fn attack_38_neither_a_token_nor_its_answer_is_in_the_database_to_be_read() {
    let scene = Scene::start().await;
    let granted = scene.granted(&scene.app).await;
    let answer = scene.refresh(&scene.app, &granted.token, "").await.good();
    for secret in [granted.token.as_str(), &text(&answer, "refresh_token"), &text(&answer, "access_token")] {
        for table in ["refresh_tokens", "refresh_families", "events", "commands"] {
            let query = format!(
                "select count(*) from {table} t where t::text like '%' || $1 || '%' or t::text like '%' || encode(convert_to($1, 'UTF8'), 'hex') || '%'"
            );
            let found: i64 = sqlx::query_scalar(&query)
                .bind(secret)
                .fetch_one(&scene.world.node.running.pool)
                .await
                .expect("a number");
            assert_eq!(found, 0, "{table}");
        }
    }
}
