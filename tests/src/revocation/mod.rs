//! A revocation holds everywhere within the bound: with NATS and without, under partition and pause, with Postgres slow or away.

mod everywhere;
mod oauth;
mod paused;
mod stale;
mod streams;
mod watermarks;

mod scene;
