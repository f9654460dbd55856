//! The relay: log to JetStream, in order, once. It keeps no state of its own.
//!
//! ```text
//!   next = last sequence of the stream + 1  --->  page of the log from next  --->  publish, each expecting the position before it
//!        ^                                                                              |
//!        `--------------------- any error: pause, start over ---------------------------'
//! ```
//! Invariant: stream sequence = position. Two relays, a crash between publish and acknowledgement, a wiped stream, an old stream put back: the
//! expected sequence is the fence and the log is the truth, so each of these ends with the same stream. No relay is elected: each node publishes at
//! once what it has committed itself, and looks after what others did only when they had time to publish it. A stream that was filled from another log is refused, and so is one that holds what the log does not: the log was put back.

mod fill;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream::context::{PublishAckFuture, PublishErrorKind};
use async_nats::jetstream::stream::{Config, Stream};
use async_nats::jetstream::{self};
use async_nats::{HeaderMap, header};
use domain::value::Position;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use self::fill::Held;
use crate::doorbell::Doorbell;
use crate::log::{LogError, LogReader};
use crate::recorded::{Envelope, Recorded};
use crate::server::{self, Unfit};

/// Carries the signature of an envelope, in hexadecimal.
pub(crate) const SIGNATURE_HEADER: &str = "Sekisho-Signature";

const LOG_ID: &str = "sekisho.log";
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);
/// A quiet relay looks at the stream this often, so that a stream lost while nothing happens is filled again.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What others have committed is theirs to publish for so long. Whoever reads the log meanwhile hears of it from Postgres.
const OTHERS_WAIT: Duration = Duration::from_millis(200);
/// What stops the relay is said when it begins, and again while it lasts.
const SAY_AGAIN_AFTER: Duration = Duration::from_mins(1);
const WINDOW_MESSAGES_MAX: usize = 256;

/// Signs what the relay sends, so that readers take nobody else's word.
pub trait SignEnvelope: Send + Sync {
    /// The signature of these bytes, in visible ASCII.
    fn sign(&self, envelope: &[u8]) -> String;
    /// Whether a signature is ours, in constant time.
    fn verify(&self, envelope: &[u8], signature: &str) -> bool;
}

/// Where the relay writes.
#[derive(Debug, Clone)]
pub struct RelayConfig {
    /// Name of the stream, such as `EVENTS`.
    pub stream: String,
    /// First token of the subjects, such as `events`: `events.{aggregate}.{organization or _}.{id}.{type}`.
    pub prefix: String,
    /// Copies of the stream in a NATS cluster.
    pub replicas: usize,
}

impl RelayConfig {
    /// The subjects of this log.
    pub fn subjects(&self) -> String {
        format!("{}.>", self.prefix)
    }
}

/// The relay cannot go on right now.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// NATS refuses or does not answer.
    #[error("NATS: {0}")]
    Nats(String),
    /// The server that answers now will not do.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// Another relay was faster: it has stored something at this position already.
    #[error("another relay has published position {0}")]
    Overtaken(Position),
    /// The stream holds more than the log: the database was put back from a backup.
    #[error(
        "the stream holds {held} events and the log only {head}: the database is older than the stream; delete the stream to fill it again"
    )]
    Ahead {
        /// Last sequence of the stream.
        held: u64,
        /// Last position of the log.
        head: Position,
    },
    /// The stream and the log tell different stories: the database was put back from a backup and has been written to since.
    #[error(
        "the stream and the log hold different events at position {0}: the database was put back from a backup; delete the stream to fill it again"
    )]
    Diverged(Position),
    /// The stream holds another log's events.
    #[error(
        "stream {stream} was filled from another log ({found}); give this deployment its own NATS or another prefix (SEKISHO_NATS_PREFIX)"
    )]
    ForeignStream {
        /// The stream's name.
        stream: String,
        /// The id of the log that filled it.
        found: String,
    },
}

/// What wakes a relay that has published everything.
struct Bells {
    /// The log has grown.
    any: watch::Receiver<Position>,
    /// This node has committed.
    own: Option<watch::Receiver<Position>>,
}

/// What a relay does when it was woken.
enum Rung {
    /// Reads on where it is.
    Publish,
    /// Looks first how far the stream is by now; nothing need be done when it is as far as this.
    Look {
        /// What others should have published meanwhile.
        due: Option<Position>,
    },
}

impl Bells {
    /// Forgets what was rung so far.
    fn hush(&mut self) {
        self.any.borrow_and_update();
        if let Some(own) = &mut self.own {
            own.borrow_and_update();
        }
    }

    async fn wait(&mut self) -> Rung {
        let Some(own) = &mut self.own else {
            let rung = tokio::time::timeout(LOOK_EVERY, self.any.changed()).await;
            return if rung.is_ok() { Rung::Publish } else { Rung::Look { due: None } };
        };
        let others = async {
            tokio::time::timeout(LOOK_EVERY, self.any.changed()).await.ok()?.ok()?;
            let due = *self.any.borrow_and_update();
            tokio::time::sleep(OTHERS_WAIT).await;
            Some(due)
        };
        tokio::select! {
            biased;
            Ok(()) = own.changed() => Rung::Publish,
            due = others => Rung::Look { due },
        }
    }
}

/// Log to JetStream.
pub struct Relay {
    log: LogReader,
    doorbell: Doorbell,
    client: async_nats::Client,
    context: jetstream::Context,
    config: RelayConfig,
    signer: Arc<dyn SignEnvelope>,
    relayed: Doorbell,
    /// What this node has committed; none for a relay that publishes everything at once.
    own: Option<watch::Receiver<Position>>,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Relay {
    /// A relay for this log. `relayed` is rung with what the stream holds.
    pub fn new(
        log: LogReader,
        doorbell: Doorbell,
        client: async_nats::Client,
        config: RelayConfig,
        signer: Arc<dyn SignEnvelope>,
        relayed: Doorbell,
    ) -> Self {
        let mut context = jetstream::new(client.clone());
        context.set_timeout(Duration::from_secs(3));
        Self { log, doorbell, client, context, config, signer, relayed, own: None }
    }

    /// Publishes at once only what this node commits: one of several relays.
    #[must_use]
    pub fn beside_others(self, own: watch::Receiver<Position>) -> Self {
        Self { own: Some(own), ..self }
    }

    /// Relays until told to stop. Errors are logged and tried again: commands never wait for this.
    pub async fn run(self, stop: CancellationToken) {
        let mut said: Option<(String, Instant)> = None;
        loop {
            let round = tokio::select! {
                () = stop.cancelled() => return,
                round = self.follow() => round,
            };
            let Err(error) = round;
            let text = error.to_string();
            let known =
                said.as_ref().is_some_and(|(last, at)| *last == text && at.elapsed() < SAY_AGAIN_AFTER);
            if !known {
                tracing::warn!(error = text, "the relay pauses; readers go on from Postgres");
                said = Some((text, Instant::now()));
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(PAUSE_AFTER_ERROR) => {}
            }
        }
    }

    /// Follows the log until something goes wrong, and tells what.
    pub async fn follow(&self) -> Result<std::convert::Infallible, RelayError> {
        let mut stream = self.stream().await?;
        let mut bells = Bells { any: self.doorbell.listen(), own: self.own.clone() };
        let mut last = self.look(&mut stream).await?;
        self.must_agree(&stream, last).await?;
        loop {
            self.relayed.ring(last);
            bells.hush();
            let page = self.log.page(last).await?;
            if page.is_empty() {
                last = self.rest(&mut stream, &mut bells, last).await?;
                continue;
            }
            last = match self.publish(&page).await {
                // Not a reason to pause: whoever was faster may be gone, and what follows is ours.
                Err(RelayError::Overtaken(position)) => {
                    tracing::debug!(position = position.get(), "another relay was faster");
                    let last = self.look(&mut stream).await?;
                    self.must_agree(&stream, last).await?;
                    last
                }
                published => published?,
            };
        }
    }

    /// Waits until there is something to publish here, and answers after which position.
    async fn rest(
        &self,
        stream: &mut Stream,
        bells: &mut Bells,
        mut last: Position,
    ) -> Result<Position, RelayError> {
        loop {
            let due = match bells.wait().await {
                Rung::Publish => return Ok(last),
                Rung::Look { due } => due,
            };
            last = self.look(stream).await?;
            if due.is_none_or(|due| last < due) {
                return Ok(last);
            }
            self.relayed.ring(last); // others have published it, and what came since is still theirs
        }
    }

    /// What the stream holds: less when it was lost or put back from a backup, more when another relay was faster.
    async fn look(&self, stream: &mut Stream) -> Result<Position, RelayError> {
        let in_log = self.log.head().await?;
        let held = self.last_sequence(stream).await?;
        // The log was read first, so it can only have grown since.
        if held > in_log.get() && held > self.log.head().await?.get() {
            return Err(RelayError::Ahead { held, head: in_log });
        }
        Ok(Position::new(held))
    }

    /// Refuses to go on after an event that the log does not have: a log that was put back has other events at the positions that it lost.
    async fn must_agree(&self, stream: &Stream, last: Position) -> Result<(), RelayError> {
        let Some(before) = last.get().checked_sub(1) else { return Ok(()) };
        let held =
            stream.get_raw_message(last.get()).await.map_err(|error| RelayError::Nats(error.to_string()))?;
        let held: Option<Envelope> = serde_json::from_slice(&held.payload).ok();
        let logged = self.log.following(Position::new(before)).await?;
        let same = held.zip(logged).is_some_and(|(held, logged)| {
            held.id == logged.aggregate_id
                && held.sequence == logged.sequence
                && held.recorded_at == logged.recorded_at
        });
        if same { Ok(()) } else { Err(RelayError::Diverged(last)) }
    }

    async fn publish(&self, page: &[Recorded]) -> Result<Position, RelayError> {
        let mut last = Position::START;
        for window in page.chunks(WINDOW_MESSAGES_MAX) {
            let mut sent: Vec<(Position, PublishAckFuture)> = Vec::with_capacity(window.len());
            for event in window {
                sent.push((event.position, self.send(event).await?));
            }
            for (position, acknowledged) in sent {
                let ack = acknowledged.await.map_err(|error| match error.kind() {
                    PublishErrorKind::WrongLastSequence => RelayError::Overtaken(position),
                    _ => RelayError::Nats(error.to_string()), // whatever else the server said, in its words
                })?;
                if ack.sequence != position.get() {
                    return Err(RelayError::Nats(format!(
                        "position {position} was stored as {}",
                        ack.sequence
                    )));
                }
                last = position;
            }
        }
        Ok(last)
    }

    async fn send(&self, event: &Recorded) -> Result<PublishAckFuture, RelayError> {
        let nats = |error: &dyn std::fmt::Display| RelayError::Nats(error.to_string());
        let body = serde_json::to_vec(&Envelope::from(event)).map_err(|error| nats(&error))?;
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_MESSAGE_ID, event.position.to_string());
        headers.insert(header::NATS_EXPECTED_LAST_SEQUENCE, (event.position.get() - 1).to_string());
        headers.insert(SIGNATURE_HEADER, self.signer.sign(&body));
        if let Some(trace) = event.metadata_text("traceparent") {
            headers.insert("traceparent", trace);
        }
        self.context
            .publish_with_headers(self.subject(event), headers, body.into())
            .await
            .map_err(|error| nats(&error))
    }

    fn subject(&self, event: &Recorded) -> String {
        let organization = event.organization().map_or_else(|| "_".to_owned(), |id| id.to_string());
        let Recorded { aggregate_type, aggregate_id, event_type, .. } = event;
        format!("{}.{aggregate_type}.{organization}.{aggregate_id}.{event_type}", self.config.prefix)
    }

    async fn stream(&self) -> Result<Stream, RelayError> {
        let info = self.client.server_info();
        if info.version.is_empty() {
            return Err(RelayError::Nats("no server has answered yet".to_owned()));
        }
        server::fits(&info)?;
        let identity = self.log.identity().await?.to_string();
        let wanted = Config {
            name: self.config.stream.clone(),
            subjects: vec![self.config.subjects()],
            num_replicas: self.config.replicas,
            allow_direct: true,
            deny_delete: true,
            deny_purge: true,
            metadata: [(LOG_ID.to_owned(), identity)].into(),
            ..Config::default()
        };
        let stream = self
            .context
            .get_or_create_stream(wanted)
            .await
            .map_err(|error| RelayError::Nats(error.to_string()))?;
        // Read the configuration back: an older server ignores what it does not know.
        self.must_be_ours(&stream).await?;
        Ok(stream)
    }

    async fn must_be_ours(&self, stream: &Stream) -> Result<(), RelayError> {
        let found = stream.cached_info().config.metadata.get(LOG_ID).cloned().unwrap_or_default();
        if found == self.log.identity().await?.to_string() {
            Ok(())
        } else {
            Err(RelayError::ForeignStream { stream: self.config.stream.clone(), found })
        }
    }

    async fn last_sequence(&self, stream: &mut Stream) -> Result<u64, RelayError> {
        stream
            .info()
            .await
            .map(|info| info.state.last_sequence)
            .map_err(|error| RelayError::Nats(error.to_string()))
    }
}
