//! Every node sees to it that what the log says was erased is forgotten, whichever node wrote it and wherever that one died.

use std::time::Duration;

use domain::value::Position;
use tokio_util::sync::CancellationToken;

use crate::adapters::personal_data::PersonalData;

/// Whoever erased destroys the key at once; this is for those who died before they could.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Looks until it is stopped. Everything up to `done` has been seen to.
pub(super) async fn forget(personal: PersonalData, mut done: Position, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        match personal.forget_erased(done).await {
            Ok(position) => done = position,
            Err(error) => tracing::warn!(error = %error, "whether somebody was erased cannot be read"),
        }
    }
}
