//! A small HTTP server that strangers cannot block: connections beyond a limit drive out those that say nothing.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// How many connections there are at most; each takes a file descriptor from the test.
const MAX_CONNECTIONS: usize = 64;
/// How long a request may take to arrive.
const REQUEST_WITHIN: Duration = Duration::from_secs(10);
/// How long to wait after a connection could not be accepted, because there are no descriptors for example.
const AFTER_FAILURE: Duration = Duration::from_millis(50);

/// A connection at work.
struct Connection {
    task: AbortHandle,
    /// Its request has not come yet.
    waits: Arc<AtomicBool>,
}

/// Answers requests for ever, one for each connection.
pub(super) async fn serve(listener: TcpListener, router: Router) {
    // The oldest first.
    let mut open: VecDeque<Connection> = VecDeque::with_capacity(MAX_CONNECTIONS);
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(AFTER_FAILURE).await;
            continue;
        };
        if open.len() >= MAX_CONNECTIONS {
            open.retain(|connection| !connection.task.is_finished());
        }
        if open.len() >= MAX_CONNECTIONS {
            // A client that means it sends its request at once, so the one that has been silent for longest means it
            // least; if all are being answered, the slowest reader goes.
            let silent = open.iter().position(|connection| connection.waits.load(Ordering::Relaxed));
            if let Some(connection) = open.remove(silent.unwrap_or(0)) {
                connection.task.abort();
            }
        }
        let waits = Arc::new(AtomicBool::new(true));
        let task = tokio::spawn(answer(stream, router.clone(), Arc::clone(&waits))).abort_handle();
        open.push_back(Connection { task, waits });
    }
}

async fn answer(stream: TcpStream, router: Router, waits: Arc<AtomicBool>) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |request| {
        waits.store(false, Ordering::Relaxed);
        router.call(request)
    });
    // Without keep-alive a connection is silent only once, and a scraper that comes every few seconds loses nothing.
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(REQUEST_WITHIN).keep_alive(false);
    // Whatever goes wrong is the client's affair.
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
}
