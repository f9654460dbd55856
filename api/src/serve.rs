//! Accepting connections: HTTP/1.1 and HTTP/2, bounded headers and patience, and an orderly end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::router::Surface;
use crate::shutdown::Shutdown;

/// A client that takes longer to send its headers is cut off.
const HEADERS_WAIT: Duration = Duration::from_secs(15);
const HEADERS_BYTES_MAX: usize = 64 * 1024;
const HEADERS_COUNT_MAX: usize = 100;
/// Connections open at once; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 20_000;
/// How long a client may leave what was sent to it unread. hyper asks nobody while the client's window is closed: only the kernel ends
/// such a connection.
#[cfg(target_os = "linux")]
const UNREAD_MILLISECONDS_MAX: u32 = 120_000;
/// Requests under way on one HTTP/2 connection.
const STREAMS_MAX: u32 = 64;
/// After a failed accept (usually: out of file descriptors) there is nothing to do but wait.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(50);

/// Serves until the soft token; then lets answers under way end, until the hard one.
pub(crate) async fn serve(listener: TcpListener, surface: Surface, shutdown: Shutdown) {
    let (soft, hard) = (shutdown.soft(), shutdown.hard());
    let graceful = GracefulShutdown::new();
    let surface = Arc::new(surface);
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let builder = builder();
    loop {
        let accepted = tokio::select! {
            () = soft.cancelled() => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, peer, place)) = accepted else { continue };
        let surface = Arc::clone(&surface);
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let (surface, request): (_, Request) = (Arc::clone(&surface), request.map(axum::body::Body::new));
            async move { Ok::<_, Infallible>(surface.answer(request, peer).await) }
        });
        let (builder, watcher) = (builder.clone(), graceful.watcher());
        let (soft, hard) = (soft.clone(), hard.clone());
        tokio::spawn(async move {
            // hyper's own clock starts with the first byte: whoever sends none is not waited for longer than for headers.
            let spoken = tokio::select! {
                spoken = tokio::time::timeout(HEADERS_WAIT, stream.readable()) => matches!(spoken, Ok(Ok(()))),
                () = soft.cancelled() => false,
            };
            if !spoken {
                return;
            }
            let connection =
                watcher.watch(builder.serve_connection(TokioIo::new(stream), service).into_owned());
            tokio::select! {
                ended = connection => if let Err(error) = ended {
                    tracing::trace!(error = %error, "a connection ended early");
                },
                () = hard.cancelled() => {}
            }
            drop(place);
        });
    }
    drop(listener);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = hard.cancelled() => {}
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            let _ = stream.set_nodelay(true); // answers are small and somebody waits for each
            let _ = rustix::net::sockopt::set_socket_keepalive(&stream, true); // finds the clients that vanished from a silent stream
            #[cfg(target_os = "linux")]
            let _ = rustix::net::sockopt::set_tcp_user_timeout(&stream, UNREAD_MILLISECONDS_MAX);
            Some((stream, peer, place))
        }
        Err(error) => {
            tracing::warn!(error = %error, "a connection cannot be accepted");
            tokio::time::sleep(PAUSE_AFTER_ERROR).await;
            None
        }
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WAIT)
        .max_buf_size(HEADERS_BYTES_MAX)
        .max_headers(HEADERS_COUNT_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(64 * 1024)
        .max_concurrent_streams(STREAMS_MAX)
        .keep_alive_interval(Duration::from_secs(30));
    builder
}
