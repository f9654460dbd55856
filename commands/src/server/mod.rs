//! What may be asked of upstream servers.

mod catalogue;
mod register;
mod retire;
mod update;

pub use register::{Register, Registered};
pub use retire::Retire;
pub use update::Update;

pub(crate) use catalogue::find_connectable;

#[cfg(test)]
mod tests;
