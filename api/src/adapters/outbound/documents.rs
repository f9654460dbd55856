//! What clients publish, fetched through the guard.

use std::time::Duration;

use url::Url;

use super::{AnswerLimits, Outbound};
use crate::oauth::{FetchDocument, Fetched, NotFetched, Wanted};

impl FetchDocument for Outbound {
    fn fetch<'a>(
        &'a self,
        url: &'a str,
        wanted: Wanted,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Fetched, NotFetched>> + Send + 'a>> {
        let limits = AnswerLimits {
            first_byte: Duration::from_secs(3),
            whole: Duration::from_secs(5),
            body_bytes_max: wanted.bytes_max,
        };
        Box::pin(async move {
            let url = Url::parse(url).map_err(|error| NotFetched(error.to_string()))?;
            let answer = self.get(&url, wanted.accept, limits).await;
            let (parts, body) = answer.map_err(|error| NotFetched(error.to_string()))?.into_parts();
            Ok(Fetched { status: parts.status, headers: parts.headers, body })
        })
    }
}
