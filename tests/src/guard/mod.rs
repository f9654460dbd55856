//! Guard tests: what the architecture says, checked.

mod access;
mod checklist;
mod foreign;
mod layering;
