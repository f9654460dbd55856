//! What goes wrong: processes are killed and stopped, stores are emptied and put back, links are cut, reset and slow.
//!
//! Troubles are cards of a deck that is dealt in any order and shuffled again when it is dealt out, so that none is forgotten for long. Two
//! troublemakers deal from it, so that two things are wrong at a time, but never the same thing twice.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use harness::{Direction, Link, Weather};
use tokio_util::sync::CancellationToken;

use super::world::{NODES, World};
use crate::kill::dice::Dice;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    Postgres,
    Nats,
}

#[derive(Debug, Clone, Copy)]
enum Trouble {
    KillNode(usize),
    PauseNode(usize),
    KillPostgres,
    /// One session of it is killed, so that the postmaster ends all others and recovers.
    CrashPostgres,
    PausePostgres,
    KillNats,
    /// Its store is set aside, and it starts with an empty one.
    EmptyNats,
    /// Its store changes places with the one that was set aside.
    PutBackNats,
    PauseNats,
    Cut(usize, Server, Weather),
}

/// What only one trouble at a time is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Node(usize),
    Postgres,
    Nats,
    PostgresOf(usize),
    NatsOf(usize),
}

impl Trouble {
    const fn thing(self) -> Thing {
        match self {
            Self::KillNode(node) | Self::PauseNode(node) => Thing::Node(node),
            Self::KillPostgres | Self::CrashPostgres | Self::PausePostgres => Thing::Postgres,
            Self::KillNats | Self::EmptyNats | Self::PutBackNats | Self::PauseNats => Thing::Nats,
            Self::Cut(node, Server::Postgres, _) => Thing::PostgresOf(node),
            Self::Cut(node, Server::Nats, _) => Thing::NatsOf(node),
        }
    }
}

/// What happened when, in a file that is whole at every moment.
#[derive(Debug)]
pub(super) struct Diary {
    began: Instant,
    file: Mutex<File>,
}

impl Diary {
    /// An empty one.
    pub(super) fn open(path: &Path) -> Self {
        Self { began: Instant::now(), file: Mutex::new(File::create(path).unwrap()) }
    }

    /// Writes a line, with the time since the beginning.
    pub(super) fn note(&self, line: &str) {
        let seconds = self.began.elapsed().as_secs_f64();
        writeln!(self.file.lock().unwrap(), "{seconds:9.3} {line}").unwrap();
    }
}

#[derive(Debug, Default)]
struct Table {
    deck: Vec<Trouble>,
    busy: BTreeSet<Thing>,
}

/// Makes trouble; cloned, it plays at the same table.
#[derive(Debug, Clone)]
pub(super) struct Troublemaker {
    world: Arc<World>,
    table: Arc<Mutex<Table>>,
    diary: Arc<Diary>,
    /// How long a trouble lasts.
    lasts_milliseconds: Range<u64>,
}

impl Troublemaker {
    /// One who makes trouble in this world.
    pub(super) fn new(world: Arc<World>, diary: Arc<Diary>, lasts_milliseconds: Range<u64>) -> Self {
        Self { world, table: Arc::default(), diary, lasts_milliseconds }
    }

    /// Makes trouble until told to stop, and mends it. Answers how often.
    pub(super) async fn trouble_until(self, stop: CancellationToken, mut dice: Dice) -> usize {
        let mut made = 0;
        while !stop.is_cancelled() {
            dice.wait(50..400).await;
            let Some(trouble) = self.deal(&mut dice) else { continue };
            let span = self.lasts_milliseconds.end - self.lasts_milliseconds.start;
            let milliseconds =
                self.lasts_milliseconds.start + dice.below(usize::try_from(span).unwrap()) as u64;
            self.diary.note(&format!("{trouble:?} for {milliseconds} ms"));
            self.make(trouble, Duration::from_millis(milliseconds), &mut dice).await;
            self.diary.note(&format!("{trouble:?} is over"));
            self.table.lock().unwrap().busy.remove(&trouble.thing());
            made += 1;
        }
        made
    }

    fn deal(&self, dice: &mut Dice) -> Option<Trouble> {
        let mut table = self.table.lock().unwrap();
        if table.deck.is_empty() {
            table.deck = deck(dice);
        }
        let free = table.deck.iter().rposition(|trouble| !table.busy.contains(&trouble.thing()))?;
        let trouble = table.deck.remove(free);
        table.busy.insert(trouble.thing());
        Some(trouble)
    }

    async fn make(&self, trouble: Trouble, time: Duration, dice: &mut Dice) {
        let world = &self.world;
        match trouble {
            Trouble::KillNode(node) => {
                world.nodes[node].kill();
                tokio::time::sleep(time / 2).await;
                world.nodes[node].let_up();
            }
            Trouble::PauseNode(node) => {
                world.nodes[node].signal("STOP");
                tokio::time::sleep(time).await;
                world.nodes[node].signal("CONT");
            }
            Trouble::KillPostgres => world.kill_postgres().await,
            Trouble::CrashPostgres => world.crash_postgres(dice).await,
            Trouble::PausePostgres => world.pause_postgres(time).await,
            Trouble::KillNats => world.kill_nats(|_| {}).await,
            Trouble::EmptyNats => world.kill_nats(set_aside).await,
            Trouble::PutBackNats => world.kill_nats(put_back).await,
            Trouble::PauseNats => world.pause_nats(time).await,
            Trouble::Cut(node, server, weather) => {
                let node = &world.nodes[node];
                let link = if server == Server::Postgres { &node.postgres } else { &node.nats };
                cut(link, weather, time, dice).await;
            }
        }
    }
}

/// Afterwards connections go on, or they do not: whoever resends first finds out.
async fn cut(link: &Link, weather: Weather, time: Duration, dice: &mut Dice) {
    link.turn(weather);
    tokio::time::sleep(time).await;
    if dice.below(2) == 0 {
        link.break_connections();
    }
    link.heal();
}

fn set_aside(nats: &Path) {
    let _ = fs::remove_dir_all(nats.join("aside")); // there is none at first
    fs::rename(nats.join("jetstream"), nats.join("aside")).unwrap();
}

fn put_back(nats: &Path) {
    if !nats.join("aside").exists() {
        return set_aside(nats);
    }
    fs::rename(nats.join("jetstream"), nats.join("between")).unwrap();
    fs::rename(nats.join("aside"), nats.join("jetstream")).unwrap();
    fs::rename(nats.join("between"), nats.join("aside")).unwrap();
}

fn deck(dice: &mut Dice) -> Vec<Trouble> {
    let mut deck = vec![
        Trouble::KillPostgres,
        Trouble::CrashPostgres,
        Trouble::PausePostgres,
        Trouble::KillNats,
        Trouble::EmptyNats,
        Trouble::PutBackNats,
        Trouble::PauseNats,
    ];
    let slow = Duration::from_millis(5 + dice.below(100) as u64);
    let mut weathers = vec![
        Weather::Slow(slow),
        Weather::Silent(Direction::ToServer),
        Weather::Silent(Direction::ToNode),
        Weather::Dark,
        Weather::Reset,
        Weather::Dark,
    ];
    dice.shuffle(&mut weathers);
    for node in 0..NODES {
        deck.extend([Trouble::KillNode(node), Trouble::PauseNode(node)]);
        deck.push(Trouble::Cut(node, Server::Postgres, weathers[node]));
        deck.push(Trouble::Cut(node, Server::Nats, weathers[NODES + node]));
    }
    dice.shuffle(&mut deck);
    deck
}
