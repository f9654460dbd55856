//! What a look into the past costs does not grow with the log.

use std::time::{Duration, Instant};

use domain::value::{ApiKeyId, InstanceId, OrganizationId, Position};
use projections::LogReader;
use projections::access::Credential;
use projections::access::evidence::{Evidence, FactName, Subject};
use projections::history::{History, Moment};
use sqlx::PgPool;
use uuid::Uuid;

const EVENTS: i32 = 200_000;
const LOOKS: u32 = 20;
/// The goal is one second in a log of a million events, on a machine that does nothing else.
const LOOK_MAX: Duration = Duration::from_secs(1);

/// Events of a thousand organizations, one after the other, each renamed again and again. The tenants of the question are among them.
async fn a_long_log(pool: &PgPool) {
    sqlx::query(
        "insert into events (global_position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata,
                             occurred_at, recorded_at)
         select n, 'organization', o.id, (n - 1) / 1000 + 1, case when n <= 1000 then 'created' else 'renamed' end, '1',
                case when n <= 1000 then json_build_object('created', json_build_object('kind', 'team', 'slug', 'o' || n, 'name', 'O'))
                     else json_build_object('renamed', json_build_object('name', 'Name ' || n)) end,
                json_build_object('actor', 'user:test', 'organization', o.id),
                timestamptz '2026-01-01T00:00:00Z' + n * interval '1 second', timestamptz '2026-01-01T00:00:00Z' + n * interval '1 second'
         from generate_series(1, $1) n
         cross join lateral (select lpad(to_hex(n % 1000), 32, '0')::uuid::text as id) o",
    )
    .bind(EVENTS)
    .execute(pool)
    .await
    .unwrap();
    sqlx::query("analyze events").execute(pool).await.unwrap();
}

/// A key of organization 7 and an instance, written after everything else.
async fn a_key_and_an_instance(pool: &PgPool, subject: Subject<'_>) {
    let organization = OrganizationId::new(Uuid::from_u128(7)).to_string();
    let user = Uuid::from_u128(70).to_string();
    let issued = serde_json::json!({ "issued": {
        "organization": organization, "key_id": "0000000000000000000000", "name": "Key", "principal": user, "issued_by": user,
        "instance": null, "scopes": ["mcp:write"], "digest": { "algorithm": "hmac_sha256", "pepper": 1, "hex": "" },
        "expires_at": null, "environment": "live",
    } });
    let created = serde_json::json!({ "created": {
        "organization": organization, "name": "Desk", "connections": [], "tools": "all", "authentication": "api_key",
    } });
    let events = [
        ("api_key", subject.credential.uuid().to_string(), "issued", issued),
        ("instance", subject.instance.to_string(), "created", created),
    ];
    for (offset, (kind, id, event_type, payload)) in (1..).zip(events) {
        sqlx::query(
            "insert into events (global_position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata,
                                 occurred_at, recorded_at)
             values ($1, $2, $3, 1, $4, '1', $5, json_build_object('actor', 'user:test', 'organization', $6::text), now(), now())",
        )
        .bind(i64::from(EVENTS) + offset)
        .bind(kind)
        .bind(id)
        .bind(event_type)
        .bind(payload)
        .bind(&organization)
        .execute(pool)
        .await
        .unwrap();
    }
}

#[tokio::test]
async fn a_decision_in_a_long_log_is_explained_in_much_less_than_a_second() {
    let (pool, _) = harness::database().await;
    let subject = Subject {
        credential: Credential::Key(ApiKeyId::new(Uuid::from_u128(1))),
        instance: InstanceId::new(Uuid::from_u128(2)),
        tool: "search",
    };
    a_long_log(&pool).await;
    a_key_and_an_instance(&pool, subject).await;
    let history = History::new(LogReader::new(pool));
    let head = history.head().await.unwrap();
    let mut slowest = Duration::ZERO;
    for look in 0..LOOKS {
        let started = Instant::now();
        let evidence = Evidence::gather(&history, subject, head).await.unwrap();
        slowest = slowest.max(started.elapsed());
        let organization = evidence.fact(FactName::Organization).unwrap();
        assert_eq!(organization.set_by.as_ref().unwrap().position, Position::new(7), "look {look}");
    }
    let started = Instant::now();
    let moment = Moment::parse("2026-01-01T12:00:00Z").unwrap();
    assert_eq!(history.at(moment).await.unwrap(), Position::new(12 * 60 * 60));
    let found = started.elapsed();
    println!(
        "history: {EVENTS} events: evidence in at most {slowest:?}, the position of a time in {found:?}"
    );
    assert!(slowest < LOOK_MAX && found < LOOK_MAX, "{slowest:?} {found:?}");
}
