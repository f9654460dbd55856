//! Items 32 to 35, case 18: giving tokens back.

use hyper::Method;
use serde_json::json;

use super::scene::{Client, Scene, refused, text};

#[tokio::test]
async fn item_32_item_35_only_clients_that_prove_themselves_give_back_and_only_by_a_form_in_a_post() {
    let scene = Scene::start().await;
    let granted = scene.granted(&scene.desk).await;
    let form = format!("token={}", granted.token);
    let anybody = scene.http().with("content-type", "application/x-www-form-urlencoded");
    refused(&anybody.send(Method::POST, "/oauth/revoke", form.clone()).await, 401, "invalid_client");
    let named = format!("{form}&client_id={}", scene.desk.id);
    refused(&anybody.send(Method::POST, "/oauth/revoke", named).await, 401, "invalid_client");
    refused(&scene.revoke(&scene.desk, "").await, 400, "invalid_request");
    refused(&scene.revoke(&scene.desk, "token=&token_type_hint=access_token").await, 400, "invalid_request");
    refused(&scene.revoke(&scene.desk, &format!("{form}&{form}")).await, 400, "invalid_request");
    let address = format!("/oauth/revoke?{form}&callback=x&client_id={}", scene.desk.id);
    assert_eq!(scene.http().get(&address).await.status.as_u16(), 405, "no JSONP (item 35)");
    assert!(scene.is_active(&scene.desk, &granted.token).await);
}

#[tokio::test]
async fn item_32_what_is_unknown_is_revoked_and_what_is_revoked_elsewhere_is_told_so() {
    let scene = Scene::start().await;
    for unknown in ["x", "a.b.c", "%00", "rt_short", &format!("rt_{}", "0".repeat(43))] {
        for hint in
            ["", "&token_type_hint=access_token", "&token_type_hint=refresh_token", "&token_type_hint=other"]
        {
            let answer = scene.revoke(&scene.app, &format!("token={unknown}{hint}")).await;
            if unknown == "%00" {
                refused(&answer, 400, "invalid_request");
            } else {
                answer.good();
            }
        }
    }
    for other in [scene.instance.api_key(), "cs_0000"] {
        refused(&scene.revoke(&scene.desk, &format!("token={other}")).await, 400, "unsupported_token_type");
    }
}

#[tokio::test]
async fn item_33_attack_18_a_token_of_another_client_looks_like_none_and_stays() {
    let scene = Scene::start().await;
    let granted = scene.granted(&scene.desk).await;
    let answer = scene.refresh(&scene.desk, &granted.token, "").await.good();
    let (access, next) = (text(&answer, "access_token"), text(&answer, "refresh_token"));
    let rival = scene.http().as_key(&scene.world.key_of_another_organization().await);
    let organization = rival.get("/v1/me").await.good()["organization"]["id"].clone();
    let path = format!("/v1/organizations/{}/clients", organization.as_str().expect("an id"));
    let rival = Client::register(&rival, &path, "confidential").await;
    let unknown = format!("rt_{}", "0".repeat(43));
    for client in [&scene.app, &rival] {
        let none = scene.revoke(client, &format!("token={unknown}")).await;
        for token in [&access, &next, &granted.token] {
            let answer = scene.revoke(client, &format!("token={token}")).await;
            assert_eq!(
                (answer.status, &answer.bytes),
                (none.status, &none.bytes),
                "nobody learns whose it is"
            );
            answer.good();
        }
    }
    assert_eq!(scene.ends(&granted.grant).await, Vec::<String>::new());
    scene.call(&access).await.good();
    scene.refresh(&scene.desk, &next, "").await.good();
}

#[tokio::test]
async fn item_34_a_refresh_token_takes_its_family_its_grant_and_every_access_token_with_it() {
    let scene = Scene::start().await;
    for (client, spent) in [(&scene.desk, false), (&scene.app, true)] {
        let granted = scene.granted(client).await;
        let answer = scene.refresh(client, &granted.token, "").await.good();
        let (access, next) = (text(&answer, "access_token"), text(&answer, "refresh_token"));
        scene.call(&access).await.good();
        let given = if spent { &granted.token } else { &next };
        let answer = scene.revoke(client, &format!("token={given}&token_type_hint=access_token")).await;
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        answer.good();
        assert_eq!(scene.ends(&granted.grant).await, ["by_client"]);
        scene.call(&access).await.refused_call(401, "grant-revoked", &json!(1));
        for token in [&next, &granted.token] {
            refused(&scene.refresh(client, token, "").await, 400, "invalid_grant");
            scene.revoke(client, &format!("token={token}")).await.good();
        }
        assert_eq!(scene.ends(&granted.grant).await.len(), 1, "a retry is no mistake");
    }
}

#[tokio::test]
async fn item_34_an_access_token_goes_alone() {
    let scene = Scene::start().await;
    let granted = scene.granted(&scene.app).await;
    let first = scene.refresh(&scene.app, &granted.token, "").await.good();
    let second = scene.refresh(&scene.app, &text(&first, "refresh_token"), "").await.good();
    let (one, other) = (text(&first, "access_token"), text(&second, "access_token"));
    for _ in 0..2 {
        scene.revoke(&scene.app, &format!("token={one}&token_type_hint=refresh_token")).await.good();
    }
    scene.call(&one).await.refused_call(401, "token-revoked", &json!(1));
    scene.call(&other).await.good();
    scene.refresh(&scene.app, &text(&second, "refresh_token"), "").await.good();
    let told = "select count(*) from events where aggregate_type = 'access_token'";
    assert_eq!(scene.count(told).await, 1);
    let of_grant = format!("select count(*) from events where aggregate_id = '{}'", granted.grant);
    assert_eq!(scene.count(&of_grant).await, 1, "what is folded for each revocation does not grow with them");

    let own = scene.desk.send(scene.http(), "/oauth/token", "grant_type=client_credentials").await.good();
    let own = text(&own, "access_token");
    scene.call(&own).await.good();
    scene.revoke(&scene.desk, &format!("token={own}")).await.good();
    scene.call(&own).await.refused_call(401, "token-revoked", &json!(1));
}
