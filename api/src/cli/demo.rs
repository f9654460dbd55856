//! `sekisho demo`: everything at once, on an embedded store, with one real call to show for it.

mod call;
mod folder;
mod rest;
mod seed;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use domain::value::EmailAddress;
use serde_json::json;
use tokio::net::TcpListener;

use super::{complain, say, serve};
use crate::adapters::system::SystemClock;
use crate::config::{Config, Options};
use crate::oauth::RegistrationPolicy;
use crate::wiring::{Running, start};
use seed::{Seeded, USER_EMAIL};

/// Its networks, as `--upstream-networks` takes them.
const THIS_MACHINE: &str = "127.0.0.0/8,::1";

/// Options of the demonstration.
#[derive(Debug, Args)]
pub(super) struct Demo {
    #[command(flatten)]
    options: Options,

    /// Print one line of JSON when ready: url, mcp_url, api_key, admin_key, organization, instance, pid, issuer, client_id, client_secret, public_client_id,
    /// user_email, user_password
    #[arg(long)]
    json: bool,

    /// Sign the demo user in and approve every authorization request without a page, for black-box tools; on loopback only
    #[arg(long)]
    auto_consent: bool,
}

impl Demo {
    /// Starts, seeds, calls, prints, stays up.
    pub(super) async fn run(mut self) -> ExitCode {
        let chosen = folder::of(self.options.place.data.take());
        if self.options.place.database_url.is_none()
            && let Err(error) = folder::must_be_of_a_demonstration(&chosen).await
        {
            complain(&error);
            return ExitCode::from(2);
        }
        let data = chosen.path().to_owned();
        self.options.place.data = Some(data.clone());
        // Clients are tried out here that nobody has prepared for it.
        self.options.registration.get_or_insert_with(|| RegistrationPolicy::Open.as_str().to_owned());
        // Its server is on this machine, and so are those that are tried out behind it.
        self.options.upstream_networks.get_or_insert_with(|| THIS_MACHINE.to_owned());
        let config = match super::checked(self.options.check()) {
            Ok(config) => config,
            Err(code) => return code,
        };
        let config = match self.consenting(config) {
            Ok(config) => config,
            Err(error) => {
                complain(&error);
                return ExitCode::from(2);
            }
        };
        let patience = serve::Patience::of(&config);
        if !self.json {
            say("starting; the first time this takes a few seconds");
        }
        let running = match start(config).await {
            Ok(running) => running,
            Err(error) => {
                complain(&error.to_string());
                return ExitCode::FAILURE;
            }
        };
        let Some(stops) = serve::Stops::listen() else { return ExitCode::FAILURE };
        if running.embedded.is_some() {
            folder::mark(&data);
        }
        match present(&running, self.json).await {
            Ok(()) => serve::until_stopped(running, patience, stops).await,
            Err(error) => {
                complain(&error);
                running.stop().await;
                ExitCode::FAILURE
            }
        }
    }
}

impl Demo {
    fn consenting(&self, config: Config) -> Result<Config, String> {
        if !self.auto_consent {
            return Ok(config);
        }
        let email = EmailAddress::parse(USER_EMAIL).map_err(|error| error.to_string())?;
        config.consenting_as(email).map_err(|error| error.to_string())
    }
}

async fn present(running: &Running, json: bool) -> Result<(), String> {
    let upstream = serve_upstream().await?;
    let seeded = seed::seed(running, &upstream).await?;
    let called = call::call(&seeded).await?;
    if json {
        let line = json!({
            "url": running.url,
            "mcp_url": seeded.mcp_url,
            "api_key": seeded.api_key,
            "admin_key": seeded.admin_key,
            "organization": seeded.organization,
            "instance": seeded.instance,
            "pid": std::process::id(),
            "issuer": running.url,
            "client_id": seeded.people.client_id,
            "client_secret": seeded.people.client_secret,
            "public_client_id": seeded.people.public_client_id,
            "user_email": USER_EMAIL,
            "user_password": seeded.people.user_password,
        });
        say(&line.to_string());
        return Ok(());
    }
    banner(running, &seeded, &called);
    Ok(())
}

fn banner(running: &Running, seeded: &Seeded, called: &call::Called) {
    say("");
    for line in &running.description {
        say(&format!("  {line}"));
    }
    say("");
    say("  one real MCP call, carried through the gateway:");
    for line in &called.lines {
        say(&format!("    {line}"));
    }
    say("");
    say(&format!("  endpoint      {}", seeded.mcp_url));
    say(&format!("  API key       {}   (header x-api-key)", seeded.api_key));
    say(&format!("  admin key     {}   (management API)", seeded.admin_key));
    say(&format!(
        "  demo user     {USER_EMAIL}   password {}   ({}/sign-in)",
        seeded.people.user_password, running.url
    ));
    say(&format!("  OAuth client  {}   secret {}", seeded.people.client_id, seeded.people.client_secret));
    say(&format!("  public client {}   (no secret; PKCE)", seeded.people.public_client_id));
    say(&format!("  console       {}/   (its front page; the REST API does the rest so far)", running.url));
    say(&format!("  docs          {}/docs", running.url));
    say(&format!("  health        {}/readyz   metrics {}/metrics", running.url, running.url));
    say("");
    say("  paste this into an MCP client:");
    let client = json!({ "mcpServers": { "sekisho-demo": { "type": "http", "url": seeded.mcp_url, "headers": { "x-api-key": seeded.api_key } } } });
    for line in serde_json::to_string_pretty(&client).unwrap_or_default().lines() {
        say(&format!("    {line}"));
    }
    say("");
    say("  serving until you press Ctrl-C");
}

/// The built-in MCP server, on a free port of loopback.
async fn serve_upstream() -> Result<String, String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let router = crate::demo::upstream::router(Arc::new(SystemClock));
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(error = %error, "the demo server stopped");
        }
    });
    Ok(format!("http://{address}/mcp"))
}
