//! The doorbell: "the log has grown to here". Ringing is a hint; whoever hears nothing looks by itself now and then.

use domain::value::Position;
use tokio::sync::watch;

/// A shared, ever-growing position that can be waited on.
#[derive(Debug, Clone)]
pub struct Doorbell(watch::Sender<Position>);

impl Default for Doorbell {
    fn default() -> Self {
        Self(watch::Sender::new(Position::START))
    }
}

impl Doorbell {
    /// Says that the log reaches this far.
    pub fn ring(&self, position: Position) {
        self.0.send_if_modified(|known| {
            let news = position > *known;
            if news {
                *known = position;
            }
            news
        });
    }

    /// How far it was rung.
    pub fn position(&self) -> Position {
        *self.0.borrow()
    }

    /// A receiver that wakes on every ring.
    pub fn listen(&self) -> watch::Receiver<Position> {
        self.0.subscribe()
    }

    /// Waits until it has been rung at least this far.
    pub async fn reached(&self, position: Position) {
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.0.subscribe().wait_for(|known| *known >= position).await;
    }
}
