//! What a client signed to prove who it is, judged (RFC 7523, 3; OpenID Connect Core 1.0, 9): whose it is, whom it is for, its time, and that it
//! never came before.
//!
//! An assertion counts once, on whichever node it comes: whoever writes its name into the one table is first. It lasts five minutes at most, so the
//! table is as small as that. What is wrong with it is told to the log alone.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::value::{ClientId, Timestamp};
use serde::Deserialize;
use sqlx::PgPool;

use crate::token::{AssertionClaims, CLOCK_LEEWAY_SECONDS, PublicUrl};

/// The one kind that is taken (RFC 7523, 2.2).
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Longest assertion that is looked at: four times one that is signed with an RSA key of 4096 bits.
pub(super) const ASSERTION_BYTES_MAX: usize = 8 * 1024;
/// How far ahead its end may be: the longer it is good, the longer it must be remembered.
const LIFE_SECONDS_MAX: i64 = 5 * 60;
const JTI_BYTES_MAX: usize = 256;
/// What counts no more need not be remembered. By the clock of the database: a node whose clock is behind by more than this takes no assertion anyway.
pub(crate) const FORGET: &str =
    "delete from client_assertions where expires_at < clock_timestamp() - interval '5 minutes'";

/// Why an assertion proves nothing. For the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum AssertionFault {
    #[error("it is not signed by a key of this client, in the way of that key")]
    Signature,
    #[error("iss and sub are not this client")]
    Subject,
    #[error("aud is not exactly this issuer or its token endpoint")]
    Audience,
    #[error("it has expired")]
    Expired,
    #[error("it ends too far ahead")]
    TooLong,
    #[error("it is from the future")]
    NotYet,
    #[error("its jti is empty or too long")]
    Name,
    #[error("it was presented before")]
    Again,
}

/// The client that an assertion says it is of. Nothing is believed of it yet.
pub(super) fn claimed_client(assertion: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Subject {
        sub: String,
    }
    if assertion.len() > ASSERTION_BYTES_MAX {
        return None;
    }
    let (_, rest) = assertion.split_once('.')?;
    let (claims, _) = rest.split_once('.')?;
    let claims: Subject = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    Some(claims.sub)
}

/// Whether an assertion whose signature holds says what it must, at this moment.
pub(super) fn must_hold(
    says: &AssertionClaims,
    client: &str,
    url: &PublicUrl,
    now: Timestamp,
) -> Result<(), AssertionFault> {
    if says.iss != client || says.sub != client {
        return Err(AssertionFault::Subject);
    }
    let own = [url.issuer().to_owned(), url.at(super::token::PATH)];
    if !says.aud.only().is_some_and(|audience| own.iter().any(|one| one == audience)) {
        return Err(AssertionFault::Audience);
    }
    let now = now.get().unix_timestamp();
    let latest = now.saturating_add(CLOCK_LEEWAY_SECONDS);
    if says.exp <= now.saturating_sub(CLOCK_LEEWAY_SECONDS) {
        return Err(AssertionFault::Expired);
    }
    if says.exp > latest.saturating_add(LIFE_SECONDS_MAX) {
        return Err(AssertionFault::TooLong);
    }
    if [says.iat, says.nbf].into_iter().flatten().any(|moment| moment > latest) {
        return Err(AssertionFault::NotYet);
    }
    if (1..=JTI_BYTES_MAX).contains(&says.jti.len()) { Ok(()) } else { Err(AssertionFault::Name) }
}

/// Uses an assertion up: whoever is first, of however many at once on however many nodes, and nobody else. An assertion that nobody can write down was
/// not used up by anybody, and proves nothing.
pub(super) async fn spend(
    pool: &PgPool,
    client: ClientId,
    says: &AssertionClaims,
) -> Result<bool, sqlx::Error> {
    let name = digest::digest(&digest::SHA256, says.jti.as_bytes());
    let first = sqlx::query(
        "insert into client_assertions (client_id, digest, expires_at) values ($1, $2, to_timestamp($3::bigint)) on conflict do nothing",
    )
    .bind(client.uuid())
    .bind(name.as_ref())
    .bind(counts_until(says))
    .execute(pool)
    .await?;
    Ok(first.rows_affected() == 1)
}

/// From when on it counts no more, wherever the clock of a node stands within the leeway; in seconds of Unix time.
const fn counts_until(says: &AssertionClaims) -> i64 {
    says.exp.saturating_add(CLOCK_LEEWAY_SECONDS)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::token::Audience;

    const CLIENT: ClientId = ClientId::new(Uuid::from_u128(2));
    const NOW: i64 = 1_800_000_000;

    fn url() -> PublicUrl {
        PublicUrl::parse("https://mcp.example.com").unwrap()
    }

    fn good() -> AssertionClaims {
        AssertionClaims {
            iss: CLIENT.to_string(),
            sub: CLIENT.to_string(),
            aud: Audience::One(url().issuer().to_owned()),
            exp: NOW + 60,
            iat: Some(NOW),
            nbf: None,
            jti: "1".to_owned(),
        }
    }

    fn judged(with: impl FnOnce(&mut AssertionClaims)) -> Result<(), AssertionFault> {
        let mut says = good();
        with(&mut says);
        must_hold(&says, &CLIENT.to_string(), &url(), Timestamp::EPOCH.plus_seconds(NOW))
    }

    #[test]
    fn an_assertion_of_somebody_else_or_for_somebody_else_proves_nothing() {
        let other = Uuid::from_u128(3).to_string();
        assert_eq!(judged(|says| says.iss.clone_from(&other)), Err(AssertionFault::Subject));
        assert_eq!(judged(|says| says.sub.clone_from(&other)), Err(AssertionFault::Subject));
        for audience in [
            "https://mcp.example.com/",
            "https://mcp.example.com/oauth/token/",
            "https://mcp.example.com/oauth/revoke",
            "https://MCP.example.com",
            "https://other.example.com",
            "mcp.example.com",
            "",
        ] {
            let one = Audience::One(audience.to_owned());
            assert_eq!(judged(|says| says.aud = one), Err(AssertionFault::Audience), "{audience}");
        }
        let own = url().issuer().to_owned();
        for list in
            [vec![], vec![own.clone(), own.clone()], vec![own, "https://other.example.com".to_owned()]]
        {
            assert_eq!(judged(|says| says.aud = Audience::List(list.clone())), Err(AssertionFault::Audience));
        }
    }

    #[test]
    fn attack_19_attack_31_an_assertion_is_good_for_minutes_and_the_leeway_is_what_is_stated() {
        let leeway = CLOCK_LEEWAY_SECONDS;
        for (exp, fault) in [
            (NOW - leeway, AssertionFault::Expired),
            (0, AssertionFault::Expired),
            (-1, AssertionFault::Expired),
            (NOW + LIFE_SECONDS_MAX + leeway + 1, AssertionFault::TooLong),
            (i64::MAX, AssertionFault::TooLong),
        ] {
            assert_eq!(judged(|says| says.exp = exp), Err(fault), "{exp}");
        }
        for exp in [NOW - leeway + 1, NOW + LIFE_SECONDS_MAX + leeway] {
            assert_eq!(judged(|says| says.exp = exp), Ok(()), "{exp}");
        }
        assert_eq!(judged(|says| says.iat = Some(NOW + leeway + 1)), Err(AssertionFault::NotYet));
        assert_eq!(judged(|says| says.nbf = Some(NOW + leeway + 1)), Err(AssertionFault::NotYet));
        assert_eq!(judged(|says| says.nbf = Some(NOW + leeway)), Ok(()));
    }

    #[test]
    fn attack_19_an_assertion_is_remembered_for_as_long_as_it_counts_also_when_seconds_no_longer_fit_32_bits()
    {
        for now in [NOW, 1 << 31, 1 << 36] {
            let says = AssertionClaims { exp: now + 60, iat: Some(now), ..good() };
            let client = CLIENT.to_string();
            assert_eq!(
                must_hold(&says, &client, &url(), Timestamp::EPOCH.plus_seconds(now)),
                Ok(()),
                "{now}"
            );
            assert_eq!(counts_until(&says), now + 60 + CLOCK_LEEWAY_SECONDS);
        }
    }

    #[test]
    fn an_assertion_has_a_name_of_a_bounded_length() {
        for jti in [String::new(), "x".repeat(JTI_BYTES_MAX + 1)] {
            assert_eq!(judged(|says| says.jti = jti), Err(AssertionFault::Name));
        }
    }

    #[test]
    fn it_is_for_the_issuer_or_its_token_endpoint_alone() {
        assert_eq!(judged(|_| {}), Ok(()));
        let endpoint = "https://mcp.example.com/oauth/token".to_owned();
        assert_eq!(judged(|says| says.aud = Audience::One(endpoint.clone())), Ok(()));
        assert_eq!(judged(|says| says.aud = Audience::List(vec![endpoint])), Ok(()));
    }

    #[test]
    fn the_client_is_read_off_an_assertion_that_is_one() {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        for text in [
            "",
            "a",
            "a.b",
            "..",
            "a.!.c",
            &format!("a.{}.c", part("{}")),
            &format!("a.{}.c", part("{\"sub\":1}")),
        ] {
            assert_eq!(claimed_client(text), None, "{text}");
        }
        let twice = part("{\"sub\":\"a\",\"sub\":\"b\"}");
        assert_eq!(claimed_client(&format!("a.{twice}.c")), None);
        let long = format!("a.{}.c", part(&format!("{{\"sub\":\"{}\"}}", "x".repeat(ASSERTION_BYTES_MAX))));
        assert_eq!(claimed_client(&long), None);
        assert_eq!(claimed_client(&format!("a.{}.c", part("{\"sub\":\"x\"}"))), Some("x".to_owned()));
    }
}
