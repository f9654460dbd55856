//! A world with an instance in front of a server that is authorized by OAuth, and the way of a browser to its authorization server and back.

use harness::{Answer, Instance, Settings, World};
use serde_json::{Value, json};
use url::Url;

use super::fixture::Fixture;
use crate::people::Person;
use crate::people::browser::{Browser, text};

/// A world, an instance in it, and the server behind that.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) fixture: Fixture,
    pub(crate) instance: Instance,
    pub(crate) owner: Person,
}

impl Scene {
    pub(crate) async fn start() -> Self {
        Self::with(Settings::default(), &json!({})).await
    }

    pub(crate) async fn with(settings: Settings, oauth: &Value) -> Self {
        let world = World::with(settings).await;
        let fixture = Fixture::start().await;
        let instance = protected(&world, &fixture.url(), oauth).await;
        let owner = Person::member(&world, "Olga", "owner").await;
        Self { world, fixture, instance, owner }
    }

    /// A path below the connection.
    pub(crate) fn path(&self, rest: &str) -> String {
        self.world.path(&format!("/connections/{}{rest}", self.instance.connection))
    }

    /// The page on which the connection is authorized, as the API names it.
    pub(crate) async fn page(&self) -> String {
        page(&self.world, &self.instance).await
    }

    /// A browser in which the owner is signed in.
    pub(crate) async fn browser(&self) -> Browser {
        self.owner.browser(&self.world).await
    }

    /// The owner authorizes the connection.
    pub(crate) async fn authorize(&self) {
        let answer = self.way(&mut self.browser().await).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", text(&answer));
        assert!(text(&answer).contains("is connected"), "{}", text(&answer));
    }

    /// Goes there and back with this browser: what the callback answers.
    pub(crate) async fn way(&self, browser: &mut Browser) -> Answer {
        let back = self.there(browser).await;
        browser.get(&back).await
    }

    /// Goes there with this browser: where the authorization server leads back to.
    pub(crate) async fn there(&self, browser: &mut Browser) -> String {
        let page = self.page().await;
        there(browser, &self.world.node.running.url, &page).await
    }

    /// Sends the form that leads there: what is answered.
    pub(crate) async fn begin(&self, browser: &mut Browser) -> Answer {
        let page = self.page().await;
        begin(browser, &page).await
    }

    /// Calls a tool.
    pub(crate) async fn call(&self) -> Answer {
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "x", "arguments": {} } });
        self.world.node.http().as_key(self.instance.api_key()).post(&self.instance.path(), &message).await
    }

    /// The connection as the API shows it.
    pub(crate) async fn connection(&self) -> Value {
        self.world.admin().get(&self.path("")).await.good()
    }

    /// How often the log has this event of a connection.
    pub(crate) async fn told(&self, event_type: &str) -> i64 {
        let query = "select count(*) from events where aggregate_type = 'connection' and event_type = $1";
        sqlx::query_scalar(query)
            .bind(event_type)
            .fetch_one(&self.world.node.running.pool)
            .await
            .expect("a number")
    }

    pub(crate) async fn execute(&self, statement: &str) {
        sqlx::query(statement).execute(&self.world.node.running.pool).await.expect("the database does it");
    }

    /// A call is refused because somebody must authorize the connection.
    pub(crate) async fn needs_authorization(&self) {
        let answer = self.call().await;
        answer.refused_call(502, "upstream-authorization-needed", &json!(1));
        assert_eq!(answer.body()["error"]["data"]["authorize_at"], json!(self.page().await));
    }
}

/// An instance in front of a server that is authorized by OAuth.
pub(crate) async fn protected(world: &World, url: &Url, oauth: &Value) -> Instance {
    let server = json!({
        "name": "Protected", "transport": { "http": { "url": url } }, "credential_fields": [], "oauth": oauth,
        "visibility": "organization",
    });
    let made = world.admin().post(&world.path("/servers"), &server).await.good();
    world.instance_of_server(made["id"].as_str().expect("an id")).await
}

/// The page on which the connection of an instance is authorized, as the API names it.
pub(crate) async fn page(world: &World, instance: &Instance) -> String {
    let path = world.path(&format!("/connections/{}/authorization", instance.connection));
    let begun = world.admin().post(&path, &json!({})).await.good();
    begun["url"].as_str().unwrap_or_else(|| panic!("a page in {begun}")).to_owned()
}

/// Sends the form that leads to the authorization server.
pub(crate) async fn begin(browser: &mut Browser, page: &str) -> Answer {
    let path = Url::parse(page).expect("an address").path().to_owned();
    let asked = browser.get(&path).await;
    assert_eq!(asked.status.as_u16(), 200, "{}", text(&asked));
    browser.fill(&asked, &path, &[]).await
}

/// Goes there: where the authorization server leads back to.
pub(crate) async fn there(browser: &mut Browser, home: &str, page: &str) -> String {
    let begun = begin(browser, page).await;
    let mut address = Url::parse(&led_to(&begun)).expect("an address");
    for _ in 0..10 {
        if let Some(path) = address.as_str().strip_prefix(home) {
            return path.to_owned();
        }
        let answer = harness::Http::new(address.as_str()).get("").await;
        let location =
            answer.header("location").unwrap_or_else(|| panic!("{address} leads nowhere: {}", text(&answer)));
        address = address.join(location).expect("an address");
    }
    panic!("the authorization server does not lead back: {address}");
}

/// Where the page leads on to.
#[track_caller]
pub(crate) fn led_to(begun: &Answer) -> String {
    let page = text(begun);
    assert_eq!(begun.status.as_u16(), 200, "{page}");
    let rest = page.split("class=\"button\" href=\"").nth(1).unwrap_or_else(|| panic!("no way on in {page}"));
    rest.split('"').next().unwrap_or_default().replace("&amp;", "&")
}
