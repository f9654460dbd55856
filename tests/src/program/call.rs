//! `sekisho tools` and `sekisho call`, in front of servers of both eras and of one alone.

use std::process::{Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::{Http, Instance, World, folder};
use hyper::Method;
use mcp::revision::Era;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use url::form_urlencoded::Serializer;

use super::{Demo, command, text};
use crate::conformance::fixture;
use crate::listening::Listening;

/// An instance in front of a server, and somebody at a shell.
struct Scene {
    world: World,
    instance: Instance,
    _upstream: Listening,
}

async fn scene_of(upstream: Listening) -> Scene {
    let world = World::start().await;
    let instance = world.instance_in_front_of(&upstream.url).await;
    Scene { world, instance, _upstream: upstream }
}

async fn scene() -> Scene {
    scene_of(fixture::start().await).await
}

impl Scene {
    fn line(&self, arguments: &[&str], api_key: Option<&str>) -> Command {
        let mut line = command(arguments);
        line.env("SEKISHO_URL", &self.world.node.running.url);
        if let Some(key) = api_key {
            line.env("SEKISHO_API_KEY", key);
        }
        Command::from(line)
    }

    /// What the program does with the instance's own key.
    async fn run(&self, arguments: &[&str]) -> Output {
        self.line(arguments, Some(self.instance.api_key())).output().await.expect("the program runs")
    }

    async fn call(&self, tool: &str, more: &[&str]) -> Output {
        self.run(&[&["call", &self.instance.id, tool], more].concat()).await
    }
}

#[track_caller]
fn ended(output: &Output, code: i32, stdout: &str, stderr: &str) {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    assert!(out.contains(stdout), "{stdout} in {out}{err}");
    assert!(err.contains(stderr), "{stderr} in {err}");
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("JSON on standard output")
}

#[tokio::test]
async fn a_line_that_says_nothing_sensible_is_refused_before_anybody_is_asked() {
    let line = async |arguments: &[&str]| {
        Command::from(command(arguments)).output().await.expect("the program runs")
    };
    let nowhere = "00000000-0000-4000-8000-000000000000";
    ended(&line(&["call", nowhere, "a", "--args", "[1]"]).await, 2, "", "arguments are a JSON object");
    ended(&line(&["call", nowhere, "a", "--args", "{"]).await, 2, "", "--args: ");
    let nonsense = line(&["call", nowhere, "a", "--args", "nonsense"]).await;
    ended(&nonsense, 2, "", "--args: arguments are a JSON object, such as '{\"a\": 1}'; this is no JSON: ");
    ended(&line(&["tools", "nothing"]).await, 2, "", "neither the id of an instance nor the address");
    ended(&line(&["tools", nowhere, "--url", "ftp://127.0.0.1"]).await, 2, "", "--url: the scheme must be");
    let closed = "http://127.0.0.1:1/mcp";
    ended(&line(&["tools", closed]).await, 1, "", "cannot be reached");
}

#[tokio::test]
async fn a_refusal_is_told_by_its_code_with_what_to_do_about_it() {
    let scene = scene().await;
    let tools = ["tools", scene.instance.id.as_str()];
    let nobody = scene.line(&tools, None).output().await.expect("the program runs");
    ended(&nobody, 3, "", "refused: no-credential");
    ended(&nobody, 3, "", "do: set SEKISHO_API_KEY");
    let foreign = scene.world.key_of_another_organization().await;
    let stranger = scene.line(&tools, Some(&foreign)).output().await.expect("the program runs");
    ended(&stranger, 3, "", "refused: instance-unknown");
    ended(&scene.run(&["tools", "00000000-0000-4000-8000-000000000000"]).await, 3, "", "refused: ");

    let key = scene.world.key(&["mcp:read"], Some(&scene.instance.id)).await;
    let call = ["call", &scene.instance.id, "test_simple_text"];
    let reader = scene.line(&call, Some(&key)).output().await.expect("the program runs");
    ended(&reader, 3, "", "refused: insufficient-scope");
    let refused = scene.line(&[&call[..], &["--json"]].concat(), Some(&key)).output().await;
    let refused = json_of(&refused.expect("the program runs"));
    assert_eq!(
        (&refused["refused"]["status"], &refused["refused"]["reason"]),
        (&json!(403), &json!("insufficient-scope"))
    );
    assert!(!text(&reader.stderr).contains(&key), "a key was printed");
}

#[tokio::test]
async fn what_an_instance_offers_is_listed_for_people_and_for_programs() {
    let scene = scene().await;
    let listed = scene.run(&["tools", &scene.instance.id]).await;
    ended(&listed, 0, "test_simple_text()\n    Answers with a text.", "");
    ended(&listed, 0, "test_header_argument(region: string)", "");
    let listed = json_of(&scene.run(&["tools", scene.instance.mcp_url().as_str(), "--json"]).await);
    let names: Vec<&str> =
        listed.as_array().expect("a list").iter().filter_map(|tool| tool["name"].as_str()).collect();
    assert!(names.contains(&"json_schema_2020_12_tool"), "{names:?}");
}

#[tokio::test]
async fn a_tool_that_fails_is_told_apart_from_one_that_answers() {
    let scene = scene().await;
    let failed = scene.call("test_error_handling", &[]).await;
    ended(&failed, 4, "", "the tool failed: This tool intentionally returns an error");
    ended(&scene.call("no_such_tool", &[]).await, 4, "", "refused: -32602: Unknown tool");
    ended(&scene.call("test_missing_capability", &[]).await, 4, "", "refused: -32021");
    ended(&scene.call("test_simple_text", &[]).await, 0, "This is a simple text response for testing.\n", "");
    let picture = scene.call("test_image_content", &[]).await;
    ended(&picture, 0, "[image/png: ", "");
    let result = json_of(&scene.call("test_image_content", &["--json"]).await);
    assert_eq!(result["content"][0]["mimeType"], "image/png");
}

#[tokio::test]
async fn progress_goes_to_standard_error_and_nothing_but_the_answer_to_standard_output() {
    let scene = scene().await;
    let called = scene.call("test_tool_with_progress", &[]).await;
    ended(&called, 0, "", "50 of 100: 50 of 100");
    assert_eq!(text(&called.stdout), "Three steps were reported.\n");
}

#[tokio::test]
async fn an_argument_that_must_be_repeated_as_a_header_is_and_arguments_may_come_from_standard_input() {
    let scene = scene().await;
    let arguments = r#"{"region": "北陸"}"#;
    ended(&scene.call("test_header_argument", &["--args", arguments]).await, 0, "Served in 北陸.", "");
    let line = ["call", &scene.instance.id, "test_header_argument", "--args", "-"];
    let mut line = scene.line(&line, Some(scene.instance.api_key()));
    line.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = line.spawn().expect("the program runs");
    let mut input = child.stdin.take().expect("its input");
    input.write_all(arguments.as_bytes()).await.expect("it reads");
    drop(input);
    let output = child.wait_with_output().await.expect("it ends");
    ended(&output, 0, "Served in 北陸.", "");
}

/// In both eras: progress, a stream that is closed before its answer, and a question that nobody here can answer.
#[tokio::test]
async fn a_server_of_one_era_alone_is_asked_in_its_own_way() {
    for era in [Era::Legacy, Era::Modern] {
        let scene = scene_of(fixture::of_one_era(era).await).await;
        ended(&scene.run(&["tools", &scene.instance.id]).await, 0, "test_sampling(prompt: string)", "");
        let called = scene.call("test_tool_with_progress", &[]).await;
        ended(&called, 0, "Three steps were reported.", "100 of 100");
        let closed = scene.call("test_reconnection", &[]).await;
        ended(&closed, 0, "Answered after the stream was closed.", "");
        let asks = scene.call("test_sampling", &["--args", r#"{"prompt": "a"}"#]).await;
        ended(&asks, 4, "", "this needs a client that can do sampling");
    }
}

#[tokio::test]
async fn attack_49_a_credential_of_the_environment_is_shown_to_nobody_but_the_sekisho_that_it_is_for() {
    let scene = scene().await;
    let (key, address) = (scene.instance.api_key(), scene.instance.mcp_url());
    let tools = ["tools", address.as_str()];
    let mut line = scene.line(&tools, Some(key));
    let elsewhere = line.env("SEKISHO_URL", "https://sekisho.example").output().await;
    let elsewhere = elsewhere.expect("the program runs");
    ended(&elsewhere, 3, "", "is for https://sekisho.example and is not shown to http://127.0.0.1:");
    ended(&elsewhere, 3, "", "refused: no-credential");
    let mut line = scene.line(&[&tools[..], &["--api-key", key]].concat(), None);
    let named = line.env("SEKISHO_URL", "https://sekisho.example").output().await;
    ended(&named.expect("the program runs"), 0, "test_simple_text()", "");
    let mut line = scene.line(&["tools", &scene.instance.id], Some(key));
    let in_clear = line.env("SEKISHO_URL", "http://sekisho.example").output().await;
    ended(
        &in_clear.expect("the program runs"),
        2,
        "",
        "a credential goes to other machines over https alone",
    );
}

/// What the demonstration's client gets in its own name.
async fn access_token(demo: &Demo) -> String {
    let basic = STANDARD.encode(format!("{}:{}", demo.word("client_id"), demo.word("client_secret")));
    let form = [("grant_type", "client_credentials"), ("resource", demo.word("mcp_url"))];
    let form = Serializer::new(String::new()).extend_pairs(form).finish();
    let http = Http::new(demo.word("url")).with("authorization", &format!("Basic {basic}"));
    let http = http.with("content-type", "application/x-www-form-urlencoded");
    let answer = http.send(Method::POST, "/oauth/token", form).await.good();
    answer["access_token"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn an_access_token_opens_as_a_key_does_and_what_the_line_names_is_presented_in_place_of_what_the_environment_holds()
 {
    let demo = Demo::start(&folder("demo-call"), |_| {});
    let token = access_token(&demo).await;
    let line = || {
        let arguments = ["call", demo.word("mcp_url"), "add", "--args", r#"{"a": 19, "b": 23}"#];
        let mut line = Command::from(command(&arguments));
        line.env("SEKISHO_ACCESS_TOKEN", &token).env("SEKISHO_URL", demo.word("url"));
        line
    };
    ended(&line().output().await.expect("the program runs"), 0, "42", "");
    let both = line().env("SEKISHO_API_KEY", demo.word("api_key")).output().await.expect("the program runs");
    ended(&both, 2, "", "name --api-key or --access-token");
    let key = ["--api-key", demo.word("api_key")];
    let named = line().args(key).env("SEKISHO_ACCESS_TOKEN", "ey.nothing").output().await;
    ended(&named.expect("the program runs"), 0, "42", "");
    let token = ["--access-token", token.as_str()];
    let named = line().args(token).env("SEKISHO_API_KEY", "sk_live_nothing").output().await;
    ended(&named.expect("the program runs"), 0, "42", "");
    let two = line().args(key).args(token).output().await.expect("the program runs");
    ended(&two, 2, "", "present one of them");
    let bad = line().env("SEKISHO_ACCESS_TOKEN", "ey.nothing").output().await.expect("the program runs");
    ended(&bad, 3, "", "refused: token-malformed");
    assert_eq!(demo.stop(), Some(0));
}
