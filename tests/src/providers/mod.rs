//! People who sign in with an OpenID Connect provider that we did not write, and what becomes of them while it is gone.

mod administered;
mod down;
mod grants;
mod linked;
mod process;
mod refused;
mod scene;
mod sign_in;

pub(crate) use scene::Scene;
