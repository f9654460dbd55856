//! What is wrong is told, all of it; what is right is taken.

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    options: Options,
}

fn options(arguments: &[&str]) -> Options {
    Line::try_parse_from(std::iter::once(&"sekisho").chain(arguments)).unwrap().options
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let wrong = options(&[
        "--listen",
        "nowhere",
        "--public-url",
        "ftp://x/y",
        "--nats-url",
        "http://x",
        "--staleness-max-seconds",
        "0.1",
        "--key-rate",
        "0",
        "--grace-seconds",
        "soon",
        "--nats-prefix",
        "a.b",
        "--nats-replicas",
        "2",
        "--database-url",
        "mysql://x",
        "--master-key",
        "short",
        "--allowed-origins",
        "not an origin",
        "--bootstrap-token",
        "short",
        "--call-records",
        "maybe",
        "--call-retention-days",
        "0",
        "--signing-algorithm",
        "HS256",
        "--signing-key-days",
        "0",
        "--registration",
        "everybody",
        "--registration-unused-hours",
        "0",
        "--client-documents",
        "maybe",
        "--outbound-loopback",
        "maybe",
        "--client-keys-stale-minutes",
        "1441",
        "--token-per-client-per-minute",
        "0",
        "--trusted-proxies",
        "10.0.0.0/8, proxy.example.com",
    ]);
    let told: Vec<_> = wrong.check().unwrap_err().into_iter().map(|error| error.option).collect();
    let expected = [
        "--listen",
        "--public-url",
        "--database-url",
        "--nats-prefix",
        "--nats-replicas",
        "--master-key",
        "--bootstrap-token",
        "--call-records",
        "--call-retention-days",
        "--allowed-origins",
        "--nats-url",
        "--staleness-max-seconds",
        "--signing-algorithm",
        "--signing-key-days",
        "--registration",
        "--registration-unused-hours",
        "--client-documents",
        "--client-keys-stale-minutes",
        "--outbound-loopback",
        "--key-rate",
        "--token-per-client-per-minute",
        "--trusted-proxies",
        "--grace-seconds",
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_strangers_name_leads_to_this_machine_only_where_nobody_else_listens() {
    let public = options(&["--outbound-loopback", "on", "--listen", "0.0.0.0:8080"]).check().unwrap_err();
    assert!(public.iter().any(|error| error.option == "--outbound-loopback"));
    let own = options(&["--outbound-loopback", "on", "--listen", "127.0.0.1:0"]).check().unwrap();
    assert_eq!(own.outbound_loopback, Loopback::Allowed);
    assert!(own.client_documents, "on, unless registration is closed");
    assert_eq!(options(&[]).check().unwrap().outbound_loopback, Loopback::Refused);
    assert!(!options(&["--registration", "closed"]).check().unwrap().client_documents);
    let said = options(&["--registration", "closed", "--client-documents", "on"]).check().unwrap();
    assert!(said.client_documents);
}

#[test]
fn attack_22_servers_of_organizations_lead_to_this_machine_only_where_somebody_says_so() {
    for unsaid in [&[][..], &["--listen", "127.0.0.1:8080"], &["--listen", "[::1]:0"]] {
        let networks = options(unsaid).check().unwrap().upstream_networks;
        assert!(networks.is_empty(), "a proxy may be in front, which nothing here tells: {unsaid:?}");
    }
    let said = options(&["--upstream-networks", "127.0.0.0/8,::1"]).check().unwrap().upstream_networks;
    assert!(["127.0.0.1", "::1"].iter().all(|own| {
        let own = own.parse().unwrap();
        said.iter().any(|network| network.contains(own))
    }));
}

#[test]
fn a_database_of_ones_own_wants_a_key_of_ones_own() {
    let error = options(&["--database-url", "postgres://localhost/x"]).check().unwrap_err();
    assert_eq!(error.len(), 1);
    assert!(error[0].problem.contains("generate-master"));
}

#[test]
fn nothing_given_means_embedded() {
    let config = options(&["--data", "/tmp/x"]).check().unwrap();
    assert_eq!(config.store, Store::Embedded { nats: true });
}

#[test]
fn a_public_url_has_a_plain_path_at_most() {
    for text in [
        "https://example.com/a//b",
        "https://example.com/a%2fb",
        "https://example.com/{a}",
        "https://example.com/a?b",
        "https://example.com/a#b",
        "https://user@example.com",
        "https://:secret@example.com",
        "mcp.example.com",
    ] {
        let told = options(&["--public-url", text]).check().unwrap_err();
        assert_eq!(told.first().map(|error| error.option), Some("--public-url"), "{text}");
    }
    for text in [
        "https://example.com",
        "https://example.com/",
        "https://example.com/tools",
        "https://example.com/a/b-c/",
    ] {
        assert!(options(&["--public-url", text]).check().is_ok(), "{text}");
    }
}

#[test]
fn a_fallback_that_would_end_before_it_begins_is_wrong() {
    let wrong = options(&["--provider-session-minutes", "60", "--provider-fallback-minutes", "30"]).check();
    let faults = wrong.unwrap_err();
    assert_eq!(faults.iter().map(|fault| fault.option).collect::<Vec<_>>(), ["--provider-fallback-minutes"]);
    for (option, text) in [("--provider-session-minutes", "0"), ("--provider-failures-max", "none")] {
        let faults = options(&[option, text]).check().unwrap_err();
        assert!(faults.iter().any(|fault| fault.option == option), "{faults:?}");
    }
}

#[test]
fn an_upstream_is_left_alone_no_longer_than_at_most() {
    let usual = options(&[]).check().unwrap();
    assert_eq!(usual.breakers, BreakerLimits::default());
    assert_eq!(usual.upstream, UpstreamTimeouts::default());
    let wrong = options(&["--upstream-open-seconds", "61", "--upstream-failures-max", "0"]);
    let told: Vec<_> = wrong.check().unwrap_err().into_iter().map(|error| error.option).collect();
    assert_eq!(told, ["--upstream-failures-max", "--upstream-open-seconds-max"]);
}
