//! An owner of a store: this process, or another that can be killed or have another environment.
//!
//! The other is this test binary again, with `OWNER_OF` set and one test chosen:
//! [`an_owner_holds_the_store_until_it_is_killed`].

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use api::adapters::embedded::{Embedded, EmbeddedConfig, EmbeddedError};
use tokio::time::sleep;

/// The data folder that a second run of this binary is to own.
const OWNER_OF: &str = "SEKISHO_TEST_OWNER_OF";

/// Not a test by itself: the owner of a store, for other tests to kill.
#[tokio::test]
async fn an_owner_holds_the_store_until_it_is_killed() {
    let Some(folder) = std::env::var_os(OWNER_OF) else { return };
    match start(Path::new(&folder)).await {
        Err(error) => println!("\nowner refused {}", error.to_string().replace('\n', " ")),
        Ok(embedded) => {
            let pids = embedded.pids();
            println!("\nowner url {}", embedded.database_url());
            println!("owner pids {} {}", pids.postgres.unwrap_or(0), pids.nats.unwrap_or(0));
            println!("owner describes {}", embedded.describe().join(" / "));
            sleep(Duration::from_mins(10)).await;
        }
    }
}

pub(super) async fn start(folder: &Path) -> Result<Embedded, EmbeddedError> {
    Embedded::start(EmbeddedConfig {
        data: folder.to_owned(),
        nats: Some("EVENTS".to_owned()),
        search: Vec::new(),
    })
    .await
}

/// Another process that holds a store.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) process: Child,
    pub(super) database_url: String,
    pub(super) postgres: Option<u32>,
    pub(super) nats: Option<u32>,
    pub(super) description: String,
}

impl Owner {
    pub(super) fn of(folder: &Path, environment: &[(&str, &Path)]) -> Self {
        Self::try_of(folder, environment).unwrap()
    }

    pub(super) fn try_of(folder: &Path, environment: &[(&str, &Path)]) -> Result<Self, String> {
        let name = format!(
            "{}::an_owner_holds_the_store_until_it_is_killed",
            module_path!().split_once("::").unwrap().1
        );
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", &name, "--nocapture"]).env(OWNER_OF, folder);
        command.envs(environment.iter().copied()).stdout(Stdio::piped()).stdin(Stdio::null());
        let mut process = command.spawn().unwrap();
        let said = BufReader::new(process.stdout.take().unwrap());
        let (mut database_url, mut postgres, mut nats) = (String::new(), None, None);
        for line in said.lines().map_while(Result::ok) {
            if let Some(reason) = line.strip_prefix("owner refused ") {
                process.wait().unwrap();
                return Err(reason.to_owned());
            } else if let Some(url) = line.strip_prefix("owner url ") {
                url.clone_into(&mut database_url);
            } else if let Some(pids) = line.strip_prefix("owner pids ") {
                let mut pids = pids.split(' ').map(|pid| pid.parse().ok().filter(|pid| *pid != 0));
                (postgres, nats) = (pids.next().flatten(), pids.next().flatten());
            } else if let Some(description) = line.strip_prefix("owner describes ") {
                return Ok(Self {
                    process,
                    database_url,
                    postgres,
                    nats,
                    description: description.to_owned(),
                });
            }
        }
        process.wait().unwrap();
        Err("the owner said nothing".to_owned())
    }

    /// By SIGKILL, so that it cannot clean up.
    pub(super) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let _ = self.process.kill(); // a test that failed leaves nothing behind either
        let _ = self.process.wait();
    }
}
