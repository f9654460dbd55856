//! A browser of the tests' own: keeps cookies, reads forms, follows nothing by itself.

use std::collections::BTreeMap;

use harness::{Answer, Http};
use hyper::Method;
use url::form_urlencoded;

/// A browser.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    http: Http,
    origin: String,
    /// What it was given to keep.
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Browser {
    /// A new one, with nothing kept.
    pub(crate) fn new(url: &str) -> Self {
        Self { http: Http::new(url), origin: url.to_owned(), cookies: BTreeMap::new() }
    }

    /// A new one that knows a place by one address and reaches it at another, as through a proxy.
    pub(crate) fn behind(url: &str, reached_at: &str) -> Self {
        Self { http: Http::new(reached_at), ..Self::new(url) }
    }

    /// The same with one more header on every request.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.http = self.http.with(name, value);
        self
    }

    fn http(&self) -> Http {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if cookies.is_empty() {
            self.http.clone()
        } else {
            self.http.clone().with("cookie", &cookies.join("; "))
        }
    }

    fn keep(&mut self, answer: &Answer) {
        for value in answer.headers.get_all("set-cookie") {
            let pair = value.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    /// Asks for a page.
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let answer = self.http().get(path).await;
        self.keep(&answer);
        answer
    }

    /// Sends a form as a page of ours would.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let origin = self.origin.clone();
        self.post_from(&[("origin", &origin), ("sec-fetch-site", "same-origin")], path, fields).await
    }

    /// Sends a form with other headers that say where from.
    pub(crate) async fn post_from(
        &mut self,
        headers: &[(&str, &str)],
        path: &str,
        fields: &[(&str, &str)],
    ) -> Answer {
        let mut http = self.http().with("content-type", "application/x-www-form-urlencoded");
        for (name, value) in headers {
            http = http.with(name, value);
        }
        let answer = http.send(Method::POST, path, encoded(fields)).await;
        self.keep(&answer);
        answer
    }

    /// Fills in the form of a page and sends it.
    pub(crate) async fn fill(&mut self, page: &Answer, action: &str, fields: &[(&str, &str)]) -> Answer {
        let hidden = hidden(page);
        let mut all: Vec<(&str, &str)> =
            hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        all.extend_from_slice(fields);
        self.post(action, &all).await
    }

    /// Signs somebody in; the answer leads on.
    pub(crate) async fn sign_in(&mut self, email: &str, password: &str) -> Answer {
        let page = self.get("/sign-in").await;
        self.fill(&page, "/sign-in", &[("email", email), ("password", password)]).await
    }
}

/// A form or a query.
pub(crate) fn encoded(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// A page as text.
pub(crate) fn text(answer: &Answer) -> String {
    String::from_utf8(answer.bytes.to_vec()).expect("a page is text")
}

/// Where an answer leads.
#[track_caller]
pub(crate) fn location(answer: &Answer) -> String {
    assert_eq!(answer.status.as_u16(), 303, "{}", text(answer));
    answer.header("location").expect("a place to go").to_owned()
}

/// The hidden fields of the first form of a page.
pub(crate) fn hidden(page: &Answer) -> Vec<(String, String)> {
    let text = text(page);
    let form = text.split("<form").nth(1).unwrap_or_else(|| panic!("no form in {text}"));
    let form = form.split("</form>").next().unwrap();
    form.split("<input type=\"hidden\" ")
        .skip(1)
        .map(|input| {
            let value = |name: &str| {
                let rest = input.split(&format!("{name}=\"")).nth(1).expect("an attribute");
                unescaped(rest.split('"').next().unwrap())
            };
            (value("name"), value("value"))
        })
        .collect()
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}
