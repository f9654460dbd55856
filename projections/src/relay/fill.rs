//! Filling the stream on demand, as the relay does by itself: for whoever wants to see it done, or has no node running.

use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::GetStreamErrorKind;
use domain::value::Position;

use super::{Relay, RelayError};

/// A live relay is faster now and then: it is given a moment.
const PAUSE_WHEN_OVERTAKEN: Duration = Duration::from_millis(50);

/// How much of the log the stream holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// The last event in the stream; `None` when there is no stream.
    pub stream: Option<Position>,
    /// The last event in the log.
    pub log: Position,
}

impl Relay {
    /// How much of the log the stream holds. Makes and changes nothing; a stream of another log, or one that tells another story, holds nothing of it.
    pub async fn held(&self) -> Result<Held, RelayError> {
        let mut stream = match self.context.get_stream(&self.config.stream).await {
            Ok(stream) => stream,
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                    return Ok(Held { stream: None, log: self.log.head().await? });
                }
                _ => return Err(RelayError::Nats(error.to_string())), // whatever else the server said, in its words
            },
        };
        self.must_be_ours(&stream).await?;
        let last = self.look(&mut stream).await?;
        self.must_agree(&stream, last).await?;
        Ok(Held { stream: Some(last), log: self.log.head().await? })
    }

    /// Puts into the stream what it lacks, up to the present end of the log, and tells what it held before. Safe beside live relays: the
    /// expected sequence is the fence for all of us. `told` hears how far it is.
    pub async fn fill(&self, mut told: impl FnMut(Position, Position)) -> Result<Held, RelayError> {
        let before = self.held().await?.stream;
        let mut stream = self.stream().await?;
        let mut last = self.look(&mut stream).await?;
        self.must_agree(&stream, last).await?;
        let head = self.log.head().await?;
        while last < head {
            told(last, head);
            let page = self.log.page(last).await?;
            last = match self.publish(&page).await {
                Ok(position) => position,
                Err(RelayError::Overtaken(_)) => {
                    tokio::time::sleep(PAUSE_WHEN_OVERTAKEN).await;
                    self.look(&mut stream).await?
                }
                Err(error) => return Err(error),
            };
        }
        Ok(Held { stream: before, log: head })
    }
}
