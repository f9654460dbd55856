//! Guard tests: what the architecture says, checked.

mod access;
mod foreign;
mod layering;
