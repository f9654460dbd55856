//! What people's pages need from outside. Adapters are chosen in `wiring`.

/// Digests under a key of the deployment: equal texts meet, and nobody computes one outside.
pub(crate) trait KeyedDigest: Send + Sync {
    /// The digest of a text in a scope. That of an e-mail address in the scope `email` is how the log's unique names know it.
    fn keyed(&self, scope: &str, text: &str) -> String;
}
