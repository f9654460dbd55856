//! The first visit: whoever belongs to no organization gets one of their own in the step in which they sign in.

use harness::World;
use serde_json::Value;

use super::browser::{Browser, location, text};
use super::{PASSWORD, Person};

async fn organizations(world: &World) -> Vec<Value> {
    let listed = world.admin().get("/v1/deployment/organizations").await.good();
    listed["items"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn whoever_belongs_to_none_gets_their_own_once() {
    let world = World::start().await;
    let dora = Person::registered(&world, "Dora").await;
    let before = organizations(&world).await.len();
    let mut browser = Browser::new(&world.node.running.url);
    let welcome = location(&browser.sign_in(&dora.email, PASSWORD).await);
    assert!(welcome.starts_with("/welcome?next=%2Faccount%2Fgrants"), "{welcome}");
    let page = text(&browser.get(&welcome).await);
    assert!(page.contains("@user-") && page.contains("href=\"/account/grants\""), "{page}");
    // Again, and in another browser: nothing more is made.
    let mut again = Browser::new(&world.node.running.url);
    assert_eq!(location(&again.sign_in(&dora.email, PASSWORD).await), "/account/grants");
    let after = organizations(&world).await;
    assert_eq!(after.len(), before + 1);
    let own = after.iter().find(|one| one["kind"] == "personal").expect("a personal one");
    assert_eq!(own["id"], dora.id.as_str());
    // Nothing personal stands in what the log keeps in clear.
    assert!(!own.to_string().to_lowercase().contains("dora"), "{own}");
}

#[tokio::test]
async fn whoever_signs_in_many_times_at_once_gets_one() {
    let world = World::start().await;
    let dora = Person::registered(&world, "Dora").await;
    let url = world.node.running.url.clone();
    let both = (0..6).map(|_| {
        let (url, email) = (url.clone(), dora.email.clone());
        tokio::spawn(async move { location(&Browser::new(&url).sign_in(&email, PASSWORD).await) })
    });
    for one in both.collect::<Vec<_>>() {
        one.await.unwrap();
    }
    let personal = organizations(&world).await.iter().filter(|one| one["kind"] == "personal").count();
    assert_eq!(personal, 1);
}

#[tokio::test]
async fn a_member_of_a_team_gets_none() {
    let world = World::start().await;
    let bea = Person::member(&world, "Bea", "member").await;
    let mut browser = Browser::new(&world.node.running.url);
    assert_eq!(location(&browser.sign_in(&bea.email, PASSWORD).await), "/account/grants");
    assert!(organizations(&world).await.iter().all(|one| one["kind"] == "team"));
}
