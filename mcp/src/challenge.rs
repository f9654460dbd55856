//! What a server says of the credential it wants: the Bearer challenge in `WWW-Authenticate` (RFC 9110, 11.6.1; RFC 6750, 3; RFC 9728, 5.1).

use http::{HeaderMap, header};

/// Parameters of one challenge that are read; of more, the rest says nothing.
const PARAMETERS_MAX: usize = 32;

/// The Bearer challenge of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BearerChallenge {
    /// Where the metadata of the protected resource lie.
    pub resource_metadata: Option<String>,
    /// The scopes that the request needs.
    pub scope: Option<String>,
    /// What is wrong with the token that was sent.
    pub error: Option<String>,
}

impl BearerChallenge {
    /// The first one among the headers of an answer, in whatever order and beside whatever other schemes it stands.
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let lines = headers.get_all(header::WWW_AUTHENTICATE).iter();
        lines.filter_map(|line| line.to_str().ok()).find_map(Self::parse)
    }

    /// Whether the token is good and its scopes are too few (RFC 6750, 3.1).
    pub fn wants_scopes(&self) -> bool {
        self.error.as_deref() == Some("insufficient_scope")
    }

    fn parse(line: &str) -> Option<Self> {
        let mut found: Option<Self> = None;
        let mut rest = line;
        for _ in 0..PARAMETERS_MAX {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            if rest.is_empty() {
                break;
            }
            let (name, after) = token(rest)?;
            if let Some(value) = after.trim_start_matches([' ', '\t']).strip_prefix('=') {
                let (value, after) = value_of(value.trim_start_matches([' ', '\t']))?;
                if let Some(challenge) = &mut found {
                    challenge.take(name, value);
                }
                rest = after;
            } else if found.is_some() {
                break; // another scheme begins
            } else {
                found = name.eq_ignore_ascii_case("bearer").then(Self::default);
                rest = after;
            }
        }
        found
    }

    /// What is said twice counts once, as it was said first.
    fn take(&mut self, name: &str, value: String) {
        let place = match name.to_ascii_lowercase().as_str() {
            "resource_metadata" => &mut self.resource_metadata,
            "scope" => &mut self.scope,
            "error" => &mut self.error,
            _ => return,
        };
        place.get_or_insert(value);
    }
}

fn token(text: &str) -> Option<(&str, &str)> {
    let ends = text.find([' ', '\t', ',', '=', '"']).unwrap_or(text.len());
    let (token, rest) = text.split_at_checked(ends)?;
    (!token.is_empty()).then_some((token, rest))
}

/// A quoted string without its quotes and escapes, or a token; and what follows it.
fn value_of(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let ends = text.find([' ', '\t', ',']).unwrap_or(text.len());
        let (value, rest) = text.split_at_checked(ends)?;
        return Some((value.to_owned(), rest));
    };
    let (mut value, mut escaped) = (String::new(), false);
    for (at, letter) in quoted.char_indices() {
        match letter {
            _ if escaped => {
                value.push(letter);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return Some((value, quoted.get(at + 1..)?)),
            _ => value.push(letter),
        }
    }
    None // it does not end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<BearerChallenge> {
        BearerChallenge::parse(line)
    }

    #[test]
    fn what_is_no_bearer_challenge_says_nothing() {
        for line in
            ["", "Basic realm=\"x\"", "Bearer scope=\"never ends", ", ,", "Basic Zm9v", "=", "\"Bearer\""]
        {
            assert_eq!(read(line).and_then(|challenge| challenge.scope), None, "{line}");
        }
    }

    #[test]
    fn it_is_found_beside_other_schemes_and_its_parameters_in_any_order() {
        let line = r#"Basic realm="a, Bearer scope=\"evil\"", bEaReR realm=x , Scope="a b",resource_metadata = "https://h/x?a=\"b\"", error=insufficient_scope, DPoP scope="c""#;
        let challenge = read(line).unwrap();
        assert_eq!(challenge.scope.as_deref(), Some("a b"));
        assert_eq!(challenge.resource_metadata.as_deref(), Some("https://h/x?a=\"b\""));
        assert!(challenge.wants_scopes());
    }

    #[test]
    fn what_is_said_twice_counts_as_it_was_said_first() {
        assert_eq!(read(r#"Bearer scope="a", scope="b""#).unwrap().scope.as_deref(), Some("a"));
        assert_eq!(read("Bearer"), Some(BearerChallenge::default()));
    }
}
