//! Every route of the management API states its access, and keeps to it: nobody, somebody of another tenant, somebody with too little.
//!
//! The routes come from the served OpenAPI document, which is made from the same table as the router: a new row is covered when it is written.

use harness::{Http, World};
use hyper::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// One operation of the document.
#[derive(Debug)]
struct Operation {
    method: Method,
    path: String,
    access: String,
}

/// Those of the management API.
async fn operations(world: &World) -> Vec<Operation> {
    let (management, oauth): (Vec<_>, Vec<_>) =
        all(world).await.into_iter().partition(|operation| operation.path.starts_with("/v1/"));
    assert!(management.len() > 40, "only {} operations", management.len());
    for operation in oauth {
        let known = ["anybody", "client", "registration", "own registration", "visitor", "person"];
        assert!(known.contains(&operation.access.as_str()), "{operation:?}");
    }
    management
}

async fn all(world: &World) -> Vec<Operation> {
    let document = world.node.http().get("/openapi.json").await.good();
    assert_eq!(document["openapi"], "3.1.0");
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let access = operation["x-sekisho-access"]
                .as_str()
                .unwrap_or_else(|| panic!("{method} {path} states no access"));
            let method = method.to_uppercase().parse().unwrap();
            operations.push(Operation { method, path: path.clone(), access: access.to_owned() });
        }
    }
    operations
}

impl Operation {
    /// The path with this organization and, for everything else, ids of nothing.
    fn in_organization(&self, organization: &str) -> String {
        let parts = self.path.split('/').map(|part| match part {
            "{organization}" => organization.to_owned(),
            id if id.starts_with('{') => Uuid::new_v4().to_string(),
            fixed => fixed.to_owned(),
        });
        parts.collect::<Vec<_>>().join("/")
    }

    fn scope(&self) -> Option<&str> {
        self.access.split_once(' ').map(|(_, scope)| scope).filter(|scope| scope.contains(':'))
    }

    async fn send(&self, http: &Http, organization: &str) -> harness::Answer {
        http.json(self.method.clone(), &self.in_organization(organization), &json!({})).await
    }
}

#[tokio::test]
async fn nobody_in_particular_may_do_nothing() {
    let world = World::start().await;
    for operation in operations(&world).await {
        let answer = operation.send(&world.node.http(), &world.organization).await;
        assert_eq!(answer.status.as_u16(), 401, "{operation:?}");
        assert!(answer.headers.contains_key("www-authenticate"), "{operation:?}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{operation:?}");
    }
}

#[tokio::test]
async fn of_the_oauth_endpoints_documents_are_open_and_everything_else_wants_a_client_that_proves_itself() {
    let world = World::start().await;
    let is_page = |operation: &Operation| ["visitor", "person"].contains(&operation.access.as_str());
    let oauth = all(&world).await.into_iter().filter(|operation| !operation.path.starts_with("/v1/"));
    let oauth = oauth.filter(|operation| !is_page(operation));
    let mut clients = 0;
    for operation in oauth {
        let http = world.node.http().with("content-type", "application/x-www-form-urlencoded");
        let path = operation.in_organization(&world.organization);
        let answer = http.send(operation.method.clone(), &path, "grant_type=client_credentials").await;
        if operation.access == "anybody" {
            assert_eq!((operation.method.as_str(), answer.status.as_u16()), ("GET", 200), "{operation:?}");
            continue;
        }
        // Whoever registers a client shows a key, unless the deployment is open to anybody; a client of its own registration, its token.
        let registers = operation.access.ends_with("registration");
        clients += usize::from(!registers);
        assert_eq!(answer.status.as_u16(), 401, "{operation:?}");
        let error = if registers { "invalid_token" } else { "invalid_client" };
        assert_eq!(answer.body()["error"], error, "{operation:?}");
        assert_eq!(registers, answer.headers.contains_key("www-authenticate"), "{operation:?}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{operation:?}");
    }
    assert!(clients > 0);
}

#[tokio::test]
async fn pages_lead_whoever_is_not_signed_in_to_the_sign_in_and_take_no_form_from_elsewhere() {
    let world = World::start().await;
    let pages: Vec<_> = all(&world).await;
    let pages: Vec<_> =
        pages.iter().filter(|operation| ["visitor", "person"].contains(&operation.access.as_str())).collect();
    assert!(pages.len() > 10, "only {} pages", pages.len());
    let http = world.node.http().with("content-type", "application/x-www-form-urlencoded");
    for operation in pages {
        let answer = http.send(operation.method.clone(), &operation.path, "decision=allow&email=ann").await;
        let (status, leads_to) = (answer.status.as_u16(), answer.header("location").unwrap_or_default());
        match (operation.method.as_str(), operation.access.as_str()) {
            ("POST", _) => assert_eq!((status, leads_to), (403, ""), "{operation:?}"),
            // Nobody is led anywhere before it is known who asks, and nobody comes back who was not sent.
            ("GET", _)
                if ["/oauth/authorize", "/sign-in/callback/{provider}"]
                    .contains(&operation.path.as_str()) =>
            {
                assert_eq!((status, leads_to), (400, ""));
            }
            // Of whoever has no session, nothing is to be renewed.
            ("GET", _) if operation.path == "/sign-in/renew" => {
                assert_eq!((status, leads_to), (303, "/account/grants"));
            }
            ("GET", "person") => {
                assert!(status == 303 && leads_to.starts_with("/sign-in?next="), "{operation:?} {leads_to}");
            }
            (_, _) => assert_eq!((status, leads_to), (200, ""), "{operation:?}"),
        }
        let page = answer.header("content-type").unwrap_or("text/html");
        assert!(page.starts_with("text/html"), "{operation:?} {page}");
    }
}

#[tokio::test]
async fn somebody_of_another_tenant_cannot_tell_this_one_from_none() {
    let world = World::start().await;
    let other =
        world.admin().post("/v1/organizations", &json!({ "slug": "rival", "name": "Rival" })).await.good();
    let other = other["id"].as_str().unwrap();
    let nowhere = Uuid::new_v4().to_string();
    for operation in
        operations(&world).await.iter().filter(|operation| operation.path.contains("{organization}"))
    {
        let here = operation.send(&world.admin(), other).await;
        let none = operation.send(&world.admin(), &nowhere).await;
        if operation.access.starts_with("organization") {
            assert_eq!(here.status.as_u16(), 404, "{operation:?}");
            assert_eq!(here.bytes, none.bytes, "{operation:?}");
        }
    }
}

#[tokio::test]
async fn somebody_with_too_small_a_scope_is_told_which_one_is_missing() {
    let world = World::start().await;
    let scopes = ["org:read", "org:write", "keys:write", "clients:write", "audit:read", "mcp:admin"];
    for operation in operations(&world).await {
        let Some(wanted) = operation.scope() else { continue };
        let contains = |held: &str| held == wanted || (held == "org:write" && wanted == "org:read");
        let held: Vec<&str> = scopes.into_iter().filter(|held| !contains(held)).collect();
        let key = world.key(&held, None).await;
        let answer = operation.send(&world.node.http().as_key(&key), &world.organization).await;
        answer.refused(403, "insufficient-scope");
        assert!(answer.body()["detail"].as_str().unwrap().contains(wanted), "{operation:?}");
    }
}

#[tokio::test]
async fn a_member_who_administers_nothing_is_no_administrator() {
    let world = World::start().await;
    let ben = a_second_owner(&world).await;
    let operations = operations(&world).await;
    let administrative: Vec<_> =
        operations.iter().filter(|operation| operation.access.starts_with("administrator")).collect();
    assert!(!administrative.is_empty());
    for operation in administrative {
        operation.send(&ben, &world.organization).await.refused(403, "not-administrator");
    }
}

#[tokio::test]
async fn a_key_made_in_the_administrators_name_does_not_administer() {
    let world = World::start().await;
    let ben = a_second_owner(&world).await;
    let me = world.admin().get("/v1/me").await.good()["user"]["id"].clone();
    // One key in the administrator's name, and one more that it issued to itself, as laundering would have it.
    let body = json!({ "name": "Not mine", "scopes": ["org:write", "keys:write", "clients:write"], "principal": me });
    let first = ben.post(&world.path("/api-keys"), &body).await.good()["api_key"].clone();
    let first = world.node.http().as_key(first.as_str().unwrap());
    let body = json!({ "name": "Laundered", "scopes": ["org:write", "keys:write", "clients:write"] });
    let second = first.post(&world.path("/api-keys"), &body).await.good()["api_key"].clone();
    let second = world.node.http().as_key(second.as_str().unwrap());
    let team = json!({ "slug": "laundry", "name": "Laundry" });
    let third = first.post("/v1/organizations", &team).await.good()["api_key"].clone();
    let third = world.node.http().as_key(third.as_str().unwrap());
    let operations = operations(&world).await;
    for key in [&first, &second, &third] {
        for operation in operations.iter().filter(|operation| operation.access.starts_with("administrator")) {
            operation.send(key, &world.organization).await.refused(403, "not-administrator");
        }
        key.json(Method::PUT, "/v1/me/email", &json!({ "email": "ben@example.com" }))
            .await
            .refused(403, "forbidden");
        key.json(Method::PUT, "/v1/me/profile", &json!({ "name": "Ben" })).await.refused(403, "forbidden");
    }
}

#[tokio::test]
async fn an_owner_takes_in_nobody_whom_another_organization_registered() {
    let world = World::start().await;
    let ben = a_second_owner(&world).await;
    let me = world.admin().get("/v1/me").await.good()["user"]["id"].clone();
    let team = ben.post("/v1/organizations", &json!({ "slug": "bens", "name": "Ben's" })).await.good();
    let owner = world.node.http().as_key(team["api_key"].as_str().unwrap());
    let path = format!("/v1/organizations/{}/members/{}", team["id"].as_str().unwrap(), me.as_str().unwrap());
    owner.json(Method::PUT, &path, &json!({ "role": "member" })).await.refused(404, "not-found");
}

/// Ben: an owner of the founded organization who administers nothing.
pub(super) async fn a_second_owner(world: &World) -> Http {
    let user =
        world.admin().post(&world.path("/users"), &json!({ "name": "Ben" })).await.good()["id"].clone();
    let member = format!("/members/{}", user.as_str().unwrap());
    world.admin().json(Method::PUT, &world.path(&member), &json!({ "role": "owner" })).await.good();
    let body = json!({ "name": "Ben's", "scopes": ["org:write", "keys:write", "clients:write", "audit:read"], "principal": user });
    let key = world.admin().post(&world.path("/api-keys"), &body).await.good()["api_key"].clone();
    world.node.http().as_key(key.as_str().unwrap())
}

#[tokio::test]
async fn what_is_open_to_all_is_this_and_no_more() {
    let world = World::start().await;
    super::super::notary::something_is_signed(&world).await;
    let signed = [
        "/.well-known/sekisho/checkpoint",
        "/.well-known/sekisho/checkpoint-key",
        "/.well-known/sekisho/tile/0/000.p/1",
    ];
    let discovery =
        ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration", "/oauth/jwks"];
    let fixed = ["/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"];
    for path in fixed.into_iter().chain(discovery).chain(signed) {
        assert_eq!(world.node.http().get(path).await.status.as_u16(), 200, "{path}");
    }
    for path in [
        "/v1",
        "/v1/organizations/x/y/z",
        "/.well-known/nothing",
        "/.well-known/sekisho",
        "/mcp",
        "/oauth",
        "/oauth/nothing",
    ] {
        world.node.http().get(path).await.refused(404, "not-found");
    }
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    let answer = world
        .node
        .http()
        .with("accept", "application/json, text/event-stream")
        .post("/mcp/none", &call)
        .await;
    assert_ne!(answer.status.as_u16(), 200);
}

#[tokio::test]
async fn a_command_with_an_unknown_member_is_refused_by_its_name() {
    let world = World::start().await;
    let document = world.node.http().get("/openapi.json").await.good();
    for operation in operations(&world).await {
        let pointer = format!(
            "/paths/{}/{}/requestBody",
            operation.path.replace('/', "~1"),
            operation.method.as_str().to_lowercase()
        );
        if document.pointer(&pointer).is_none() || operation.access == "bootstrap" {
            continue;
        }
        let path = operation.in_organization(&world.organization);
        // `fields` belongs to one command, which reads its body by hand so that no error can echo a secret.
        let body = if path.ends_with("/secrets") {
            json!({ "fields": {}, "surprise": 1 })
        } else {
            json!({ "surprise": 1 })
        };
        let answer = world.admin().json(operation.method.clone(), &path, &body).await;
        assert_eq!(answer.status.as_u16(), 400, "{operation:?} {:?}", answer.bytes);
        let body: Value = answer.body();
        assert!(body["detail"].as_str().unwrap().contains("surprise"), "{operation:?} {body}");
    }
}
