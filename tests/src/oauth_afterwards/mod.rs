//! What becomes of tokens once they are out: refreshed, given back, asked about. Tests are named after the items and cases of the acceptance
//! checklist that they show.

mod introspect;
mod killed;
mod lost;
mod race;
mod refresh;
mod revoke;
mod scene;
