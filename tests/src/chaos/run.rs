//! One run: everybody at work, trouble, peace, and the verdict.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use domain::value::Position;
use futures_util::FutureExt as _;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::bulk::{BulkWriter, Wrote};
use super::checkpoints::{self, Notes};
use super::consumer::Consumer;
use super::follower::Follower;
use super::people::{Cast, Key, revoke_until};
use super::revocation::Observed;
use super::seen::Seen;
use super::trouble::{Diary, Troublemaker};
use super::world::World;
use super::{evidence, revocation, verdict};
use crate::kill::dice::Dice;
use crate::kill::equal::head_of_the_dense_log;
use crate::kill::ledger::{Acknowledged, Writer};

const BULK_WRITERS: usize = 4;
const API_WRITERS: usize = 8;
const FOLLOWERS: usize = 2;
const TROUBLEMAKERS: usize = 2;
/// How long anything may take once there is no more trouble.
pub(super) const PATIENCE: Duration = Duration::from_mins(10);

/// What a run is to be.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) name: &'static str,
    /// What the writers past the API write; those at the API come on top.
    pub(super) events: usize,
    pub(super) time: Duration,
    pub(super) trouble_milliseconds: Range<u64>,
}

/// Everybody who is at work while there is trouble.
struct Work {
    bulk: Vec<JoinHandle<Wrote>>,
    api: Vec<JoinHandle<Vec<Acknowledged>>>,
    changes: JoinHandle<usize>,
    revoking: JoinHandle<Vec<Key>>,
    revocation: Vec<JoinHandle<Observed>>,
    followers: Vec<JoinHandle<(Seen, usize)>>,
    consumer: JoinHandle<(Seen, usize, usize)>,
    witnesses: Vec<JoinHandle<Notes>>,
    trouble: Vec<JoinHandle<usize>>,
    keeper: JoinHandle<()>,
}

/// When what is to end.
#[derive(Default, Clone)]
struct Ends {
    trouble: CancellationToken,
    writing: CancellationToken,
    witnesses: CancellationToken,
}

/// What everybody did, for the verdict.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) head: Position,
    pub(super) cast: Cast,
    pub(super) commands_of_cast: usize,
    pub(super) bulk: Vec<Wrote>,
    pub(super) acknowledged: Vec<Acknowledged>,
    pub(super) changes: usize,
    pub(super) revoked: Vec<Key>,
    pub(super) observed: Observed,
    pub(super) followers: Vec<(Seen, usize)>,
    pub(super) consumer: (Seen, usize, usize),
    pub(super) notes: Notes,
    pub(super) troubles: usize,
}

impl Plan {
    /// Carries it out; fails on the first violation, after keeping the evidence.
    pub(super) async fn carry_out(self) {
        let seed = Dice::seed_for(self.name);
        let world = Arc::new(World::start(self.name).await);
        let judged = AssertUnwindSafe(self.judged(&world, Dice::loaded(seed))).catch_unwind().await;
        if let Err(violation) = judged {
            evidence::keep(&world, self.name, seed).await;
            resume_unwind(violation);
        }
        Arc::into_inner(world).expect("nobody is at work any more").stop().await;
    }

    async fn judged(&self, world: &Arc<World>, mut dice: Dice) {
        let (cast, commands_of_cast) = Cast::enter(world).await;
        let (ends, (head, reached)) = (Ends::default(), watch::channel(None));
        let diary = Arc::new(Diary::open(&evidence::diary(self.name)));
        let mut work = self.begin(world, &cast, &mut dice, &ends, (&reached, &diary));
        let written = timeout(self.time * 2 + PATIENCE, work.until_written()).await;
        written.expect("the long stories are told in twice the time");
        ends.trouble.cancel();
        let mut troubles = 0;
        for maker in &mut work.trouble {
            troubles += maker.await.unwrap();
        }
        diary.note("no more trouble");
        ends.writing.cancel();
        let mut account = work.finished_writing(cast, commands_of_cast, troubles).await;
        let pool = world.store.pool(4).await;
        account.head = head_of_the_dense_log(&pool).await;
        let _ = head.send(Some(account.head.get())); // whoever reads waits for it
        diary.note("nobody writes any more");
        let peace = timeout(PATIENCE, verdict::everybody_is_at(world, account.head)).await;
        peace.expect("every node comes to the head of the log when all is well again");
        diary.note("every node is at the head");
        work.finished_reading(&mut account, &ends).await;
        diary.note("every reader is at the head");
        verdict::judge(world, &pool, &account, &diary, self.name).await;
        diary.note("all is as it must be");
    }

    fn begin(
        &self,
        world: &Arc<World>,
        cast: &Cast,
        dice: &mut Dice,
        ends: &Ends,
        (reached, diary): (&watch::Receiver<Option<u64>>, &Arc<Diary>),
    ) -> Work {
        let (database, nats) = world.store.addresses();
        let share = self.events.div_ceil(BULK_WRITERS);
        let bulk = |number| BulkWriter::new(number, share, database.clone(), dice.others());
        let bulk: Vec<BulkWriter> = (0..BULK_WRITERS).map(bulk).collect();
        let api = |number| {
            let organization = world.organization.clone();
            Writer::new(format!("w{number}"), world.doors(), organization, dice.others())
        };
        let api: Vec<Writer> = (0..API_WRITERS).map(api).collect();
        let (told, _) = broadcast::channel(1_000);
        let revocation = world.nodes.iter().map(|node| {
            let observing =
                revocation::observe(node.url.clone(), cast.instances[1].clone(), told.subscribe());
            tokio::spawn(observing)
        });
        let revocation = revocation.collect();
        let revoking = {
            let (world, instance, stop) =
                (Arc::clone(world), cast.instances[1].clone(), ends.writing.clone());
            let dice = dice.others();
            async move { revoke_until(&world, &instance, dice, stop, told).await }
        };
        let followers =
            (0..FOLLOWERS).map(|number| Follower::new(number, world.doors().nodes, dice.others()));
        let followers: Vec<Follower> = followers.collect();
        let consumer = Consumer::new(nats, world.store.relay.stream.clone());
        let maker =
            Troublemaker::new(Arc::clone(world), Arc::clone(diary), self.trouble_milliseconds.clone());
        let trouble = (0..TROUBLEMAKERS).map(|_| {
            let dice = dice.others();
            tokio::spawn(maker.clone().trouble_until(ends.trouble.clone(), dice))
        });
        let trouble = trouble.collect();
        let changer = cast.changer(world, dice.others());
        let witnesses = world.doors().nodes.into_iter();
        let keeper = (Arc::clone(world), ends.witnesses.clone());
        let time = self.time;
        Work {
            bulk: bulk.into_iter().map(|writer| tokio::spawn(writer.tell_within(time))).collect(),
            api: api.into_iter().map(|one| tokio::spawn(one.write_until(ends.writing.clone()))).collect(),
            changes: tokio::spawn(changer.change_until(ends.writing.clone())),
            revoking: tokio::spawn(revoking),
            revocation,
            followers: followers
                .into_iter()
                .map(|one| tokio::spawn(one.follow_to(reached.clone())))
                .collect(),
            consumer: tokio::spawn(consumer.consume_to(reached.clone())),
            witnesses: witnesses
                .map(|node| tokio::spawn(checkpoints::watch(node, ends.witnesses.clone())))
                .collect(),
            trouble,
            keeper: tokio::spawn(async move { keeper.0.look_after_nodes(keeper.1).await }),
        }
    }
}

impl Work {
    /// Waits until the long stories are told; whoever else ends before that has failed.
    async fn until_written(&self) {
        while !self.bulk.iter().all(JoinHandle::is_finished) {
            let ended = self.api.iter().any(JoinHandle::is_finished)
                || self.changes.is_finished()
                || self.revoking.is_finished()
                || self.followers.iter().any(JoinHandle::is_finished)
                || self.consumer.is_finished()
                || self.witnesses.iter().any(JoinHandle::is_finished)
                || self.trouble.iter().any(JoinHandle::is_finished);
            assert!(!ended, "somebody gave up: see above");
            sleep(Duration::from_millis(50)).await;
        }
    }

    async fn finished_writing(&mut self, cast: Cast, commands_of_cast: usize, troubles: usize) -> Account {
        let (mut bulk, mut acknowledged) = (Vec::new(), Vec::new());
        for writer in &mut self.bulk {
            bulk.push(writer.await.unwrap());
        }
        for writer in &mut self.api {
            acknowledged.extend(writer.await.unwrap());
        }
        let changes = (&mut self.changes).await.unwrap();
        let revoked = (&mut self.revoking).await.unwrap();
        let mut observed = Observed::default();
        for node in &mut self.revocation {
            observed = observed.and(node.await.unwrap());
        }
        Account {
            head: Position::START,
            cast,
            commands_of_cast,
            bulk,
            acknowledged,
            changes,
            revoked,
            observed,
            followers: Vec::new(),
            consumer: <(Seen, usize, usize)>::default(),
            notes: Notes::new(),
            troubles,
        }
    }

    async fn finished_reading(self, account: &mut Account, ends: &Ends) {
        for follower in self.followers {
            let ended = timeout(PATIENCE, follower).await.expect("a follower comes to the head");
            account.followers.push(ended.unwrap());
        }
        let ended = timeout(PATIENCE, self.consumer).await.expect("the consumer comes to the head");
        account.consumer = ended.unwrap();
        ends.witnesses.cancel();
        for witness in self.witnesses {
            account.notes.extend(witness.await.unwrap());
        }
        self.keeper.await.unwrap();
    }
}
