//! The links themselves: chaos behind a link that lets everything pass would prove nothing.

use std::time::Duration;

use harness::{Direction, Link, Target, Weather};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Longer than anything takes that passes.
const LONG: Duration = Duration::from_secs(20);
/// So long nothing comes that is held.
const SHORT: Duration = Duration::from_millis(300);

/// A link to something that says everything back.
async fn link_to_echo() -> Link {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                tokio::io::copy(&mut read, &mut write).await
            });
        }
    });
    Link::to(Target::Tcp(address)).await
}

async fn heard(stream: &mut TcpStream) -> Option<u8> {
    let heard = timeout(SHORT, stream.read_u8()).await.ok()?;
    Some(heard.unwrap())
}

async fn answered(stream: &mut TcpStream, byte: u8) {
    stream.write_u8(byte).await.unwrap();
    assert_eq!(timeout(LONG, stream.read_u8()).await.unwrap().unwrap(), byte);
}

#[tokio::test]
async fn what_is_cut_silently_is_held_in_either_direction_and_comes_once_when_it_heals() {
    let link = link_to_echo().await;
    let mut stream = TcpStream::connect(link.address()).await.unwrap();
    answered(&mut stream, 1).await;
    let cuts = [Weather::Silent(Direction::ToServer), Weather::Silent(Direction::ToNode), Weather::Dark];
    for (byte, cut) in (2..).zip(cuts) {
        link.turn(cut);
        stream.write_u8(byte).await.unwrap();
        assert_eq!(heard(&mut stream).await, None, "{cut:?}");
        let mut late = TcpStream::connect(link.address()).await.unwrap();
        late.write_u8(byte).await.unwrap();
        assert_eq!(heard(&mut late).await, None, "{cut:?}: a new connection came about");
        link.heal();
        assert_eq!(timeout(LONG, stream.read_u8()).await.unwrap().unwrap(), byte);
        assert_eq!(timeout(LONG, late.read_u8()).await.unwrap().unwrap(), byte);
        answered(&mut stream, 9).await;
    }
}

#[tokio::test]
async fn what_is_reset_is_told_so_and_only_what_comes_after_it_healed_lives() {
    let link = link_to_echo().await;
    let mut before = TcpStream::connect(link.address()).await.unwrap();
    answered(&mut before, 1).await;
    link.turn(Weather::Reset);
    assert!(timeout(LONG, before.read_u8()).await.unwrap().is_err());
    if let Ok(mut during) = TcpStream::connect(link.address()).await {
        assert!(timeout(LONG, during.read_u8()).await.unwrap().is_err());
    }
    link.heal();
    let mut after = TcpStream::connect(link.address()).await.unwrap();
    answered(&mut after, 2).await;
    link.break_connections();
    assert!(timeout(LONG, after.read_u8()).await.unwrap().is_err());
}
