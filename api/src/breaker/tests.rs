//! What opens a breaker, what closes it, and who finds out.

use super::*;

const OPEN: Duration = Duration::from_secs(30);

fn breaker(failures_max: u32) -> Breaker {
    Breaker::new(failures_max, OpenTime::Always(OPEN))
}

fn opened(at: Instant) -> Breaker {
    let breaker = breaker(3);
    for _ in 0..3 {
        breaker.permit(at).unwrap().failed(Failure::Certain, at);
    }
    breaker
}

#[test]
fn attack_36_failures_in_a_row_open_it_and_an_answer_between_them_does_not() {
    let now = Instant::now();
    let closed = breaker(3);
    for _ in 0..5 {
        closed.permit(now).unwrap().failed(Failure::Certain, now);
        closed.permit(now).unwrap().failed(Failure::Certain, now);
        closed.permit(now).unwrap().succeeded();
    }
    assert_eq!(closed.state(now), BreakerState::Closed);
    let breaker = opened(now);
    assert_eq!(breaker.state(now), BreakerState::Open);
    let held_back = breaker.permit(now + Duration::from_secs(29)).unwrap_err();
    assert_eq!(held_back.wait, Duration::from_secs(1));
}

#[test]
fn attack_36_when_its_time_is_up_one_request_finds_out_and_the_others_wait() {
    let now = Instant::now();
    let breaker = opened(now);
    let probe = breaker.permit(now + OPEN).unwrap();
    assert!(probe.is_probe());
    assert!(breaker.permit(now + OPEN).is_err(), "one is enough");
    assert_eq!(probe.failed(Failure::Certain, now + OPEN), Some(BreakerState::Open));
    assert_eq!(breaker.state(now + OPEN), BreakerState::Open);
    let probe = breaker.permit(now + OPEN + OPEN).unwrap();
    assert_eq!(probe.succeeded(), Some(BreakerState::Closed));
    assert_eq!(breaker.state(now + OPEN + OPEN), BreakerState::Closed);
}

#[test]
fn a_request_that_left_while_it_was_to_find_out_lets_the_next_one() {
    let now = Instant::now();
    let breaker = opened(now.checked_sub(OPEN).unwrap());
    drop(breaker.permit(now).unwrap());
    assert!(breaker.permit(Instant::now()).is_ok());
}

#[test]
fn what_was_sent_before_it_opened_keeps_it_open_no_longer() {
    let now = Instant::now();
    let breaker = breaker(1);
    let (first, late) = (breaker.permit(now).unwrap(), breaker.permit(now).unwrap());
    first.failed(Failure::Certain, now);
    late.failed(Failure::Certain, now + OPEN);
    assert_eq!(breaker.state(now + OPEN), BreakerState::HalfOpen);
}

#[test]
fn doubts_alone_open_nothing_but_a_check_that_fails_does() {
    let now = Instant::now();
    let breaker = breaker(3);
    for _ in 0..2 {
        breaker.permit(now).unwrap().failed(Failure::Doubtful, now);
    }
    assert!(!breaker.wants_a_check(now), "two are not three");
    assert_eq!(breaker.check_failed(now), None, "nobody had asked for it");
    for _ in 0..50 {
        breaker.permit(now).unwrap().failed(Failure::Doubtful, now);
    }
    assert!(breaker.wants_a_check(now) && breaker.is_doubted());
    assert_eq!(breaker.state(now), BreakerState::Closed);
    assert_eq!(breaker.answered(), None);
    assert!(!breaker.is_doubted(), "it is there");
    for _ in 0..3 {
        breaker.permit(now).unwrap().failed(Failure::Doubtful, now);
    }
    assert_eq!(breaker.check_failed(now), Some(BreakerState::Open));
}

#[test]
fn a_check_comes_before_any_request_and_then_lets_one_have_its_turn() {
    let now = Instant::now();
    let breaker = opened(now);
    assert!(!breaker.wants_a_check(now));
    assert!(breaker.wants_a_check(now + OPEN / 2));
    assert_eq!(breaker.check_failed(now + OPEN / 2), None);
    assert!(!breaker.wants_a_check(now + OPEN), "a request may find out now");
    assert!(breaker.wants_a_check(now + OPEN + OPEN / 2), "but none came");
    breaker.check_failed(now + OPEN + OPEN / 2);
    assert_eq!(breaker.state(now + OPEN + OPEN / 2), BreakerState::Open);
}

#[test]
fn a_check_closes_it_while_a_request_that_is_to_find_out_hangs() {
    let now = Instant::now();
    let breaker = opened(now);
    let hangs = breaker.permit(now + OPEN).unwrap();
    assert!(breaker.wants_a_check(now + OPEN + OPEN / 2));
    assert_eq!(breaker.answered(), Some(BreakerState::Closed));
    assert_eq!(hangs.failed(Failure::Certain, now + OPEN + OPEN), None, "one failure is not three");
    assert!(breaker.permit(now + OPEN + OPEN).is_ok());
}

#[test]
fn each_time_in_a_row_it_is_open_for_longer_up_to_the_bound() {
    let (first, max) = (Duration::from_secs(1), Duration::from_mins(1));
    let breaker = Breaker::new(1, OpenTime::Growing { first, max });
    let mut now = Instant::now();
    for round in 0..40 {
        breaker.permit(now).unwrap().failed(Failure::Certain, now);
        let wait = breaker.permit(now).unwrap_err().wait;
        let due = first.saturating_mul(1 << round.min(10)).min(max);
        assert!(wait >= due.mul_f64(0.79) && wait <= due.mul_f64(1.21), "{round}: {wait:?} for {due:?}");
        now += wait;
    }
    breaker.permit(now).unwrap().succeeded();
    breaker.permit(now).unwrap().failed(Failure::Certain, now);
    assert!(breaker.permit(now).unwrap_err().wait < Duration::from_secs(2), "it was there in between");
}
