//! A world in memory to try use cases in: its log and its cast, and the one boundary of all tests, ask and see.

mod cast;
mod memory_log;
mod ports;

pub(crate) use cast::*;
pub(crate) use memory_log::MemoryLog;
pub(crate) use ports::World;

use domain::event::Event;

use crate::{Actor, CarryOutError, Done, Order, Refused, UseCase, carry_out};

/// An order of somebody who gave no idempotency key.
pub(crate) fn order() -> Order {
    Order {
        command: None,
        request_digest: "digest".to_owned(),
        correlation: "trace-1".to_owned(),
        causation: None,
    }
}

impl World {
    /// Asks.
    pub(crate) async fn ask<U: UseCase>(
        &self,
        actor: Actor,
        use_case: U,
    ) -> Result<Done<U::Answer>, CarryOutError> {
        carry_out(self, &actor, order(), &use_case).await
    }

    /// It was done: the answer, and exactly the events that it added.
    #[track_caller]
    pub(crate) fn done<U: UseCase>(&self, actor: Actor, use_case: U) -> (U::Answer, Vec<Event>) {
        let before = self.log.events().len();
        let done = self.block_on(self.ask(actor, use_case)).unwrap();
        (done.answer, self.log.events().split_off(before))
    }

    /// It was not done, and nothing was added.
    #[track_caller]
    pub(crate) fn failed<U: UseCase>(&self, actor: Actor, use_case: U) -> CarryOutError
    where
        U::Answer: std::fmt::Debug,
    {
        let before = self.log.events().len();
        let error = self.block_on(self.ask(actor, use_case)).unwrap_err();
        assert_eq!(self.log.events().len(), before);
        error
    }

    /// The use case refused, and nothing was added.
    #[track_caller]
    pub(crate) fn refused<U: UseCase>(&self, actor: Actor, use_case: U) -> Refused
    where
        U::Answer: std::fmt::Debug,
    {
        match self.failed(actor, use_case) {
            CarryOutError::Refused(refused) => refused,
            other => panic!("expected a refusal of the use case: {other}"),
        }
    }

    /// Refused: it does not exist, or not there.
    #[track_caller]
    pub(crate) fn not_found<U: UseCase>(&self, noun: &str, actor: Actor, use_case: U)
    where
        U::Answer: std::fmt::Debug,
    {
        let refused = self.refused(actor, use_case);
        assert!(matches!(refused, Refused::NotFound(what) if what == noun), "{refused:?}");
    }

    /// Refused: the role does not reach this far.
    #[track_caller]
    pub(crate) fn forbidden<U: UseCase>(&self, actor: Actor, use_case: U)
    where
        U::Answer: std::fmt::Debug,
    {
        let refused = self.refused(actor, use_case);
        assert!(matches!(refused, Refused::Forbidden(_)), "{refused:?}");
    }

    /// Waits for something else.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }
}
