//! NATS as a contract: the example consumer, which is not written in Rust and shares no line with us, keeps an exact copy of the log.

#![cfg(test)]

mod backfill;
mod consumer;
mod exactly_once;
mod reader;
