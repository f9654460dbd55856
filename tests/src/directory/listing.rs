//! What the listings show: the tenant's own and the public, nothing that ended, never a secret.

use domain::value::{ClientId, Timestamp};
use projections::Projection as _;
use projections::directory::grants::GrantFilter;
use projections::directory::servers::Seen;
use projections::directory::{
    Cursor, Directory, api_keys, clients, connections, deployment, grants, instances, organizations, servers,
    users,
};
use uuid::Uuid;

use super::everything::{self, ACME, ANN, BEN, CAT, DAN, EVE, GLOBEX, GONE, HELD, everything};
use super::folded;

const START: Cursor = Cursor::after(0);

#[tokio::test]
async fn a_row_of_another_organization_is_not_found() {
    let (pool, _database) = harness::database().await;
    folded(&pool, &everything()).await;
    assert!(api_keys::by_id(&pool, GLOBEX, everything::KEY).await.unwrap().is_none());
    assert!(clients::by_id(&pool, GLOBEX, everything::CLIENT).await.unwrap().is_none());
    assert!(grants::by_id(&pool, GLOBEX, everything::GRANT).await.unwrap().is_none());
    let all = GrantFilter::default();
    assert!(grants::list(&pool, GLOBEX, all, START, 100).await.unwrap().rows.is_empty());
    assert!(servers::by_id(&pool, GLOBEX, Seen::All, everything::WIKI).await.unwrap().is_none());
    assert!(connections::by_id(&pool, GLOBEX, everything::SHARED).await.unwrap().is_none());
    assert!(instances::by_id(&pool, GLOBEX, everything::INSTANCE).await.unwrap().is_none());
    assert!(users::by_id(&pool, GLOBEX, ANN).await.unwrap().is_none());
    assert!(organizations::member(&pool, GLOBEX, ANN).await.unwrap().is_none());

    assert!(api_keys::by_id(&pool, ACME, everything::KEY).await.unwrap().is_some());
    assert!(clients::by_id(&pool, ACME, everything::CLIENT).await.unwrap().is_some());
    assert!(grants::by_id(&pool, ACME, everything::GRANT).await.unwrap().is_some());
    assert!(servers::by_id(&pool, ACME, Seen::All, everything::WIKI).await.unwrap().is_some());
    assert!(connections::by_id(&pool, ACME, everything::SHARED).await.unwrap().is_some());
    assert!(instances::by_id(&pool, ACME, everything::INSTANCE).await.unwrap().is_some());
    assert!(users::by_id(&pool, ACME, ANN).await.unwrap().is_some());
    assert!(organizations::member(&pool, ACME, ANN).await.unwrap().is_some());
}

#[tokio::test]
async fn an_organization_sees_every_grant_at_its_instances_and_a_user_the_live_ones_of_their_own() {
    let (pool, _database) = harness::database().await;
    folded(&pool, &everything()).await;
    let (live, over) = (everything::GRANT.uuid(), everything::OLD_GRANT.uuid());
    let client = Some(everything::CLIENT);
    for (user, client) in [(None, None), (Some(BEN), None), (None, client), (Some(BEN), client)] {
        let listed = grants::list(&pool, ACME, GrantFilter { user, client }, START, 100).await.unwrap().rows;
        assert_eq!(ids(&listed, |row| row.id), [over, live]);
    }
    for (user, client) in [(Some(ANN), None), (None, Some(everything::DESK)), (Some(ANN), client)] {
        let none = grants::list(&pool, ACME, GrantFilter { user, client }, START, 100).await.unwrap();
        assert!(none.rows.is_empty());
    }
    assert!(grants::live_of(&pool, ANN, START, 100).await.unwrap().rows.is_empty());
    let own = grants::live_of(&pool, BEN, START, 100).await.unwrap().rows;
    assert_eq!(ids(&own, |row| row.id), [live]);
    assert_eq!((own[0].scopes.as_slice(), &*own[0].standing), (["mcp:write".to_owned()].as_slice(), "live"));
    let ended = grants::by_id(&pool, ACME, everything::OLD_GRANT).await.unwrap().unwrap();
    assert_eq!((&*ended.standing, ended.standing_reason.as_deref()), ("revoked", Some("refresh_reused")));
    assert!(ended.ended_at.is_some() && ended.expires_at.is_some());
}

#[tokio::test]
async fn what_ended_is_kept_but_not_listed() {
    let (pool, _database) = harness::database().await;
    folded(&pool, &everything()).await;
    assert!(organizations::by_id(&pool, GONE).await.unwrap().is_none());
    assert!(users::any_by_id(&pool, CAT).await.unwrap().is_none());
    assert!(clients::by_id(&pool, ACME, everything::OLD_CLIENT).await.unwrap().is_none());
    assert!(servers::by_id(&pool, ACME, Seen::All, everything::OLD_WIKI).await.unwrap().is_none());
    assert!(connections::by_id(&pool, ACME, everything::OLD_CONNECTION).await.unwrap().is_none());
    assert!(instances::by_id(&pool, ACME, everything::OLD_INSTANCE).await.unwrap().is_none());

    let listed = organizations::list_all(&pool, START, 100).await.unwrap().rows;
    assert_eq!(ids(&listed, |row| row.id), [ACME.uuid(), GLOBEX.uuid(), HELD.uuid()]);
    let listed = users::list_all(&pool, START, 100).await.unwrap().rows;
    assert_eq!(ids(&listed, |row| row.id), [ANN.uuid(), BEN.uuid(), DAN.uuid(), EVE.uuid()]);
    let listed = clients::list(&pool, ACME, START, 100).await.unwrap().rows;
    let expected = [everything::CLIENT, everything::DESK, everything::SIGNING_CLIENT].map(ClientId::uuid);
    assert_eq!(ids(&listed, |row| row.id), expected);
    let signing = listed.last().unwrap();
    assert_eq!((signing.self_registered, signing.authentication.as_str()), (true, "private_key_jwt"));
    assert_eq!(signing.key_ids, ["b"], "those that it has now");
    let listed = connections::list(&pool, ACME, START, 100).await.unwrap().rows;
    assert_eq!(ids(&listed, |row| row.id), [everything::SHARED.uuid(), everything::BENS.uuid()]);
    let listed = instances::list(&pool, ACME, START, 100).await.unwrap().rows;
    assert_eq!(ids(&listed, |row| row.id), [everything::INSTANCE.uuid(), everything::STOPPED.uuid()]);
    for ended in [
        "organizations where standing = 'deleted'",
        "users where standing = 'deleted'",
        "clients where standing = 'deleted' and standing_reason is null",
        "clients where standing = 'deleted' and standing_reason = 'unused'",
        "servers where standing = 'retired'",
        "connections where standing = 'removed'",
        "instances where standing = 'deleted'",
        "announcements where standing = 'withdrawn'",
    ] {
        assert_eq!(super::count(&pool, &format!("select * from {ended}")).await, 1, "{ended}");
    }
}

#[tokio::test]
async fn revoked_keys_stay_in_the_list_with_their_reason() {
    let (pool, _database) = harness::database().await;
    folded(&pool, &everything()).await;
    let listed = api_keys::list(&pool, ACME, START, 100).await.unwrap().rows;
    assert_eq!(ids(&listed, |row| row.id), [everything::KEY.uuid(), everything::OLD_KEY.uuid()]);
    assert_eq!((listed[0].standing.as_str(), listed[0].revoked_at), ("active", None));
    assert_eq!(
        (listed[0].name.as_str(), &*listed[0].scopes),
        ("Nightly", &["mcp:read".to_owned(), "tool:echo".to_owned()][..])
    );
    assert_eq!(
        (listed[1].standing.as_str(), listed[1].standing_reason.as_deref()),
        ("revoked", Some("rotated"))
    );
    assert_eq!(listed[1].revoked_at, Some(listed[1].updated_at));
}

#[tokio::test]
async fn an_organization_sees_its_own_servers_and_the_public_ones() {
    let (pool, _database) = harness::database().await;
    folded(&pool, &everything()).await;
    let listed = servers::list(&pool, ACME, Seen::All, START, 100).await.unwrap().rows;
    assert_eq!(ids(&listed, |row| row.id), [everything::WIKI.uuid(), everything::CLOCK.uuid()]);
    let listed = servers::list(&pool, GLOBEX, Seen::All, START, 100).await.unwrap().rows;
    assert_eq!(ids(&listed, |row| row.id), [everything::CLOCK.uuid()]);
    assert_eq!(listed[0].credential_fields.len(), 1);
    let listed = servers::list(&pool, ACME, Seen::Shared, START, 100).await.unwrap().rows;
    assert!(listed.iter().all(|row| row.visibility != "private"));
    let listed = servers::catalogue(&pool, START, 100).await.unwrap().rows;
    assert_eq!(ids(&listed, |row| row.id), [everything::CLOCK.uuid(), everything::HIDDEN.uuid()]);
}

#[tokio::test]
async fn people_are_listed_where_they_are_members() {
    let (pool, _database) = harness::database().await;
    folded(&pool, &everything()).await;
    let listed = users::list(&pool, GLOBEX, START, 100).await.unwrap().rows;
    assert_eq!(ids(&listed, |row| row.id), [BEN.uuid()]);
    let listed = organizations::members(&pool, ACME, START, 100).await.unwrap().rows;
    let shown: Vec<_> =
        listed.iter().map(|row| (row.user_id, row.role.as_str(), row.email.as_deref())).collect();
    assert_eq!(
        shown,
        [(ANN.uuid(), "owner", Some("ann@example.org")), (BEN.uuid(), "admin", Some("ben@example.com"))]
    );
    let listed = organizations::list_for_user(&pool, BEN, START, 100).await.unwrap().rows;
    assert_eq!(ids(&listed, |row| row.id), [ACME.uuid(), GLOBEX.uuid()]);
    for (user, standing) in [(DAN, "suspended"), (EVE, "erased")] {
        let forgotten = users::any_by_id(&pool, user).await.unwrap().unwrap();
        assert_eq!(forgotten.standing, standing);
        assert_eq!((forgotten.email, forgotten.name, forgotten.erased), (None, None, true));
    }
}

#[tokio::test]
async fn the_deployment_tells_what_holds_now() {
    let (pool, _database) = harness::database().await;
    folded(&pool, &everything()).await;
    let maintenance = deployment::maintenance(&pool).await.unwrap().unwrap();
    assert_eq!(maintenance.allowed, ["192.0.2.0/24", "2001:db8::/32"]);
    assert!(maintenance.created_position < maintenance.updated_position);
    let administrators = deployment::administrators(&pool, START, 100).await.unwrap().rows;
    assert_eq!(ids(&administrators, |row| row.user_id), [ANN.uuid(), DAN.uuid()]);
    let links = deployment::links(&pool).await.unwrap();
    assert_eq!(links.iter().map(|link| link.label.as_str()).collect::<Vec<_>>(), ["Forum", "掲示板"]);
    let early = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
    let late = Timestamp::parse("2027-01-01T00:00:00Z").unwrap();
    assert_eq!(deployment::announcements(&pool, early).await.unwrap().len(), 2);
    let standing = deployment::announcements(&pool, late).await.unwrap();
    assert_eq!(ids(&standing, |row| row.id), [everything::LASTING.uuid()]);
}

#[tokio::test]
async fn pages_hold_every_row_once() {
    let (pool, _database) = harness::database().await;
    folded(&pool, &everything()).await;
    let whole = organizations::list_all(&pool, START, 100).await.unwrap();
    assert!(whole.next.is_none());
    let (mut found, mut next) = (Vec::new(), Some(START));
    while let Some(after) = next {
        let page = organizations::list_all(&pool, after, 1).await.unwrap();
        assert_eq!(page.rows.len(), 1);
        found.extend(page.rows.into_iter().map(|row| row.id));
        next = page.next;
    }
    assert_eq!(found, ids(&whole.rows, |row| row.id));
}

#[tokio::test]
async fn no_row_holds_a_digest() {
    let (pool, _database) = harness::database().await;
    folded(&pool, &everything()).await;
    for table in Directory.tables() {
        for digest in everything::DIGESTS {
            let found = format!("select * from {table} t where strpos(to_jsonb(t)::text, '{digest}') > 0");
            assert_eq!(super::count(&pool, &found).await, 0, "{table} holds {digest}");
        }
    }
}

fn ids<T>(rows: &[T], id: impl Fn(&T) -> Uuid) -> Vec<Uuid> {
    rows.iter().map(id).collect()
}
