//! People's pages, on real technology.

use std::sync::Arc;

use sqlx::PgPool;

use super::{Edge, RealPorts};
use crate::adapters::key_digest::KeyDigests;
use crate::adapters::master_key::{MasterKeys, Purpose};
use crate::adapters::people::SealedFor;
use crate::admin::Admin;
use crate::oauth::{ClientDocuments, expectation};
use crate::passwords::Passwords;
use crate::people::People;

/// What passwords are kept and checked with, on this database under this master key.
pub(crate) fn passwords(pool: &PgPool, master: &Arc<MasterKeys>, digests: &Arc<KeyDigests>) -> Passwords {
    let seal = SealedFor { master: Arc::clone(master), purpose: Purpose::LocalPassword };
    Passwords::new(pool.clone(), Arc::<KeyDigests>::clone(digests), Arc::new(seal))
}

impl Edge<'_> {
    pub(super) fn people(&self, admin: &Admin<RealPorts>, documents: ClientDocuments) -> People<RealPorts> {
        People {
            ports: Arc::clone(&admin.ports),
            pool: admin.pool.clone(),
            deciding: self.deciding.clone(),
            view: admin.view.clone(),
            directory: admin.directory.clone(),
            clock: Arc::clone(&admin.clock),
            url: self.public.clone(),
            digests: Arc::<KeyDigests>::clone(&self.digests),
            passwords: admin.passwords.clone(),
            requests: Arc::new(SealedFor { master: Arc::clone(&self.master), purpose: Purpose::Consent }),
            providers: admin.providers.clone(),
            upstreams: admin.upstreams.clone(),
            expects: expectation,
            documents,
            limits: self.limits.clone(),
            auto_consent: self.config.auto_consent.clone(),
        }
    }
}
