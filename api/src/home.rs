//! `/`: what answers here, for somebody who opened the address in a browser. Says nothing about any tenant.

use maud::{DOCTYPE, html};

use crate::docs::head;

const CLIENT: &str = r#"{
  "mcpServers": {
    "sekisho": {
      "type": "http",
      "url": "ADDRESS/mcp/{instance}",
      "headers": { "x-api-key": "sk_live_…" }
    }
  }
}"#;

/// The page. `address` is how this node is reached.
pub(crate) fn page(address: &str) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (head("Sekisho"))
            body { main {
                h1 { "Sekisho " span lang="ja" { "関所" } }
                p.soft { "Version " (env!("CARGO_PKG_VERSION")) }
                p { "A checkpoint between AI agents and their tools: it says who is calling, decides tool by tool what they may call, and carries the call." }
                p lang="ja" { "AIエージェントとツールの間の関所です。誰が呼んでいるかを確かめ、ツールごとに許可を判断し、呼び出しを届けます。" }
                nav aria-label="Pages" {
                    a href="/docs" { "Management API" }
                    a href="/openapi.json" { "openapi.json" }
                    a href="/readyz" { "Readiness" }
                    a href="/metrics" { "Metrics" }
                }
                h2 { "Connect an MCP client" }
                p { "Ask an administrator of your organization for an instance and an API key, and give them to your client:" }
                pre tabindex="0" { (CLIENT.replace("ADDRESS", address.trim_end_matches('/'))) }
            } }
        }
    };
    page.into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_where_clients_connect() {
        assert!(page("https://gate.example.com/").contains("https://gate.example.com/mcp/{instance}"));
    }

    #[test]
    fn an_address_is_text_and_never_markup() {
        assert!(!page("https://x/<script>").contains("<script>"));
    }
}
