//! `sekisho tools` and `sekisho call`, in front of a server of both eras and of one that speaks the older one alone.

use std::process::{Output, Stdio};

use harness::{Instance, World};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::{command, text};
use crate::conformance::fixture;
use crate::interop::Upstream;
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

#[tokio::test]
async fn a_server_that_speaks_no_newer_revision_is_asked_after_a_handshake() {
    let scene = scene_of(Upstream::Everything.start().await).await;
    ended(&scene.run(&["tools", &scene.instance.id]).await, 0, "echo(message: string)", "");
    ended(&scene.call("echo", &["--args", r#"{"message": "here"}"#]).await, 0, "here", "");
}
