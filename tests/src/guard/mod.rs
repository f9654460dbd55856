//! Guard tests: what the architecture says, checked.

mod access;
mod layering;
