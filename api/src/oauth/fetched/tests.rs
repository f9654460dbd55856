use std::net::{IpAddr, Ipv4Addr};

use super::*;

/// Answers in JSON at every place but those that are silent or broken.
struct Answering;

impl FetchDocument for Answering {
    fn fetch<'a>(&'a self, url: &'a str, _: Wanted) -> Boxed<'a, Result<Fetched, NotFetched>> {
        Box::pin(async move {
            if url.contains("silent") {
                return std::future::pending().await;
            }
            if url.contains("broken") {
                return Err(NotFetched("nobody is there".to_owned()));
            }
            let headers =
                HeaderMap::from_iter([(http::header::CONTENT_TYPE, "application/json".parse().unwrap())]);
            Ok(Fetched { status: StatusCode::OK, headers, body: Bytes::from_static(b"{}") })
        })
    }
}

impl Addressed for String {
    fn address(&self) -> &str {
        self
    }
}

type Texts = Shelf<String, String>;

const LONG: Duration = Duration::from_hours(1);

fn shelf(good: Duration) -> Arc<Texts> {
    let wanted = Wanted { accept: "application/json", bytes_max: 1024 };
    Arc::new(Shelf::new(Box::new(Answering), wanted, (good, good), LONG))
}

fn from(last: u8) -> Subscriber {
    Subscriber::of(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)))
}

async fn get(shelf: &Texts, url: String, asker: Subscriber) -> Result<(), FetchFault> {
    let is_good = |_, dated: &Dated<_>| dated.is_good(Duration::ZERO);
    shelf.get(&url, asker, is_good, Duration::ZERO, |_, _| Ok(String::new())).await.map(|_| ())
}

#[tokio::test]
async fn attack_03_whoever_names_many_places_that_never_answer_keeps_nobody_else_waiting() {
    let shelf = shelf(LONG);
    for number in 0..40 {
        let (shelf, url) = (Arc::clone(&shelf), format!("https://silent{number}.example/x"));
        tokio::spawn(async move { get(&shelf, url, from(1)).await });
    }
    while shelf.places.lock().unwrap().len() < 40 {
        tokio::task::yield_now().await;
    }
    get(&shelf, "https://app.example.com/x".to_owned(), from(2)).await.unwrap();
    let theirs = get(&shelf, "https://app.example.com/y".to_owned(), from(1)).await;
    assert_eq!(theirs, Err(FetchFault::Busy), "who asked for all that is told to wait");
}

#[tokio::test]
async fn attack_03_whoever_names_many_good_places_drives_out_nothing_that_others_need() {
    let shelf = shelf(LONG);
    let needed = "https://app.example.com/keys".to_owned();
    get(&shelf, needed.clone(), from(1)).await.unwrap();
    for number in 0..5 * HELD_MAX {
        get(&shelf, format!("https://a{number}.example/keys"), from(2)).await.unwrap();
    }
    assert!(shelf.held(&needed, Duration::ZERO).is_some());
    assert_eq!(shelf.places.lock().unwrap().len(), HELD_MAX);
}

#[tokio::test]
async fn attack_03_places_where_nothing_is_make_room_before_what_was_good_not_long_ago() {
    let shelf = shelf(Duration::ZERO);
    let needed = "https://app.example.com/keys".to_owned();
    get(&shelf, needed.clone(), from(1)).await.unwrap();
    for number in 0..2 * HELD_MAX {
        get(&shelf, format!("https://broken{number}.example/keys"), from(2)).await.unwrap_err();
    }
    assert!(shelf.held(&needed, LONG).is_some(), "it is needed while its place is down");
}
