//! The sessions of the legacy era, as many as there is room for.
//!
//! Two generations stand in for an exact order of use: a session that is used moves to the young one; when that is
//! full it becomes the old one, and what was still in the old one is forgotten. A client in use is never forgotten,
//! a forgotten one is answered 404 and opens anew.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::error::Unspecified;
use mcp::envelope::RequestId;
use tokio_util::sync::CancellationToken;

/// Half of what is kept: 10,000 sessions in two generations.
const GENERATION_SESSIONS_MAX: usize = 5_000;

/// 128 random bits, written as 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct SessionId(u128);

impl SessionId {
    fn draw() -> Result<Self, Unspecified> {
        let mut bits = [0; 16];
        aws_lc_rs::rand::fill(&mut bits)?;
        Ok(Self(u128::from_be_bytes(bits)))
    }

    /// Takes only the form that was given out, so that one session has one name.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let canonical =
            text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if canonical { u128::from_str_radix(text, 16).ok().map(Self) } else { None }
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

/// The slow calls that run in one session. Their number is held down by the places for slow calls.
#[derive(Debug, Default)]
struct Session {
    running: Vec<(RequestId, CancellationToken)>,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<SessionId, Session>,
    old: HashMap<SessionId, Session>,
}

impl Generations {
    fn put(&mut self, id: SessionId, session: Session) {
        if self.young.len() >= GENERATION_SESSIONS_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(id, session);
    }

    fn touch(&mut self, id: SessionId) -> Option<&mut Session> {
        if let Some(session) = self.old.remove(&id) {
            self.put(id, session);
        }
        self.young.get_mut(&id)
    }

    fn remove(&mut self, id: SessionId) -> Option<Session> {
        self.young.remove(&id).or_else(|| self.old.remove(&id))
    }
}

/// Every session that is known.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<Generations>);

impl Sessions {
    pub(super) fn open(&self) -> Result<SessionId, Unspecified> {
        let id = SessionId::draw()?;
        self.lock().put(id, Session::default());
        Ok(id)
    }

    /// Whether there is such a session; it counts as used.
    pub(super) fn touch(&self, id: SessionId) -> bool {
        self.lock().touch(id).is_some()
    }

    /// Forgets the session and cancels what runs in it.
    pub(super) fn end(&self, id: SessionId) {
        let session = self.lock().remove(id);
        for (_, token) in session.into_iter().flat_map(|session| session.running) {
            token.cancel();
        }
    }

    /// Registers a call so that it can be cancelled; nothing when its id is in use in this session.
    pub(super) fn begin(self: &Arc<Self>, id: SessionId, request: &RequestId) -> Option<RunningCall> {
        let token = CancellationToken::new();
        if let Some(session) = self.lock().touch(id) {
            if session.running.iter().any(|(running, _)| running == request) {
                return None;
            }
            session.running.push((request.clone(), token.clone()));
        }
        Some(RunningCall { sessions: Arc::clone(self), session: id, request: request.clone(), token })
    }

    /// Cancels a call. One that is over, or never was, is no mistake: cancellation races with the answer.
    pub(super) fn cancel(&self, id: SessionId, request: &RequestId) {
        if let Some(session) = self.lock().touch(id) {
            for (_, token) in session.running.iter().filter(|(running, _)| running == request) {
                token.cancel();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that can be cancelled for as long as this lives.
#[derive(Debug)]
pub(super) struct RunningCall {
    sessions: Arc<Sessions>,
    session: SessionId,
    request: RequestId,
    token: CancellationToken,
}

impl RunningCall {
    pub(super) async fn cancelled(&self) {
        self.token.cancelled().await;
    }
}

impl Drop for RunningCall {
    fn drop(&mut self) {
        if let Some(session) = self.sessions.lock().touch(self.session) {
            session.running.retain(|(running, _)| *running != self.request);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_form_that_was_given_out_is_a_session_id() {
        let id = SessionId::draw().unwrap();
        let text = id.to_string();
        for wrong in ["", "0", &text[1..], &format!("{text}0"), &format!("+{}", &text[1..]), &"A".repeat(32)]
        {
            assert_eq!(SessionId::parse(wrong), None, "{wrong}");
        }
        assert_eq!(SessionId::parse(&text), Some(id));
    }

    #[test]
    fn an_unused_session_is_forgotten_before_there_are_too_many_and_a_used_one_stays() {
        let sessions = Sessions::default();
        let (used, unused) = (sessions.open().unwrap(), sessions.open().unwrap());
        for _ in 0..3 * GENERATION_SESSIONS_MAX {
            sessions.open().unwrap();
            assert!(sessions.touch(used));
        }
        assert!(!sessions.touch(unused));
        let known = sessions.lock();
        assert!(known.young.len() + known.old.len() <= 2 * GENERATION_SESSIONS_MAX);
    }

    #[test]
    fn an_id_in_use_is_refused_and_free_again_once_its_call_is_over() {
        let sessions = Arc::new(Sessions::default());
        let session = sessions.open().unwrap();
        let (one, same) = (RequestId::parse("1").unwrap(), RequestId::parse("1.0").unwrap());
        let call = sessions.begin(session, &one).unwrap();
        assert!(sessions.begin(session, &same).is_none());
        drop(call);
        assert!(sessions.begin(session, &same).is_some());
    }

    #[tokio::test]
    async fn a_call_is_cancelled_in_its_own_session_only_and_with_its_end() {
        let sessions = Arc::new(Sessions::default());
        let (mine, other) = (sessions.open().unwrap(), sessions.open().unwrap());
        let id = RequestId::parse("1").unwrap();
        let (call, bystander) = (sessions.begin(mine, &id).unwrap(), sessions.begin(other, &id).unwrap());
        sessions.cancel(mine, &id);
        call.cancelled().await;
        assert!(!bystander.token.is_cancelled());
        sessions.end(other);
        bystander.cancelled().await;
    }
}
