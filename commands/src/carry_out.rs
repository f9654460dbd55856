//! The one way from a use case to the log: answer a retry from memory, else run, append, and run again, a moment later, after a
//! conflict.

use std::future::Future;
use std::time::Duration;

use domain::value::{Clock, Position};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::actor::Actor;
use crate::ports::{CommandId, Entropy, Log, LogError, Ports, Recorded};
use crate::refused::{CarryOutError, Refused};
use crate::unit::{Kept, Stamp, Unit};

/// How often a use case runs when others change the same aggregates at the same time.
const ATTEMPTS_MAX: u32 = 24;
/// How long a use case may wait before its second attempt; twice as long before each one after that.
const PAUSE_MILLIS_FIRST: u64 = 2;
/// About four commits: whoever waits longer only loses its turn.
const PAUSE_MILLIS_MAX: u64 = 64;

/// Something that may be asked.
pub trait UseCase: Send + Sync {
    /// What is answered. It is kept, sealed, so that a retry gets the same answer, secrets included.
    type Answer: Serialize + DeserializeOwned + Send + Sync;

    /// Gathers facts, lets aggregates decide, answers. Runs again from the start after a conflict; what is expensive is kept in the unit.
    fn run<P: Ports>(
        &self,
        ports: &P,
        actor: &Actor,
        unit: &mut Unit<'_, P::Log>,
    ) -> impl Future<Output = Result<Self::Answer, Refused>> + Send;

    /// What follows from its events outside of the log, once they are in it. Done again for a retry, so it must be able to bear that;
    /// whoever dies before it leaves it to others, who know from the log.
    fn afterwards<P: Ports>(&self, _: &P) -> impl Future<Output = Result<(), LogError>> + Send {
        std::future::ready(Ok(()))
    }
}

/// Under which id a use case is carried out, and what it belongs to.
#[derive(Debug, Clone)]
pub struct Order {
    /// The idempotency key; a fresh one is drawn when the caller gave none.
    pub command: Option<CommandId>,
    /// Digest of the whole request, to tell a retry from another request under the same key.
    pub request_digest: String,
    /// The trace or business process that this belongs to.
    pub correlation: String,
    /// What caused it, where something in Sekisho did.
    pub causation: Option<String>,
}

/// Carried out: the answer, and the position from which on every reader sees it.
#[derive(Debug)]
pub struct Done<T> {
    /// What the use case answered.
    pub answer: T,
    /// The position of its last event.
    pub position: Position,
    /// Whether it was carried out before, and this is the answer of then.
    pub repeated: bool,
}

/// Carries out a use case exactly once for its command id, and what follows from it.
pub async fn carry_out<P: Ports, U: UseCase>(
    ports: &P,
    actor: &Actor,
    order: Order,
    use_case: &U,
) -> Result<Done<U::Answer>, CarryOutError> {
    let done = append_once(ports, actor, order, use_case).await?;
    use_case.afterwards(ports).await.map_err(CarryOutError::Log)?;
    Ok(done)
}

async fn append_once<P: Ports, U: UseCase>(
    ports: &P,
    actor: &Actor,
    order: Order,
    use_case: &U,
) -> Result<Done<U::Answer>, CarryOutError> {
    if let Some(command) = &order.command
        && let Some(earlier) = ports.log().find(command).await.map_err(CarryOutError::Log)?
    {
        return replay(&earlier, &order);
    }
    let command = order.command.clone().unwrap_or_else(|| CommandId::new(ports.entropy().id().to_string()));
    let kept = Kept::default();
    for attempt in 1..=ATTEMPTS_MAX {
        let failure = match attempt_once(ports, actor, &command, &order, &kept, use_case).await {
            Ok(done) => return Ok(done),
            Err(failure) => failure,
        };
        match failure {
            CarryOutError::Log(_) | CarryOutError::Overloaded | CarryOutError::KeyReused => {
                return Err(failure);
            }
            CarryOutError::Refused(_) | CarryOutError::Taken(_) | CarryOutError::Conflict => {}
        }
        // What stood in the way may be this very command: a retry that overtook us has the answer.
        if let Some(earlier) = ports.log().find(&command).await.map_err(CarryOutError::Log)? {
            return replay(&earlier, &order);
        }
        match failure {
            CarryOutError::Conflict => {
                tracing::debug!(command.id = command.as_str(), attempt, "append conflict");
                if attempt < ATTEMPTS_MAX {
                    ports.log().give_way(pause_after(attempt, ports.entropy())).await;
                }
            }
            CarryOutError::Refused(_)
            | CarryOutError::Taken(_)
            | CarryOutError::Log(_)
            | CarryOutError::Overloaded
            | CarryOutError::KeyReused => return Err(failure),
        }
    }
    Err(CarryOutError::Conflict)
}

/// Anything from nothing to the whole pause, at random: those who collided once are not to collide in step.
fn pause_after(attempt: u32, entropy: &impl Entropy) -> Duration {
    let longest = PAUSE_MILLIS_FIRST.saturating_mul(1 << (attempt - 1).min(16)).min(PAUSE_MILLIS_MAX);
    let [one, two, ..] = entropy.secret();
    let share = u64::from(u16::from_be_bytes([one, two]));
    Duration::from_micros(longest * 1_000 * share / u64::from(u16::MAX))
}

async fn attempt_once<P: Ports, U: UseCase>(
    ports: &P,
    actor: &Actor,
    command: &CommandId,
    order: &Order,
    kept: &Kept,
    use_case: &U,
) -> Result<Done<U::Answer>, CarryOutError> {
    let stamp = Stamp {
        command: command.clone(),
        actor: actor.clone(),
        correlation: order.correlation.clone(),
        causation: order.causation.clone(),
        occurred_at: ports.clock().now(),
    };
    let mut unit = Unit::new(ports.log(), stamp, kept);
    let answer = use_case.run(ports, actor, &mut unit).await?;
    let kept = serde_json::to_string(&answer).map_err(|error| Refused::Invalid(error.to_string()))?;
    let position = ports.log().append(unit.into_batch(order.request_digest.clone(), kept)).await?;
    Ok(Done { answer, position, repeated: false })
}

fn replay<T: DeserializeOwned>(earlier: &Recorded, order: &Order) -> Result<Done<T>, CarryOutError> {
    if earlier.request_digest != order.request_digest {
        return Err(CarryOutError::KeyReused);
    }
    let answer = serde_json::from_str(&earlier.answer).map_err(|_| CarryOutError::KeyReused)?;
    Ok(Done { answer, position: earlier.position, repeated: true })
}

#[cfg(test)]
mod tests;
