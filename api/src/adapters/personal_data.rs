//! Personal data in events: sealed under its subject's own key before it is stored, opened when it is read, gone when the key is gone.
//!
//! A sealed datum is bound to its event (aggregate, sequence) and field, so that ciphertext moved elsewhere does not open.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::value::Position;
use serde_json::{Map, Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use super::master_key::{MasterKeyError, MasterKeys, Purpose, cipher};

const KNOWN: &str = "$personal";
const SEALED: &str = "$sealed";
const ERASED: &str = "$erased";

/// Reads an index of nothing but these events.
const FORGET_ERASED: &str = "with erased as (
        select aggregate_id::uuid as subject, global_position from events
        where aggregate_type = 'user' and event_type = 'erased' and global_position > $1
    ), destroyed as (
        insert into subject_keys (subject_id, wrapped_key, destroyed_at)
        select subject, null, clock_timestamp() from erased
        on conflict (subject_id) do update set wrapped_key = null, destroyed_at = clock_timestamp()
        where subject_keys.wrapped_key is not null
        returning subject_id
    )
    select (select max(global_position) from erased), (select count(*) from destroyed)";

/// Where a payload belongs: what its sealed data are bound to.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Type of the aggregate.
    pub aggregate_type: &'a str,
    /// Its id.
    pub aggregate_id: &'a str,
    /// The event's number in it.
    pub sequence: u64,
}

/// Personal data cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum PersonalDataError {
    /// The key table does not answer.
    #[error("the subject keys cannot be read: {0}")]
    Database(#[from] sqlx::Error),
    /// The master key does not open a subject's key.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// New data about somebody who was erased.
    #[error("subject {0} was erased; nothing new may be kept about them")]
    Erased(Uuid),
    /// A sealed datum that is not one.
    #[error("sealed datum at {0} does not open: it was changed or moved")]
    Broken(String),
}

/// Seals and opens, with the keys in `subject_keys`.
#[derive(Debug, Clone)]
pub struct PersonalData {
    pool: PgPool,
    master: Arc<MasterKeys>,
}

enum SubjectKey {
    Live(LessSafeKey),
    Destroyed,
}

impl PersonalData {
    /// Works on this database, under these keys.
    pub const fn new(pool: PgPool, master: Arc<MasterKeys>) -> Self {
        Self { pool, master }
    }

    /// Seals every personal datum in these payloads.
    pub async fn seal(&self, payloads: &mut [(Place<'_>, &mut Value)]) -> Result<(), PersonalDataError> {
        let subjects = subjects_in(payloads.iter().map(|(_, payload)| &**payload), KNOWN);
        if subjects.is_empty() {
            return Ok(());
        }
        self.make_keys(&subjects).await?;
        let keys = self.keys(&subjects).await?;
        for (place, payload) in payloads {
            rewrite(payload, &mut String::new(), KNOWN, &mut |path, datum| {
                seal_one(&keys, *place, path, datum)
            })?;
        }
        Ok(())
    }

    /// Opens every sealed datum in these payloads; what cannot be opened any more becomes "erased".
    pub async fn open(&self, payloads: &mut [(Place<'_>, &mut Value)]) -> Result<(), PersonalDataError> {
        let subjects = subjects_in(payloads.iter().map(|(_, payload)| &**payload), SEALED);
        if subjects.is_empty() {
            return Ok(());
        }
        let keys = self.keys(&subjects).await?;
        for (place, payload) in payloads {
            rewrite(payload, &mut String::new(), SEALED, &mut |path, datum| {
                open_one(&keys, *place, path, datum)
            })?;
        }
        Ok(())
    }

    /// Destroys the keys of everybody who, as the log says after this position, was erased; answers the position of the last of them. Who
    /// has no key gets a destroyed one, so that none is ever drawn for them. No key is held in memory longer than one call of ours takes,
    /// so this is all there is to forget.
    pub async fn forget_erased(&self, after: Position) -> Result<Position, sqlx::Error> {
        let after_row = i64::try_from(after.get()).unwrap_or(i64::MAX);
        let (last, destroyed): (Option<i64>, i64) =
            sqlx::query_as(FORGET_ERASED).bind(after_row).fetch_one(&self.pool).await?;
        if destroyed > 0 {
            tracing::info!(subjects = destroyed, "the keys of erased subjects are destroyed");
        }
        Ok(last.map_or(after, |last| Position::new(last.unsigned_abs())))
    }

    /// Draws keys for subjects that have none. A key without data is harmless, so this need not share the append's transaction.
    async fn make_keys(&self, subjects: &BTreeSet<Uuid>) -> Result<(), PersonalDataError> {
        let ids: Vec<Uuid> = subjects.iter().copied().collect();
        let mut wrapped = Vec::with_capacity(ids.len());
        for id in &ids {
            let mut key = zeroize::Zeroizing::new([0_u8; 32]);
            rand::fill(key.as_mut()).map_err(|_| MasterKeyError::Broken)?;
            wrapped.push(self.master.seal(Purpose::SubjectKey, &id.to_string(), key.as_ref())?);
        }
        sqlx::query(
            "insert into subject_keys (subject_id, wrapped_key) select * from unnest($1::uuid[], $2::bytea[]) on conflict do nothing",
        )
        .bind(ids)
        .bind(wrapped)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn keys(&self, subjects: &BTreeSet<Uuid>) -> Result<HashMap<Uuid, SubjectKey>, PersonalDataError> {
        let ids: Vec<Uuid> = subjects.iter().copied().collect();
        let rows: Vec<(Uuid, Option<Vec<u8>>)> =
            sqlx::query_as("select subject_id, wrapped_key from subject_keys where subject_id = any($1)")
                .bind(ids)
                .fetch_all(&self.pool)
                .await?;
        rows.into_iter()
            .map(|(id, wrapped)| {
                let key = match wrapped {
                    None => SubjectKey::Destroyed,
                    Some(wrapped) => SubjectKey::Live(cipher(&self.master.open(
                        Purpose::SubjectKey,
                        &id.to_string(),
                        &wrapped,
                    )?)?),
                };
                Ok((id, key))
            })
            .collect()
    }
}

fn seal_one(
    keys: &HashMap<Uuid, SubjectKey>,
    place: Place<'_>,
    path: &str,
    datum: &Value,
) -> Result<Value, PersonalDataError> {
    let subject = subject_of(datum).ok_or_else(|| PersonalDataError::Broken(path.to_owned()))?;
    let Some(SubjectKey::Live(key)) = keys.get(&subject) else {
        return Err(PersonalDataError::Erased(subject));
    };
    let mut text = datum.get("value").unwrap_or(&Value::Null).to_string().into_bytes();
    let mut nonce = [0_u8; NONCE_LEN];
    rand::fill(&mut nonce).map_err(|_| MasterKeyError::Broken)?;
    key.seal_in_place_append_tag(
        Nonce::assume_unique_for_key(nonce),
        Aad::from(bound_to(place, path)),
        &mut text,
    )
    .map_err(|_| PersonalDataError::Broken(path.to_owned()))?;
    Ok(
        json!({ SEALED: { "subject": subject, "nonce": STANDARD.encode(nonce), "ciphertext": STANDARD.encode(text) } }),
    )
}

fn open_one(
    keys: &HashMap<Uuid, SubjectKey>,
    place: Place<'_>,
    path: &str,
    datum: &Value,
) -> Result<Value, PersonalDataError> {
    let broken = || PersonalDataError::Broken(path.to_owned());
    let subject = subject_of(datum).ok_or_else(broken)?;
    let Some(SubjectKey::Live(key)) = keys.get(&subject) else {
        return Ok(json!({ ERASED: { "subject": subject } }));
    };
    let bytes =
        |name: &str| datum.get(name).and_then(Value::as_str).and_then(|text| STANDARD.decode(text).ok());
    let nonce =
        bytes("nonce").and_then(|nonce| Nonce::try_assume_unique_for_key(&nonce).ok()).ok_or_else(broken)?;
    let mut text = bytes("ciphertext").ok_or_else(broken)?;
    let plain =
        key.open_in_place(nonce, Aad::from(bound_to(place, path)), &mut text).map_err(|_| broken())?;
    let value: Value = serde_json::from_slice(plain).map_err(|_| broken())?;
    Ok(json!({ KNOWN: { "subject": subject, "value": value } }))
}

fn bound_to(place: Place<'_>, path: &str) -> Vec<u8> {
    format!("{}/{}/{}{path}", place.aggregate_type, place.aggregate_id, place.sequence).into_bytes()
}

fn subject_of(datum: &Value) -> Option<Uuid> {
    datum.get("subject").and_then(Value::as_str).and_then(|text| Uuid::try_parse(text).ok())
}

fn marked<'a>(object: &'a Map<String, Value>, mark: &str) -> Option<&'a Value> {
    if object.len() == 1 { object.get(mark) } else { None }
}

fn subjects_in<'a>(payloads: impl Iterator<Item = &'a Value>, mark: &str) -> BTreeSet<Uuid> {
    fn walk(value: &Value, mark: &str, found: &mut BTreeSet<Uuid>) {
        match value {
            Value::Object(object) => match marked(object, mark) {
                Some(datum) => found.extend(subject_of(datum)),
                None => object.values().for_each(|inner| walk(inner, mark, found)),
            },
            Value::Array(items) => items.iter().for_each(|inner| walk(inner, mark, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut found = BTreeSet::new();
    payloads.for_each(|payload| walk(payload, mark, &mut found));
    found
}

/// Replaces every object `{mark: datum}`, telling each its JSON pointer.
fn rewrite(
    value: &mut Value,
    path: &mut String,
    mark: &str,
    with: &mut impl FnMut(&str, &Value) -> Result<Value, PersonalDataError>,
) -> Result<(), PersonalDataError> {
    match value {
        Value::Object(object) => {
            if let Some(datum) = marked(object, mark) {
                *value = with(path, datum)?;
                return Ok(());
            }
            for (name, inner) in object {
                let length = path.len();
                path.push('/');
                path.push_str(name);
                rewrite(inner, path, mark, with)?;
                path.truncate(length);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter_mut().enumerate() {
                let length = path.len();
                path.push('/');
                path.push_str(&index.to_string());
                rewrite(inner, path, mark, with)?;
                path.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    Ok(())
}
