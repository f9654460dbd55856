//! What kills may cost: time, never an event, never an effect twice, never a reader that differs from the log.

mod chaos;
pub(crate) mod dice;
pub(crate) mod equal;
mod foreign_stream;
pub(crate) mod ledger;
mod records;
mod resent;
mod rounds;
pub(crate) mod store;
pub(crate) mod storyteller;
pub(crate) mod tally;
mod without_nats;
