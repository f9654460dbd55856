//! The authorization server: tokens given out, against a bare handler that signs as much with a kept key of the same kind; and tokens presented,
//! the first time and again; and what others meet while callers with wrong secrets keep bcrypt busy.
//!
//! ```text
//! load (this process) ──▶ signer      one RS256 signature for each request, by a parsed key, and nothing else: the floor
//!                     ──▶ sekisho     client authentication (a bcrypt-stored secret), policy, the same signature
//! ```

#![expect(clippy::expect_used, clippy::panic, reason = "a benchmark that cannot go on has nothing to say")]

#[allow(dead_code, clippy::unwrap_used, reason = "tests share it")]
#[path = "../src/people/browser.rs"]
mod browser;
#[path = "tokens/flood.rs"]
mod flood;
#[allow(dead_code, reason = "another benchmark shares it")]
#[path = "hot/load.rs"]
mod load;
mod measured;
#[allow(dead_code, reason = "another benchmark shares it")]
#[path = "hot/process.rs"]
mod process;
#[path = "tokens/server.rs"]
mod server;
#[path = "tokens/signer.rs"]
mod signer;
#[allow(dead_code, reason = "another benchmark shares it")]
#[path = "hot/upstream.rs"]
mod upstream;

use std::sync::Arc;
use std::time::{Duration, Instant};

use browser::Browser;
use flood::Flood;
use measured::{Latencies, Report, Rounds, quick, rate, real};
use process::Process;
use server::Server;
use tokio::runtime;

const CALLERS: usize = 16;
const PASSWORD: &str = "correct horse battery";
/// Attempts of one person to sign in: the account's bucket holds ten.
const ATTEMPTS_MAX: usize = 9;

/// What one of them gave, round by round.
#[derive(Default)]
struct Figures {
    rate: Rounds,
    p50: Rounds,
    p99: Rounds,
    processor: Rounds,
}

impl Figures {
    async fn take(&mut self, process: &Process, request: &Arc<[u8]>, span: Duration) {
        let before = process.processor_seconds();
        let (latencies, took) = load::closed(address(&process.url), request, CALLERS, span).await;
        let used = process.processor_seconds() - before;
        self.processor.push(used * 1e6 / real(latencies.count()));
        self.rate.push(rate(latencies.count(), took));
        let (p50, p99) = latencies.p50_p99();
        self.p50.push(p50);
        self.p99.push(p99);
    }

    fn row(&self, report: &mut Report, name: &str) {
        report.row(
            name,
            &[
                ("rate", &self.rate),
                ("p50_ms", &self.p50),
                ("p99_ms", &self.p99),
                ("cpu_us", &self.processor),
            ],
        );
    }
}

fn address(url: &str) -> &str {
    url.trim_start_matches("http://")
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mode: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let many = || runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    match mode.as_slice() {
        ["upstream"] => many().block_on(upstream::run()),
        ["signer"] => many().block_on(signer::run()),
        _ => runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(run()),
    }
}

/// How much is measured.
struct Extent {
    rounds: usize,
    span: Duration,
    /// Tokens that are presented.
    presented: usize,
    /// People who sign in.
    people: usize,
    /// Callers with wrong secrets.
    flood: usize,
}

impl Extent {
    fn asked_for() -> Self {
        let span = Duration::from_millis(500);
        if quick() {
            Self { rounds: 2, span, presented: 200, people: 3, flood: 40 }
        } else {
            Self { rounds: 5, span: 6 * span, presented: 4_000, people: 12, flood: 200 }
        }
    }
}

async fn run() {
    let extent = Extent::asked_for();
    let upstream = Process::own(&["upstream"]).await;
    let signer = Process::own(&["signer"]).await;
    let server = Server::start(&upstream.url).await;
    let mut report = Report::new("tokens", "access tokens, RS256 of 2,048 bits, over keep-alive HTTP/1.1");
    given_out(&mut report, &extent, &signer, &server).await;
    presented(&mut report, &extent, &server).await;
    beside_a_flood(&mut report, &extent, &server).await;
    report.write();
    let Server { process, data, .. } = server;
    process.stop().await;
    signer.stop().await;
    upstream.stop().await;
    drop(std::fs::remove_dir_all(data));
}

/// Client credentials against a bare handler that signs as much; and the question what a token is good for.
async fn given_out(report: &mut Report, extent: &Extent, signer: &Process, server: &Server) {
    let asked = server.token_request();
    let introspection = server.introspection().await;
    let bare = signer::request(address(&signer.url));
    let [mut floor, mut ours, mut asking] = [Figures::default(), Figures::default(), Figures::default()];
    for _ in 0..extent.rounds {
        floor.take(signer, &bare, extent.span).await;
        ours.take(&server.process, &asked, extent.span).await;
        asking.take(&server.process, &introspection, extent.span).await;
    }
    report.table(
        &format!("client credentials, secret stored as bcrypt, {CALLERS} callers"),
        &["tokens/s", "p50 ms", "p99 ms", "CPU us/token"],
    );
    floor.row(report, "bare handler, kept key");
    ours.row(report, "sekisho");
    let (throughput, processor) = (ours.rate.over(&floor.rate), ours.processor.over(&floor.processor));
    report.line(&format!(
        "  sekisho / bare handler: throughput {}, CPU {}",
        throughput.told(),
        processor.told()
    ));
    report.note("sekisho against bare handler", &[("throughput", &throughput), ("cpu", &processor)]);
    report.at_least("tokens, sekisho / bare handler", throughput.median(), 0.85, "x");
    report.table(
        &format!("introspection, secret stored as bcrypt, {CALLERS} callers"),
        &["answers/s", "p50 ms", "p99 ms", "CPU us/answer"],
    );
    asking.row(report, "of an active token");
}

/// Calls with tokens, new ones and known ones.
async fn presented(report: &mut Report, extent: &Extent, server: &Server) {
    let [mut first, mut again] = [Rounds::default(), Rounds::default()];
    for _ in 0..extent.rounds {
        let calls = server.calls_with_fresh_tokens(extent.presented).await;
        for figures in [&mut first, &mut again] {
            let (latencies, took) = load::each(address(&server.process.url), &calls, CALLERS).await;
            figures.push(rate(latencies.count(), took));
        }
    }
    report.table(&format!("tools/call with an access token, {CALLERS} callers"), &["calls/s"]);
    report.row("each token for the first time: its signature is verified", &[("rate", &first)]);
    report.row("each token again: found by its digest", &[("rate", &again)]);
}

/// What others meet while callers with wrong secrets keep bcrypt busy: whoever needs none, and whoever signs in.
async fn beside_a_flood(report: &mut Report, extent: &Extent, server: &Server) {
    let people = server.people(2 * extent.people, PASSWORD).await;
    let wrong = server.wrong_secrets(extent.flood).await;
    let requests = [
        ("a token, secret checked within the last minute", server.token_request()),
        ("introspection", server.introspection().await),
        ("tools/call", server.one_call().await),
    ];
    let (before, during) = people.split_at(extent.people);
    let mut quiet = Vec::new();
    for (_, request) in &requests {
        quiet.push(latency(server, request, extent.span).await);
    }
    let (signed_in, _) = signing_in(server, before).await;
    let flood = Flood::begin(address(&server.process.url), &wrong);
    tokio::time::sleep(Duration::from_millis(500)).await; // until the queue is full
    let mut beside = Vec::new();
    for (_, request) in &requests {
        beside.push(latency(server, request, extent.span).await);
    }
    let (signed_in_beside, turned_away) = signing_in(server, during).await;
    let answers = flood.end();
    report.table(
        &format!("one caller, alone and beside {} callers with wrong secrets", extent.flood),
        &["alone p50", "alone p99", "beside p50", "beside p99 ms"],
    );
    let rows = requests.iter().map(|(label, _)| *label).zip(quiet.into_iter().zip(beside));
    let people = ("a person signs in", (signed_in.p50_p99(), signed_in_beside.p50_p99()));
    for (label, (alone, beside)) in rows.chain([people]) {
        let [mut one, mut two, mut three, mut four] =
            [Rounds::default(), Rounds::default(), Rounds::default(), Rounds::default()];
        one.push(alone.0);
        two.push(alone.1);
        three.push(beside.0);
        four.push(beside.1);
        report.row(label, &[("p50", &one), ("p99", &two), ("p50_beside", &three), ("p99_beside", &four)]);
    }
    report.line(&format!(
        "  the flood was answered {answers:?}; {turned_away} attempts to sign in were told to come again"
    ));
}

async fn latency(server: &Server, request: &Arc<[u8]>, span: Duration) -> (f64, f64) {
    load::closed(address(&server.process.url), request, 1, span).await.0.p50_p99()
}

/// Each of them signs in, as a new browser, and again when there is no room: how long it took in all, and how often there was none.
async fn signing_in(server: &Server, people: &[String]) -> (Latencies, usize) {
    let (mut latencies, mut turned_away) = (Latencies::default(), 0);
    for email in people {
        let started = Instant::now();
        for _ in 0..ATTEMPTS_MAX {
            let answer = Browser::new(&server.process.url).sign_in(email, PASSWORD).await;
            if answer.status.is_redirection() {
                break;
            }
            assert_eq!(answer.status.as_u16(), 503, "a person signs in or is told to come again");
            turned_away += 1;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        latencies.push(started.elapsed());
    }
    (latencies, turned_away)
}
