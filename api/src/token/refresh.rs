//! Refresh tokens as the edge knows them: families of tokens, each used once, and the capability that keeps them.
//!
//! ```text
//!   begin -> live --spend--> spent --within REFRESH_REPLAY_SECONDS--> the same answer again
//!                             `------later------------------------> the family ends, and its grant with it (RFC 9700, 4.14.2)
//! ```
//! Whose token it is, and whether its grant still counts, is decided before anything is spent; here it is only told what is kept.

use std::future::Future;
use std::pin::Pin;

use domain::value::{ClientId, GrantId, InstanceId, IssuedSecret, PresentedSecret, Scopes, Timestamp};
use uuid::Uuid;
use zeroize::Zeroizing;

/// How long the use of a spent token is taken for a retry of somebody who did not get the answer. After that it is taken for theft.
pub const REFRESH_REPLAY_SECONDS: i32 = 30;
/// How long a token that nobody uses is good.
pub const REFRESH_IDLE_DAYS: i32 = 30;
/// How long a family lasts at most, however often it is used; then the user is asked again.
pub const REFRESH_LIFE_DAYS: i32 = 180;

/// A future whose type has no name.
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A line of refresh tokens, each in the place of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FamilyId(pub Uuid);

/// What all tokens of a family stand for.
#[derive(Debug, Clone, PartialEq)]
pub struct RefreshFamily {
    /// Which.
    pub id: FamilyId,
    /// What the user consented to.
    pub grant: GrantId,
    /// Whose tokens these are.
    pub client: ClientId,
    /// For which instance access tokens are given out.
    pub instance: InstanceId,
    /// The most that these may do.
    pub scopes: Scopes,
}

/// Why a family ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FamilyEnd {
    /// A spent token came back.
    Reused,
    /// Its client gave it back (RFC 7009).
    ByClient,
    /// Its user has another password than when it began.
    PasswordChanged,
}

impl FamilyEnd {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Reused, Self::ByClient, Self::PasswordChanged];

    /// The name in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reused => "refresh_reused",
            Self::ByClient => "by_client",
            Self::PasswordChanged => "password_changed",
        }
    }

    /// The end with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.as_str() == text)
    }
}

/// A token that was found, as it was at that moment.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundRefresh {
    /// Its family.
    pub family: RefreshFamily,
    /// How far it is.
    pub state: RefreshState,
    /// When it was made.
    pub issued_at: Timestamp,
    /// When its family began.
    pub began_at: Timestamp,
    /// When it ends, if nobody uses it.
    pub expires_at: Timestamp,
}

/// How far a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshState {
    /// Not used yet.
    Live,
    /// Used a moment ago: whoever asks again gets the same answer.
    SpentJustNow,
    /// Used before that.
    SpentLongAgo,
    /// Its time, or that of its family, is over.
    Over,
    /// Its family was ended.
    Ended {
        /// Why.
        why: FamilyEnd,
        /// Whether what follows from it is done: the log says already that the grant is over, where that ends as well.
        told: bool,
    },
}

/// What became of the use of a token.
#[derive(Debug)]
pub enum Spending {
    /// It was used, once and for all.
    Won,
    /// Somebody used it a moment ago, and was answered so.
    Again(Zeroizing<Vec<u8>>),
    /// It was used before that: its family has ended with this.
    Reused,
    /// Meanwhile its time was over or its family ended.
    Over,
}

/// A family that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedFamily {
    /// Which.
    pub id: FamilyId,
    /// The grant that ends with it.
    pub grant: GrantId,
    /// Its client.
    pub client: ClientId,
    /// Why.
    pub why: FamilyEnd,
}

/// The tokens cannot be reached. Why is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("refresh tokens cannot be reached right now")]
pub struct RefreshUnreachable;

/// What every question to the tokens is answered with.
pub type RefreshAnswer<'a, T> = Boxed<'a, Result<T, RefreshUnreachable>>;

/// Keeps refresh tokens. No two nodes use one of them.
pub trait KeepRefreshTokens: Send + Sync {
    /// Begins a family with its first token. It lasts no longer than its grant.
    fn begin<'a>(
        &'a self,
        family: &'a RefreshFamily,
        token: &'a IssuedSecret,
        grant_until: Option<Timestamp>,
    ) -> RefreshAnswer<'a, ()>;

    /// What is known of a token.
    fn find<'a>(&'a self, presented: &'a PresentedSecret) -> RefreshAnswer<'a, Option<FoundRefresh>>;

    /// Uses a token: of all who do, one wins, and puts this successor in its place and this answer where the others find it.
    fn spend<'a>(
        &'a self,
        presented: &'a PresentedSecret,
        successor: &'a IssuedSecret,
        answer: &'a [u8],
    ) -> RefreshAnswer<'a, Spending>;

    /// What whoever uses a spent token gets; that this happened is counted.
    fn answer_again<'a>(&'a self, presented: &'a PresentedSecret) -> RefreshAnswer<'a, Spending>;

    /// Ends a family. One that has ended stays ended for the reason that was first.
    fn end(&self, family: FamilyId, why: FamilyEnd) -> RefreshAnswer<'_, ()>;

    /// Families that have ended and of which the log does not say so yet, as far as is known here: a few, the eldest first.
    fn untold(&self) -> RefreshAnswer<'_, Vec<EndedFamily>>;

    /// From now on the log says that the grant of this family is over.
    fn told(&self, family: FamilyId) -> RefreshAnswer<'_, ()>;
}
