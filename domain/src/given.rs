//! The given-when-then boundary of the aggregate tests: past events in, a decision out. No framework, no async.

use crate::Aggregate;

/// An aggregate with a past.
pub(crate) struct Given<A>(A);

/// Folds the past.
pub(crate) fn given<A: Aggregate>(past: Vec<A::Event>) -> Given<A> {
    let mut state = A::default();
    for event in past {
        state.apply(event);
    }
    Given(state)
}

impl<A: Aggregate> Given<A> {
    /// Asks for a decision.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "`when(Ask::Delete)` reads better than `when(&Ask::Delete)`"
    )]
    pub(crate) fn when(&self, command: A::Command) -> Then<A> {
        Then(self.0.decide(&command))
    }
}

/// What was decided.
pub(crate) struct Then<A: Aggregate>(Result<Vec<A::Event>, A::Error>);

impl<A: Aggregate> Then<A>
where
    A::Error: PartialEq,
{
    /// The decision was exactly these events.
    #[track_caller]
    pub(crate) fn then(self, events: &[A::Event]) {
        assert_eq!(self.0.unwrap(), events);
    }

    /// The decision was this refusal.
    #[track_caller]
    pub(crate) fn refused(self, error: &A::Error) {
        assert_eq!(self.0.unwrap_err(), *error);
    }
}
