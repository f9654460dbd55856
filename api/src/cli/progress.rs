//! How far a long piece of work is, on standard error: a bar that moves for a person at a terminal, a line now and then for a log.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use projections::{Progress, Stage};

const BAR_CHARS: u64 = 30;
const BAR_EVERY: Duration = Duration::from_millis(100);
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Shows progress.
pub(super) struct Shown {
    started: Instant,
    last: Option<(Instant, Stage)>,
    terminal: bool,
}

impl Shown {
    /// Nothing is shown yet.
    pub(super) fn start() -> Self {
        Self { started: Instant::now(), last: None, terminal: std::io::stderr().is_terminal() }
    }

    /// Shows how far it is, unless that was shown a moment ago.
    pub(super) fn show(&mut self, progress: Progress) {
        let every = if self.terminal { BAR_EVERY } else { LINE_EVERY };
        let is_news = self.last.is_none_or(|(at, stage)| stage != progress.stage || at.elapsed() >= every);
        if !is_news {
            return;
        }
        self.last = Some((Instant::now(), progress.stage));
        let text = told(progress, self.started.elapsed());
        let text =
            if self.terminal { format!("\r\x1b[K{} {text}", bar(progress)) } else { format!("{text}\n") };
        let _ = std::io::stderr().write_all(text.as_bytes()); // nobody watches
    }

    /// Gives the line back.
    pub(super) fn end(self) {
        if self.terminal {
            let _ = std::io::stderr().write_all(b"\r\x1b[K");
        }
    }
}

fn percent(progress: Progress) -> u64 {
    (100 * progress.position.get()).checked_div(progress.head.get()).unwrap_or(100).min(100)
}

fn bar(progress: Progress) -> String {
    let full = BAR_CHARS * percent(progress) / 100;
    (0..BAR_CHARS).map(|place| if place < full { '█' } else { '░' }).collect()
}

fn told(progress: Progress, elapsed: Duration) -> String {
    let what = match progress.stage {
        Stage::Folding => "folding",
        Stage::Writing => "writing rows",
        Stage::CatchingUp => "catching up",
        Stage::Swapping => "waiting to swap",
        Stage::Filling => "filling the stream",
    };
    let (position, head) = (progress.position.get(), progress.head.get());
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = position.saturating_mul(1_000) / millis;
    let left = match (progress.stage, head.saturating_sub(position).checked_div(rate)) {
        (Stage::Folding | Stage::CatchingUp | Stage::Filling, Some(seconds)) => {
            format!(", about {seconds} s left")
        }
        (Stage::Folding | Stage::CatchingUp | Stage::Writing | Stage::Swapping | Stage::Filling, _) => {
            String::new()
        }
    };
    format!("{:>3} %  {what}: {position} of {head} events, {rate}/s{left}", percent(progress))
}

#[cfg(test)]
mod tests {
    use domain::value::Position;

    use super::*;

    fn at(stage: Stage, position: u64, head: u64) -> Progress {
        Progress { stage, position: Position::new(position), head: Position::new(head), rows: 0 }
    }

    #[test]
    fn an_empty_log_is_no_division_by_zero() {
        let told = told(at(Stage::Folding, 0, 0), Duration::ZERO);
        assert_eq!(told, "100 %  folding: 0 of 0 events, 0/s");
    }

    #[test]
    fn the_rate_says_how_long_it_will_take() {
        let told = told(at(Stage::Folding, 500, 2_000), Duration::from_secs(1));
        assert_eq!(told, " 25 %  folding: 500 of 2000 events, 500/s, about 3 s left");
    }

    #[test]
    fn a_log_that_grew_meanwhile_is_not_more_than_all() {
        assert_eq!(percent(at(Stage::CatchingUp, 30, 20)), 100);
        assert_eq!(bar(at(Stage::CatchingUp, 30, 20)).chars().filter(|char| *char == '█').count(), 30);
    }
}
