//! Secrets on their way: issued (shown once) and presented (checked once).

pub use domain::value::{IssuedSecret, PresentedSecret};
