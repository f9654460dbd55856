//! `/docs`: the OpenAPI document as a page that reads without scripts, in light and dark.

use axum::response::{Html, IntoResponse, Response};
use http::{HeaderValue, header};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1c1b1a;--soft:#5d5a56;--line:#d9d4cc;--paper:#fbfaf8;--accent:#a3341f}
@media(prefers-color-scheme:dark){:root{--ink:#ece8e2;--soft:#a8a29a;--line:#3a3734;--paper:#171615;--accent:#e98a6f}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,sans-serif}
main{max-width:62rem;margin:0 auto;padding:2rem 1.25rem 5rem}h1{font-size:1.7rem;margin:0 0 .3rem}h2{margin:2.6rem 0 .2rem;font-size:1.25rem}
p{margin:.3rem 0}.soft{color:var(--soft)}nav a{margin-right:1rem}a{color:var(--accent)}
details{border-top:1px solid var(--line);padding:.55rem 0}summary{cursor:pointer;display:flex;gap:.8rem;flex-wrap:wrap;align-items:baseline}
summary b{font:600 .8rem ui-monospace,monospace;min-width:4rem;color:var(--accent)}code,pre{font:.86rem/1.5 ui-monospace,monospace}
pre{overflow:auto;border:1px solid var(--line);border-radius:6px;padding:.7rem}table{border-collapse:collapse;margin:.5rem 0}
td,th{text-align:left;padding:.2rem .9rem .2rem 0;vertical-align:top;font-weight:400}th{color:var(--soft)}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}";

/// The page of a document.
pub(crate) fn page(document: &Value) -> String {
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let tags = document.get("tags").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let name = |tag: &Value| tag.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                title { (text("/info/title")) }
                style { (PreEscaped(STYLE)) }
            }
            body { main {
                h1 { (text("/info/title")) }
                p { (text("/info/description")) }
                p.soft { "Version " (text("/info/version")) " · " a href="/openapi.json" { "openapi.json" } " · MCP endpoints: " code { "/mcp/{instance}" } }
                nav aria-label="Areas" { @for tag in tags { a href={ "#" (name(tag)) } { (name(tag)) } } }
                @for tag in tags {
                    h2 id=(name(tag)) { (name(tag)) }
                    p.soft { (tag.get("description").and_then(Value::as_str).unwrap_or_default()) }
                    @for (path, method, operation) in operations(document, &name(tag)) { (entry(document, path, method, operation)) }
                }
            } }
        }
    };
    page.into_string()
}

/// The page as an answer.
pub(crate) fn answer(page: String) -> Response {
    let mut response = Html(page).into_response();
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn operations<'a>(document: &'a Value, tag: &str) -> Vec<(&'a str, &'a str, &'a Value)> {
    let paths = document.get("paths").and_then(Value::as_object);
    let mut found = Vec::new();
    for (path, item) in paths.into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            if operation.pointer("/tags/0").and_then(Value::as_str) == Some(tag) {
                found.push((path.as_str(), method.as_str(), operation));
            }
        }
    }
    found
}

fn entry(document: &Value, path: &str, method: &str, operation: &Value) -> Markup {
    let text = |name: &str| operation.get(name).and_then(Value::as_str).unwrap_or_default();
    let parameters =
        operation.get("parameters").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let request = operation.pointer("/requestBody/content/application~1json/schema");
    html! {
        details id=(text("operationId")) {
            summary { b { (method.to_uppercase()) } code { (path) } span.soft { (text("summary")) } }
            p { (text("description")) }
            table {
                @for parameter in parameters {
                    @let part = |name: &str| parameter.get(name).and_then(Value::as_str).unwrap_or_default();
                    tr { td { code { (part("name")) } } th { (part("in")) } td { (part("description")) } }
                }
            }
            @if let Some(schema) = request { p.soft { "Takes" } pre tabindex="0" { (shown(document, schema)) } }
            @for (status, response) in operation.get("responses").and_then(Value::as_object).into_iter().flatten() {
                @if let Some(schema) = response.pointer("/content/application~1json/schema") {
                    p.soft { "Answers " (status) } pre tabindex="0" { (shown(document, schema)) }
                }
            }
        }
    }
}

/// A schema as people read it: one line for each member.
fn shown(document: &Value, schema: &Value) -> String {
    let mut lines = Vec::new();
    members(document, schema, 0, &mut lines);
    lines.join("\n")
}

const DEPTH_MAX: usize = 4;

fn members(document: &Value, schema: &Value, depth: usize, lines: &mut Vec<String>) {
    let schema = resolve(document, schema);
    for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        members(document, part, depth, lines);
    }
    let required = schema.get("required").and_then(Value::as_array);
    for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let target = resolve(document, member);
        let must = required.is_some_and(|names| names.iter().any(|other| other.as_str() == Some(name)));
        let about = member
            .get("description")
            .or_else(|| target.get("description"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        let indent = "  ".repeat(depth);
        let mark = if must { "" } else { "?" };
        lines.push(format!(
            "{indent}{name}{mark}: {}{}{}",
            kind(target),
            if about.is_empty() { "" } else { "   — " },
            about
        ));
        if depth < DEPTH_MAX {
            members(document, target.get("items").unwrap_or(target), depth + 1, lines);
        }
    }
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let target = schema.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix('#'));
    target.and_then(|pointer| document.pointer(pointer)).unwrap_or(schema)
}

fn kind(schema: &Value) -> String {
    match schema.get("type") {
        Some(Value::String(kind)) => kind.clone(),
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ if schema.get("oneOf").is_some() => "one of several".to_owned(),
        _ => "object".to_owned(),
    }
}
