//! The live metrics for Prometheus to scrape, over HTTP on a thread of its own.

use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::thread::JoinHandle;

use axum::Router;
use axum::http::header;
use axum::response::Html;
use axum::routing::get;
use tokio::sync::oneshot;
use ws_metrics::PrometheusView;

use crate::error::CliError;
use crate::exit::ExitCode;

/// Serves `/metrics` until it is dropped.
pub(crate) struct Endpoint {
    addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Endpoint {
    /// Listens on `addr` (`host:port`; without a host on all addresses) before it returns, so that a port in use stops
    /// the command and not the test.
    pub(crate) fn start(addr: &str, view: PrometheusView) -> Result<Self, CliError> {
        let listener = bind(addr).map_err(|error| {
            CliError::new(
                ExitCode::CannotListen,
                format!("cannot serve Prometheus metrics on '{addr}': {error}; choose another --prometheus address"),
            )
        })?;
        let failed = |error: std::io::Error| {
            CliError::generic(format!("cannot serve Prometheus metrics on '{addr}': {error}"))
        };
        let bound = listener.local_addr().map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(failed)?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("prometheus".to_owned())
            .spawn(move || {
                runtime.spawn(async move {
                    if let Ok(listener) = tokio::net::TcpListener::from_std(listener) {
                        // It only ends with the runtime.
                        let _ = axum::serve(listener, router(view)).await;
                    }
                });
                // Either way the endpoint is to end: the sender has sent, or is gone.
                let _ = runtime.block_on(stopped);
                // Whoever still reads is not waited for.
                runtime.shutdown_background();
            })
            .map_err(failed)?;
        Ok(Self { addr: bound, stop: Some(stop), thread: Some(thread) })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/metrics", self.addr)
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported where it happened.
            let _ = thread.join();
        }
    }
}

fn bind(addr: &str) -> std::io::Result<TcpListener> {
    let with_host = if addr.starts_with(':') { format!("0.0.0.0{addr}") } else { addr.to_owned() };
    let addrs: Vec<SocketAddr> = with_host.to_socket_addrs()?.collect();
    TcpListener::bind(addrs.as_slice())
}

fn router(view: PrometheusView) -> Router {
    let metrics = move || async move {
        ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], view.render())
    };
    Router::new()
        .route("/metrics", get(metrics))
        .route("/", get(|| async { Html("<a href=\"/metrics\">metrics</a>\n") }))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;

    fn request(addr: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(addr).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn serves_the_view_until_it_is_dropped() {
        let endpoint = Endpoint::start("127.0.0.1:0", PrometheusView::new()).unwrap();
        let addr = endpoint.addr;
        assert_eq!(endpoint.url(), format!("http://{addr}/metrics"));
        let answer = request(addr, "/metrics");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{answer}");
        assert!(answer.contains("# TYPE "), "{answer}");
        assert!(request(addr, "/nothing").starts_with("HTTP/1.1 404 "));
        drop(endpoint);
        assert!(TcpStream::connect(addr).is_err());
    }

    #[test]
    fn a_port_in_use_is_one_clear_line() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = taken.local_addr().unwrap().to_string();
        let Err(error) = Endpoint::start(&addr, PrometheusView::new()) else { panic!("bound twice") };
        assert_eq!(error.code, ExitCode::CannotListen);
        assert!(
            error.message.starts_with(&format!("cannot serve Prometheus metrics on '{addr}': ")),
            "{error}"
        );
        assert_eq!(error.message.lines().count(), 1);
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(Endpoint::start("nonsense", PrometheusView::new()).is_err());
    }
}
