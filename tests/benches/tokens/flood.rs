//! A flood of bcrypt work: so many callers, each with a client of its own and a secret that is wrong, again and again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Callers that go on until this is dropped.
pub(crate) struct Flood {
    callers: JoinSet<()>,
    answers: Arc<Mutex<BTreeMap<u16, u64>>>,
}

impl Flood {
    /// Begins.
    pub(crate) fn begin(address: &str, requests: &[Arc<[u8]>]) -> Self {
        let answers = Arc::new(Mutex::new(BTreeMap::new()));
        let mut callers = JoinSet::new();
        for request in requests {
            let (address, request, answers) = (address.to_owned(), Arc::clone(request), Arc::clone(&answers));
            callers.spawn(async move {
                loop {
                    let status = ask(&address, &request).await;
                    *answers.lock().unwrap_or_else(PoisonError::into_inner).entry(status).or_default() += 1;
                }
            });
        }
        Self { callers, answers }
    }

    /// Ends, and tells how many were answered with which status.
    pub(crate) fn end(mut self) -> BTreeMap<u16, u64> {
        self.callers.abort_all();
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One request on a connection of its own; the status that it is answered with.
async fn ask(address: &str, request: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(address).await.expect("it takes connections");
    stream.write_all(request).await.expect("the request goes out");
    let mut answer = vec![0; 4096];
    let mut read = 0;
    while !answer.get(..read).is_some_and(|read| read.windows(4).any(|four| four == b"\r\n\r\n")) {
        let room = answer.get_mut(read..).expect("a head is short");
        let more = stream.read(room).await.expect("the answer comes in");
        assert!(more > 0, "cut off");
        read += more;
    }
    let head = String::from_utf8_lossy(&answer);
    head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}
