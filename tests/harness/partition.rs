//! A stretch of network between a node and a server: a TCP proxy that can be cut in one direction or both, break connections, be slow, and heal.
//!
//! What is cut silently is held, not lost: TCP sends again what was not acknowledged, so a connection that outlives a cut goes on where it
//! was. Whether one does is the choice of whoever heals: [`Link::heal`] lets it, [`Link::break_connections`] does not.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

const CHUNK_BYTES_MAX: usize = 16 * 1024;

/// What a link leads to.
#[derive(Debug, Clone)]
pub enum Target {
    /// A port.
    Tcp(SocketAddr),
    /// A socket in the file system.
    Unix(PathBuf),
}

/// Where bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the node to the server.
    ToServer,
    /// From the server to the node.
    ToNode,
}

/// What happens to bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// They pass.
    Clear,
    /// They pass after this long.
    Slow(Duration),
    /// Nothing passes in this direction, and nobody is told.
    Silent(Direction),
    /// Nothing passes at all, and nobody is told.
    Dark,
    /// Connections are reset, new ones too.
    Reset,
}

impl Weather {
    /// Whether bytes may go this way, and after how long.
    fn delay(self, direction: Direction) -> Option<Duration> {
        match self {
            Self::Clear => Some(Duration::ZERO),
            Self::Slow(delay) => Some(delay),
            Self::Silent(cut) if cut != direction => Some(Duration::ZERO),
            Self::Silent(_) | Self::Dark | Self::Reset => None,
        }
    }

    /// Whether a new connection comes about: that takes both directions.
    fn connects(self) -> bool {
        self.delay(Direction::ToServer).is_some() && self.delay(Direction::ToNode).is_some()
    }
}

#[derive(Debug, Clone, Copy)]
struct State {
    weather: Weather,
    /// Connections made before the last break are over.
    breaks: u64,
}

/// One link.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    state: watch::Sender<State>,
    accepting: JoinHandle<()>,
}

impl Link {
    /// A link to this server, on a free port.
    pub async fn to(target: Target) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (state, seen) = watch::channel(State { weather: Weather::Clear, breaks: 0 });
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, target.clone(), seen.clone()));
            }
        });
        Self { address, state, accepting }
    }

    /// Where the node finds it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on the weather is this.
    pub fn turn(&self, weather: Weather) {
        self.state.send_modify(|state| {
            state.weather = weather;
            if weather == Weather::Reset {
                state.breaks += 1;
            }
        });
    }

    /// Everything passes again, what was held first.
    pub fn heal(&self) {
        self.turn(Weather::Clear);
    }

    /// Resets what is connected now.
    pub fn break_connections(&self) {
        self.state.send_modify(|state| state.breaks += 1);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

async fn connect(target: &Target) -> io::Result<Box<dyn Stream>> {
    Ok(match target {
        Target::Tcp(address) => {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Box::new(stream)
        }
        Target::Unix(path) => Box::new(UnixStream::connect(path).await?),
    })
}

/// Carries one connection to its end.
async fn carry(mut client: TcpStream, target: Target, mut state: watch::Receiver<State>) {
    let made = state.borrow().breaks;
    let mut weather = state.clone();
    let over = state.wait_for(|now| now.breaks != made || now.weather == Weather::Reset);
    let whole = async {
        client.set_nodelay(true)?;
        let connects = weather.wait_for(|now| now.weather.connects()).await.is_ok();
        if !connects {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        let (from_server, to_server) = tokio::io::split(connect(&target).await?);
        let (from_node, to_node) = client.split();
        tokio::try_join!(
            pump(from_node, to_server, Direction::ToServer, weather.clone()),
            pump(from_server, to_node, Direction::ToNode, weather.clone()),
        )
    };
    let ended = tokio::select! {
        whole = whole => whole.is_ok(),
        _ = over => false, // also when the link is gone
    };
    if !ended {
        let _ = client.set_zero_linger(); // dropped, it is reset; one that is gone already needs none
    }
}

/// Carries one direction to its end.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    direction: Direction,
    mut state: watch::Receiver<State>,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK_BYTES_MAX];
    loop {
        let passes = |now: &State| now.weather.delay(direction).is_some();
        state.wait_for(passes).await.map_err(io::Error::other)?;
        let length = from.read(&mut chunk).await?;
        let delay = state.borrow().weather.delay(direction).unwrap_or_default();
        tokio::time::sleep(delay).await;
        // The weather may have changed while nothing was to be carried.
        state.wait_for(passes).await.map_err(io::Error::other)?;
        if length == 0 {
            return to.shutdown().await;
        }
        to.write_all(&chunk[..length]).await?;
    }
}
