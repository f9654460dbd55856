//! Where callers reach this deployment, as it was configured: the issuer, and what every resource and endpoint is named after. Never what a
//! request says of its host (RFC 9700, 4.5; attacks by `Host` and `X-Forwarded-Host`).

use std::sync::Arc;

use domain::value::InstanceId;
use url::{Origin, Url};

/// Longest text that is looked at as a resource.
const RESOURCE_BYTES_MAX: usize = 2_048;
/// Between the public URL and the id of an instance.
const MCP_PATH: &str = "/mcp/";

/// The public URL, without a slash at the end.
#[derive(Debug, Clone)]
pub struct PublicUrl {
    text: Arc<str>,
    origin: Origin,
    /// Its path: empty, or a slash and segments.
    path: Arc<str>,
}

impl PublicUrl {
    /// Out of a configured URL, or out of the address that is listened on.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_end_matches('/');
        let url = Url::parse(text).ok()?;
        let path = url.path().trim_end_matches('/');
        Some(Self { text: text.into(), origin: url.origin(), path: path.into() })
    }

    /// The issuer (RFC 8414, 2).
    pub fn issuer(&self) -> &str {
        &self.text
    }

    /// The origin of our own pages (RFC 6454, 6.2).
    pub fn origin(&self) -> String {
        self.origin.ascii_serialization()
    }

    /// Its path, without a slash at the end: empty, as a rule.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// An address below it.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }

    /// The resource that an instance is (RFC 8707, 2): its endpoint.
    pub fn resource(&self, instance: InstanceId) -> String {
        format!("{}{MCP_PATH}{instance}", self.text)
    }

    /// Where the metadata of a resource is: the well-known name inserted between host and path (RFC 9728, 3.1).
    pub fn resource_metadata(&self, instance: InstanceId) -> String {
        let (origin, path) = (self.origin.ascii_serialization(), &self.path);
        format!("{origin}/.well-known/oauth-protected-resource{path}{MCP_PATH}{instance}")
    }

    /// The instance that exactly this text names: what we write ourselves.
    pub fn instance_with(&self, resource: &str) -> Option<InstanceId> {
        let id = resource.strip_prefix(&*self.text)?.strip_prefix(MCP_PATH)?;
        instance(id)
    }

    /// The instance that a client names. Scheme and host in any case, with or without a port that goes without saying; the path exactly as it
    /// is, so that neither `/mcp/../x` nor `/mcp-other` nor a slash more is anything.
    pub fn instance_named(&self, resource: &str) -> Option<InstanceId> {
        let odd = |byte: u8| !byte.is_ascii_graphic() || byte == b'\\' || byte == b'#' || byte == b'?';
        if resource.len() > RESOURCE_BYTES_MAX || resource.bytes().any(odd) {
            return None; // what a parser of URLs would leave out or turn into something else, and query and fragment
        }
        let (_, rest) = resource.split_once("://")?;
        let (authority, path) = rest.split_at_checked(rest.find('/')?)?;
        if authority.contains('@') || Url::parse(resource).ok()?.origin() != self.origin {
            return None;
        }
        instance(path.strip_prefix(&*self.path)?.strip_prefix(MCP_PATH)?)
    }
}

/// Ids have one spelling here.
fn instance(text: &str) -> Option<InstanceId> {
    InstanceId::parse(text).ok().filter(|id| id.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0192f0c1-2b3c-7d4e-8f50-112233445566";

    fn named(resource: &str) -> bool {
        PublicUrl::parse("https://mcp.example.com").unwrap().instance_named(resource).is_some()
    }

    #[test]
    fn item_42_what_is_not_exactly_the_resource_of_an_instance_is_none() {
        for resource in [
            format!("https://mcp.example.com/mcp/{ID}/"),
            format!("https://mcp.example.com/mcp-other/{ID}"),
            format!("https://mcp.example.com/mcp/../mcp/{ID}"),
            format!("https://mcp.example.com/mcp/./{ID}"),
            format!("https://mcp.example.com/mcp/x/%2e%2e/{ID}"),
            format!("https://mcp.example.com//mcp/{ID}"),
            format!("https://mcp.example.com/MCP/{ID}"),
            format!("https://mcp.example.com/mcp/{}", ID.to_uppercase()),
            format!("https://mcp.example.com/mcp/{}", ID.replace('-', "")),
            format!("https://mcp.example.com/mcp/{ID}#part"),
            format!("https://mcp.example.com/mcp/{ID}#"),
            format!("https://mcp.example.com/mcp/{ID}?a=b"),
            format!("https://mcp.example.com/mcp/{ID}?"),
            format!("https://mcp.example.com/mcp/\t{ID}"),
            format!("https://mcp.exa\nmple.com/mcp/{ID}"),
            format!(" https://mcp.example.com/mcp/{ID}"),
            format!("https://mcp.example.com\\mcp\\{ID}"),
            format!("https://user@mcp.example.com/mcp/{ID}"),
            format!("https://@mcp.example.com/mcp/{ID}"),
            format!("https://mcp.example.com@evil.example/mcp/{ID}"),
            format!("https://mcp.example.com.evil.example/mcp/{ID}"),
            format!("https://mcp.example.com:444/mcp/{ID}"),
            format!("http://mcp.example.com/mcp/{ID}"),
            format!("/mcp/{ID}"),
            ID.to_owned(),
            "https://mcp.example.com".to_owned(),
            "https://mcp.example.com/mcp/".to_owned(),
            String::new(),
        ] {
            assert!(!named(&resource), "{resource:?}");
        }
    }

    #[test]
    fn item_42_scheme_and_host_are_named_in_any_case() {
        for start in ["https://mcp.example.com", "HTTPS://MCP.Example.COM", "https://mcp.example.com:443"] {
            assert!(named(&format!("{start}/mcp/{ID}")), "{start}");
        }
    }

    #[test]
    fn a_path_of_the_public_url_is_part_of_every_resource() {
        let url = PublicUrl::parse("https://example.com/tools/").unwrap();
        let id = InstanceId::parse(ID).unwrap();
        assert_eq!(url.issuer(), "https://example.com/tools");
        assert_eq!(url.resource(id), format!("https://example.com/tools/mcp/{ID}"));
        assert_eq!(
            url.resource_metadata(id),
            format!("https://example.com/.well-known/oauth-protected-resource/tools/mcp/{ID}")
        );
        assert_eq!(url.instance_named(&url.resource(id)), Some(id));
        assert_eq!(url.instance_with(&url.resource(id)), Some(id));
        assert!(url.instance_named(&format!("https://example.com/mcp/{ID}")).is_none());
        assert!(url.instance_with(&format!("https://EXAMPLE.com/tools/mcp/{ID}")).is_none());
    }
}
