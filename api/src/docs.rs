//! `/docs`: the OpenAPI document as a page that reads without scripts, in light and dark.

use axum::response::{Html, IntoResponse, Response};
use http::{HeaderValue, header};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1c1b1a;--soft:#5d5a56;--line:#d9d4cc;--paper:#fbfaf8;--raised:#f2efe9;--accent:#a3341f}
@media(prefers-color-scheme:dark){:root{--ink:#ece8e2;--soft:#a8a29a;--line:#3a3734;--paper:#171615;--raised:#211f1d;--accent:#e98a6f}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,sans-serif}
main{max-width:64rem;margin:0 auto;padding:2rem 1.25rem 5rem}h1{font-size:1.7rem;margin:0 0 .3rem}h2{margin:2.6rem 0 .2rem;font-size:1.25rem}
h3{margin:1rem 0 .2rem;font-size:.9rem}p{margin:.3rem 0}ul{padding-left:1.2rem}.soft{color:var(--soft)}
nav{display:flex;flex-wrap:wrap;gap:.2rem 1rem;margin:1.2rem 0}a{color:var(--accent)}
details{border-top:1px solid var(--line);padding:.5rem 0}details[open]{padding-bottom:1.2rem}
summary{cursor:pointer;display:flex;gap:.2rem .8rem;flex-wrap:wrap;align-items:baseline}
summary b{font:600 .8rem ui-monospace,monospace;min-width:4rem;color:var(--accent)}summary b.get{color:var(--soft)}
code,pre{font:.86rem/1.5 ui-monospace,monospace}code{overflow-wrap:anywhere}
pre{overflow:auto;background:var(--raised);border:1px solid var(--line);border-radius:6px;padding:.7rem}
table{border-collapse:collapse;margin:.3rem 0;width:100%}td{padding:.2rem 1rem .2rem 0;vertical-align:top}
td:nth-child(1){width:26%}td:nth-child(2){width:26%;font-size:.86rem}td:nth-child(3){font-size:.93rem}
@media(max-width:40rem){tr,td{display:block;width:auto!important}tr{padding:.3rem 0;border-bottom:1px solid var(--line)}td{padding:0}}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}";

/// The page of a document.
pub(crate) fn page(document: &Value) -> String {
    let info = document.get("info").unwrap_or(&Value::Null);
    let tags = list(document, "tags");
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (head(text(info, "title")))
            body { main {
                h1 { (text(info, "title")) }
                p.soft { "Version " (text(info, "version")) " · " a href="/openapi.json" { "openapi.json" } " · MCP endpoints: " code { "/mcp/{instance}" } }
                (basics())
                nav aria-label="Areas" { @for tag in tags { a href={ "#" (anchor(tag)) } { (text(tag, "name")) } } }
                @for tag in tags {
                    h2 id=(anchor(tag)) { (text(tag, "name")) }
                    p.soft { (text(tag, "description")) }
                    @for (path, method, operation) in operations(document, text(tag, "name")) { (entry(document, path, method, operation)) }
                }
            } }
        }
    };
    page.into_string()
}

/// The head of a page, which says how pages look, in light and dark.
pub(crate) fn head(title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width,initial-scale=1";
            title { (title) }
            style { (PreEscaped(STYLE)) }
        }
    }
}

/// What holds for every operation.
fn basics() -> Markup {
    html! {
        ul {
            li { "Send the API key in the header " code { "x-api-key" } ", and bodies as " code { "application/json" } "." }
            li { "Send an " code { "Idempotency-Key" } " with a command: the same key and request answer the same, secrets included, and are carried out once." }
            li { "Every command answers with its position, in the header " code { "Sekisho-Position" } " and the member " code { "position" } "; give it as " code { "?at_least=" } " to any read, on any node, that must see it." }
            li { "Listings answer " code { "next_cursor" } " when there is more: give it back as " code { "?cursor=" } "." }
            li { "Errors are problem details (RFC 9457) with a stable " code { "type" } "." }
        }
        pre tabindex="0" { "curl -H 'x-api-key: sk_live_…' -H 'content-type: application/json' -H 'idempotency-key: once-1' \\\n     -d '{\"slug\": \"acme\", \"name\": \"Acme Tools\"}' https://sekisho.example.com/v1/organizations" }
    }
}

/// The address of an area inside the page.
fn anchor(tag: &Value) -> String {
    format!("area-{}", text(tag, "name").to_lowercase().replace(' ', "-"))
}

/// The page as an answer.
pub(crate) fn answer(page: String) -> Response {
    let mut response = Html(page).into_response();
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Operations of one area: by address, and on each the reads before the writes.
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
    let rank =
        |method: &str| ["get", "post", "put", "patch"].iter().position(|other| *other == method).unwrap_or(4);
    found.sort_by_key(|(path, method, _)| (*path, rank(method)));
    found
}

fn entry(document: &Value, path: &str, method: &str, operation: &Value) -> Markup {
    let text = |name: &str| text(operation, name);
    let parameters =
        operation.get("parameters").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let body = operation.pointer("/requestBody/content").and_then(Value::as_object);
    let request = body.and_then(|media| media.values().next()?.get("schema"));
    html! {
        details id=(text("operationId")) {
            summary { b class=(method) { (method.to_uppercase()) } code { (path) } span.soft { (prose(text("summary"))) } }
            p { (prose(text("description"))) }
            table.members { tbody {
                @for parameter in parameters {
                    tr {
                        td { code { (self::text(parameter, "name")) } }
                        td.soft { "in " (self::text(parameter, "in")) }
                        td { (prose(self::text(parameter, "description"))) }
                    }
                }
            } }
            @if let Some(schema) = request { h3 { "Takes" } (members(document, schema)) }
            @for (status, response) in operation.get("responses").and_then(Value::as_object).into_iter().flatten() {
                @if let Some(schema) = response.pointer("/content/application~1json/schema") {
                    h3 { "Answers " (status) } (members(document, schema))
                }
            }
        }
    }
}

/// A schema as people read it: one row for each member, inner ones under their outer one.
fn members(document: &Value, schema: &Value) -> Markup {
    let mut rows = Vec::new();
    collect(document, schema, 0, &mut rows);
    html! {
        @if rows.is_empty() { p.soft { "an object without members" } }
        table.members { tbody {
            @for Row { depth, name, must, kind, about } in rows {
                tr {
                    td style={ "padding-left:" (depth) "rem" } { code { (name) } }
                    td.soft { (kind) @if !must { ", optional" } }
                    td { (prose(&about)) }
                }
            }
        } }
    }
}

const DEPTH_MAX: usize = 4;

struct Row {
    depth: usize,
    name: String,
    must: bool,
    kind: String,
    about: String,
}

fn collect(document: &Value, schema: &Value, depth: usize, rows: &mut Vec<Row>) {
    let schema = resolve(document, schema);
    let variants = list(schema, "oneOf").iter().filter(|choice| choice.get("properties").is_some());
    for part in list(schema, "allOf").iter().chain(variants) {
        collect(document, part, depth, rows);
    }
    for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let must = list(schema, "required").iter().any(|other| other.as_str() == Some(name));
        let about = about(document, member).to_owned();
        rows.push(Row { depth, name: name.clone(), must, kind: kind(document, member), about });
        if depth < DEPTH_MAX {
            collect(document, inner(document, member), depth + 1, rows);
        }
    }
}

/// The object that a member is, or may be, or is a list of.
fn inner<'a>(document: &'a Value, member: &'a Value) -> &'a Value {
    let target = resolve(document, member);
    let choice = list(target, "oneOf").iter().find(|choice| choice.get("$ref").is_some());
    target.get("items").or(choice).map_or(target, |deeper| resolve(document, deeper))
}

/// What is said of the member itself, before what is said of its type.
fn about<'a>(document: &'a Value, member: &'a Value) -> &'a str {
    let said = |schema: &'a Value| schema.get("description").and_then(Value::as_str);
    let choice = || list(member, "oneOf").iter().find_map(said);
    said(member).or_else(choice).or_else(|| said(resolve(document, member))).unwrap_or_default()
}

fn kind(document: &Value, schema: &Value) -> String {
    let schema = resolve(document, schema);
    let any_of = |mut kinds: Vec<String>| {
        kinds.dedup(); // objects that differ in their members are objects all the same
        kinds.join(" or ")
    };
    if schema.get("enum").is_some() {
        return any_of(list(schema, "enum").iter().map(Value::to_string).collect());
    }
    if schema.get("oneOf").is_some() {
        return any_of(list(schema, "oneOf").iter().map(|choice| kind(document, choice)).collect());
    }
    let types = match schema.get("type") {
        Some(Value::Array(types)) => {
            any_of(types.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        }
        Some(Value::String(text)) if text == "array" => {
            format!("list of {}", kind(document, schema.get("items").unwrap_or(&Value::Null)))
        }
        Some(Value::String(text)) => text.clone(),
        Some(_) | None => "object".to_owned(),
    };
    match schema.get("format").and_then(Value::as_str) {
        Some(format @ ("uuid" | "date-time")) => types.replace("string", format),
        Some(_) | None => types,
    }
}

/// A sentence whose words between backticks are code.
fn prose(sentence: &str) -> Markup {
    html! {
        @for (place, part) in sentence.split('`').enumerate() {
            @if place % 2 == 0 { (part) } @else { code { (part) } }
        }
    }
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let target = schema.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix('#'));
    target.and_then(|pointer| document.pointer(pointer)).unwrap_or(schema)
}

fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(object: &'a Value, name: &str) -> &'a [Value] {
    object.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
