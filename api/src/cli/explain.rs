//! `sekisho explain`: whether a call is or was allowed, and by which events, read straight from the log.
//!
//! The exit code is the answer: 0 allowed, 3 denied; 1 when the log cannot be read, 2 when there is no such thing or moment.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use domain::value::{InstanceId, ToolName};
use projections::history::{History, Moment, NotYet};

use super::store::StoreOptions;
use super::{complain, say};
use crate::explain::{Call, ExplainError, Explanation, Principal, Question, QuestionError, explain};

const DENIED: u8 = 3;

/// Who, where, what, when.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// Who calls: an API key, by its id or its 22 characters, or a grant, client or user, by their id
    #[arg(long, value_name = "KEY|GRANT|CLIENT|USER")]
    principal: String, // read by hand: whoever gives a whole key is not shown it again

    /// Where the call goes
    #[arg(long, value_name = "ID")]
    instance: InstanceId,

    /// The tool that is called
    #[arg(long, value_name = "NAME")]
    tool: ToolName,

    /// As of when: a position (right after that event), or a time in RFC 3339; without it now
    #[arg(long, value_name = "POSITION|TIME")]
    at: Option<Moment>,

    /// Whether the upstream calls the tool read-only, which is not in the log; left out, the tool is taken as one that writes
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    read_only: Option<bool>,

    /// Lines for people, or the JSON of the API
    #[arg(long, value_enum, default_value = "text")]
    format: Format,

    #[command(flatten)]
    store: StoreOptions,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Explain {
    pub(super) async fn run(self) -> ExitCode {
        let Self { principal, instance, tool, at, read_only, format, store } = self;
        let principal = match Principal::parse(&principal).map_err(QuestionError::from) {
            Ok(principal) => principal,
            Err(error) => {
                complain(&format!("--principal: {error}"));
                return ExitCode::from(2);
            }
        };
        let question = Question { principal, call: Call { instance, tool, read_only, at } };
        let store = match store.open().await {
            Ok(store) => store,
            Err(error) => {
                complain(&error.to_string());
                return ExitCode::FAILURE;
            }
        };
        let explained = explain(&History::new(store.log()), None, &question).await;
        store.close().await;
        match explained {
            Ok(explanation) => tell(&explanation, format),
            Err(error) => {
                complain(&error.to_string());
                ExitCode::from(match error {
                    ExplainError::NotFound(_)
                    | ExplainError::TooManyCredentials
                    | ExplainError::NotYet(NotYet::Position { .. } | NotYet::Time { .. }) => 2,
                    ExplainError::NotYet(NotYet::Log(_)) | ExplainError::Evidence(_) => 1,
                })
            }
        }
    }
}

fn tell(explanation: &Explanation, format: Format) -> ExitCode {
    match format {
        Format::Text => say(explanation.text().trim_end()),
        Format::Json => match serde_json::to_string_pretty(explanation) {
            Ok(json) => say(&json),
            Err(error) => {
                complain(&error.to_string());
                return ExitCode::FAILURE;
            }
        },
    }
    if explanation.is_allowed() { ExitCode::SUCCESS } else { ExitCode::from(DENIED) }
}
