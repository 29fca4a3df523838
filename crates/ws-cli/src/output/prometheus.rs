//! The live metrics for Prometheus to scrape, over HTTP on a thread of its own.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::{Mutex, oneshot};
use ws_engine::Clock;
use ws_metrics::PrometheusView;

use super::server;
use crate::error::CliError;
use crate::exit::ExitCode;
use crate::failpoint;
use crate::listen;

/// Serves `/metrics` until it is dropped.
pub(crate) struct Endpoint {
    addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Endpoint {
    /// Listens on `addr` (`host:port`; without a host on all addresses) before it returns, so that a port in use stops
    /// the command and not the test.
    pub(crate) fn start(addr: &str, view: PrometheusView, clock: Arc<dyn Clock>) -> Result<Self, CliError> {
        let listener = listen::bind(addr).map_err(|error| {
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
                        server::serve(listener, router(Page::new(view, clock))).await;
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
        format!("http://{}/metrics", listen::reachable(self.addr))
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

fn router(page: Page) -> Router {
    let page = Arc::new(Mutex::new(page));
    let metrics = move |headers: HeaderMap| {
        failpoint::here("prometheus");
        scrape(page.clone(), takes_gzip(&headers))
    };
    Router::new()
        .route("/metrics", get(metrics))
        .route("/", get(|| async { Html("<a href=\"/metrics\">metrics</a>\n") }))
}

async fn scrape(page: Arc<Mutex<Page>>, gzip: bool) -> Response {
    // The page stays locked until it is written, even if whoever asked for it has gone meanwhile: so many may ask, only
    // one is written at a time.
    let mut page = page.lock_owned().await;
    let Ok(body) = tokio::task::spawn_blocking(move || page.get(gzip)).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let head = [
        (header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"),
        (header::VARY, "accept-encoding"),
        (header::CONTENT_ENCODING, if gzip { "gzip" } else { "identity" }),
    ];
    (head, body).into_response()
}

/// Prometheus always does.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = quality.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()) == Some(0.0);
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

/// What a scrape is answered with. It is written anew at most once a second, and for at most a tenth of the time,
/// however many ask.
struct Page {
    view: PrometheusView,
    clock: Arc<dyn Clock>,
    written: Option<Written>,
}

struct Written {
    until: Instant,
    text: Bytes,
    gzip: Option<Bytes>,
}

impl Page {
    fn new(view: PrometheusView, clock: Arc<dyn Clock>) -> Self {
        Self { view, clock, written: None }
    }

    fn get(&mut self, gzip: bool) -> Bytes {
        let now = self.clock.now();
        let written = self.written.take().filter(|written| now < written.until);
        let mut written = written.unwrap_or_else(|| {
            let text = self.view.render().into();
            Written { until: now + Duration::from_secs(1), text, gzip: None }
        });
        if gzip && written.gzip.is_none() {
            written.gzip = Some(compress(&written.text).into());
        }
        let took = self.clock.now() - now;
        written.until = written.until.max(now + took * 10);
        let body = written.gzip.as_ref().filter(|_| gzip).unwrap_or(&written.text).clone();
        self.written = Some(written);
        body
    }
}

fn compress(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // A vector takes everything.
    let _ = encoder.write_all(text);
    encoder.finish().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};

    use flate2::read::GzDecoder;
    use ws_engine::{Bell, SystemClock};

    use super::*;

    fn start(addr: &str) -> Result<Endpoint, CliError> {
        Endpoint::start(addr, PrometheusView::new(), Arc::new(SystemClock))
    }

    fn try_request(addr: SocketAddr, path: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(addr)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    fn request(addr: SocketAddr, path: &str) -> String {
        try_request(addr, path).unwrap()
    }

    #[test]
    fn serves_the_view_until_it_is_dropped() {
        let endpoint = start("127.0.0.1:0").unwrap();
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

    /// Whether the server has closed the connection.
    fn is_closed(stream: &mut TcpStream) -> bool {
        stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        match stream.read(&mut [0]) {
            Ok(read) => read == 0,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }

    #[test]
    fn half_open_connections_keep_nobody_out() {
        let endpoint = start("127.0.0.1:0").unwrap();
        let mut silent = Vec::new();
        for round in 0..3 {
            for _ in 0..100 {
                let mut stream = TcpStream::connect(endpoint.addr).unwrap();
                // Some do not even begin.
                if silent.len() % 2 == 0 {
                    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: ").unwrap();
                }
                silent.push(stream);
            }
            let answer = request(endpoint.addr, "/metrics");
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "round {round}: {answer}");
        }
        let closed: Vec<_> = silent.iter_mut().map(is_closed).collect();
        let open = closed.iter().filter(|closed| !**closed).count();
        assert!(open <= 64, "{open} are still open");
        assert_eq!(closed[..200], [true; 200], "the oldest go first");
    }

    #[test]
    fn slow_readers_keep_nobody_out() {
        let view = PrometheusView::new();
        let endpoint = Endpoint::start("127.0.0.1:0", view, Arc::new(SystemClock)).unwrap();
        let readers: Vec<_> = (0..200)
            .map(|_| {
                let mut stream = TcpStream::connect(endpoint.addr).unwrap();
                // It is driven out before it has been answered, or not.
                let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n");
                stream
            })
            .collect();
        let answer = request(endpoint.addr, "/metrics");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        drop(readers);
    }

    /// Steps from one reading to the next.
    struct Steps(parking_lot::Mutex<Vec<Instant>>);

    impl Clock for Steps {
        fn now(&self) -> Instant {
            self.0.lock().pop().expect("no more readings than expected")
        }

        fn wait(&self, _: &Bell, _: Option<Instant>) {}
    }

    #[test]
    fn a_page_is_kept_for_a_second_or_ten_times_the_work() {
        let began = Instant::now();
        // Each time before and after.
        let readings = [0, 500, 4999, 4999, 5000, 5001, 5999, 5999, 6000, 6000];
        let mut readings = readings.map(|millis| began + Duration::from_millis(millis)).to_vec();
        readings.reverse();
        let mut page = Page::new(PrometheusView::new(), Arc::new(Steps(readings.into())));
        let mut last = page.get(false);
        for is_new in [false, true, false, true] {
            let body = page.get(false);
            assert_eq!(body.as_ptr() != last.as_ptr(), is_new);
            last = body;
        }
    }

    #[test]
    fn a_page_is_compressed_for_those_who_take_it() {
        let mut page = Page::new(PrometheusView::new(), Arc::new(SystemClock));
        let (text, packed) = (page.get(false), page.get(true));
        let mut unpacked = Vec::new();
        GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).unwrap();
        assert!(text.starts_with(b"# HELP"), "{text:?}");
        assert_eq!(unpacked, text);
        for (accepted, takes) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("identity", false),
            ("gzip;q=0", false),
            ("gzip; q=0.0", false),
            ("gzipped", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, accepted.parse().unwrap());
            assert_eq!(takes_gzip(&headers), takes, "{accepted}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn a_port_in_use_is_one_clear_line() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = taken.local_addr().unwrap().to_string();
        let Err(error) = start(&addr) else { panic!("bound twice") };
        assert_eq!(error.code, ExitCode::CannotListen);
        assert!(
            error.message.starts_with(&format!("cannot serve Prometheus metrics on '{addr}': ")),
            "{error}"
        );
        assert_eq!(error.message.lines().count(), 1);
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(start("nonsense").is_err());
    }
}
