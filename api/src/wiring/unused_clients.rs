//! Every node sees to it that clients which registered themselves and which nobody ever let act are forgotten: anybody can register thousands.
//!
//! Which they are is told by the view; whether one still is, by the aggregate, in the same append that ends it. So nodes that come at the same moment
//! end it once, and one that is being let act at that moment stays.

use std::sync::Arc;
use std::time::Duration;

use commands::client::EndUnused;
use commands::{Actor, CommandId, Order, Ports as _, carry_out};
use domain::value::{ClientId, Clock as _, Position, Timestamp};
use projections::access::{AccessView, LiveView};
use tokio_util::sync::CancellationToken;

use super::RealPorts;
use crate::config::Registration;

/// Once a minute there may be room again, as whoever finds none is told.
const LOOK_EVERY_MAX: Duration = Duration::from_mins(1);
const LOOK_EVERY_MIN: Duration = Duration::from_millis(200);
/// How long the view may take to hear of those that were ended.
const HEARD_WAIT: Duration = Duration::from_secs(5);
/// Those that are ended in one go: a flood is worked off in pieces, and others are let write in between.
const AT_ONCE_MAX: usize = 100;

/// Looks and ends, until told to stop.
pub(super) async fn end(
    ports: Arc<RealPorts>,
    view: LiveView,
    registration: Registration,
    stop: CancellationToken,
) {
    let Registration { policy: _, unused_for, unused_max, unused_kept_at_least } = registration;
    let every = (unused_for.min(unused_kept_at_least) / 10).clamp(LOOK_EVERY_MIN, LOOK_EVERY_MAX);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
        let now = ports.clock().now();
        for which in [
            Which::All { since: before(now, unused_for) },
            Which::TooMany { since: before(now, unused_kept_at_least), crowd: unused_max - unused_max / 4 },
        ] {
            while !stop.is_cancelled() && end_some(&ports, &view, which).await {}
        }
    }
}

fn before(now: Timestamp, time: Duration) -> Timestamp {
    now.plus_seconds(-i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
}

/// Which of them are to go.
#[derive(Debug, Clone, Copy)]
enum Which {
    /// All that were there by then.
    All { since: Timestamp },
    /// Of those that are nobody's and were there by then, the oldest, as far as there are more than these: strangers make room for each other.
    TooMany { since: Timestamp, crowd: usize },
}

impl Which {
    const fn since(self) -> Timestamp {
        match self {
            Self::All { since } | Self::TooMany { since, crowd: _ } => since,
        }
    }

    /// Some of those, the oldest first.
    fn some(self, view: &AccessView) -> Vec<ClientId> {
        match self {
            Self::All { since } => view.unused_clients(since).take(AT_ONCE_MAX).collect(),
            Self::TooMany { since, crowd } => {
                let too_many = view.unused_clients_of_nobody().saturating_sub(crowd);
                view.unused_clients_of_nobody_since(since).take(too_many.min(AT_ONCE_MAX)).collect()
            }
        }
    }
}

/// Ends some of them. Whether there may be more.
async fn end_some(ports: &RealPorts, view: &LiveView, which: Which) -> bool {
    let unused = which.some(&view.load());
    let since = which.since();
    let mut told = None;
    for client in &unused {
        match end_one(ports, *client, since).await {
            Ok(position) => told = told.max(Some(position)),
            Err(error) => {
                tracing::warn!(error = %error, client.id = %client, "an unused client waits to be forgotten");
                return false; // the next look begins anew
            }
        }
    }
    // The view is to have heard of these before the next ones are looked for.
    let heard = async {
        if let Some(position) = told {
            view.reached(position).await;
        }
    };
    unused.len() == AT_ONCE_MAX && tokio::time::timeout(HEARD_WAIT, heard).await.is_ok()
}

/// Under one command id, whichever node it is: ended once, and told once.
async fn end_one(
    ports: &RealPorts,
    client: ClientId,
    since: Timestamp,
) -> Result<Position, commands::CarryOutError> {
    let order = Order {
        command: Some(CommandId::new(format!("unused-client:{client}"))),
        request_digest: String::new(),
        correlation: format!("client {client}"),
        causation: None,
    };
    let done = carry_out(ports, &Actor::schedule(), order, &EndUnused { client, since }).await?;
    tracing::info!(client.id = %client, "a client that nobody ever let act is forgotten");
    Ok(done.position)
}
