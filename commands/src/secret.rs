//! Secrets on their way: issued (shown once) and presented (checked once). What is kept is `domain::value::SecretDigest`.

use zeroize::Zeroizing;

/// A secret that was just made. It may be shown to its owner once; it cannot be printed by accident.
#[derive(Clone)]
pub struct IssuedSecret(Zeroizing<String>);

/// A secret that somebody presented. It can be checked, neither printed nor serialised.
pub struct PresentedSecret(Zeroizing<String>);

impl IssuedSecret {
    /// Wraps a fresh secret.
    pub fn new(secret: String) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// The text, for the one answer that shows it and for hashing.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl PresentedSecret {
    /// Wraps what a caller sent.
    pub fn new(secret: String) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// The text, for checking.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for IssuedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IssuedSecret(…)")
    }
}

impl std::fmt::Debug for PresentedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PresentedSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_cannot_be_printed() {
        assert!(!format!("{:?}", IssuedSecret::new("hunter2".into())).contains("hunter2"));
        assert!(!format!("{:?}", PresentedSecret::new("hunter2".into())).contains("hunter2"));
    }
}
