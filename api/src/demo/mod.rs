//! What `sekisho demo` adds: a small MCP server to stand behind the gateway.

pub mod upstream;
