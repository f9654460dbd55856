//! E-mail addresses in one canonical form, so that one mailbox has one owner.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::text_value;

/// A canonical address: NFKC, lower case, no surrounding blanks. `+tag` is kept, since it is another mailbox for some hosts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

/// Longest address that SMTP can carry (RFC 5321, 4.5.3.1.3).
const EMAIL_BYTES_MAX: usize = 254;

/// Why a text is not an e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// No single `@` with text on both sides.
    #[error("an e-mail address is written local@domain")]
    Shape,
    /// Blanks, control characters or other characters that no mailbox name has.
    #[error("an e-mail address holds no blanks, control characters, commas, quotes or angle brackets")]
    Character,
    /// The part after the `@` is not a host name.
    #[error("the part after the @ is not a domain name")]
    Domain,
    /// Longer than SMTP allows.
    #[error("an e-mail address has at most {EMAIL_BYTES_MAX} bytes")]
    TooLong,
}

impl EmailAddress {
    /// Canonicalises and checks an address.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let canonical: String = text.trim().nfkc().collect::<String>().to_lowercase();
        if canonical.len() > EMAIL_BYTES_MAX {
            return Err(EmailError::TooLong);
        }
        if canonical.chars().any(|c| c.is_whitespace() || c.is_control() || "<>(),;:\\\"[]".contains(c)) {
            return Err(EmailError::Character);
        }
        let (local, domain) = canonical.split_once('@').ok_or(EmailError::Shape)?;
        if local.is_empty() || domain.contains('@') || local.starts_with('.') || local.ends_with('.') {
            return Err(EmailError::Shape);
        }
        let labels_are_names = domain.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        });
        if !domain.contains('.') || !labels_are_names {
            return Err(EmailError::Domain);
        }
        Ok(Self(canonical))
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_value!(EmailAddress, EmailError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_an_address_is_refused_by_reason() {
        assert_eq!(EmailAddress::parse("nobody"), Err(EmailError::Shape));
        assert_eq!(EmailAddress::parse("a b@example.com"), Err(EmailError::Character));
        assert_eq!(EmailAddress::parse("a@localhost"), Err(EmailError::Domain));
        assert_eq!(EmailAddress::parse("a@example.com."), Err(EmailError::Domain));
        assert_eq!(EmailAddress::parse("a@b@example.com"), Err(EmailError::Shape));
        assert_eq!(
            EmailAddress::parse(&format!("{}@example.com", "a".repeat(254))),
            Err(EmailError::TooLong)
        );
    }

    #[test]
    fn case_and_width_do_not_make_another_mailbox() {
        let plain = EmailAddress::parse("mika@example.com").unwrap();
        assert_eq!(EmailAddress::parse(" Mika@EXAMPLE.com ").unwrap(), plain);
        assert_eq!(EmailAddress::parse("ｍｉｋａ@example.com").unwrap(), plain);
    }
}
