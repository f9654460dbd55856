//! One command as the SQL function `append_commands` reads it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use commands::{Batch, Owner, Seen};
use domain::{ClaimChange, ClaimScope};
use serde_json::{Value, json};

use crate::adapters::key_digest::KeyDigests;

/// The JSON of one command. Claims are netted: what a command takes and gives back again never reaches the table.
pub(super) fn encode(batch: &Batch, sealed_answer: &[u8], digests: &KeyDigests) -> Value {
    let events: Vec<Value> = batch
        .events
        .iter()
        .map(|event| {
            json!({
                "aggregate_type": event.aggregate_type,
                "aggregate_id": event.aggregate_id,
                "sequence": event.sequence,
                "event_type": event.event_type,
                "event_version": event.event_version,
                "payload": event.payload,
                "metadata": event.metadata,
            })
        })
        .collect();
    let rests_on: Vec<Value> = batch
        .rests_on
        .iter()
        .map(|Seen { aggregate_type, aggregate_id, sequence }| {
            json!({ "aggregate_type": aggregate_type, "aggregate_id": aggregate_id, "sequence": sequence })
        })
        .collect();
    let (releases, takes) = net_claims(&batch.claims, digests);
    json!({
        "command_id": batch.command.as_str(),
        "request_digest": batch.request_digest,
        "answer": STANDARD.encode(sealed_answer),
        "events": events,
        "releases": releases,
        "takes": takes,
        "rests_on": rests_on,
    })
}

fn net_claims(claims: &[(Owner, ClaimChange)], digests: &KeyDigests) -> (Vec<Value>, Vec<Value>) {
    let mut releases = Vec::new();
    let mut takes: Vec<(&Owner, ClaimScope, Value)> = Vec::new();
    for (owner, change) in claims {
        match change {
            ClaimChange::Release { scope } => {
                takes.retain(|(taker, taken, _)| *taker != owner || taken != scope);
                releases.push(json!({ "owner_type": owner.0, "owner_id": owner.1, "scope": scope.as_str() }));
            }
            ClaimChange::ReleaseOne { scope, value } => {
                let row = claim_row(owner, *scope, value, digests);
                takes.retain(|(_, _, taken)| *taken != row);
                releases.push(row);
            }
            ClaimChange::Take { scope, value } => {
                takes.push((owner, *scope, claim_row(owner, *scope, value, digests)));
            }
        }
    }
    (releases, takes.into_iter().map(|(_, _, row)| row).collect())
}

/// A unique name as it is stored.
pub(super) fn claim_value(scope: ClaimScope, value: &str, digests: &KeyDigests) -> String {
    if scope.is_personal() { digests.blind_index(scope.as_str(), value) } else { value.to_owned() }
}

fn claim_row(owner: &Owner, scope: ClaimScope, value: &str, digests: &KeyDigests) -> Value {
    let value = claim_value(scope, value, digests);
    json!({ "owner_type": owner.0, "owner_id": owner.1, "scope": scope.as_str(), "value": value })
}
