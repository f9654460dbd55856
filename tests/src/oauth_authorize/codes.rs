//! Redeeming a code: once, by its client, with everything that it is bound to. Whatever else is presented uses up nothing.

use std::time::Duration;

use api::oauth::{PresentedCode, Redeemed, redeem_code};
use domain::value::{ClientId, InstanceId};
use sqlx::{Connection as _, PgConnection};

use super::scene::{CALLBACK, Scene, VERIFIER, back};
use crate::people::PASSWORD;
use crate::people::browser::{hidden, location};

impl Scene {
    fn presented<'a>(&self, code: &'a str) -> PresentedCode<'a> {
        PresentedCode {
            code,
            client: ClientId::parse(&self.client).unwrap(),
            redirect_uri: Some(CALLBACK),
            verifier: VERIFIER,
            instance: Some(InstanceId::parse(&self.instance).unwrap()),
        }
    }

    async fn redeem(&self, presented: PresentedCode<'_>) -> Redeemed {
        redeem_code(&self.world.node.running.pool, presented).await.unwrap()
    }
}

#[tokio::test]
async fn item_10_attack_10_what_does_not_match_uses_up_nothing() {
    let mut scene = Scene::start().await;
    let code = scene.allow(&scene.request()).await["code"].clone();
    let good = scene.presented(&code);
    let other_client = ClientId::new(uuid::Uuid::new_v4());
    let cut = &code[..42];
    for wrong in [
        PresentedCode { client: other_client, ..good },
        PresentedCode { verifier: &VERIFIER[..42], ..good },
        PresentedCode { verifier: "", ..good },
        PresentedCode { verifier: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ..good },
        PresentedCode { redirect_uri: Some("https://app.example.com/callback/"), ..good },
        PresentedCode { redirect_uri: Some(""), ..good },
        PresentedCode { code: cut, ..good },
        PresentedCode { code: "", ..good },
    ] {
        assert_eq!(scene.redeem(wrong).await, Redeemed::Not, "{wrong:?}");
    }
    let elsewhere = Some(InstanceId::new(uuid::Uuid::new_v4()));
    assert_eq!(scene.redeem(PresentedCode { instance: elsewhere, ..good }).await, Redeemed::OtherInstance);
    let Redeemed::Now(facts) = scene.redeem(good).await else { panic!("it was used up") };
    assert_eq!(facts.grant.to_string(), scene.grants().await[0].0);
    assert_eq!(facts.scopes.iter().map(ToString::to_string).collect::<Vec<_>>(), ["mcp:write"]);
    assert_eq!(facts.user.to_string(), scene.bea.id);
}

#[tokio::test]
async fn item_11_a_client_may_leave_out_redirect_and_resource() {
    let mut scene = Scene::start().await;
    let code = scene.allow(&scene.request()).await["code"].clone();
    let good = scene.presented(&code);
    let fewer = PresentedCode { redirect_uri: None, instance: None, ..good };
    assert!(matches!(scene.redeem(fewer).await, Redeemed::Now(_)));
}

#[tokio::test]
async fn item_09_a_second_use_names_the_grant_that_is_to_end_and_a_strangers_does_not() {
    let mut scene = Scene::start().await;
    let code = scene.allow(&scene.request()).await["code"].clone();
    let good = scene.presented(&code);
    let Redeemed::Now(facts) = scene.redeem(good).await else { panic!("good") };
    let other_client = ClientId::new(uuid::Uuid::new_v4());
    assert_eq!(scene.redeem(PresentedCode { client: other_client, ..good }).await, Redeemed::Not);
    assert_eq!(scene.redeem(PresentedCode { verifier: &VERIFIER[..42], ..good }).await, Redeemed::Not);
    assert_eq!(scene.redeem(good).await, Redeemed::Again(facts.grant));
}

#[tokio::test]
async fn attack_10_of_many_at_once_exactly_one_is_first() {
    let mut scene = Scene::start().await;
    let code = scene.allow(&scene.request()).await["code"].clone();
    let pool = scene.world.node.running.pool.clone();
    let mut tasks = Vec::new();
    for _ in 0..64 {
        let (pool, code, client) = (pool.clone(), code.clone(), ClientId::parse(&scene.client).unwrap());
        tasks.push(tokio::spawn(async move {
            let presented =
                PresentedCode { code: &code, client, redirect_uri: None, verifier: VERIFIER, instance: None };
            redeem_code(&pool, presented).await.unwrap()
        }));
    }
    let (mut now, mut again) = (0, 0);
    for task in tasks {
        match task.await.unwrap() {
            Redeemed::Now(_) => now += 1,
            Redeemed::Again(_) => again += 1,
            Redeemed::Not | Redeemed::OtherInstance => panic!("neither"),
        }
    }
    assert_eq!((now, again), (1, 63));
}

#[tokio::test]
async fn item_09_a_code_runs_out() {
    let mut scene = Scene::start().await;
    let code = scene.allow(&scene.request()).await["code"].clone();
    let over = "update authorization_codes set expires_at = clock_timestamp() - interval '1 second'";
    sqlx::query(over).execute(&scene.world.node.running.pool).await.unwrap();
    assert_eq!(scene.redeem(scene.presented(&code)).await, Redeemed::Not);
}

#[tokio::test]
async fn attack_10_a_code_is_good_for_nothing_after_whoever_agreed_signed_out() {
    let mut scene = Scene::start().await;
    let code = scene.allow(&scene.request()).await["code"].clone();
    let page = scene.browser.get("/sign-out").await;
    scene.browser.fill(&page, "/sign-out", &[]).await;
    assert_eq!(scene.redeem(scene.presented(&code)).await, Redeemed::Not);
}

#[tokio::test]
async fn attack_10_a_code_is_good_for_nothing_after_its_session_was_ended_from_another() {
    let mut scene = Scene::start().await;
    let code = scene.allow(&scene.request()).await["code"].clone();
    let query = "select id::text from sessions";
    let ended: String = sqlx::query_scalar(query).fetch_one(&scene.world.node.running.pool).await.unwrap();
    let mut elsewhere = scene.bea.browser(&scene.world).await;
    let fields = hidden(&elsewhere.get("/account/grants").await);
    let csrf = fields.iter().find(|(name, _)| name == "csrf").unwrap().1.clone();
    location(&elsewhere.post("/account/sessions/end", &[("csrf", &csrf), ("session", &ended)]).await);
    assert_eq!(scene.redeem(scene.presented(&code)).await, Redeemed::Not);
}

#[tokio::test]
async fn attack_10_a_code_is_good_for_nothing_after_another_session_took_the_place_of_its_own() {
    let mut scene = Scene::start().await;
    let again = scene.browser.get("/sign-in?again=1").await;
    let code = scene.allow(&scene.request()).await["code"].clone();
    let who = [("email", scene.bea.email.as_str()), ("password", PASSWORD)];
    location(&scene.browser.fill(&again, "/sign-in", &who).await);
    assert_eq!(scene.redeem(scene.presented(&code)).await, Redeemed::Not);
}

#[tokio::test]
async fn attack_10_a_code_is_good_for_nothing_after_its_session_made_room_for_later_ones() {
    let mut scene = Scene::start().await;
    let code = scene.allow(&scene.request()).await["code"].clone();
    let later = "insert into sessions (digest, id, user_id, method, agent, created_at, expires_at)
        select int4send(n), gen_random_uuid(), user_id, method, agent, created_at + interval '1 second', expires_at
        from sessions, generate_series(1, 49) n";
    sqlx::query(later).execute(&scene.world.node.running.pool).await.unwrap();
    assert_eq!(scene.bea.browser(&scene.world).await.get("/account/grants").await.status, 200);
    assert_eq!(scene.redeem(scene.presented(&code)).await, Redeemed::Not);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_10_no_code_is_drawn_in_a_session_that_ends_at_that_moment() {
    let mut scene = Scene::start().await;
    scene.allow(&scene.request()).await; // from here on nobody is asked
    let pool = scene.world.node.running.pool.clone();
    let mut own = PgConnection::connect(&scene.world.database.url).await.unwrap();
    let mut ending = own.begin().await.unwrap();
    sqlx::query("delete from sessions").execute(&mut *ending).await.unwrap();
    let (mut browser, path) = (scene.browser.clone(), scene.request().path());
    let asking = tokio::spawn(async move { browser.get(&path).await });
    let waited = async {
        let query = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
            and query like '%sessions%'";
        while !asking.is_finished()
            && sqlx::query_scalar::<_, i64>(query).fetch_one(&pool).await.unwrap() == 0
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), waited).await.expect("it is about to be drawn");
    ending.commit().await.unwrap();
    let back = back(&asking.await.unwrap());
    assert_eq!((back.get("error").map(String::as_str), back.get("code")), (Some("access_denied"), None));
}
