//! A world with a provider in front of it, and the way of a browser there and back.

use std::time::Duration;

use harness::{Answer, Settings, World};
use hyper::Method;
use serde_json::{Value, json};

use super::process::Process;
use crate::people::browser::{Browser, location, text};

/// How long anything may take that is not about time.
const DEADLINE: Duration = Duration::from_mins(2);
pub(super) const SECRET: &str = "a client secret of tests";

/// A world with a provider.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) provider: Process,
}

impl Scene {
    pub(crate) async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    pub(super) async fn with(settings: Settings) -> Self {
        let world = World::with(settings).await;
        let callback = format!("{}/sign-in/callback/acme", world.node.running.url);
        let provider = Process::start(&callback).await;
        let scene = Self { world, provider };
        scene.offer(&json!({})).await.good();
        scene
    }

    /// Lets people sign in with the provider, on these terms.
    pub(super) async fn offer(&self, terms: &Value) -> Answer {
        let mut body = json!({
            "provider": "acme", "issuer": self.provider.issuer, "name": "Acme ID", "client_id": "sekisho", "client_secret": SECRET,
        });
        let object = body.as_object_mut().unwrap();
        object.extend(terms.as_object().unwrap().clone());
        self.world.admin().post("/v1/deployment/identity-providers", &body).await
    }

    /// Changes how accounts are matched.
    pub(super) async fn match_by_email(&self) {
        let body = json!({ "name": "Acme ID", "client_id": "sekisho", "matching": "verified_email" });
        let path = "/v1/deployment/identity-providers/acme";
        self.world.admin().json(Method::PUT, path, &body).await.good();
    }

    /// A browser in which nobody is signed in.
    pub(super) fn browser(&self) -> Browser {
        Browser::new(&self.world.node.running.url)
    }

    /// The browser as the provider knows it. Nobody is signed in there.
    pub(super) fn there(&self) -> Browser {
        Browser::new(&self.provider.issuer)
    }

    /// The provider as the API lists it.
    pub(super) async fn listed(&self) -> Value {
        let listed = self.world.admin().get("/v1/deployment/identity-providers").await.good();
        listed["items"][0].clone()
    }

    /// Chooses the provider on the sign-in page: what is answered.
    pub(super) async fn choose(&self, browser: &mut Browser) -> Answer {
        let page = browser.get("/sign-in").await;
        assert!(text(&page).contains("Sign in with Acme ID"), "{}", text(&page));
        browser.fill(&page, "/sign-in/provider/acme", &[]).await
    }

    /// Chooses the provider, and comes back from there: where to.
    pub(super) async fn there_and_back(&self, browser: &mut Browser, there: &mut Browser) -> String {
        let chosen = self.choose(browser).await;
        self.back(&led_to(&chosen), there).await
    }

    /// Goes to an address of the provider, until it leads back here: where to.
    pub(super) async fn back(&self, address: &str, there: &mut Browser) -> String {
        let mut address = address.to_owned();
        for _ in 0..10 {
            if let Some(path) = address.strip_prefix(&self.world.node.running.url) {
                return path.to_owned();
            }
            let path = address.strip_prefix(&self.provider.issuer).unwrap_or(&address).to_owned();
            address = location(&there.get(&path).await);
        }
        panic!("the provider does not lead back: {address}");
    }

    /// Signs in with the provider: what the last step answers.
    pub(super) async fn sign_in(&self, browser: &mut Browser, there: &mut Browser) -> Answer {
        let back = self.there_and_back(browser, there).await;
        browser.get(&back).await
    }

    /// A browser in which the person that the provider knows by this name is signed in.
    pub(super) async fn signed_in(&self, who: &str) -> Browser {
        self.provider.control(&json!({ "who": who })).await;
        let mut browser = self.browser();
        let answer = self.sign_in(&mut browser, &mut self.there()).await;
        location(&answer);
        browser
    }

    /// As if the provider had vouched for everybody so long ago.
    pub(super) async fn minutes_pass(&self, minutes: i32) {
        self.execute(&format!(
            "update provider_vouchers set vouched_at = vouched_at - make_interval(mins => {minutes})"
        ))
        .await;
    }

    pub(super) async fn execute(&self, statement: &str) {
        sqlx::query(statement).execute(&self.world.node.running.pool).await.expect("the database does it");
    }

    pub(super) async fn number(&self, query: &str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.world.node.running.pool).await.expect("a number")
    }

    pub(super) async fn text(&self, query: &str) -> String {
        sqlx::query_scalar(query).fetch_one(&self.world.node.running.pool).await.expect("a text")
    }

    /// Whether the metrics have such a line.
    pub(super) async fn metric(&self, line: &str) -> bool {
        text(&self.world.node.http().get("/metrics").await).contains(line)
    }

    /// Waits until this node has found out that the provider does not answer: what it heard a moment ago still counted.
    pub(super) async fn lose_contact(&self) {
        until("the node notices", async || self.choose(&mut self.browser()).await.status.as_u16() == 503)
            .await;
    }

    /// How often the log has this event about a user.
    pub(super) async fn told(&self, event_type: &str) -> i64 {
        let query = format!(
            "select count(*) from events where aggregate_type = 'user' and event_type = '{event_type}'"
        );
        self.number(&query).await
    }

    /// How many users there are.
    pub(super) async fn users(&self) -> i64 {
        self.told("registered").await
    }
}

/// Where the page of a chosen provider leads.
#[track_caller]
pub(super) fn led_to(chosen: &Answer) -> String {
    let page = text(chosen);
    assert_eq!(chosen.status.as_u16(), 200, "{page}");
    let rest = page.split("class=\"button\" href=\"").nth(1).unwrap_or_else(|| panic!("no way on in {page}"));
    rest.split('"').next().unwrap().replace("&amp;", "&")
}

/// The answer is a page with this status that says this.
#[track_caller]
pub(super) fn says(answer: &Answer, status: u16, words: &str) {
    let page = text(answer);
    assert_eq!(answer.status.as_u16(), status, "{page}");
    assert!(page.contains(words), "{page}");
}

/// Waits until something holds.
pub(super) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waited = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(DEADLINE, waited).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}
