//! What is wrong with the options is told whole; keys and help are what they say.

use super::{output, text};

#[test]
fn everything_that_is_wrong_is_told_at_once_and_nothing_is_started() {
    let refused = output(&[
        "serve",
        "--listen",
        "nowhere",
        "--key-rate",
        "none",
        "--public-url",
        "ftp://x",
        "--database-url",
        "mysql://x",
    ]);
    assert_eq!(refused.status.code(), Some(2));
    let told = text(&refused.stderr);
    for option in ["--listen", "--key-rate", "--public-url", "--database-url", "--master-key"] {
        assert!(told.contains(option), "{option} in {told}");
    }
    assert!(refused.stdout.is_empty());
}

#[test]
fn a_database_that_does_not_answer_is_named() {
    let key = text(&output(&["keys", "generate-master"]).stdout);
    let refused = output(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--database-url",
        "postgres://127.0.0.1:1/x",
        "--master-key",
        key.trim(),
    ]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused.stderr).contains("Postgres at 127.0.0.1:1 does not answer: "),
        "{}",
        text(&refused.stderr)
    );
}

#[test]
fn a_taken_address_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let data = harness::folder("taken-address");
    let refused = output(&["serve", "--listen", &address, "--data", data.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1));
    let told = text(&refused.stderr);
    assert!(told.contains(&address) && told.contains("--listen (SEKISHO_LISTEN)"), "{told}");
}

#[test]
fn master_keys_are_fresh_and_of_full_length() {
    let (one, two) = (
        text(&output(&["keys", "generate-master"]).stdout),
        text(&output(&["keys", "generate-master"]).stdout),
    );
    assert_eq!(one.trim().len(), 44);
    assert_ne!(one, two);
}

#[test]
fn the_help_names_every_command_and_every_option_its_variable() {
    let help = text(&output(&["--help"]).stdout);
    for command in ["serve", "demo", "migrate", "doctor", "replay", "explain", "keys"] {
        assert!(help.contains(command), "{command} in {help}");
    }
    let serve = text(&output(&["serve", "--help"]).stdout);
    for variable in
        ["DATABASE_URL", "NATS_URL", "SEKISHO_LISTEN", "SEKISHO_MASTER_KEY_FILE", "SEKISHO_GRACE_SECONDS"]
    {
        assert!(serve.contains(variable), "{variable} in {serve}");
    }
}
