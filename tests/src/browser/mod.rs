//! The pages in a real browser: Chromium, driven by `tests/browser/browser.mjs`, which `tests/browser/setup.sh` installs what it needs for.
//!
//! With `SEKISHO_WRITE_SCREENSHOTS` set, the pictures of `docs/pages` are taken anew.

mod driven;

use serde_json::Value;

use driven::{Who, play, play_in};

use crate::providers::Scene;

#[tokio::test]
async fn somebody_signs_in_after_a_mistake_that_is_told_to_screen_readers_too() {
    let report = play("sign_in", Who::Member).await;
    assert!(report["alert"].as_str().unwrap().contains("do not match"), "{report}");
    assert_eq!(report["described"], "trouble");
    assert_eq!(report["heading"], "Your account");
    assert_eq!(report["scripts"], "", "a script reads the cookie");
}

#[tokio::test]
async fn everything_up_to_the_code_is_done_by_keyboard_and_the_focus_is_seen() {
    let report = play("keyboard", Who::Member).await;
    let seen = report["seen"].as_array().unwrap();
    assert!(seen.iter().all(|stop| stop["outline"] == true), "{report}");
    assert!(report["back"]["code"].is_string(), "{report}");
}

#[tokio::test]
async fn somebody_allows_a_part_and_the_client_on_their_computer_gets_its_code() {
    let report = play("consent", Who::Member).await;
    assert!(report["heading"].as_str().unwrap().contains("Allow Notes to use your tools"), "{report}");
    assert!(report["warned"].as_str().unwrap().contains("this very computer"), "{report}");
    let back = &report["back"];
    assert_eq!(back["at"], report["callback"]);
    assert_eq!(back["state"], "s t&a=te");
    assert!(back["code"].is_string() && back["iss"].is_string(), "{report}");
    assert_eq!(report["called"], 1);
}

#[tokio::test]
async fn somebody_denies_and_the_client_is_told_so() {
    let report = play("denial", Who::Member).await;
    assert_eq!(report["back"]["error"], "access_denied");
    assert_eq!(report["back"]["code"], Value::Null);
}

#[tokio::test]
async fn whoever_comes_first_is_welcomed_with_an_organization_of_their_own() {
    let report = play("onboarding", Who::Newcomer).await;
    assert_eq!(report["heading"], "Welcome");
    assert!(report["slug"].as_str().unwrap().starts_with("@user-"), "{report}");
}

#[tokio::test]
async fn somebody_takes_back_what_they_allowed() {
    let report = play("revoke", Who::Member).await;
    assert_eq!((&report["before"], &report["after"]), (&1.into(), &0.into()), "{report}");
    assert!(report["status"].as_str().unwrap().contains("taken back"), "{report}");
}

#[tokio::test]
async fn attack_06_another_site_can_neither_frame_the_pages_nor_send_their_forms() {
    let report = play("other_site", Who::Member).await;
    assert_eq!(report["framed"], "blocked", "{report}");
    assert_eq!(report["inside"], Value::Array(vec![]), "{report}");
    assert!(report["heading"].as_str().unwrap().contains("out of date"), "{report}");
    assert_eq!(report["still"], true, "the form was refused, and the session goes on");
}

#[tokio::test]
async fn somebody_links_an_account_elsewhere_and_signs_in_with_it_up_to_the_code() {
    let Scene { world, provider } = Scene::start().await;
    let report = play_in(world, "provider", Who::Member).await;
    assert!(report["linked"].as_str().unwrap().contains("Linked"), "{report}");
    assert!(report["heading"].as_str().unwrap().contains("Allow Notes to use your tools"), "{report}");
    assert!(report["back"]["code"].is_string(), "{report}");
    drop(provider);
}

#[tokio::test]
async fn pages_are_legible_in_light_and_dark_in_both_languages_and_on_a_telephone() {
    let report = play("shots", Who::Member).await;
    for (look, least) in report["contrast"].as_object().unwrap() {
        assert!(least.as_f64().unwrap() >= 4.5, "{look}: contrast {least}");
    }
}
