//! Starting a program again whenever it ends without having been told to.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::error::EmbeddedError;
use super::guardian::Guarded;

const RESTART_PAUSE_MIN: Duration = Duration::from_millis(100);
const RESTART_PAUSE_MAX: Duration = Duration::from_secs(5);
/// A program that ran this long has not been crashing in a loop: its next restart is prompt again.
const STEADY: Duration = Duration::from_secs(30);

/// What can be started again, in the same place and on the same socket or port.
pub(super) trait Restartable: Send + Sync + 'static {
    /// For the log.
    fn name(&self) -> &'static str;
    /// Starts it and waits until it is ready.
    fn start(&self) -> impl Future<Output = Result<Guarded, EmbeddedError>> + Send;
}

/// A program under supervision. Dropping it stops the program too, without waiting for it.
#[derive(Debug)]
pub(super) struct Supervised {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    pid: Arc<AtomicI32>,
}

impl Supervised {
    /// Takes charge of a program that is running.
    pub(super) fn watch(program: impl Restartable, running: Guarded) -> Self {
        let (stop, stopped) = oneshot::channel();
        let pid = Arc::new(AtomicI32::new(running.pid().as_raw_nonzero().get()));
        let task = tokio::spawn(keep_running(program, running, Arc::clone(&pid), stopped));
        Self { stop, task, pid }
    }

    /// The pid of the running program; none while it is being started again.
    pub(super) fn pid(&self) -> Option<u32> {
        u32::try_from(self.pid.load(Ordering::Acquire)).ok().filter(|pid| *pid != 0)
    }

    /// Stops the program and waits until it is gone.
    pub(super) async fn stop(self) {
        drop(self.stop);
        let _ = self.task.await; // it can only have been cancelled with the runtime
    }
}

async fn keep_running(
    program: impl Restartable,
    mut running: Guarded,
    pid: Arc<AtomicI32>,
    mut stopped: oneshot::Receiver<()>,
) {
    let name = program.name();
    let mut pause = RESTART_PAUSE_MIN;
    loop {
        let since = Instant::now();
        let end = tokio::select! {
            biased;
            _ = &mut stopped => {
                running.stop().await;
                return;
            }
            end = running.ended() => end,
        };
        pid.store(0, Ordering::Release);
        tracing::warn!(program = name, end, "an embedded program ended; starting it again");
        running.stop().await; // a guardian that was killed may have left it running
        if since.elapsed() >= STEADY {
            pause = RESTART_PAUSE_MIN;
        }
        running = loop {
            let attempt = async {
                sleep(pause).await;
                program.start().await
            };
            let started = tokio::select! {
                biased;
                _ = &mut stopped => return, // what was being started goes with its lifeline
                started = attempt => started,
            };
            pause = (pause * 2).min(RESTART_PAUSE_MAX);
            match started {
                Ok(started) => break started,
                Err(error) => tracing::warn!(program = name, %error, "an embedded program does not start"),
            }
        };
        pid.store(running.pid().as_raw_nonzero().get(), Ordering::Release);
        tracing::warn!(
            program = name,
            pid = running.pid().as_raw_nonzero().get(),
            "an embedded program runs again"
        );
    }
}
