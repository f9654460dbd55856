//! What each organization may hold of the memory that all calls share: a quarter of it, so that nobody's calls are refused for want of room
//! because of one other.
//!
//! Small requests have a reserve of their own, shared in the same way: whoever fills the rest with large ones stops no small call.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use domain::value::OrganizationId;
use mcp::memory::ByteBudget;

/// A request of at most so many bytes counts with the reserve.
pub(super) const SMALL_BYTES_MAX: u64 = 64 * 1024;
const RESERVE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What the bodies of refused calls may hold, all together: strangers must not take the room of those who may call.
const REFUSED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// An organization may hold one part of so many.
const SHARES: usize = 4;
/// But always as much as the largest list, which is gathered in twice its size.
const SHARE_BYTES_MIN: usize = 2 * mcp::relay::LIST_BYTES_MAX;

/// Shares that are remembered; then those that nobody uses are forgotten.
const REMEMBERED_MAX: usize = 10_000;

/// What bodies are counted with.
#[derive(Debug)]
pub struct BodyBudgets {
    /// Those of callers that were recognised; shared with the answers to them.
    pub(super) calls: ByteBudget,
    /// Of those, the small requests.
    pub(super) small: ByteBudget,
    /// Those of everybody else, read only to find the id of the request.
    pub(super) refused: ByteBudget,
    /// By organization; callers without a credential have one together.
    shares: RwLock<HashMap<Option<OrganizationId>, Share>>,
}

/// What one organization's calls are counted with.
#[derive(Debug, Clone)]
pub(super) struct Share {
    pub(super) large: ByteBudget,
    pub(super) small: ByteBudget,
}

impl BodyBudgets {
    /// Calls count with this one.
    pub fn beside(calls: ByteBudget) -> Self {
        Self {
            calls,
            small: ByteBudget::new(RESERVE_BYTES_MAX),
            refused: ByteBudget::new(REFUSED_BYTES_MAX),
            shares: RwLock::default(),
        }
    }

    /// The share of an organization.
    pub(super) fn share(&self, organization: Option<OrganizationId>) -> Share {
        if let Some(share) = self.shares.read().unwrap_or_else(PoisonError::into_inner).get(&organization) {
            return share.clone();
        }
        let mut shares = self.shares.write().unwrap_or_else(PoisonError::into_inner);
        if shares.len() >= REMEMBERED_MAX {
            shares.retain(|_, share| !share.large.is_unused() || !share.small.is_unused());
        }
        let new = || Share {
            large: self.calls.part((self.calls.bytes_max() / SHARES).max(SHARE_BYTES_MIN)),
            small: self.small.part(RESERVE_BYTES_MAX / SHARES),
        };
        shares.entry(organization).or_insert_with(new).clone()
    }
}

#[cfg(test)]
mod tests {
    use mcp::memory::NoRoom;

    use super::*;

    const MEBIBYTE: usize = 1024 * 1024;

    fn share(budgets: &BodyBudgets, organization: u128) -> Share {
        budgets.share(Some(OrganizationId::new(uuid::Uuid::from_u128(organization))))
    }

    #[test]
    fn one_organization_holds_a_quarter_and_another_has_its_own() {
        let budgets = BodyBudgets::beside(ByteBudget::new(256 * MEBIBYTE));
        let mut held = share(&budgets, 1).large.hold();
        held.resize(64 * MEBIBYTE).unwrap();
        assert_eq!(share(&budgets, 1).large.hold().resize(1), Err(NoRoom));
        assert_eq!(share(&budgets, 2).large.hold().resize(64 * MEBIBYTE), Ok(()));
        assert_eq!(budgets.share(None).large.hold().resize(64 * MEBIBYTE), Ok(()));
    }

    #[test]
    fn small_requests_count_apart_and_are_shared_too() {
        let budgets = BodyBudgets::beside(ByteBudget::new(MEBIBYTE));
        let mut large = share(&budgets, 1).large.hold();
        large.resize(MEBIBYTE).unwrap();
        assert_eq!(share(&budgets, 2).large.hold().resize(1), Err(NoRoom), "the node is full");
        let mut small = share(&budgets, 1).small.hold();
        small.resize(4 * MEBIBYTE).unwrap();
        assert_eq!(small.resize(4 * MEBIBYTE + 1), Err(NoRoom));
        assert_eq!(share(&budgets, 2).small.hold().resize(4 * MEBIBYTE), Ok(()));
    }

    #[test]
    fn a_share_in_use_is_never_forgotten() {
        let budgets = BodyBudgets::beside(ByteBudget::new(64 * MEBIBYTE));
        let mut held = share(&budgets, 0).large.hold();
        held.resize(16 * MEBIBYTE).unwrap();
        for number in 1..=2 * u128::try_from(REMEMBERED_MAX).unwrap() {
            drop(share(&budgets, number));
        }
        assert!(budgets.shares.read().unwrap().len() <= REMEMBERED_MAX);
        assert_eq!(share(&budgets, 0).large.hold().resize(1), Err(NoRoom));
    }
}
