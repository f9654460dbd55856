//! One embedded Postgres and NATS for the whole test run, started by the product's own supervisor, and a fresh database for each test.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use api::adapters::embedded::{Embedded, EmbeddedConfig};
use api::adapters::postgres;
use sqlx::{Executor as _, PgPool};
use url::Url;

/// Where the two servers are.
#[derive(Debug)]
pub struct Cluster {
    database_url: String,
    nats_url: String,
    folder: PathBuf,
}

const TEMPLATE: &str = "sekisho_template";

/// The cluster of this run. It lives on a thread of its own, because every test has a runtime of its own, and ends with the process: the
/// guardians of the embedded store see to that.
pub fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let folder = folder();
                let config = EmbeddedConfig {
                    data: folder.join("data"),
                    nats: Some("EVENTS".to_owned()),
                    search: Vec::new(),
                };
                let embedded =
                    Embedded::start(config).await.expect("an embedded store: ./test sets up what it needs");
                let nats_url = embedded.nats_url().expect("a nats-server: ./test sets it up").to_owned();
                let cluster = Cluster { database_url: embedded.database_url().to_owned(), nats_url, folder };
                make_template(&cluster).await;
                sender.send(cluster).expect("somebody waits for the cluster");
                std::future::pending::<()>().await;
                drop(embedded);
            });
        });
        receiver.recv().expect("the cluster starts")
    })
}

/// A folder that the database's service user can reach. Those of runs that were cut off are swept away meanwhile: that may take minutes, which nobody
/// waits for, and what is left of it is the next run's.
pub(crate) fn folder() -> PathBuf {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(make_folder).clone()
}

fn make_folder() -> PathBuf {
    let root = std::env::temp_dir();
    for entry in std::fs::read_dir(&root).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(pid) = name.strip_prefix("sekisho-test-") else { continue };
        if !Path::new("/proc").join(pid).exists() {
            std::thread::spawn(move || std::fs::remove_dir_all(entry.path()));
        }
    }
    let folder = root.join(format!("sekisho-test-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    if let Some(record) = std::env::var_os("SEKISHO_TEST_RECORD") {
        let line = format!("{}\n", folder.display());
        let file = OpenOptions::new().create(true).append(true).open(record);
        file.and_then(|mut file| file.write_all(line.as_bytes())).expect("the record of this run");
    }
    folder
}

async fn make_template(cluster: &Cluster) {
    let admin = PgPool::connect(&cluster.database_url).await.expect("the cluster answers");
    admin.execute(format!("create database {TEMPLATE}").as_str()).await.expect("a template database");
    admin.close().await;
    let template = PgPool::connect(&cluster.url_of(TEMPLATE)).await.expect("the template answers");
    postgres::migrate(&template).await.expect("the migrations run");
    template.close().await;
}

impl Cluster {
    /// The address of one database.
    pub fn url_of(&self, database: &str) -> String {
        let mut url = Url::parse(&self.database_url).expect("an address");
        url.set_path(database);
        url.to_string()
    }

    /// The address of NATS.
    pub fn nats_url(&self) -> &str {
        &self.nats_url
    }

    /// A folder of this run.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A fresh database with every migration applied.
    pub async fn fresh_database(&self) -> Database {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("t{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let admin = PgPool::connect(&self.database_url).await.expect("the cluster answers");
        for attempt in 1.. {
            // Two copies of one template at the same time are refused: take turns.
            match admin.execute(format!("create database {name} template {TEMPLATE}").as_str()).await {
                Ok(_) => break,
                Err(error) if attempt < 100 => {
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                    let _ = error;
                }
                Err(error) => panic!("no database: {error}"),
            }
        }
        admin.close().await;
        Database { url: self.url_of(&name), name }
    }
}

/// A database of one test.
#[derive(Debug, Clone)]
pub struct Database {
    /// Its address.
    pub url: String,
    /// Its name, unique in the run; also used as NATS prefix.
    pub name: String,
}

impl Database {
    /// Where its node appends checkpoints, when it does.
    pub fn checkpoint_file(&self) -> PathBuf {
        cluster().folder().join(format!("{}.checkpoints", self.name))
    }
}

/// A pool on a fresh database, and the database.
pub async fn database() -> (PgPool, Database) {
    let database = cluster().fresh_database().await;
    let pool = PgPool::connect(&database.url).await.expect("the fresh database answers");
    (pool, database)
}
