//! Out of the stream, into the tables. A message is acknowledged when its records are stored; what comes again is there already.

use std::time::Duration;

use async_nats::jetstream::consumer::PullConsumer;
use futures_util::StreamExt as _;
use tokio_util::sync::CancellationToken;

use super::publisher::Recording;
use super::stream::{CallStream, StreamError};

/// Messages in one transaction; each is a parcel of up to some hundred records.
const BATCH_MESSAGES_MAX: usize = 100;
/// How long a batch may take to fill.
const FILL_WAIT: Duration = Duration::from_millis(250);
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(500);

/// Projects until told to stop. All nodes share one consumer: each takes what the others have not.
pub async fn project(recording: Recording, stop: CancellationToken) {
    let Some(stream) = recording.stream.clone() else { return };
    loop {
        let followed = tokio::select! {
            () = stop.cancelled() => return,
            followed = follow(&recording, &stream) => followed,
        };
        let Err(error) = followed;
        tracing::debug!(error = %error, "the projector of call records pauses");
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PAUSE_AFTER_ERROR) => {}
        }
    }
}

async fn follow(recording: &Recording, stream: &CallStream) -> Result<std::convert::Infallible, StreamError> {
    let consumer = stream.consumer().await?;
    loop {
        step(recording, stream, &consumer).await?;
    }
}

async fn step(
    recording: &Recording,
    stream: &CallStream,
    consumer: &PullConsumer,
) -> Result<(), StreamError> {
    let failed = |error: &dyn std::fmt::Display| StreamError::new(error);
    let batch = consumer.batch().max_messages(BATCH_MESSAGES_MAX).expires(FILL_WAIT);
    let mut coming = batch.messages().await.map_err(|error| failed(&error))?;
    let (mut messages, mut entries, mut waiting) = (Vec::new(), Vec::new(), 0);
    while let Some(message) = coming.next().await {
        let message = message.map_err(|error| failed(&error))?;
        waiting = message.info().map_or(waiting, |info| info.pending);
        entries.extend(stream.read(&message));
        messages.push(message);
    }
    if messages.is_empty() {
        recording.observe.projected(0, 0);
        return Ok(());
    }
    recording.store.store(&entries, recording.clock.now().get()).await.map_err(|error| failed(&error))?;
    for message in &messages {
        message.ack().await.map_err(|error| failed(&error))?;
    }
    recording.observe.projected(entries.len(), waiting);
    Ok(())
}
