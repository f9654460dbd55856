//! The guard against answers and names that mean harm.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

const LIMITS: AnswerLimits =
    AnswerLimits { first_byte: Duration::from_mins(1), whole: Duration::from_mins(1), body_bytes_max: 1024 };

/// A server that answers every connection with these bytes, and keeps it open. Counts who came.
async fn serving(answer: Vec<u8>) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, count) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let came = Arc::clone(&count);
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            came.fetch_add(1, Ordering::SeqCst);
            let mut request = [0; 2048];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(&answer).await;
            open.push(stream);
        }
    });
    (address, count)
}

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

async fn get(loopback: Loopback, url: &str, limits: AnswerLimits) -> Result<Response<Bytes>, OutboundError> {
    Outbound::try_new(loopback).unwrap().get(&Url::parse(url).unwrap(), "application/json", limits).await
}

#[tokio::test]
async fn attack_22_whatever_is_spelled_another_way_is_the_same_address_and_refused() {
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "0",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[fc00::1]",
        "[fe80::1]",
        "10.0.0.1",
        "169.254.169.254",
        "2852039166",
        "\u{ff11}27.0.0.1",
        "127\u{3002}0\u{3002}0\u{3002}1",
    ] {
        let refused = get(Loopback::Refused, &format!("https://{host}/x"), LIMITS).await.unwrap_err();
        assert_eq!(refused, OutboundError::Address, "{host}");
    }
}

#[tokio::test]
async fn attack_22_only_https_without_a_user_at_a_port_of_the_web() {
    for url in [
        "http://example.com/",
        "http://127.0.0.1/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "https://ann@example.com/",
        "https://ann:x@example.com/",
        "https://:x@example.com/",
        "https://example.com:22/",
        "https://example.com:25/",
        "https://example.com:0/",
    ] {
        assert_eq!(get(Loopback::Refused, url, LIMITS).await.unwrap_err(), OutboundError::Url, "{url}");
    }
    let elsewhere = get(Loopback::Allowed, "http://example.com/", LIMITS).await.unwrap_err();
    assert_eq!(elsewhere, OutboundError::Url, "http goes to this machine alone");
    let private = get(Loopback::Allowed, "https://10.0.0.1/", LIMITS).await.unwrap_err();
    assert_eq!(private, OutboundError::Address, "and so does nothing else that is not open");
}

/// A name that leads inside.
struct Inside(SocketAddr);

impl Resolve for Inside {
    fn resolve<'a>(
        &'a self,
        _: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>> {
        Box::pin(async move { Ok(vec![SocketAddr::from(([1, 1, 1, 1], 0)), self.0]) })
    }
}

#[tokio::test]
async fn attack_22_a_name_of_which_one_address_leads_inside_leads_nowhere() {
    let (inside, came) = serving(answer("200 OK", b"{}")).await;
    let outbound = Outbound::resolving(Arc::new(Inside(inside)), Loopback::Refused).unwrap();
    let url = Url::parse(&format!("https://half.example:{}/", inside.port())).unwrap();
    let refused = outbound.get(&url, "application/json", LIMITS).await.unwrap_err();
    assert_eq!(refused, OutboundError::Address);
    assert_eq!(came.load(Ordering::SeqCst), 0, "and nobody came there");
}

#[tokio::test]
async fn attack_22_a_redirect_is_an_answer_and_nobody_follows_it() {
    let (inside, came) = serving(answer("200 OK", b"{}")).await;
    let (at, _) = serving(answer(&format!("302 Found\r\nlocation: http://{inside}/"), b"")).await;
    let answered = get(Loopback::Allowed, &format!("http://{at}/"), LIMITS).await.unwrap();
    assert_eq!(answered.status(), 302);
    assert_eq!(came.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn attack_22_a_body_that_is_too_long_is_given_up_and_a_packed_one_not_looked_at() {
    let said = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n{".to_vec();
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    let chunks = [head, b"200\r\n".to_vec(), vec![b' '; 512], b"\r\n".to_vec()].concat();
    let more = [b"400\r\n".to_vec(), vec![b' '; 1024], b"\r\n".to_vec()].concat();
    for long in [said, [chunks, more].concat()] {
        let (at, _) = serving(long).await;
        let refused = get(Loopback::Allowed, &format!("http://{at}/"), LIMITS).await.unwrap_err();
        assert_eq!(refused, OutboundError::TooLong(1024));
    }
    let (at, _) = serving(answer("200 OK\r\ncontent-encoding: gzip", &[0x1f, 0x8b, 8])).await;
    let refused = get(Loopback::Allowed, &format!("http://{at}/"), LIMITS).await.unwrap_err();
    assert_eq!(refused, OutboundError::Packed);
}

#[tokio::test]
async fn attack_22_whoever_takes_too_long_is_left() {
    let short = Duration::from_millis(300);
    let (silent, _) = serving(vec![]).await;
    let limits = AnswerLimits { first_byte: short, ..LIMITS };
    let refused = get(Loopback::Allowed, &format!("http://{silent}/"), limits).await.unwrap_err();
    assert_eq!(refused, OutboundError::TooSlow);
    let (half, _) = serving(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".to_vec()).await;
    let limits = AnswerLimits { whole: short, ..LIMITS };
    let refused = get(Loopback::Allowed, &format!("http://{half}/"), limits).await.unwrap_err();
    assert_eq!(refused, OutboundError::TooSlow);
}
