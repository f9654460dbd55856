//! `sekisho erase`.

use std::process::Output;

use harness::World;
use uuid::Uuid;

use super::{erase_command, events, is_forgotten, registered};

async fn erase(world: &World, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = erase_command(&world.database, world.master_key(), arguments);
    let output: Output =
        tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.unwrap();
    let said = [&output.stdout[..], &output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test]
async fn nobody_is_erased_without_a_reason_or_without_being_sure() {
    let world = World::start().await;
    let mika = registered(&world, "Mika", "mika@example.com").await;
    let (code, said) = erase(&world, &["--user", &mika, "--yes"]).await;
    assert_eq!((code, said.contains("--reason")), (Some(2), true), "{said}");
    let (code, said) = erase(&world, &["--user", &mika, "--reason", "request 4711"]).await;
    assert_eq!((code, said.contains("--yes")), (Some(2), true), "{said}");
    let nobody = Uuid::new_v4().to_string();
    let (code, said) = erase(&world, &["--user", &nobody, "--reason", "request 4711", "--yes"]).await;
    assert_eq!((code, said.contains("no such user")), (Some(1), true), "{said}");
    let (code, said) = erase(&world, &["--user", &world.founder, "--reason", "x", "--yes"]).await;
    assert_eq!((code, said.contains("last owner of acme")), (Some(1), true), "{said}");
    assert!(!is_forgotten(&world.node.running.pool, &mika).await);
}

#[tokio::test]
async fn erasing_twice_is_a_success_and_writes_nothing_the_second_time() {
    let world = World::start().await;
    let mika = registered(&world, "Mika", "mika@example.com").await;
    let sure = ["--user", &mika, "--reason", "request 4711", "--yes"];
    let (code, said) = erase(&world, &sure).await;
    assert_eq!((code, said.contains("is erased")), (Some(0), true), "{said}");
    assert!(is_forgotten(&world.node.running.pool, &mika).await);
    let written = events(&world.node.running.pool).await;
    assert_eq!(erase(&world, &sure).await.0, Some(0));
    assert_eq!(events(&world.node.running.pool).await, written);
}
