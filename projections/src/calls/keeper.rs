//! Keeps the partitions: makes those of the days to come, drops those whose time is over.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::partitions::{drop_expired, make_ahead};
use super::publisher::Recording;

const LOOK_EVERY: Duration = Duration::from_mins(10);

/// Looks after the partitions until told to stop. Every node may: what another one has done is done.
pub async fn keep(recording: Recording, stop: CancellationToken) {
    let Recording { store, clock, .. } = recording;
    loop {
        let now = clock.now().get();
        if let Err(error) = make_ahead(store.pool(), now).await {
            tracing::warn!(error = %error, "partitions for call records cannot be made ahead");
        }
        match drop_expired(store.pool(), store.retention(), now).await {
            Ok(0) => {}
            Ok(partitions) => tracing::info!(partitions, "call records whose time is over were dropped"),
            Err(error) => tracing::warn!(error = %error, "call records whose time is over cannot be dropped"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}
