//! Item 60 (RFC 9700, 4.11.2): a link to us that is wrong on purpose leads nobody on to where a stranger registered, unless they choose to go there or
//! let that client act before.

use serde_json::json;

use super::scene::{CALLBACK, Scene, text};
use crate::people::browser::{Browser, location, text as shown};

const EVIL: &str = "https://evil.example/login";

#[tokio::test]
async fn item_60_nobody_is_led_on_by_an_error_to_what_registered_itself_signed_in_or_not() {
    let mut scene = Scene::open().await;
    let metadata =
        json!({ "client_name": "<b>Bank", "redirect_uris": [EVIL], "token_endpoint_auth_method": "none" });
    let id = text(&scene.register(&metadata).await.good(), "client_id");
    let good = scene.request(&id, EVIL);
    let mut nobody = Browser::new(&scene.world.node.running.url);
    for (bad, error) in [
        (good.replace("response_type=code", "response_type=token"), "unsupported_response_type"),
        (good.replace("scope=mcp%3Awrite", "scope=none"), "invalid_scope"),
        (good.replace("code_challenge_method=S256", "code_challenge_method=plain"), "invalid_request"),
        (good.replace("%2Fmcp%2F", "%2Fother%2F"), "invalid_target"),
        (format!("{good}&scope=x"), "invalid_request"),
    ] {
        assert_ne!(bad, good);
        for browser in [&mut nobody, &mut scene.browser] {
            let page = browser.get(&bad).await;
            assert_eq!(page.status.as_u16(), 400, "{bad}");
            assert!(page.header("location").is_none() && page.header("refresh").is_none(), "{bad}");
            let read = shown(&page);
            assert!(!read.contains("http-equiv") && !read.contains("<b>Bank"), "{read}");
            assert!(read.contains(error) && read.contains("evil.example"), "{read}");
            // Whoever knows the application goes on by themself, and it is told as ever.
            let way =
                read.split(&format!("href=\"{EVIL}?")).nth(1).unwrap_or_else(|| panic!("no way on: {read}"));
            let way = way.split('"').next().unwrap();
            assert!(
                way.contains(&format!("error={error}")) && way.contains("&amp;state=s&amp;iss="),
                "{way}"
            );
        }
    }
    // Also what only shows once somebody is signed in.
    let nowhere = good.replace(&scene.instance, &uuid::Uuid::new_v4().to_string());
    let page = scene.browser.get(&nowhere).await;
    assert_eq!((page.status.as_u16(), shown(&page).contains("invalid_target")), (400, true));
    assert!(location(&nobody.get(&good).await).starts_with("/sign-in?"), "without a mistake all is as ever");
}

#[tokio::test]
async fn item_60_a_client_that_the_person_let_act_before_is_told_its_errors_at_once_until_they_take_it_back()
{
    let mut scene = Scene::open().await;
    let metadata = json!({ "redirect_uris": [EVIL], "token_endpoint_auth_method": "none" });
    let id = text(&scene.register(&metadata).await.good(), "client_id");
    let bad = scene.request(&id, EVIL).replace("scope=mcp%3Awrite", "scope=none");
    assert_eq!(scene.browser.get(&bad).await.status.as_u16(), 400);
    scene.code(&id, EVIL).await;
    let back = location(&scene.browser.get(&bad).await);
    assert!(back.starts_with(&format!("{EVIL}?error=invalid_scope")), "{back}");
    let page = scene.browser.get("/account/grants").await;
    location(&scene.browser.fill(&page, "/account/grants/revoke", &[]).await);
    assert_eq!(scene.browser.get(&bad).await.status.as_u16(), 400);
}

#[tokio::test]
async fn item_60_a_client_that_an_administrator_registered_is_told_its_errors_at_once() {
    let scene = Scene::open().await;
    let body =
        json!({ "name": "Desk", "kind": "public", "redirect_uris": [CALLBACK], "scopes": ["mcp:write"] });
    let made = scene.world.admin().post(&scene.world.path("/clients"), &body).await.good();
    let bad =
        scene.request(&text(&made, "id"), CALLBACK).replace("response_type=code", "response_type=token");
    let back = location(&Browser::new(&scene.world.node.running.url).get(&bad).await);
    assert!(back.starts_with(CALLBACK) && back.contains("&state=s&iss="), "{back}");
}
