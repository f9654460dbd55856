//! Guard tests: what the architecture says, checked.

mod layering;
