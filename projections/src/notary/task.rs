//! The notary at work: follows the log, and signs what is new every second or every 1,000 events, whichever comes first.
//!
//! ```text
//!   take the place  --->  is the log still what was signed?  --->  hash what is new  --->  keep tiles and checkpoint  --->  publish
//!   (a row lock)              no: sign nothing, raise the alarm, look again                 (one transaction)
//! ```
//! Off the append path: commands never wait for it. Whichever node holds the row signs; all it needs is in Postgres, so that any other goes
//! on where one stopped. Before each signature it looks at the last event that was signed, and once a second at the next stretch of older
//! ones, round and round.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::value::{Position, Timestamp};
use sqlx::{Connection as _, Postgres, Transaction};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::agree::{Disagreement, Memory, RoundError};
use super::file::CheckpointFile;
use super::leaf::leaf_of;
use super::note::{NoteKey, NoteSigner};
use super::store::{self, Kept};
use crate::doorbell::Doorbell;
use crate::log::{LogError, LogReader, rows};
use crate::recorded::Recorded;

/// Events that one checkpoint covers at most beyond the one before.
pub const CHECKPOINT_EVENTS_MAX: u32 = 1_000;
/// How long an event waits for its checkpoint at most, but for the work itself.
pub const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_secs(1);
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(1);
/// What stops the notary is said when it begins, and again while it lasts.
const SAY_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// Hears how the notary is doing.
pub trait ObserveNotary: Send + Sync {
    /// So many events are covered now; the oldest new one had been committed for so long.
    fn signed(&self, size: u64, unprotected: Duration);
    /// Whether it refuses to sign, because the log is not what it signed before.
    fn refuses(&self, refuses: bool);
    /// A checkpoint could not be brought to a place.
    fn unpublished(&self, place: &'static str);
}

/// Where checkpoints are published, beside the API.
#[derive(Default)]
pub struct Publication {
    /// NATS, and the subject there.
    pub nats: Option<(async_nats::Client, String)>,
    /// A file that is only appended to.
    pub file: Option<PathBuf>,
}

impl std::fmt::Debug for Publication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let subject = self.nats.as_ref().map(|(_, subject)| subject);
        f.debug_struct("Publication").field("subject", &subject).field("file", &self.file).finish()
    }
}

/// What others see of the notary.
#[derive(Debug, Clone)]
pub struct NotaryHandle {
    key: NoteKey,
    newest: watch::Receiver<Option<Kept>>,
}

impl NotaryHandle {
    /// The public key, by which checkpoints are verified.
    pub const fn key(&self) -> &NoteKey {
        &self.key
    }

    /// The newest checkpoint that this node knows of.
    pub fn newest(&self) -> Option<Kept> {
        self.newest.borrow().clone()
    }
}

/// What one round did.
enum Round {
    /// The log goes on after what was signed.
    SignedAPart,
    Signed,
    NotDue(Duration),
    AtHead,
    OthersSign,
    Refused(Disagreement),
}

/// What comes before the next round.
enum Rest {
    /// Something is written, or a while passes.
    UntilNews,
    /// So long, or until a checkpoint is full.
    UntilDue(Duration),
    /// So long, however much is written: it could not be signed here anyhow.
    Pause(Duration),
}

/// The notary.
pub struct Notary {
    log: LogReader,
    doorbell: Doorbell,
    signer: NoteSigner,
    publication: Publication,
    observer: Arc<dyn ObserveNotary>,
    newest: watch::Sender<Option<Kept>>,
}

impl std::fmt::Debug for Notary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notary").field("signer", &self.signer).finish_non_exhaustive()
    }
}

impl Notary {
    /// A notary of this log.
    pub fn new(
        log: LogReader,
        doorbell: Doorbell,
        signer: NoteSigner,
        publication: Publication,
        observer: Arc<dyn ObserveNotary>,
    ) -> Self {
        Self { log, doorbell, signer, publication, observer, newest: watch::Sender::new(None) }
    }

    /// What others see of it.
    pub fn handle(&self) -> NotaryHandle {
        NotaryHandle { key: self.signer.key().clone(), newest: self.newest.subscribe() }
    }

    /// Signs until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut bell = self.doorbell.listen();
        let mut memory = Memory::new();
        let mut file = self.publication.file.clone().map(CheckpointFile::new);
        let mut said: Option<(String, Instant)> = None;
        // A round is never dropped half-way: sqlx 0.8 hands a connection back inside an open transaction when `begin` is dropped.
        while !stop.is_cancelled() {
            bell.borrow_and_update();
            let started = Instant::now();
            let round = self.round(&mut memory).await;
            self.publish_to_file(file.as_mut()).await;
            let (rest, trouble) = match round {
                Ok(Round::SignedAPart) => continue,
                Ok(Round::Signed) => {
                    (Rest::UntilDue(CHECKPOINT_EVERY.saturating_sub(started.elapsed())), None)
                }
                Ok(Round::NotDue(rest)) => (Rest::UntilDue(rest), None),
                Ok(Round::AtHead) => (Rest::UntilNews, None),
                Ok(Round::OthersSign) => (Rest::Pause(CHECKPOINT_EVERY), None),
                Ok(Round::Refused(why)) => (Rest::Pause(PAUSE_AFTER_ERROR), Some((why.to_string(), true))),
                Err(error) => (Rest::Pause(PAUSE_AFTER_ERROR), Some((error.to_string(), false))),
            };
            self.tell(trouble.as_ref(), &mut said);
            let waits = async {
                match rest {
                    Rest::UntilNews => {
                        let _ = tokio::time::timeout(LOOK_EVERY, bell.changed()).await;
                    }
                    Rest::UntilDue(due) => {
                        let signed = self.newest.borrow().as_ref().map_or(0, |kept| kept.size);
                        let full = Position::new(signed + u64::from(CHECKPOINT_EVENTS_MAX));
                        let _ = tokio::time::timeout(due, self.doorbell.reached(full)).await;
                    }
                    Rest::Pause(pause) => tokio::time::sleep(pause).await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = waits => {}
            }
        }
    }

    fn tell(&self, trouble: Option<&(String, bool)>, said: &mut Option<(String, Instant)>) {
        let Some((text, refuses)) = trouble else {
            self.observer.refuses(false);
            *said = None;
            return;
        };
        if *refuses {
            self.observer.refuses(true);
        }
        if said.as_ref().is_some_and(|(last, at)| last == text && at.elapsed() < SAY_AGAIN_AFTER) {
            return;
        }
        *said = Some((text.clone(), Instant::now()));
        if *refuses {
            tracing::error!(
                reason = text,
                "THE LOG IS NOT WHAT WAS SIGNED: the notary signs nothing more; run `sekisho verify`"
            );
        } else {
            tracing::warn!(error = text, "the notary pauses");
        }
    }

    /// One transaction.
    async fn round(&self, memory: &mut Memory) -> Result<Round, RoundError> {
        let mut connection = self.log.pool().acquire().await?;
        let mut transaction = connection.begin().await?;
        let Some(place) = store::take_place(&mut transaction).await? else { return Ok(Round::OthersSign) };
        let (newest, age) = store::newest_and_age(&mut transaction).await?.unzip();
        self.show(newest.as_ref());
        let disagreement =
            memory.agree(&mut transaction, self.signer.key(), newest.as_ref(), place.suspect).await?;
        let suspect = disagreement.as_ref().and_then(Disagreement::suspect);
        if suspect != place.suspect {
            store::suspect(&mut transaction, suspect).await?;
        }
        if let Some(why) = disagreement {
            transaction.commit().await?;
            return Ok(Round::Refused(why));
        }
        let signed = Position::new(memory.edge.tree().size());
        let events = match rows(&mut *transaction, signed, i64::from(CHECKPOINT_EVENTS_MAX)).await {
            Err(LogError::Hole { after, .. }) => {
                return Ok(Round::Refused(Disagreement::Hole(after.get() + 1)));
            }
            events => events?,
        };
        let full = events.len() >= CHECKPOINT_EVENTS_MAX as usize;
        let rest = age.map(|age| CHECKPOINT_EVERY.saturating_sub(age)).unwrap_or_default();
        if events.is_empty() || (!full && !rest.is_zero()) {
            transaction.commit().await?;
            return Ok(if events.is_empty() { Round::AtHead } else { Round::NotDue(rest) });
        }
        self.sign(transaction, memory, &events).await?;
        Ok(if full { Round::SignedAPart } else { Round::Signed })
    }

    async fn sign(
        &self,
        mut transaction: Transaction<'_, Postgres>,
        memory: &mut Memory,
        events: &[Recorded],
    ) -> Result<(), RoundError> {
        let mut edge = memory.edge.clone();
        for event in events {
            edge.append(leaf_of(event));
        }
        let (size, root) = (edge.tree().size(), edge.tree().root());
        let kept = Kept { size, note: self.signer.sign_checkpoint(size, root) };
        let oldest = events.first().map_or(Timestamp::EPOCH, |event| event.recorded_at);
        let waited =
            store::keep(&mut transaction, (&kept, &root), &edge.take_changed(), oldest.get()).await?;
        let committing = Instant::now();
        transaction.commit().await?;
        memory.edge = edge;
        self.observer.signed(size, waited + committing.elapsed());
        self.publish_to_nats(&kept).await;
        self.show(Some(&kept));
        Ok(())
    }

    /// Shows the newest checkpoint to whoever looks.
    fn show(&self, newest: Option<&Kept>) {
        self.newest.send_if_modified(|known| {
            let news = known.as_ref() != newest;
            if news {
                *known = newest.cloned();
            }
            news
        });
    }

    async fn publish_to_nats(&self, kept: &Kept) {
        let Some((client, subject)) = &self.publication.nats else { return };
        if let Err(error) = client.publish(subject.clone(), kept.note.clone().into()).await {
            tracing::warn!(error = %error, "a checkpoint could not be published on NATS");
            self.observer.unpublished("nats");
        }
    }

    async fn publish_to_file(&self, file: Option<&mut CheckpointFile>) {
        let newest = self.newest.borrow().as_ref().map(|kept| kept.size);
        let (Some(file), Some(newest)) = (file, newest) else { return };
        if let Err(error) = file.catch_up(self.log.pool(), newest).await {
            tracing::warn!(error = %error, "checkpoints could not be written to the file");
            self.observer.unpublished("file");
        }
    }
}
