//! The hot path: one MCP call through Sekisho, through a bare reverse proxy, and to the upstream directly, in turns.
//!
//! ```text
//! load (this process) ──▶ upstream                      direct
//!                     ──▶ proxy ──▶ upstream            the floor of anything that stands between
//!                     ──▶ sekisho ──▶ upstream          authenticate, route, authorize, forward
//! ```
//!
//! Each is a process of its own, so processor time and memory are those of the one in the middle. All of them share the machine with the
//! load, so the figures fall as the number of processors does; the ratios hardly do.

#![expect(clippy::expect_used, clippy::panic, reason = "a benchmark that cannot go on has nothing to say")]

#[path = "hot/gateway.rs"]
mod gateway;
#[allow(dead_code, reason = "another benchmark shares it")]
#[path = "hot/load.rs"]
mod load;
mod measured;
#[path = "hot/process.rs"]
mod process;
#[path = "hot/proxy.rs"]
mod proxy;
#[path = "hot/requests.rs"]
mod requests;
#[path = "hot/upstream.rs"]
mod upstream;

use std::time::Duration;

use gateway::Gateway;
use measured::{Latencies, Report, Rounds, quick, rate};
use process::Process;
use requests::Call;
use tokio::runtime;

const CALLERS: [usize; 4] = [1, 8, 32, 128];
/// Callers for the calls that are not measured at every number of them.
const CALLERS_OTHERWISE: usize = 32;
const OPEN_EACH_SECOND: u32 = 1_000;

/// Who answers, and through whom.
struct Target {
    name: &'static str,
    url: String,
    /// The process in the middle.
    middle: Option<Process>,
}

/// What one target gave, round by round.
#[derive(Default)]
struct Figures {
    rate: Rounds,
    p50: Rounds,
    p99: Rounds,
    processor: Rounds,
}

/// How long, and how often.
#[derive(Clone, Copy)]
struct Plan {
    rounds: usize,
    span: Duration,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mode: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let many = || runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    match mode.as_slice() {
        ["upstream"] => many().block_on(upstream::run()),
        ["proxy", upstream] => many().block_on(proxy::run((*upstream).to_owned())),
        // One thread is enough to ask, and leaves more of the machine to those who answer.
        _ => runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(run()),
    }
}

async fn run() {
    let plan = if quick() {
        Plan { rounds: 2, span: Duration::from_millis(500) }
    } else {
        Plan { rounds: 5, span: Duration::from_secs(2) }
    };
    let upstream = Process::own(&["upstream"]).await;
    let proxy = Process::own(&["proxy", &upstream.url]).await;
    let gateway = Gateway::start(&upstream.url).await;
    let (proxy_idle, sekisho_idle) = (proxy.memory_mib("VmRSS"), gateway.process.memory_mib("VmRSS"));
    let Gateway { process, api_key, paths, data } = gateway;
    let targets = [
        Target { name: "direct", url: upstream.url.clone(), middle: None },
        Target { name: "bare proxy", url: proxy.url.clone(), middle: Some(proxy) },
        Target { name: "sekisho", url: process.url.clone(), middle: Some(process) },
    ];
    let calls = requests::Calls { api_key, paths };
    let mut report =
        Report::new("hot", "MCP calls of 2026-07-28 over keep-alive HTTP/1.1, to the same upstream");

    for callers in CALLERS {
        closed(&mut report, &targets, &calls, Call::Echo, callers, plan).await;
    }
    closed(&mut report, &targets, &calls, Call::List, CALLERS_OTHERWISE, plan).await;
    closed(&mut report, &targets, &calls, Call::EchoStreamed, CALLERS_OTHERWISE, plan).await;
    open(&mut report, &targets, &calls, plan).await;

    let [_, proxy, sekisho] = targets.map(|target| target.middle);
    let (proxy, sekisho) = (proxy.expect("a proxy"), sekisho.expect("a gateway"));
    report.table("memory of the one in the middle, MiB", &["idle", "loaded", "highest"]);
    for (name, idle, process) in [("bare proxy", proxy_idle, &proxy), ("sekisho", sekisho_idle, &sekisho)] {
        let [mut first, mut now, mut most] = std::array::from_fn(|_| Rounds::default());
        first.push(idle);
        now.push(process.memory_mib("VmRSS"));
        most.push(process.memory_mib("VmHWM"));
        report.row(name, &[("idle_mib", &first), ("loaded_mib", &now), ("highest_mib", &most)]);
    }
    report.line(
        "  (sekisho without its embedded Postgres and NATS, which are processes of their own and idle here)",
    );
    report.write();
    sekisho.stop().await;
    proxy.stop().await;
    upstream.stop().await;
    drop(std::fs::remove_dir_all(data));
}

/// Every target in turn, so many rounds.
async fn closed(
    report: &mut Report,
    targets: &[Target; 3],
    calls: &requests::Calls,
    call: Call,
    callers: usize,
    plan: Plan,
) {
    let mut figures: [Figures; 3] = Default::default();
    calls.check(targets, call).await;
    for _ in 0..plan.rounds {
        for (target, figures) in targets.iter().zip(&mut figures) {
            let (address, request) = calls.request(target, call);
            let before = target.middle.as_ref().map(Process::processor_seconds);
            let (latencies, took) = load::closed(&address, &request, callers, plan.span).await;
            if let Some((middle, before)) = target.middle.as_ref().zip(before) {
                let used = middle.processor_seconds() - before;
                figures.processor.push(used * 1e6 / measured::real(latencies.count()));
            }
            figures.rate.push(rate(latencies.count(), took));
            let (p50, p99) = latencies.p50_p99();
            figures.p50.push(p50);
            figures.p99.push(p99);
        }
    }
    let [direct, proxy, sekisho] = &figures;
    let section = format!("{}, callers: {callers}", call.name());
    report.table(&section, &["answers/s", "p50 ms", "p99 ms", "added p50 ms", "added p99 ms", "CPU us/call"]);
    report.row("direct", &[("rate", &direct.rate), ("p50_ms", &direct.p50), ("p99_ms", &direct.p99)]);
    for (name, middle) in [("bare proxy", proxy), ("sekisho", sekisho)] {
        let (added_p50, added_p99) = (middle.p50.above(&direct.p50), middle.p99.above(&direct.p99));
        report.row(
            name,
            &[
                ("rate", &middle.rate),
                ("p50_ms", &middle.p50),
                ("p99_ms", &middle.p99),
                ("added_p50_ms", &added_p50),
                ("added_p99_ms", &added_p99),
                ("cpu_us", &middle.processor),
            ],
        );
    }
    let (throughput, processor) = (sekisho.rate.over(&proxy.rate), sekisho.processor.over(&proxy.processor));
    let (p50, p99) = (sekisho.p50.above(&proxy.p50), sekisho.p99.above(&proxy.p99));
    let to_direct = sekisho.rate.over(&direct.rate);
    report.line(&format!(
        "  sekisho / bare proxy: throughput {}, CPU {}; sekisho / direct: throughput {}",
        throughput.told(),
        processor.told(),
        to_direct.told()
    ));
    report.note(
        "sekisho against bare proxy",
        &[
            ("throughput", &throughput),
            ("cpu", &processor),
            ("added_p50_ms", &p50),
            ("added_p99_ms", &p99),
            ("throughput_to_direct", &to_direct),
        ],
    );
}

/// The same at a rate that all of them can take: what somebody waits who is alone with others, not at the limit.
async fn open(report: &mut Report, targets: &[Target; 3], calls: &requests::Calls, plan: Plan) {
    let mut figures: [(Rounds, Rounds); 3] = Default::default();
    for _ in 0..plan.rounds {
        for (target, (p50s, p99s)) in targets.iter().zip(&mut figures) {
            let (address, request) = calls.request(target, Call::Echo);
            let latencies: Latencies = load::open(&address, &request, OPEN_EACH_SECOND, plan.span).await;
            let (p50, p99) = latencies.p50_p99();
            p50s.push(p50);
            p99s.push(p99);
        }
    }
    report.table(
        &format!("{}, {OPEN_EACH_SECOND} a second, whatever comes back", Call::Echo.name()),
        &["p50 ms", "p99 ms", "added p50 ms", "added p99 ms"],
    );
    let [(direct_p50, direct_p99), ..] = &figures;
    for (target, (p50, p99)) in targets.iter().zip(&figures) {
        let (added_p50, added_p99) = (p50.above(direct_p50), p99.above(direct_p99));
        report.row(
            target.name,
            &[("p50_ms", p50), ("p99_ms", p99), ("added_p50_ms", &added_p50), ("added_p99_ms", &added_p99)],
        );
    }
}
