//! `/v1/log/...`: what the notary signed, and proofs of it.

use axum::Json;
use axum::extract::{Query, State};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use commands::Ports;
use domain::value::{Position, Scope};
use http::Uri;
use projections::notary::leaf::leaf_bytes;
use projections::notary::merkle::Hash;
use projections::notary::store::{self, Kept, StoreError};
use projections::{Envelope, LogReader};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::ask::{Asker, Found};
use super::{Access, Admin, Area, Parameter};
use crate::problem::Problem;

const CHECKPOINT: &str = "/v1/log/checkpoint";
const INCLUSION: &str = "/v1/log/inclusion";
const CONSISTENCY: &str = "/v1/log/consistency";

const INCLUSION_QUERY: [Parameter; 2] = [
    Parameter::required("position", "The position of the event").counting(),
    Parameter::optional("size", "The size of the checkpoint").counting(),
];
const CONSISTENCY_QUERY: [Parameter; 2] = [
    Parameter::required("from", "The size of the older checkpoint").counting(),
    Parameter::optional("to", "The size of the newer one").counting(),
];

/// The routes.
pub(super) fn area<P: Ports + 'static>() -> Area<P> {
    let reads = || Access::Key(Scope::AuditRead);
    Area::new("Log", "The notary: signed checkpoints of the log, and proofs that it was not changed (RFC 6962).")
        .read::<SignedCheckpoint, _, _>(
            CHECKPOINT,
            reads(),
            "getCheckpoint",
            "The newest checkpoint, and the public key that verifies it",
            checkpoint::<P>,
        )
        .read::<Inclusion, _, _>(
            INCLUSION,
            reads(),
            "proveInclusion",
            "Prove that the event at ?position= stands in the checkpoint of ?size= (left out, the newest)",
            inclusion::<P>,
        )
        .taking(&INCLUSION_QUERY)
        .read::<Consistency, _, _>(
            CONSISTENCY,
            reads(),
            "proveConsistency",
            "Prove that the log of the checkpoint of size ?from= is the beginning of that of size ?to= (left out, the newest)",
            consistency::<P>,
        )
        .taking(&CONSISTENCY_QUERY)
}

/// A checkpoint.
#[derive(Debug, Serialize, ToSchema)]
struct SignedCheckpoint {
    /// How many events it covers.
    size: u64,
    /// The signed note (C2SP tlog-checkpoint).
    checkpoint: String,
    /// The public key of the notary, as C2SP signed-note writes it.
    key: String,
}

/// A proof that an event stands in the log.
#[derive(Debug, Serialize, ToSchema)]
struct Inclusion {
    /// Where it stands; its leaf has the index one less.
    position: u64,
    /// The size of the tree that it is proven to stand in.
    size: u64,
    /// The hash of its leaf, in base64.
    leaf_hash: String,
    /// What the leaf is the hash of, in base64; null for an event of another organization.
    #[schema(required)]
    leaf: Option<String>,
    /// The event as it is stored; null for an event of another organization.
    #[schema(required, value_type = Option<Object>)]
    event: Option<Box<RawValue>>,
    /// The hashes of the proof, from the leaf up, in base64 (RFC 9162, 2.1.3).
    proof: Vec<String>,
    /// The signed note of that size.
    checkpoint: String,
}

/// A proof that nothing was changed between two checkpoints.
#[derive(Debug, Serialize, ToSchema)]
struct Consistency {
    /// The size of the smaller tree.
    from: u64,
    /// The size of the larger tree.
    to: u64,
    /// The hashes of the proof, in base64 (RFC 9162, 2.1.4).
    proof: Vec<String>,
    /// The signed note of the smaller size.
    from_checkpoint: String,
    /// The signed note of the larger size.
    to_checkpoint: String,
}

#[derive(Deserialize)]
struct InclusionQuery {
    position: u64,
    size: Option<u64>,
}

#[derive(Deserialize)]
struct ConsistencyQuery {
    from: u64,
    to: Option<u64>,
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Database(error) => error.into(),
            StoreError::Tile(..) => Self::unavailable("tree-damaged", &error),
        }
    }
}

async fn checkpoint<P: Ports + 'static>(State(admin): State<Admin<P>>) -> Found<SignedCheckpoint> {
    let Kept { size, note } = signed(&admin, None).await?;
    Ok(Json(SignedCheckpoint { size, checkpoint: note, key: admin.notary.key().to_string() }))
}

async fn inclusion<P: Ports + 'static>(asker: Asker<P>, uri: Uri) -> Found<Inclusion> {
    let InclusionQuery { position, size } = query(&uri)?;
    let Kept { size, note } = signed(&asker.admin, size).await?;
    let (Some(index), true) = (position.checked_sub(1), position <= size) else {
        return Err(Problem::not_found("event in that checkpoint"));
    };
    let (leaf_hash, proof) = store::inclusion(&asker.admin.pool, index, size).await?;
    let own = asker.organization()?;
    let log = LogReader::new(asker.admin.pool.clone());
    let found = log.following(Position::new(index)).await;
    let found = found.map_err(|error| Problem::unavailable("log-unavailable", &error))?;
    // Tenant first: of an event of another organization, or of none, only the digest is shown.
    let event = found.filter(|event| event.organization() == Some(own));
    let shown = event.as_ref().and_then(|event| serde_json::value::to_raw_value(&Envelope::from(event)).ok());
    Ok(Json(Inclusion {
        position,
        size,
        leaf_hash: STANDARD.encode(leaf_hash),
        leaf: event.as_ref().map(|event| STANDARD.encode(leaf_bytes(event))),
        event: shown,
        proof: encoded(&proof),
        checkpoint: note,
    }))
}

async fn consistency<P: Ports + 'static>(State(admin): State<Admin<P>>, uri: Uri) -> Found<Consistency> {
    let ConsistencyQuery { from, to } = query(&uri)?;
    let (first, second) = (signed(&admin, Some(from)).await?, signed(&admin, to).await?);
    if first.size > second.size || first.size == 0 {
        return Err(Problem::bad_request("bad-query", "from is a size of at least 1 and at most to"));
    }
    let proof = store::consistency(&admin.pool, first.size, second.size).await?;
    let (from, to) = (first.size, second.size);
    Ok(Json(Consistency {
        from,
        to,
        proof: encoded(&proof),
        from_checkpoint: first.note,
        to_checkpoint: second.note,
    }))
}

async fn signed<P>(admin: &Admin<P>, size: Option<u64>) -> Result<Kept, Problem> {
    let kept = match size {
        None => store::newest(&admin.pool).await?,
        Some(size) => store::of_size(&admin.pool, size).await?,
    };
    kept.ok_or_else(|| Problem::not_found("checkpoint; give a size that was signed"))
}

fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    let Query(query) = Query::try_from_uri(uri).map_err(|error| {
        let detail = format!("{}; sizes and positions are whole numbers", error.body_text());
        Problem::bad_request("bad-query", detail)
    })?;
    Ok(query)
}

fn encoded(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(|hash| STANDARD.encode(hash)).collect()
}
