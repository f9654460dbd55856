//! Every node sees to it that clients which registered themselves and which nobody ever let act are forgotten: anybody can register thousands.
//!
//! Which they are is told by the view; whether one still is, by the aggregate, in the same append that ends it. So nodes that come at the same moment
//! end it once, and one that is being let act at that moment stays.

use std::sync::Arc;
use std::time::Duration;

use commands::client::EndUnused;
use commands::{Actor, CommandId, Order, Ports as _, carry_out};
use domain::value::{ClientId, Clock as _, Timestamp};
use projections::access::LiveView;
use tokio_util::sync::CancellationToken;

use super::RealPorts;

const LOOK_EVERY_MAX: Duration = Duration::from_mins(5);
const LOOK_EVERY_MIN: Duration = Duration::from_millis(200);
/// Those that are ended in one look: a flood is worked off in pieces, and others are let write in between.
const AT_ONCE_MAX: usize = 100;

/// Looks and ends, until told to stop.
pub(super) async fn end(
    ports: Arc<RealPorts>,
    view: LiveView,
    unused_for: Duration,
    stop: CancellationToken,
) {
    let every = (unused_for / 10).clamp(LOOK_EVERY_MIN, LOOK_EVERY_MAX);
    let seconds = i64::try_from(unused_for.as_secs()).unwrap_or(i64::MAX);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
        let since = ports.clock().now().plus_seconds(-seconds);
        let unused: Vec<ClientId> = view.load().unused_clients(since).take(AT_ONCE_MAX).collect();
        for client in unused {
            if let Err(error) = end_one(&ports, client, since).await {
                tracing::warn!(error = %error, client.id = %client, "an unused client waits to be forgotten");
                break; // the next look begins anew
            }
        }
    }
}

/// Under one command id, whichever node it is: ended once, and told once.
async fn end_one(
    ports: &RealPorts,
    client: ClientId,
    since: Timestamp,
) -> Result<(), commands::CarryOutError> {
    let order = Order {
        command: Some(CommandId::new(format!("unused-client:{client}"))),
        request_digest: String::new(),
        correlation: format!("client {client}"),
        causation: None,
    };
    carry_out(ports, &Actor::schedule(), order, &EndUnused { client, since }).await?;
    tracing::info!(client.id = %client, "a client that nobody ever let act is forgotten");
    Ok(())
}
