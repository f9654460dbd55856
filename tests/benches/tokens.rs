//! The authorization server: tokens given out, against a bare handler that signs as much with a kept key of the same kind; and tokens presented,
//! the first time and again.
//!
//! ```text
//! load (this process) ──▶ signer      one RS256 signature for each request, by a parsed key, and nothing else: the floor
//!                     ──▶ sekisho     client authentication (a bcrypt-stored secret), policy, the same signature
//! ```

#![expect(clippy::expect_used, clippy::panic, reason = "a benchmark that cannot go on has nothing to say")]

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
use std::time::Duration;

use measured::{Report, Rounds, quick, rate, real};
use process::Process;
use server::Server;
use tokio::runtime;

const CALLERS: usize = 16;

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

async fn run() {
    let (rounds, span, presented) =
        if quick() { (2, Duration::from_millis(500), 200) } else { (5, Duration::from_secs(3), 4_000) };
    let upstream = Process::own(&["upstream"]).await;
    let signer = Process::own(&["signer"]).await;
    let server = Server::start(&upstream.url).await;
    let mut report = Report::new("tokens", "access tokens, RS256 of 2,048 bits, over keep-alive HTTP/1.1");

    let asked = server.token_request();
    let answer = load::once(address(&server.process.url), &asked).await;
    assert!(answer.contains("\"access_token\""), "{answer}");
    let bare = signer::request(address(&signer.url));
    let [mut floor, mut ours] = [Figures::default(), Figures::default()];
    for _ in 0..rounds {
        floor.take(&signer, &bare, span).await;
        ours.take(&server.process, &asked, span).await;
    }
    report.table(
        &format!("client credentials, secret stored as bcrypt, {CALLERS} callers"),
        &["tokens/s", "p50 ms", "p99 ms", "CPU us/token"],
    );
    floor.row(&mut report, "bare handler, kept key");
    ours.row(&mut report, "sekisho");
    let (throughput, processor) = (ours.rate.over(&floor.rate), ours.processor.over(&floor.processor));
    report.line(&format!(
        "  sekisho / bare handler: throughput {}, CPU {}",
        throughput.told(),
        processor.told()
    ));
    report.note("sekisho against bare handler", &[("throughput", &throughput), ("cpu", &processor)]);
    report.at_least("tokens, sekisho / bare handler", throughput.median(), 0.85, "x");

    let [mut first, mut again] = [Rounds::default(), Rounds::default()];
    for _ in 0..rounds {
        let calls = server.calls_with_fresh_tokens(presented).await;
        for figures in [&mut first, &mut again] {
            let (latencies, took) = load::each(address(&server.process.url), &calls, CALLERS).await;
            figures.push(rate(latencies.count(), took));
        }
    }
    report.table(&format!("tools/call with an access token, {CALLERS} callers"), &["calls/s"]);
    report.row("each token for the first time: its signature is verified", &[("rate", &first)]);
    report.row("each token again: found by its digest", &[("rate", &again)]);
    report.write();
    let Server { process, data, .. } = server;
    process.stop().await;
    signer.stop().await;
    upstream.stop().await;
    drop(std::fs::remove_dir_all(data));
}
