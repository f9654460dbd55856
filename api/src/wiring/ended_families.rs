//! Every node sees to it that the grant of an ended family of refresh tokens is over in the log, whichever node ended it and wherever that one died.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::RealPorts;
use crate::oauth::tell;
use crate::token::KeepRefreshTokens;

/// Whoever ends a family tells it at once; this is for those who died before they could. Until then the family gives out nothing, but access tokens
/// that are out go on.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Tells what is untold, until told to stop.
pub(super) async fn tell_untold(
    ports: Arc<RealPorts>,
    refresh: Arc<dyn KeepRefreshTokens>,
    stop: CancellationToken,
) {
    loop {
        if let Ok(untold) = refresh.untold().await {
            for ended in untold {
                if let Err(error) = tell(&*ports, &*refresh, ended).await {
                    tracing::warn!(error = %error, grant.id = %ended.grant, "the end of a grant waits to be told");
                    break; // the next look begins anew
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}
