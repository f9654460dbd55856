//! schemathesis, which `tests/schemathesis/setup.sh` installs, against everything that `/openapi.json` describes: no answer is a failure of the
//! server, and each is what the document says of it. `tests/schemathesis/schemathesis.toml` tells what is asked, and what must hold.

mod seeded;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use harness::{World, folder};
use tokio::process::Command;

use crate::installed::installed;

const RUN_WAIT: Duration = Duration::from_mins(15);

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemathesis").join(name)
}

#[tokio::test]
async fn every_answer_is_what_the_document_says_and_none_is_a_failure_of_the_server() {
    let world = World::start().await;
    let place = folder("schemathesis");
    std::fs::create_dir_all(&place).unwrap();
    for file in ["schemathesis.toml", "hooks.py"] {
        std::fs::copy(source(file), place.join(file)).unwrap();
    }
    let who = seeded::seed(&world, &place).await;
    let mut command = Command::new(installed("schemathesis.env", "SCHEMATHESIS"));
    command
        .args(["--config-file", "schemathesis.toml", "run", "--no-color"])
        .arg(format!("{}/openapi.json", world.node.running.url))
        .current_dir(&place)
        .env("ADMIN_KEY", &world.admin_key)
        .env("SESSION", &who.session)
        .env("CLIENT_ID", &who.client_id)
        .env("CLIENT_SECRET", &who.client_secret)
        .env("LEAVING_KEY", &who.leaving_key)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(RUN_WAIT, command.output()).await.expect("in time").expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    println!("{}", said.split("SUMMARY").last().unwrap_or_default());
    seeded::goes_on(&world).await;
}
