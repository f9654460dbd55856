//! What becomes of the messages of an answer whose two sides do not speak alike.

use std::fmt;

use bytes::Bytes;

use crate::envelope::Message;

/// Says what becomes of each message of an answer.
pub struct Translation(Box<dyn FnMut(&Message) -> Translated + Send>);

/// What becomes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Translated {
    /// It goes out as it came.
    AsItIs,
    /// This goes out in its place.
    As(Bytes),
    /// Nothing goes out.
    Nothing,
}

impl Translation {
    /// One that this says.
    pub fn new(translate: impl FnMut(&Message) -> Translated + Send + 'static) -> Self {
        Self(Box::new(translate))
    }

    pub(super) fn of(&mut self, message: &Message) -> Translated {
        (self.0)(message)
    }
}

impl fmt::Debug for Translation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Translation")
    }
}
