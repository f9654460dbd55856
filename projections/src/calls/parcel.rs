//! Records of one organization that travel in one message.

use std::collections::BTreeMap;

use bytes::Bytes;
use uuid::Uuid;

use super::entry::Entry;

/// Bytes of one parcel: a quarter of what NATS takes by default, and one record with its arguments always fits.
const PARCEL_BYTES_MAX: usize = 256 * 1024;
/// Records of one parcel.
const PARCEL_RECORDS_MAX: usize = 500;

/// Some records, and the message that they make.
#[derive(Debug)]
pub(super) struct Parcel {
    /// Whose calls they are of.
    pub(super) organization: Uuid,
    /// The records, in their order.
    pub(super) entries: Vec<Entry>,
    /// Them as a JSON array.
    pub(super) body: Bytes,
}

impl Parcel {
    /// Packs records by their organization, each in the order in which it came. Answers those, too, that cannot be written as JSON.
    pub(super) fn pack(entries: Vec<Entry>) -> (Vec<Self>, Vec<Entry>) {
        let mut open: BTreeMap<Uuid, Open> = BTreeMap::new();
        let (mut parcels, mut left) = (Vec::new(), Vec::new());
        for entry in entries {
            let Ok(text) = serde_json::to_vec(&entry) else {
                left.push(entry);
                continue;
            };
            let organization = entry.organization_id();
            let parcel = open.entry(organization).or_default();
            if parcel.is_full_for(text.len()) {
                parcels.push(std::mem::take(parcel).close(organization));
            }
            parcel.add(entry, &text);
        }
        parcels.extend(open.into_iter().map(|(organization, parcel)| parcel.close(organization)));
        (parcels, left)
    }

    /// What NATS tells a repetition by. Of another choice of records it is another one; the tables take each record once, however it comes.
    pub(super) fn id(&self) -> String {
        let number = |entry: Option<&Entry>| entry.map_or(0, Entry::number);
        let node = self.entries.first().map(Entry::node_id).unwrap_or_default();
        let (first, last) = (number(self.entries.first()), number(self.entries.last()));
        format!("{node}/{first}-{last}/{}", self.entries.len())
    }
}

/// A parcel that still takes records.
#[derive(Debug, Default)]
struct Open {
    entries: Vec<Entry>,
    body: Vec<u8>,
}

impl Open {
    fn is_full_for(&self, more_bytes: usize) -> bool {
        let some = !self.entries.is_empty();
        some && (self.entries.len() >= PARCEL_RECORDS_MAX
            || self.body.len() + more_bytes + 2 > PARCEL_BYTES_MAX)
    }

    fn add(&mut self, entry: Entry, text: &[u8]) {
        self.body.push(if self.entries.is_empty() { b'[' } else { b',' });
        self.body.extend_from_slice(text);
        self.entries.push(entry);
    }

    fn close(mut self, organization: Uuid) -> Parcel {
        self.body.push(b']');
        Parcel { organization, entries: self.entries, body: self.body.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::Drops;
    use super::*;

    fn entry(organization: u128, number: i64) -> Entry {
        Entry::Drops(Drops {
            node_id: Uuid::from_u128(9),
            number,
            organization_id: Uuid::from_u128(organization),
            instance_id: None,
            from_at: time::OffsetDateTime::UNIX_EPOCH,
            until_at: time::OffsetDateTime::UNIX_EPOCH,
            dropped: 1,
        })
    }

    #[test]
    fn nothing_makes_no_parcel() {
        let (parcels, left) = Parcel::pack(Vec::new());
        assert!(parcels.is_empty() && left.is_empty());
    }

    #[test]
    fn each_organization_has_its_own_parcels_in_order_and_nothing_is_lost() {
        let entries: Vec<Entry> =
            (1..=3 * 501).map(|number| entry(u128::from(number % 3 == 0), number)).collect();
        let (parcels, left) = Parcel::pack(entries.clone());
        assert!(left.is_empty());
        assert_eq!(parcels.iter().map(|parcel| parcel.entries.len()).sum::<usize>(), entries.len());
        let mut unpacked = Vec::new();
        for parcel in &parcels {
            assert!(parcel.entries.len() <= PARCEL_RECORDS_MAX && parcel.body.len() <= PARCEL_BYTES_MAX);
            assert!(parcel.entries.iter().all(|entry| entry.organization_id() == parcel.organization));
            assert!(parcel.entries.is_sorted_by_key(Entry::number));
            let read: Vec<Entry> = serde_json::from_slice(&parcel.body).unwrap();
            assert_eq!(read, parcel.entries);
            unpacked.extend(read);
        }
        unpacked.sort_by_key(Entry::number);
        assert_eq!(unpacked, entries);
        let ids: std::collections::BTreeSet<String> = parcels.iter().map(Parcel::id).collect();
        assert_eq!(ids.len(), parcels.len());
    }
}
