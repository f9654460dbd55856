//! Framing: limits first, then that no chunking changes what is read or what is relayed.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;

/// All events of a stream given in these chunks, and what was left unfinished.
fn frame(chunks: &[&[u8]]) -> (Vec<Event>, Vec<u8>) {
    let mut framer = Framer::new(SSE_EVENT_BYTES_MAX);
    let mut events = Vec::new();
    for chunk in chunks {
        framer.push(Bytes::copy_from_slice(chunk));
        while let Some(event) = framer.next_event().expect("within the limit") {
            events.push(event);
        }
    }
    (events, framer.unfinished().to_vec())
}

type Fields = (Option<Bytes>, Option<Vec<u8>>, Option<Vec<u8>>);

/// What a client would read.
fn fields(events: &[Event]) -> Vec<Fields> {
    let read =
        |event: &Event| (event.data(), event.name().map(<[u8]>::to_vec), event.id().map(<[u8]>::to_vec));
    events.iter().map(read).filter(|fields| *fields != (None, None, None)).collect()
}

fn relayed(events: &[Event], unfinished: &[u8]) -> Vec<u8> {
    events.iter().flat_map(|event| event.raw().iter()).chain(unfinished).copied().collect()
}

#[test]
fn an_endless_line_is_refused_at_the_limit_and_holds_no_more_than_it() {
    let mut framer = Framer::new(10_000);
    let mut pushed = 0;
    let refused = loop {
        framer.push(Bytes::from(vec![b'x'; 700]));
        pushed += 700;
        if let Err(refused) = framer.next_event() {
            break refused;
        }
    };
    assert_eq!(refused, EventTooLarge { limit: 10_000 });
    assert!((10_000..10_700).contains(&pushed) && framer.unfinished().len() <= 10_000);
}

#[test]
fn many_short_lines_without_a_blank_one_are_one_event_and_bounded_too() {
    let mut framer = Framer::new(1000);
    framer.push(Bytes::from(b"data: x\n".repeat(200)));
    assert!(framer.next_event().is_err());
}

#[test]
fn the_limit_does_not_depend_on_the_chunks() {
    let event = |size: usize| [vec![b'x'; size - 2], b"\n\n".to_vec()].concat();
    for chunk in [1, 7, 64] {
        for (size, fits) in [(32, true), (33, false)] {
            let mut framer = Framer::new(32);
            let stream = event(size);
            let fine = stream.chunks(chunk).all(|chunk| {
                framer.push(Bytes::copy_from_slice(chunk));
                framer.next_event().is_ok()
            });
            assert_eq!(fine, fits, "{size} bytes in chunks of {chunk}");
        }
    }
}

#[test]
fn an_unfinished_event_is_not_given_out() {
    let (events, unfinished) = frame(&[b"data: 1\n\ndata: {\"half", b"\":"]);
    assert_eq!((events.len(), &unfinished[..]), (1, &b"data: {\"half\":"[..]));
}

#[test]
fn an_event_that_ends_in_cr_is_given_out_before_its_lf_comes() {
    let (events, _) = frame(&[b"data: 1\r\n\r"]);
    assert_eq!(events.len(), 1);
    let (events, _) = frame(&[b"data: 1\r\n\r", b"\n", b"data: 2\r\n\r\n"]);
    assert_eq!(
        events.iter().map(|event| &event.raw()[..]).collect::<Vec<_>>(),
        [&b"data: 1\r\n\r"[..], b"\n", b"data: 2\r\n\r\n"]
    );
}

#[test]
fn whole_events_are_slices_of_their_chunk() {
    let chunk = Bytes::from_static(b"data: 1\n\ndata: 2\n\n");
    let mut framer = Framer::new(100);
    framer.push(chunk.clone());
    let first = framer.next_event().expect("fits").expect("an event");
    assert_eq!(first.raw().as_ptr(), chunk.as_ptr());
}

/// Streams made of what matters to framing: line endings, fields, comments, the byte-order mark, any bytes.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec!["\n", "\r", "\r\n", "\n\n", "\r\r", "\r\n\r\n"]).prop_map(|text| text.as_bytes().to_vec()),
        4 => prop::sample::select(vec!["data: {\"a\":1}", "data:", "data", "id: 7", "event: message", ": note", "retry: 5", "\u{feff}", "x"])
            .prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..5),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_chunking_changes_the_events_or_a_byte(stream in stream(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12)) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let chunks: Vec<&[u8]> = cuts.windows(2).map(|cut| &stream[cut[0]..cut[1]]).collect();
        let (whole, rest_of_whole) = frame(&[&stream]);
        let (cut, rest_of_cut) = frame(&chunks);
        prop_assert_eq!(fields(&whole), fields(&cut));
        prop_assert_eq!(&rest_of_whole, &rest_of_cut);
        prop_assert_eq!(&relayed(&whole, &rest_of_whole), &stream);
        prop_assert_eq!(&relayed(&cut, &rest_of_cut), &stream);
    }

    #[test]
    fn an_edited_event_reads_as_edited(stream in stream(), payload in "[a-z{}\"]{0,12}") {
        for (index, event) in frame(&[&stream]).0.into_iter().enumerate() {
            if event.data().is_some() {
                let edited = event.with_data(payload.as_bytes());
                let before: &[u8] = if index == 0 { b"" } else { b"\n" }; // a byte-order mark counts at the start only
                let (read, rest) = frame(&[before, &edited]);
                prop_assert!(rest.is_empty());
                let expected = (
                    Some(Bytes::from(payload.clone())),
                    event.name().map(<[u8]>::to_vec),
                    event.id().map(<[u8]>::to_vec),
                );
                prop_assert_eq!(fields(&read), [expected]);
            }
        }
    }
}
