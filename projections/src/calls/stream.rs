//! The stream between nodes and tables: it holds what is not stored yet, and nothing else.
//!
//! A work queue: a message goes when its records are stored. When it is full it refuses, and they go straight to Postgres; so it never throws away
//! what was entrusted to it. Records travel in parcels, because a message costs several times what a record does. Whoever wants a live copy
//! subscribes to the subjects `{prefix}.{organization}`: each message is a JSON array.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::connection::State;
use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, Stream};
use async_nats::jetstream::{self, Message};
use async_nats::{HeaderMap, header};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};

use super::entry::Entry;
use super::parcel::Parcel;
use crate::relay::{SIGNATURE_HEADER, SignEnvelope};
use crate::server;

/// Messages in the stream at once. Not bytes: JetStream sets those aside when the stream is made, and refuses to where it has fewer left.
const STREAM_MESSAGES_MAX: i64 = 500_000;
/// After a failure NATS is left alone for so long; Postgres takes everything meanwhile.
const LEFT_ALONE: Duration = Duration::from_secs(2);
const ACKNOWLEDGE_WAIT: Duration = Duration::from_secs(3);
/// How often to look whether the connection is still there.
const CONNECTION_LOOK: Duration = Duration::from_millis(20);
/// A message that was handed out and not stored comes again after this.
const AGAIN_AFTER: Duration = Duration::from_secs(30);
const HANDED_OUT_MAX: i64 = 1_000;
const CONSUMER: &str = "records";
/// Tells this deployment's stream from another one's on the same NATS, whose records nobody here could read.
const OWNER: &str = "sekisho.owner";

/// Where the stream is.
#[derive(Clone)]
pub struct CallStream {
    /// The connection; it reconnects by itself.
    pub client: async_nats::Client,
    /// Name of the stream, such as `EVENTS_CALLS`.
    pub stream: String,
    /// First token of the subjects, such as `events-calls`.
    pub prefix: String,
    /// Copies of the stream in a NATS cluster.
    pub replicas: usize,
    /// Tells the records of our nodes from anybody else's.
    pub signer: Arc<dyn SignEnvelope>,
}

impl std::fmt::Debug for CallStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallStream").field("stream", &self.stream).finish_non_exhaustive()
    }
}

/// NATS does not do what is asked of it.
#[derive(Debug, thiserror::Error)]
#[error("NATS: {0}")]
pub(super) struct StreamError(String);

impl StreamError {
    pub(super) fn new(error: &dyn std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

fn failed(error: &dyn std::fmt::Display) -> StreamError {
    StreamError::new(error)
}

impl CallStream {
    fn context(&self) -> jetstream::Context {
        let mut context = jetstream::new(self.client.clone());
        context.set_timeout(ACKNOWLEDGE_WAIT);
        context
    }

    async fn open(&self) -> Result<Stream, StreamError> {
        if self.client.connection_state() != State::Connected {
            return Err(failed(&"not connected"));
        }
        server::fits(&self.client.server_info()).map_err(|error| failed(&error))?;
        let owner = self.signer.sign(self.stream.as_bytes());
        let wanted = Config {
            name: self.stream.clone(),
            subjects: vec![format!("{}.>", self.prefix)],
            num_replicas: self.replicas,
            retention: RetentionPolicy::WorkQueue,
            discard: DiscardPolicy::New,
            max_messages: STREAM_MESSAGES_MAX,
            metadata: [(OWNER.to_owned(), owner.clone())].into(),
            ..Config::default()
        };
        let stream = self.context().get_or_create_stream(wanted).await.map_err(|error| failed(&error))?;
        match stream.cached_info().config.metadata.get(OWNER) {
            Some(found) if *found != owner => {
                Err(failed(&"this stream holds another deployment's call records"))
            }
            Some(_) | None => Ok(stream),
        }
    }

    /// The consumer that all nodes share.
    pub(super) async fn consumer(&self) -> Result<PullConsumer, StreamError> {
        let wanted = pull::Config {
            durable_name: Some(CONSUMER.to_owned()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: AGAIN_AFTER,
            max_ack_pending: HANDED_OUT_MAX,
            ..pull::Config::default()
        };
        let stream = self.open().await?;
        stream.get_or_create_consumer(CONSUMER, wanted).await.map_err(|error| failed(&error))
    }

    /// The records in a message, if one of our nodes sent it.
    pub(super) fn read(&self, message: &Message) -> Vec<Entry> {
        let signature = message.headers.as_ref().and_then(|headers| headers.get(SIGNATURE_HEADER));
        if !signature.is_some_and(|shown| self.signer.verify(&message.payload, shown.as_str())) {
            tracing::warn!(subject = %message.subject, "ignoring call records that no node of this deployment signed");
            return Vec::new();
        }
        serde_json::from_slice(&message.payload).unwrap_or_else(|error| {
            tracing::warn!(error = %error, "ignoring a message that is no parcel of call records");
            Vec::new()
        })
    }
}

/// Puts records into the stream while NATS is there.
#[derive(Debug)]
pub(super) struct StreamWriter {
    stream: CallStream,
    context: jetstream::Context,
    open: bool,
    failed_at: Option<Instant>,
}

impl StreamWriter {
    pub(super) fn new(stream: CallStream) -> Self {
        let context = stream.context();
        Self { stream, context, open: false, failed_at: None }
    }

    /// Writes what it can; answers what has not surely arrived.
    pub(super) async fn write(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        if self.failed_at.is_some_and(|at| at.elapsed() < LEFT_ALONE) {
            return entries;
        }
        match self.try_write(entries).await {
            Ok(()) => {
                self.failed_at = None;
                Vec::new()
            }
            Err((error, left)) => {
                tracing::debug!(error = %error, records = left.len(), "call records go straight to Postgres");
                (self.open, self.failed_at) = (false, Some(Instant::now()));
                left
            }
        }
    }

    /// Postgres takes nothing either: NATS is not left alone any longer.
    pub(super) const fn is_needed(&mut self) {
        self.failed_at = None;
    }

    async fn try_write(&mut self, entries: Vec<Entry>) -> Result<(), (StreamError, Vec<Entry>)> {
        if !self.open || self.stream.client.connection_state() != State::Connected {
            if let Err(error) = self.stream.open().await {
                return Err((error, entries));
            }
            self.open = true;
        }
        let mut sent = Vec::new();
        let (parcels, mut left) = Parcel::pack(entries);
        let mut problem = (!left.is_empty()).then(|| failed(&"a record cannot be written as JSON"));
        for parcel in parcels {
            if problem.is_some() {
                left.extend(parcel.entries);
                continue;
            }
            match self.send(&parcel).await {
                Ok(acknowledged) => sent.push((parcel, acknowledged)),
                Err(error) => {
                    problem = Some(error);
                    left.extend(parcel.entries);
                }
            }
        }
        // One wait for all of them: a server that fell silent answers none, and Postgres may take them meanwhile.
        let silence = self.silence();
        tokio::pin!(silence);
        for (parcel, acknowledged) in sent {
            let error = tokio::select! {
                biased;
                acknowledged = acknowledged => match acknowledged {
                    Ok(_) => continue,
                    Err(error) => failed(&error),
                },
                silent = &mut silence => failed(&silent),
            };
            problem = Some(error);
            left.extend(parcel.entries);
        }
        match problem {
            None => Ok(()),
            Some(error) => Err((error, left)),
        }
    }

    /// Comes when no acknowledgement will: after a while, or as soon as the connection is gone, since what is acknowledged then reaches nobody.
    fn silence(&self) -> Shared<BoxFuture<'static, &'static str>> {
        let client = self.stream.client.clone();
        let silence = async move {
            let patience = tokio::time::Instant::now() + ACKNOWLEDGE_WAIT;
            while tokio::time::Instant::now() < patience {
                if client.connection_state() != State::Connected {
                    return "the connection is gone";
                }
                tokio::time::sleep(CONNECTION_LOOK).await;
            }
            "no acknowledgement in time"
        };
        silence.boxed().shared()
    }

    async fn send(&self, parcel: &Parcel) -> Result<jetstream::context::PublishAckFuture, StreamError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_MESSAGE_ID, parcel.id());
        headers.insert(SIGNATURE_HEADER, self.stream.signer.sign(&parcel.body));
        self.context
            .publish_with_headers(
                format!("{}.{}", self.stream.prefix, parcel.organization),
                headers,
                parcel.body.clone(),
            )
            .await
            .map_err(|error| failed(&error))
    }
}
