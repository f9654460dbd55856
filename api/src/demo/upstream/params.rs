//! Reading the parameters of one message into the type that its method wants.

use mcp::envelope::Message;
use mcp::error::{RpcError, code};
use serde::Deserialize;

/// The parameters, or nothing when there are none. Members that the type does not have are left alone: a newer
/// revision may add some.
pub(super) fn read<'a, T: Deserialize<'a>>(message: &'a Message) -> Result<Option<T>, RpcError> {
    #[derive(Deserialize)]
    struct Envelope<T> {
        params: Option<T>,
    }
    let envelope: Envelope<T> = serde_json::from_slice(message.bytes())
        .map_err(|_| invalid("params-malformed", "the parameters are not what the method takes"))?;
    Ok(envelope.params)
}

/// -32602, for whatever is wrong with the parameters.
pub(super) fn invalid(reason: &'static str, message: &'static str) -> RpcError {
    RpcError::new(code::INVALID_PARAMS, reason, message)
}
