//! The embedded store as its owner sees it: real servers, killed in every way that a machine can kill them.
#![cfg(test)]

mod asking;
mod machine;
mod owner;

mod refused;
mod served;
mod survived;
