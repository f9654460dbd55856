//! Where metadata lie: the well-known name inserted between host and path, or put behind it (RFC 9728, 3.1; RFC 8414, 3.1; OpenID Connect Discovery, 4).

use url::Url;

const RESOURCE: &str = "/.well-known/oauth-protected-resource";
const SERVER: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

/// Where a server's resource metadata may lie, in the order in which they are looked for: for its own path, then for its whole host.
pub(super) fn of_resource(server: &Url) -> Vec<Url> {
    let path = server.path().trim_end_matches('/');
    let mut own = at(server, &format!("{RESOURCE}{path}"));
    own.set_query(server.query());
    let root = at(server, RESOURCE);
    if own == root { vec![root] } else { vec![own, root] }
}

/// Where the metadata of an issuer may lie, in the order in which they are looked for (MCP 2025-11-25, authorization server metadata discovery).
pub(super) fn of_issuer(issuer: &Url) -> Vec<Url> {
    let path = issuer.path().trim_end_matches('/');
    if path.is_empty() {
        return vec![at(issuer, SERVER), at(issuer, OPENID)];
    }
    let behind = at(issuer, &format!("{path}{OPENID}"));
    vec![at(issuer, &format!("{SERVER}{path}")), at(issuer, &format!("{OPENID}{path}")), behind]
}

/// Another path at the same host, and nothing behind it.
pub(super) fn at(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(path);
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// Whether a resource is that server, or all of what is below it is (RFC 9728, 3.3; RFC 8707, 2): same origin, and its path is the beginning of the
/// server's, segment by segment.
pub(super) fn is_resource_of(resource: &Url, server: &Url) -> bool {
    let path = resource.path().trim_end_matches('/');
    let below = server.path().strip_prefix(path);
    let is_prefix = below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let query = resource.query().is_none_or(|query| server.query() == Some(query));
    resource.origin() == server.origin() && is_prefix && query && resource.fragment().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn texts(urls: &[Url]) -> Vec<&str> {
        urls.iter().map(Url::as_str).collect()
    }

    #[test]
    fn a_resource_of_somebody_elses_is_none_of_this_server() {
        let server = url("https://h.example/team/mcp");
        for other in [
            "http://h.example/team/mcp",
            "https://evil.example/team/mcp",
            "https://h.example:444/team/mcp",
            "https://h.example/team/mc",
            "https://h.example/team/mcp/more",
            "https://h.example/team/mcp?x=1",
            "https://h.example/team/mcp#x",
        ] {
            assert!(!is_resource_of(&url(other), &server), "{other}");
        }
        for own in [
            "https://H.example:443/team/mcp",
            "https://h.example/team/mcp/",
            "https://h.example/team",
            "https://h.example",
        ] {
            assert!(is_resource_of(&url(own), &server), "{own}");
        }
    }

    #[test]
    fn a_path_is_looked_for_before_the_host() {
        let of = |text: &str| of_resource(&url(text)).iter().map(Url::to_string).collect::<Vec<_>>();
        let root = "https://h.example/.well-known/oauth-protected-resource";
        assert_eq!(of("https://h.example/mcp?a=1"), [format!("{root}/mcp?a=1"), root.to_owned()]);
        assert_eq!(of("https://h.example/"), [root]);
    }

    #[test]
    fn an_issuer_with_a_path_has_three_places() {
        assert_eq!(
            texts(&of_issuer(&url("https://id.example/a"))),
            [
                "https://id.example/.well-known/oauth-authorization-server/a",
                "https://id.example/.well-known/openid-configuration/a",
                "https://id.example/a/.well-known/openid-configuration",
            ]
        );
        assert_eq!(of_issuer(&url("https://id.example/")).len(), 2);
    }
}
