//! A range of the history, slice after slice.

use domain::value::Position;
use tokio::task::JoinHandle;

use super::{Filter, History, Range, Slice};
use crate::log::LogError;

/// Events in one slice: some hundred kilobytes, as events go. Two slices are in memory at a time.
const SLICE_EVENTS_MAX: u32 = 500;

/// A range of the history: what is being worked on and one slice more are in memory, however long the range is.
#[derive(Debug)]
pub struct Slices {
    history: History,
    filter: Filter,
    reached: Position,
    to: Position,
    /// The next slice, under way since the one before it was handed out.
    ahead: Option<JoinHandle<Result<Slice, LogError>>>,
}

impl Slices {
    pub(super) const fn new(history: History, filter: Filter, range: Range) -> Self {
        Self { history, filter, reached: range.after, to: range.to, ahead: None }
    }

    /// How far everything was handed out.
    pub const fn reached(&self) -> Position {
        self.reached
    }

    /// The next slice; `None` when the end of the range is reached. After an error, ask again.
    pub async fn next(&mut self) -> Result<Option<Slice>, LogError> {
        if self.reached >= self.to {
            return Ok(None);
        }
        let slice = match self.ahead.take() {
            None => self.read().await,
            Some(ahead) => match ahead.await {
                Ok(slice) => slice,
                Err(_) => self.read().await, // the task was lost, and only with it the slice
            },
        }?;
        self.reached = slice.reached;
        if self.reached < self.to {
            let (history, filter, range) = (self.history.clone(), self.filter.clone(), self.range());
            let ahead = async move { history.slice(&filter, range, SLICE_EVENTS_MAX).await };
            self.ahead = Some(tokio::spawn(ahead));
        }
        Ok(Some(slice))
    }

    /// Goes on to a later end.
    pub fn extend(&mut self, to: Position) {
        self.to = self.to.max(to);
    }

    async fn read(&self) -> Result<Slice, LogError> {
        self.history.slice(&self.filter, self.range(), SLICE_EVENTS_MAX).await
    }

    const fn range(&self) -> Range {
        Range { after: self.reached, to: self.to }
    }
}
