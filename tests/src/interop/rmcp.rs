//! The `rmcp` client, which runs inside the test; it plays a scenario as the scripts of `tests/interop` do.

use std::collections::HashMap;
use std::fmt::Display;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use ::rmcp::model::{
    CallToolRequestParams, ClientCapabilities, ClientConfig, ElicitRequestParams, ElicitResult,
    ElicitationAction, ElicitationCapability, ErrorData, FormElicitationCapability, GetPromptRequestParams,
    Implementation, JsonObject, ProgressNotificationParam, ProtocolVersion, ReadResourceRequestParams,
};
use ::rmcp::service::{NotificationContext, RequestContext, RunningService, ServiceError};
use ::rmcp::transport::StreamableHttpClientTransport;
use ::rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use ::rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt, RoleClient};
use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::endpoint::Endpoint;
use super::report::Report;

pub(super) fn handshake() -> ClientLifecycleMode {
    ClientLifecycleMode::Initialize
}

pub(super) fn discovery() -> ClientLifecycleMode {
    ClientLifecycleMode::Auto {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        legacy_version: None,
    }
}

/// Answers the server's questions and keeps its progress notifications.
#[derive(Debug)]
struct Player {
    answer: Value,
    progress: Mutex<Vec<Value>>,
    progressed: Notify,
}

impl ClientHandler for Player {
    fn get_info(&self) -> ClientConfig {
        let mut capabilities = ClientCapabilities::default();
        capabilities.elicitation =
            Some(ElicitationCapability::new().with_form(FormElicitationCapability::new()));
        ClientConfig::new(capabilities, Implementation::new("interop", "1.0.0"))
    }

    async fn create_elicitation(
        &self,
        _question: ElicitRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        Ok(ElicitResult::new(ElicitationAction::Accept).with_content(self.answer.clone()))
    }

    async fn on_progress(&self, seen: ProgressNotificationParam, _context: NotificationContext<RoleClient>) {
        let seen = json!({ "progress": seen.progress, "total": seen.total, "message": seen.message });
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
        self.progressed.notify_one();
    }
}

type Session = RunningService<RoleClient, Player>;

pub(super) async fn play(
    mode: ClientLifecycleMode,
    endpoint: &Endpoint,
    scenario: &Path,
) -> Result<Report, String> {
    let scenario: Value = serde_json::from_slice(&std::fs::read(scenario).map_err(text)?).map_err(text)?;
    let key = HeaderValue::from_str(&endpoint.api_key).map_err(text)?;
    let config = StreamableHttpClientTransportConfig::with_uri(endpoint.url.as_str())
        .custom_headers(HashMap::from([(HeaderName::from_static("x-api-key"), key)]));
    let player =
        Player { answer: scenario["answer"].clone(), progress: Mutex::default(), progressed: Notify::new() };
    let transport = StreamableHttpClientTransport::from_config(config);
    let session = player.serve_with_lifecycle(transport, mode).await.map_err(text)?;
    let server = session.peer_info().ok_or("no agreed revision")?;
    let saw = see(&session, &scenario).await?;
    session.cancel().await.map_err(text)?;
    Ok(Report::new(server.protocol_version.as_str(), saw))
}

async fn see(session: &Session, scenario: &Value) -> Result<Value, String> {
    let capabilities = session.peer_info().ok_or("no agreed revision")?.capabilities.clone();
    let mut saw = json!({ "tools": session.list_all_tools().await.map_err(text)? });
    if capabilities.resources.is_some() {
        saw["resources"] = json!(session.list_all_resources().await.map_err(text)?);
        saw["templates"] = json!(session.list_all_resource_templates().await.map_err(text)?);
    }
    if capabilities.prompts.is_some() {
        saw["prompts"] = json!(session.list_all_prompts().await.map_err(text)?);
    }
    let (mut calls, mut read, mut prompted) = (vec![], vec![], vec![]);
    for step in steps(scenario, "calls") {
        let mut outcome = outcome(session.call_tool(tool(step)).await.map(|result| json!(result)));
        let progress = std::mem::take(&mut *session.service().progress.lock().map_err(text)?);
        outcome["tool"] = step["tool"].clone();
        outcome["progress"] = json!(progress);
        calls.push(outcome);
    }
    for step in steps(scenario, "read") {
        let params = ReadResourceRequestParams::new(step.as_str().unwrap_or_default());
        read.push(outcome(session.read_resource(params).await.map(|result| json!(result))));
    }
    for step in steps(scenario, "prompted") {
        let mut params = GetPromptRequestParams::new(step["prompt"].as_str().unwrap_or_default());
        params.arguments = arguments(step);
        prompted.push(outcome(session.get_prompt(params).await.map(|result| json!(result))));
    }
    saw["calls"] = json!(calls);
    saw["read"] = json!(read);
    saw["prompted"] = json!(prompted);
    if let Some(step) = scenario.get("cancel") {
        saw["cancel"] = cancel(session, step).await;
    }
    Ok(saw)
}

/// Cancels a call after its first progress notification, then asks the witness, on the same connection.
async fn cancel(session: &Session, step: &Value) -> Value {
    let _earlier =
        tokio::time::timeout(std::time::Duration::ZERO, session.service().progressed.notified()).await;
    let cancelled = tokio::select! {
        _ended = session.call_tool(tool(step)) => false,
        () = session.service().progressed.notified() => true, // the call is dropped, which cancels it
    };
    let witness = session.call_tool(tool(&step["witness"])).await;
    json!({ "cancelled": cancelled, "witness": outcome(witness.map(|result| json!(result))) })
}

fn steps<'a>(scenario: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    scenario[list].as_array().into_iter().flatten()
}

fn tool(step: &Value) -> CallToolRequestParams {
    let mut params = CallToolRequestParams::new(step["tool"].as_str().unwrap_or_default().to_owned());
    params.arguments = arguments(step);
    params
}

fn arguments(step: &Value) -> Option<JsonObject> {
    step["arguments"].as_object().cloned()
}

/// The result of a request, or the error that the peer or the transport gave instead.
fn outcome(answer: Result<Value, ServiceError>) -> Value {
    match answer {
        Ok(result) => json!({ "result": result }),
        Err(ServiceError::McpError(error)) => json!({ "error": error }),
        Err(other) => json!({ "error": { "message": other.to_string() } }),
    }
}

fn text(error: impl Display) -> String {
    error.to_string()
}
