//! Servers of the tests that we did not write in Rust: child processes that say on stderr which loopback port they listen on.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use url::Url;

const START_SECONDS_MAX: u64 = 30;
const START_ATTEMPTS_MAX: usize = 3;

/// A server that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) url: Url,
    _process: Child,
}

/// Starts a server. One that ends before it listens, because somebody else got the port, is started again.
pub(crate) async fn listening(command: impl Fn() -> Command) -> Listening {
    for _ in 0..START_ATTEMPTS_MAX {
        let started = tokio::time::timeout(Duration::from_secs(START_SECONDS_MAX), start(command()));
        if let Some(listening) = started.await.expect("the server starts in time") {
            return listening;
        }
    }
    panic!("{:?} did not start in {START_ATTEMPTS_MAX} attempts", command());
}

async fn start(mut command: Command) -> Option<Listening> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut process = command.spawn().expect("the server can be run");
    let mut lines = BufReader::new(process.stderr.take().expect("stderr is piped")).lines();
    let port = loop {
        let line = lines.next_line().await.expect("stderr is text")?;
        if let Some((_, port)) = line.split_once("listening on port ") {
            break port.trim().parse::<u16>().expect("a port is a number");
        }
    };
    // Read on, or the server would stop at a full pipe.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    let url = Url::parse(&format!("http://127.0.0.1:{port}/mcp")).expect("a URL");
    Some(Listening { url, _process: process })
}
