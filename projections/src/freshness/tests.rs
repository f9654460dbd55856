use proptest::prelude::*;

use super::*;

const SECOND: i64 = 1_000_000;

fn at(micros: i64) -> Mono {
    Mono::default().plus_micros(100 * SECOND + micros)
}

fn clock(micros: i64) -> ServerClock {
    ServerClock { micros: 1_800_000_000 * SECOND + micros, started_micros: 7 }
}

fn map() -> ClockMap {
    ClockMap { clock: clock(0), sent: at(0) }
}

fn position(number: u64) -> Position {
    Position::new(number)
}

#[test]
fn a_watermark_that_comes_late_proves_what_it_would_have_proved_in_time() {
    let in_time = map().at_least(clock(SECOND), at(SECOND + 2_000)).unwrap();
    let late = map().at_least(clock(SECOND), at(9 * SECOND)).unwrap();
    assert_eq!(in_time, late);
    assert!(late <= at(SECOND), "when it came plays no part");
}

#[test]
fn a_map_is_of_no_use_when_it_is_old_or_of_another_server_or_when_the_clock_was_set_forward() {
    let reading = clock(SECOND);
    assert_eq!(map().at_least(reading, at(10 * SECOND + 1)), None, "old");
    assert_eq!(map().at_least(ServerClock { started_micros: 8, ..reading }, at(2 * SECOND)), None, "another");
    assert_eq!(map().at_least(clock(3_600 * SECOND), at(SECOND)), None, "ahead of this moment");
    let back = map().at_least(clock(-5 * SECOND), at(SECOND)).unwrap();
    assert!(back < at(-5 * SECOND), "set back it proves less, which is safe");
}

#[test]
fn a_head_proves_nothing_before_it_is_applied() {
    let mut proofs = Proofs::default();
    assert_eq!(proofs.add(position(5), at(1)), None);
    assert_eq!(proofs.add(position(7), at(2)), None);
    assert_eq!(proofs.applied(position(4)), None);
    assert_eq!(proofs.applied(position(6)), Some(at(1)));
    assert_eq!(proofs.oldest(), Some((position(7), at(2))));
    assert_eq!(proofs.applied(position(7)), Some(at(2)));
    assert_eq!(proofs.add(position(3), at(3)), Some(at(3)), "it is held already");
}

#[test]
fn a_view_is_fresh_for_as_long_as_the_bound_and_no_longer() {
    let freshness = Freshness::new(Duration::from_secs(1), None);
    assert!(!freshness.holds(freshness.as_of()), "nothing is proved of a new view");
    let long_ago = Mono::from_nanos(freshness.now().nanos() - 2_000_000_000);
    freshness.proved(Position::START, long_ago);
    assert!(!freshness.holds(freshness.as_of()));
    freshness.proved(Position::START, freshness.now());
    assert!(freshness.holds(freshness.as_of()));
    freshness.proved(Position::START, long_ago);
    assert!(freshness.holds(freshness.as_of()), "what is proved stays proved");
}

#[test]
fn many_heads_that_are_waited_for_take_no_more_room_than_is_set() {
    let mut proofs = Proofs::default();
    for number in 1..10_000 {
        proofs.add(position(number), at(i64::try_from(number).unwrap()));
    }
    assert_eq!(proofs.applied(position(20)), Some(at(20)), "the first ones are kept");
}

proptest! {
    /// Two clocks that drift within what is allowed, and a round trip of any length: what is promised was never later than what is true.
    #[test]
    fn what_a_map_promises_is_never_later_than_the_truth(
        trip in 0_i64..500_000, within in 0_i64..=100, drift in -900_i64..=900, elapsed in -5_000_000_i64..9_000_000, delay in 0_i64..300_000,
    ) {
        // The server read its clock somewhere within the round trip, and its clock runs `drift` millionths too fast.
        let read_at = trip * within / 100;
        let truth = read_at + elapsed;
        let reading = clock(elapsed + elapsed * drift / 1_000_000);
        let received = at((truth + delay).max(trip));
        if let Some(promised) = map().at_least(reading, received) {
            prop_assert!(promised <= at(truth), "{promised:?} is after {:?}", at(truth));
        }
    }

    /// A short trip loses little.
    #[test]
    fn what_a_map_promises_is_earlier_by_no_more_than_the_trip_and_the_drift(trip in 0_i64..2_000, elapsed in 0_i64..9_000_000) {
        let promised = map().at_least(clock(elapsed), at(trip + elapsed)).unwrap();
        prop_assert!(at(trip + elapsed).since(promised) <= Duration::from_millis(2 + 10));
    }

    /// Whatever order heads come in, what is proved is the best of those that are applied, as far as they are kept.
    #[test]
    fn the_best_of_the_applied_heads_is_what_is_proved(heads in proptest::collection::vec((1_u64..40, 1_i64..1_000), 1..60), upto in 0_u64..45) {
        let mut proofs = Proofs::default();
        for (head, moment) in &heads {
            proofs.add(position(*head), at(*moment));
        }
        let best = heads.iter().filter(|(head, _)| *head <= upto).map(|(_, moment)| at(*moment)).max();
        prop_assert_eq!(proofs.applied(position(upto)), best);
    }
}
