//! Reading request bodies: bounded in size, in time, and in what all of them together may hold.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use mcp::memory::ByteBudget;

use super::refusal::Refusal;
use super::shares::{SMALL_BYTES_MAX, Share};

/// How long a body may take to arrive.
pub(super) const BODY_WAIT: Duration = Duration::from_secs(30);

/// The body of a call. One that says that it is small counts with the reserve for those.
pub(super) async fn read_call(body: Body, bytes_max: usize, share: &Share) -> Result<Bytes, Refusal> {
    let is_small = body.size_hint().upper().is_some_and(|bytes| bytes <= SMALL_BYTES_MAX);
    read_body(body, bytes_max, if is_small { &share.small } else { &share.large }).await
}

/// A whole body, if it is not larger than it may be. Its bytes count until the last user lets go of them.
pub(super) async fn read_body(body: Body, bytes_max: usize, memory: &ByteBudget) -> Result<Bytes, Refusal> {
    let gathered = gather(Limited::new(body, bytes_max), bytes_max, memory);
    tokio::time::timeout(BODY_WAIT, gathered).await.unwrap_or_else(|_| Err(Refusal::body_too_slow()))
}

async fn gather(mut body: Limited<Body>, bytes_max: usize, memory: &ByteBudget) -> Result<Bytes, Refusal> {
    let mut gathered = memory.gather();
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => {
                let piece = frame.into_data().unwrap_or_default(); // trailers hold nothing of the message
                gathered.push(piece).map_err(Refusal::no_room)?;
            }
            Err(error) if error.is::<LengthLimitError>() => return Err(Refusal::too_large(bytes_max)),
            Err(_) => return Err(Refusal::broken_body()),
        }
    }
    Ok(gathered.into_bytes())
}
