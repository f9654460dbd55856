//! `sekisho serve`: start, wait for a signal, drain within the grace period.

use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{complain, say};
use crate::config::Config;
use crate::wiring::{Running, start};

/// How long the store may take to stop in order after the second signal.
const STORE_WAIT: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or SIGINT.
pub(super) async fn run(config: Config) -> ExitCode {
    let patience = Patience::of(&config);
    let running = match start(config).await {
        Ok(running) => running,
        Err(error) => {
            complain(&error.to_string());
            return ExitCode::FAILURE;
        }
    };
    let Some(stops) = Stops::listen() else { return ExitCode::FAILURE };
    for line in &running.description {
        tracing::info!("{line}");
    }
    if !running.view.load().deployment().bootstrapped {
        let token = running.bootstrap_file.as_ref().map_or_else(
            || "the token that was given".to_owned(),
            |file| format!("the token in {}", file.display()),
        );
        tracing::info!(
            "nobody has set this deployment up yet: POST {}/v1/bootstrap with Authorization: Bearer and {token}; see {}/docs#bootstrap",
            running.url,
            running.url
        );
    }
    tracing::info!(address = %running.address, url = running.url, "serving");
    say(&format!("serving on {}", running.url));
    until_stopped(running, patience, stops).await
}

/// How a stop goes: announced for so long, then drained for so long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    delay: Duration,
    grace: Duration,
}

impl Patience {
    /// As configured.
    pub(super) const fn of(config: &Config) -> Self {
        Self { delay: config.drain_delay, grace: config.grace }
    }
}

/// The signals that stop it. Listened for before anybody is told that it is ready: whoever stops it right then is heard, too.
#[derive(Debug)]
pub(super) struct Stops {
    terminate: Signal,
    interrupt: Signal,
}

impl Stops {
    /// Listens from now on; says so when it cannot.
    pub(super) fn listen() -> Option<Self> {
        let listened = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
        let (Ok(terminate), Ok(interrupt)) = listened else {
            complain("signals cannot be listened for");
            return None;
        };
        Some(Self { terminate, interrupt })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Waits for the first signal, then drains; a second one ends the wait.
pub(super) async fn until_stopped(running: Running, patience: Patience, mut stops: Stops) -> ExitCode {
    stops.next().await;
    tracing::info!(
        delay.seconds = patience.delay.as_secs_f64(),
        grace.seconds = patience.grace.as_secs_f64(),
        "stopping; a second signal ends it at once"
    );
    running.shutdown().announce();
    let hard = running.shutdown().hard();
    let again = async move {
        stops.next().await;
        hard.cancel();
        tokio::time::sleep(STORE_WAIT).await;
    };
    let quiet = tokio::select! {
        quiet = async {
            tokio::time::sleep(patience.delay).await;
            running.stop().await
        } => quiet,
        () = again => false, // the guardians end the embedded store, whatever it hangs in
    };
    if quiet {
        return ExitCode::SUCCESS;
    }
    tracing::warn!("stopped with work under way");
    ExitCode::from(3)
}
