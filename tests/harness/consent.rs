//! What a user consented to, without a browser: the grant as the log holds it, and access tokens that the deployment's own key signs.

use std::sync::Arc;

use api::adapters::master_key::MasterKeys;
use api::adapters::system::SystemClock;
use api::adapters::token_keys::{SigningKeys, TokenSigner};
use api::token::{AccessToken, PublicUrl, SignTokens as _};
use domain::event::Event;
use domain::grant::{ACCESS_TOKEN_SECONDS, GrantEvent, place};
use domain::value::{
    ClientId, Clock as _, GrantId, InstanceId, Position, Scope, Scopes, SigningAlgorithm, Timestamp, TokenId,
    UserId,
};
use projections::access::{TokenClaims, TokenHolder};
use serde_json::json;
use uuid::Uuid;

use crate::World;

/// A live grant.
#[derive(Debug, Clone, Copy)]
pub struct Consent {
    /// Its id.
    pub id: GrantId,
    user: UserId,
    client: ClientId,
    instance: InstanceId,
}

impl World {
    /// A user lets a client act in their name at an instance, with at most these scopes.
    pub async fn consent(&self, user: &str, client: &str, instance: &str, scopes: &[&str]) -> Consent {
        let consent = Consent {
            id: GrantId::new(Uuid::new_v4()),
            user: UserId::parse(user).expect("a user"),
            client: ClientId::parse(client).expect("a client"),
            instance: InstanceId::parse(instance).expect("an instance"),
        };
        let organization =
            self.node.running.view.load().instance(consent.instance).expect("it is there").organization;
        let fact: Event = GrantEvent::Granted {
            organization,
            user: consent.user,
            client: consent.client,
            instance: consent.instance,
            scopes: parsed(scopes),
            expires_at: None,
        }
        .into();
        let (aggregate_type, event_type, version) = fact.name();
        let place = place(consent.user, consent.client, consent.instance);
        let command = json!({
            "command_id": Uuid::new_v4(), "request_digest": "", "answer": "", "releases": [],
            "takes": [{ "scope": "grant", "value": place, "owner_type": aggregate_type, "owner_id": consent.id }],
            "events": [{
                "aggregate_type": aggregate_type, "aggregate_id": consent.id, "sequence": 1, "event_type": event_type,
                "event_version": version.to_string(), "payload": fact,
                "metadata": {
                    "actor": format!("user:{user}"), "organization": organization, "occurred_at": "2026-11-22T10:50:00Z",
                },
            }],
        });
        let (outcome, position): (String, i64) =
            sqlx::query_as("select outcome, position_last from append_commands($1)")
                .bind(json!([command]))
                .fetch_one(&self.node.running.pool)
                .await
                .expect("the log takes it");
        assert_eq!(outcome, "ok", "{place}");
        self.node.running.view.reached(Position::new(position.unsigned_abs())).await;
        consent
    }

    /// An access token of what was consented to.
    pub async fn token_of(&self, consent: &Consent, scopes: &[&str]) -> String {
        let running = &self.node.running;
        let master = MasterKeys::parse(&self.master_key).expect("a master key");
        let keys = SigningKeys::new(running.pool.clone(), Arc::new(master));
        let url = PublicUrl::parse(&running.url).expect("an address");
        let view = running.view.load();
        let signing =
            SigningAlgorithm::ALL.into_iter().find_map(|algorithm| view.active_signing_key(algorithm));
        let issued_at = SystemClock.now().get().replace_nanosecond(0).expect("a whole second");
        let issued_at = Timestamp::new(issued_at);
        let Consent { id, user, client, instance } = *consent;
        let says = TokenClaims {
            token: TokenId::new(Uuid::new_v4()),
            client,
            holder: TokenHolder::User { user, grant: id },
            instance,
            scopes: parsed(scopes),
            expires_at: issued_at.plus_seconds(ACCESS_TOKEN_SECONDS),
        };
        let token = AccessToken { says, document: None, issued_at, not_before: None };
        let kid = &signing.expect("an active key").kid;
        TokenSigner::new(Arc::new(keys), url).sign(kid, &token).await.expect("a token")
    }
}

fn parsed(scopes: &[&str]) -> Scopes {
    scopes.iter().map(|scope| Scope::parse(scope).expect("a scope")).collect()
}
