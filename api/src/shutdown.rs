//! Stopping: announced where somebody must be told first, then a soft token (no new work, what is under way may end), a hard one on the second signal or when the grace is over.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long, when the grace is over, what was cut off may take to put itself away: the records of calls, above all.
const LAST_WAIT: Duration = Duration::from_secs(3);

/// The tokens and the list of tasks.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    announced: CancellationToken,
    soft: CancellationToken,
    hard: CancellationToken,
    tasks: TaskTracker,
}

impl Shutdown {
    /// Fires when the stop begins.
    pub fn soft(&self) -> CancellationToken {
        self.soft.clone()
    }

    /// Fires when patience is over.
    pub fn hard(&self) -> CancellationToken {
        self.hard.clone()
    }

    /// Whether a stop was asked for.
    pub fn is_draining(&self) -> bool {
        self.announced.is_cancelled() || self.soft.is_cancelled()
    }

    /// Says that a stop will begin, while everybody is still served: whoever balances the load can send nobody new in time.
    pub fn announce(&self) {
        self.announced.cancel();
    }

    /// Runs a task that ends by itself after the soft token.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Begins the stop.
    pub fn begin(&self) {
        self.soft.cancel();
    }

    /// Waits until every task has ended, at most for the grace period; then fires the hard token. Tells whether all was quiet in time.
    pub async fn finish(&self, grace: Duration) -> bool {
        self.begin();
        self.tasks.close();
        let quiet = tokio::select! {
            () = self.tasks.wait() => true,
            () = self.hard.cancelled() => false,
            () = tokio::time::sleep(grace) => false,
        };
        let hurried = self.hard.is_cancelled();
        self.hard.cancel();
        if !quiet && !hurried {
            let _ = tokio::time::timeout(LAST_WAIT, self.tasks.wait()).await;
        }
        quiet
    }
}
