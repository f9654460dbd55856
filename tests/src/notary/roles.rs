//! Two roles: one owns the schema, the other one serves. The second does everything that a node does, and cannot change an event.

use harness::{Database, Settings, World, cluster};
use serde_json::json;
use sqlx::{Executor as _, PgPool};

use super::{covering, head, said, verify};

/// A fresh database that its owner migrated for a role that serves.
async fn served_by_a_role_of_its_own() -> (Database, Database) {
    let owner = cluster().fresh_database().await;
    let role = format!("serves_{}", owner.name);
    let superuser =
        PgPool::connect(&owner.url.replacen("postgres://sekisho@", "postgres://postgres@", 1)).await.unwrap();
    superuser.execute(format!("create role {role} login").as_str()).await.unwrap();
    superuser.close().await;
    let mut migrate = std::process::Command::new(harness::sekisho());
    migrate.env_clear().env("DATABASE_URL", &owner.url).args(["migrate", "--grant-to", &role]);
    said(&migrate.output().unwrap(), 0);
    let url = owner.url.replacen("postgres://sekisho@", &format!("postgres://{role}@"), 1);
    (owner.clone(), Database { url, ..owner })
}

#[tokio::test]
async fn a_role_that_is_not_there_is_named_with_how_to_make_it() {
    let owner = cluster().fresh_database().await;
    let mut migrate = std::process::Command::new(harness::sekisho());
    migrate.env_clear().env("DATABASE_URL", &owner.url).args(["migrate", "--grant-to", "nobody \"here\""]);
    let output = tokio::task::spawn_blocking(move || migrate.output().unwrap()).await.unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("CREATE ROLE \"nobody \"\"here\"\"\" LOGIN"), "{told}");
}

#[tokio::test]
async fn the_role_that_serves_can_do_everything_but_change_events() {
    let (_, database) = served_by_a_role_of_its_own().await;
    let world = World::on(database.clone(), Settings::default()).await;
    world.admin().post("/v1/organizations", &json!({ "slug": "team", "name": "Team" })).await.good();
    let upstream = "https://mcp.example.com/mcp".parse().unwrap();
    world.instance_in_front_of(&upstream).await;
    let size = head(&world.node.running.pool).await;
    assert!(covering(&world, size).await.size >= size);
    let key = super::key(&world).await.to_string();
    assert!(said(&verify(Some(&database.url), &["--public-key", &key]), 0).starts_with("ok "));
    world.node.running.stop().await;

    let pool = PgPool::connect(&database.url).await.unwrap();
    for table in ["events", "notary_checkpoints"] {
        for statement in [
            format!("update {table} set {} = {0}", if table == "events" { "event_type" } else { "note" }),
            format!("delete from {table}"),
            format!("truncate {table}"),
            format!("alter table {table} disable trigger all"),
            format!("alter table {table} disable trigger user"),
            format!("drop table {table}"),
            format!("alter table {table} owner to current_user"),
            format!(
                "create trigger mine before insert on {table} for each row execute function refuse_change()"
            ),
            format!("create rule mine as on insert to {table} do instead nothing"),
        ] {
            denied(&pool, &statement).await;
        }
    }
    for statement in [
        "drop trigger events_are_final on events",
        "drop function refuse_change() cascade",
        "create or replace function refuse_change() returns trigger language plpgsql as 'begin return new; end'",
        "set session_replication_role = replica",
        "set role sekisho",
        "update log_identity set id = gen_random_uuid()",
        "delete from _sqlx_migrations",
    ] {
        denied(&pool, statement).await;
    }
}

#[tokio::test]
async fn the_role_that_owns_the_log_is_still_kept_from_changing_it_by_mistake() {
    let (pool, _) = harness::database().await;
    let world_less =
        "insert into notary_checkpoints (size, root, note) values (1, decode(repeat('00', 32), 'hex'), '')";
    pool.execute(world_less).await.unwrap();
    for statement in [
        "update notary_checkpoints set note = 'x'",
        "delete from notary_checkpoints",
        "truncate notary_checkpoints",
        "truncate events",
    ] {
        denied(&pool, statement).await;
    }
}

async fn denied(pool: &PgPool, statement: &str) {
    let error = pool.execute(statement).await.expect_err(statement);
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    assert_eq!(code.as_deref(), Some("42501"), "{statement}: {error}"); // insufficient_privilege
}
