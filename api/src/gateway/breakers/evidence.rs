//! What the end of a request says of whether its upstream is there.
//!
//! | end | evidence |
//! |---|---|
//! | any head of an answer: results, errors, 4xx, 5xx in JSON, redirects, web pages, what is too large or not HTTP | it is there |
//! | no connection | it is not: no request can bring that about, except where this machine is out of what a connection takes |
//! | closed before an answer, nothing within the time for the first byte, 5xx without JSON | a doubt: it may be because of the request |
//! | an address that we refuse, no room of ours, the caller left | none |

use std::error::Error as StdError;

use mcp::upstream::{BadAnswer, TimeLimit, UpstreamError, UpstreamResponse};
use rustix::io::Errno;

use crate::breaker::Failure;

/// What was learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    /// It answers.
    There,
    /// It does not.
    Trouble(Failure),
    /// It was not asked.
    Nothing,
}

impl Evidence {
    pub(super) fn of(answer: &Result<UpstreamResponse, UpstreamError>) -> Self {
        match answer {
            Ok(_) => Self::There,
            Err(error) => Self::of_error(error),
        }
    }

    fn of_error(error: &UpstreamError) -> Self {
        match error {
            UpstreamError::Unreachable(cause) if is_want_of_ours(cause.as_ref()) => Self::Nothing,
            UpstreamError::Unreachable(_) => Self::Trouble(Failure::Certain),
            UpstreamError::Closed(_)
            | UpstreamError::Timeout(TimeLimit::FirstByte)
            | UpstreamError::BadAnswer(BadAnswer::ServerError) => Self::Trouble(Failure::Doubtful),
            UpstreamError::Timeout(TimeLimit::Idle | TimeLimit::Hard)
            | UpstreamError::BadAnswer(
                BadAnswer::NotHttp
                | BadAnswer::Redirect
                | BadAnswer::ContentType
                | BadAnswer::ContentEncoding
                | BadAnswer::NotJsonRpc
                | BadAnswer::NoAnswer,
            )
            | UpstreamError::AnswerTooLarge { .. }
            | UpstreamError::Unauthorized => Self::There,
            UpstreamError::AddressRefused(_) | UpstreamError::NoRoom(_) => Self::Nothing,
        }
    }
}

/// Whether a connection could not be made for want of file descriptors, ports or memory of this machine.
fn is_want_of_ours(cause: &(dyn StdError + 'static)) -> bool {
    let wants = [Errno::MFILE, Errno::NFILE, Errno::ADDRNOTAVAIL, Errno::NOBUFS, Errno::NOMEM];
    std::iter::successors(Some(cause), |&cause| cause.source())
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .filter_map(Errno::from_io_error)
        .any(|errno| wants.contains(&errno))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unreachable(cause: std::io::Error) -> UpstreamError {
        UpstreamError::Unreachable(Box::new(cause))
    }

    #[test]
    fn what_somebody_asked_for_is_never_more_than_a_doubt() {
        for error in [
            UpstreamError::Closed(None),
            UpstreamError::Timeout(TimeLimit::FirstByte),
            UpstreamError::BadAnswer(BadAnswer::ServerError),
        ] {
            assert_eq!(Evidence::of_error(&error), Evidence::Trouble(Failure::Doubtful), "{error:?}");
        }
    }

    #[test]
    fn a_connection_that_is_refused_shows_that_nobody_is_there_and_one_that_we_cannot_make_shows_nothing() {
        let refused = unreachable(std::io::Error::from(Errno::CONNREFUSED));
        assert_eq!(Evidence::of_error(&refused), Evidence::Trouble(Failure::Certain));
        for errno in [Errno::MFILE, Errno::ADDRNOTAVAIL] {
            assert_eq!(Evidence::of_error(&unreachable(errno.into())), Evidence::Nothing, "{errno}");
        }
    }

    #[test]
    fn whoever_answers_is_there_whatever_they_say() {
        for error in [UpstreamError::Unauthorized, BadAnswer::Redirect.into(), BadAnswer::NotHttp.into()] {
            assert_eq!(Evidence::of_error(&error), Evidence::There, "{error:?}");
        }
    }
}
