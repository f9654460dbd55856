//! Two servers behind one instance, one of both eras and one of the handshake alone: every client sees the tools of both, and calls them.

use super::client::Client;
use super::endpoint::in_front_of_all;
use super::installed::source;
use super::upstream::Upstream;

#[tokio::test]
async fn every_client_sees_and_calls_the_tools_of_both_servers() {
    let (python, everything) = (Upstream::Python.start().await, Upstream::Everything.start().await);
    let gateway = in_front_of_all(&[("Python", &python.url), ("Everything", &everything.url)]).await;
    for client in Client::ALL {
        let report = client.play(&gateway, &source("scenarios/several.json")).await;
        let report = report.unwrap_or_else(|error| panic!("{client:?}: {error}"));
        assert_eq!(report.revision, client.revision());
        for tool in ["python__echo", "python__add", "everything__echo", "everything__get-sum"] {
            assert!(report.tool_names().contains(&tool), "{client:?} does not see {tool}");
        }
        assert_eq!(report.texts(0), ["関所 ✓"], "{client:?}");
        assert!(report.texts(1)[0].contains("42.5"), "{client:?}");
        let progress = report.call(2)["progress"].as_array().map_or(0, Vec::len);
        assert!(progress > 0 && !report.texts(2).is_empty(), "{client:?}: {}", report.call(2));
        assert!(report.call(3).get("error").is_some(), "{client:?}: {}", report.call(3));
        assert!(report.texts(4)[0].contains("42"), "{client:?}");
        assert!(
            report.texts(5)[0].contains("eu-1"),
            "{client:?}: the header was made where the client made none"
        );
    }
}
