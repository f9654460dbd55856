//! Checkpoints (C2SP tlog-checkpoint) as signed notes (C2SP signed-note) with Ed25519.
//!
//! ```text
//! <origin>                           which log; also the name of the key
//! <size>                             how many events
//! <root>                             base64 of the root of their tree
//!                                    an empty line
//! — <key's name> <signature>         base64 of 4 bytes of the key's id and 64 of the signature over the lines above the empty one
//! ```
//! Signatures of keys that are not known are passed over, so that witnesses may add theirs.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::merkle::{HASH_BYTES, Hash, sha256};

const ED25519_ALGORITHM: u8 = 1;
const KEY_BYTES: usize = 32;
const KEY_ID_BYTES: usize = 4;
const SIGNATURES_MAX: usize = 100;
/// Larger ones are nobody's: three short lines and some signatures.
pub const NOTE_BYTES_MAX: usize = 64 * 1024;

/// What is signed: the log at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// How many events, from position 1 on.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
}

/// A note is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not a note, or not one of a checkpoint.
    #[error("this is no signed checkpoint: {0}")]
    Malformed(&'static str),
    /// Nobody whom we know has signed it.
    #[error("this checkpoint bears no signature of the given key")]
    Unsigned,
    /// It was changed, or signed by somebody else in the key's name.
    #[error("the signature under this checkpoint is wrong: it was changed")]
    Forged,
    /// Of another log, whose key this is too.
    #[error("this checkpoint is of {0}, which is not the log of the key")]
    OtherLog(String),
}

/// The text is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no public key of a notary such as sekisho/6f9c...+1a2b3c4d+AQ...=")]
pub struct NoteKeyError(String);

/// A public key with its name: a "vkey" of C2SP signed-note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteKey {
    name: String,
    public: [u8; KEY_BYTES],
}

impl NoteKey {
    /// Reads `<name>+<id in hexadecimal>+<key in base64>`.
    pub fn parse(text: &str) -> Result<Self, NoteKeyError> {
        let read = || {
            let (name, rest) = text.split_once('+')?;
            let (_, key) = rest.split_once('+')?;
            let key = STANDARD.decode(key).ok()?;
            let (algorithm, public) = key.split_first()?;
            let public = public.try_into().ok().filter(|_| *algorithm == ED25519_ALGORITHM)?;
            let key = Self { name: is_name(name).then(|| name.to_owned())?, public };
            (key.to_string() == text).then_some(key) // the id is that of the key, and there is one spelling
        };
        read().ok_or_else(|| NoteKeyError(text.chars().take(200).collect()))
    }

    /// Its name, which is the origin of the log.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> [u8; KEY_ID_BYTES] {
        let hash = sha256(&[self.name.as_bytes(), b"\n", &[ED25519_ALGORITHM], &self.public]);
        let mut id = [0; KEY_ID_BYTES];
        id.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        id
    }
}

impl fmt::Display for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode([&[ED25519_ALGORITHM][..], &self.public].concat());
        write!(f, "{}+{:08x}+{key}", self.name, u32::from_be_bytes(self.id()))
    }
}

/// Signs.
pub struct NoteSigner {
    key: NoteKey,
    pair: Ed25519KeyPair,
}

impl fmt::Debug for NoteSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteSigner({})", self.key)
    }
}

impl NoteSigner {
    /// A signer of this name with this seed of 32 bytes; nothing when either is not what it should be.
    pub fn of_seed(name: &str, seed: &[u8]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
        let public = pair.public_key().as_ref().try_into().ok()?;
        is_name(name).then(|| Self { key: NoteKey { name: name.to_owned(), public }, pair })
    }

    /// Its public key.
    pub const fn key(&self) -> &NoteKey {
        &self.key
    }

    /// The checkpoint of this size and root, signed.
    pub fn sign_checkpoint(&self, size: u64, root: Hash) -> String {
        self.sign(&Checkpoint { origin: self.key.name.clone(), size, root }.to_string())
    }

    fn sign(&self, text: &str) -> String {
        let signature = [&self.key.id()[..], self.pair.sign(text.as_bytes()).as_ref()].concat();
        format!("{text}\n— {} {}\n", self.key.name, STANDARD.encode(signature))
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, STANDARD.encode(self.root))
    }
}

impl Checkpoint {
    /// Opens a signed note: the checkpoint in it, signed by one of these keys.
    pub fn open(note: &str, keys: &[NoteKey]) -> Result<Self, NoteError> {
        let (text, key) = open(note, keys)?;
        let checkpoint = Self::parse(text)?;
        if checkpoint.origin == key.name {
            Ok(checkpoint)
        } else {
            Err(NoteError::OtherLog(checkpoint.origin))
        }
    }

    fn parse(text: &str) -> Result<Self, NoteError> {
        let mut lines = text.lines();
        let mut line = |what| lines.next().filter(|line| !line.is_empty()).ok_or(NoteError::Malformed(what));
        let origin = line("no origin")?.to_owned();
        let digits = line("no size")?;
        let size: u64 = digits.parse().map_err(|_| NoteError::Malformed("its size is no number"))?;
        let root = STANDARD.decode(line("no root")?).ok().and_then(|root| Hash::try_from(root).ok());
        let root = root.ok_or(NoteError::Malformed("its root is no hash"))?;
        let checkpoint = Self { origin, size, root };
        // Further lines are extensions, which our logs have none of. They are signed too, and say nothing to us.
        let spelled = text.starts_with(&checkpoint.to_string());
        if spelled { Ok(checkpoint) } else { Err(NoteError::Malformed("another spelling")) }
    }
}

/// The text of a note that one of these keys has signed, and the key.
fn open<'n, 'k>(note: &'n str, keys: &'k [NoteKey]) -> Result<(&'n str, &'k NoteKey), NoteError> {
    if note.len() > NOTE_BYTES_MAX || note.chars().any(|sign| sign < ' ' && sign != '\n') {
        return Err(NoteError::Malformed("it is too long, or has control characters"));
    }
    let split = note.rfind("\n\n").and_then(|end| Some((note.get(..=end)?, note.get(end + 2..)?)));
    let (text, signatures) = split.ok_or(NoteError::Malformed("there is no empty line"))?;
    if signatures.is_empty() || !signatures.ends_with('\n') || signatures.lines().count() > SIGNATURES_MAX {
        return Err(NoteError::Malformed("the signatures do not end, or there are none or too many"));
    }
    let mut opened = None;
    for line in signatures.lines() {
        let (name, id, signature) =
            signature_line(line).ok_or(NoteError::Malformed("a signature is none"))?;
        let Some(key) = keys.iter().find(|key| key.name == name && key.id()[..] == id[..]) else { continue };
        let public = UnparsedPublicKey::new(&ED25519, key.public);
        public.verify(text.as_bytes(), &signature).map_err(|_| NoteError::Forged)?;
        opened = opened.or(Some((text, key)));
    }
    opened.ok_or(NoteError::Unsigned)
}

/// `— name base64`: the name, the id of the key, and the signature.
fn signature_line(line: &str) -> Option<(&str, Vec<u8>, Vec<u8>)> {
    let (name, text) = line.strip_prefix("— ")?.split_once(' ')?;
    let bytes = STANDARD.decode(text).ok()?;
    let (id, signature) = bytes.split_at_checked(KEY_ID_BYTES)?;
    (is_name(name) && !signature.is_empty()).then(|| (name, id.to_vec(), signature.to_vec()))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|sign| sign.is_whitespace() || sign.is_control() || sign == '+')
}

const _: () = assert!(HASH_BYTES == 32, "a root in a checkpoint is a SHA-256 digest");

#[cfg(test)]
mod tests {
    use super::*;

    // The example of C2SP signed-note and of its reference implementation.
    const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const SEED: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"; // algorithm and seed
    const TEXT: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    const SIGNATURE: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    fn example() -> NoteSigner {
        NoteSigner::of_seed("PeterNeumann", &STANDARD.decode(SEED).unwrap()[1..]).unwrap()
    }

    fn signed(size: u64) -> (NoteSigner, String) {
        let signer = NoteSigner::of_seed("sekisho/x", &[7; 32]).unwrap();
        let note = signer.sign_checkpoint(size, [9; 32]);
        (signer, note)
    }

    #[test]
    fn a_part_of_a_key_or_a_changed_one_is_refused() {
        assert!(
            (1..KEY.len())
                .all(|at| NoteKey::parse(&KEY[at..]).is_err() && NoteKey::parse(&KEY[..at]).is_err())
        );
        for at in 0..KEY.len() {
            let mut bytes = KEY.as_bytes().to_vec();
            bytes[at] += 1;
            assert!(NoteKey::parse(std::str::from_utf8(&bytes).unwrap()).is_err(), "{at}");
        }
        assert!(
            NoteKey::parse("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").is_err()
        );
    }

    #[test]
    fn the_example_of_the_specification_is_signed_and_opened_byte_for_byte() {
        let note = format!("{TEXT}\n{SIGNATURE}");
        assert_eq!(example().key().to_string(), KEY);
        assert_eq!(example().sign(TEXT), note);
        assert_eq!(open(&note, &[NoteKey::parse(KEY).unwrap()]).unwrap().0, TEXT);
    }

    #[test]
    fn no_byte_of_a_checkpoint_can_be_changed() {
        let (signer, note) = signed(42);
        let keys = [signer.key().clone()];
        for at in 0..note.len() {
            let mut bytes = note.clone().into_bytes();
            bytes[at] ^= 1;
            if let Ok(changed) = String::from_utf8(bytes) {
                assert!(Checkpoint::open(&changed, &keys).is_err(), "{at} {changed}");
            }
            assert!(note.get(..at).is_none_or(|cut| Checkpoint::open(cut, &keys).is_err()), "cut at {at}");
        }
        assert_eq!(Checkpoint::open(&note, &keys).unwrap().size, 42);
    }

    #[test]
    fn a_checkpoint_of_somebody_else_or_of_nobody_is_refused() {
        let (signer, note) = signed(42);
        let keys = [signer.key().clone()];
        assert_eq!(Checkpoint::open(&note, &[NoteKey::parse(KEY).unwrap()]), Err(NoteError::Unsigned));
        let stranger = NoteSigner::of_seed("sekisho/x", &[8; 32]).unwrap().sign_checkpoint(42, [9; 32]);
        assert_eq!(Checkpoint::open(&stranger, &keys), Err(NoteError::Unsigned));
        let other =
            signer.sign(&Checkpoint { origin: "sekisho/y".to_owned(), size: 1, root: [0; 32] }.to_string());
        assert_eq!(Checkpoint::open(&other, &keys), Err(NoteError::OtherLog("sekisho/y".to_owned())));
        let padded = signer.sign(&format!("sekisho/x\n042\n{}\n", STANDARD.encode([9; 32])));
        assert!(matches!(Checkpoint::open(&padded, &keys), Err(NoteError::Malformed(_))));
    }

    #[test]
    fn a_witness_may_add_its_signature() {
        let (signer, note) = signed(42);
        let witness = example().sign("x\n").split_once("\n\n").unwrap().1.to_owned();
        assert!(Checkpoint::open(&format!("{note}{witness}"), &[signer.key().clone()]).is_ok());
    }
}
