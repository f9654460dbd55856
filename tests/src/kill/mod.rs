//! What kills may cost: time, never an event, never an effect twice, never a reader that differs from the log.

mod chaos;
pub(crate) mod dice;
mod equal;
mod foreign_stream;
mod ledger;
mod resent;
mod rounds;
mod store;
pub(crate) mod storyteller;
mod tally;
mod without_nats;
