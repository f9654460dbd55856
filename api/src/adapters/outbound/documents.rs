//! Documents of clients, fetched through the guard.

use std::time::Duration;

use domain::value::ClientUrl;
use url::Url;

use super::{AnswerLimits, Outbound};
use crate::oauth::{DOCUMENT_BYTES_MAX, FetchDocument, Fetched, NotFetched};

const LIMITS: AnswerLimits = AnswerLimits {
    first_byte: Duration::from_secs(7),
    whole: Duration::from_secs(10),
    body_bytes_max: DOCUMENT_BYTES_MAX,
};

impl FetchDocument for Outbound {
    fn fetch<'a>(
        &'a self,
        url: &'a ClientUrl,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Fetched, NotFetched>> + Send + 'a>> {
        Box::pin(async move {
            let url = Url::parse(url.as_str()).map_err(|error| NotFetched(error.to_string()))?;
            let answer = self.get(&url, "application/json", LIMITS).await;
            let (parts, body) = answer.map_err(|error| NotFetched(error.to_string()))?.into_parts();
            Ok(Fetched { status: parts.status, headers: parts.headers, body })
        })
    }
}
