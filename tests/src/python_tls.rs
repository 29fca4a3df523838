//! A TLS server that nobody here wrote: Python's `ssl`, which is OpenSSL.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};

/// Accepts WebSockets over TLS, sends each one message about its connection (version, cipher, whether the session was
/// resumed, the client certificate's name), and reads until the client closes. Ends with its standard input.
const SERVER: &str = r#"
import base64, hashlib, json, socket, ssl, sys, threading

wanted = json.loads(sys.argv[1])
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(wanted["cert"], wanted["key"])
if "version" in wanted:
    context.minimum_version = context.maximum_version = ssl.TLSVersion[wanted["version"]]
if "ciphers" in wanted:
    context.set_ciphers(wanted["ciphers"])
if "clients" in wanted:
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(wanted["clients"])

def session(tcp):
    try:
        tls = context.wrap_socket(tcp, server_side=True)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += tls.recv(4096)
        key = next(line[19:] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key: "))
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        subject = (tls.getpeercert() or {}).get("subject")
        client = subject[0][0][1] if subject else "nobody"
        kind = "resumed" if tls.session_reused else "full"
        text = f"{tls.version()} {tls.cipher()[0]} {kind} {client}".encode()
        tls.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n" + bytes([0x81, len(text)]) + text)
        while tls.recv(4096):
            pass
    except OSError:
        pass

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
def accept():
    while True:
        threading.Thread(target=session, args=(listener.accept()[0],), daemon=True).start()
threading.Thread(target=accept, daemon=True).start()
sys.stdin.read()
"#;

/// The server, until it is dropped.
#[derive(Debug)]
pub struct PythonTls {
    child: Child,
    /// Its port on the loopback interface.
    pub port: u16,
}

impl PythonTls {
    /// Starts a server. `wanted` is a JSON object: the paths `cert` and `key`; perhaps `version` (`TLSv1_2`), `ciphers`
    /// in OpenSSL's words, and `clients`, the path of the roots that clients' certificates must come from.
    ///
    /// `None` where there is no Python; `WS_TEST_PYTHON` may name one.
    ///
    /// # Errors
    ///
    /// If the server does not come up.
    pub fn start(folder: &Path, wanted: &serde_json::Value) -> Result<Option<PythonTls>> {
        let python = std::env::var_os("WS_TEST_PYTHON").unwrap_or_else(|| "python3".into());
        let probe = Command::new(&python).args(["-c", "import ssl"]).stderr(Stdio::null()).status();
        if !probe.is_ok_and(|status| status.success()) {
            return Ok(None);
        }
        let mut command = Command::new(python);
        command.current_dir(folder).args(["-c", SERVER, &wanted.to_string()]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("a pipe")?).read_line(&mut line)?;
        let port = line.trim().parse().with_context(|| format!("no port, but {line:?}"))?;
        Ok(Some(PythonTls { child, port }))
    }
}

impl Drop for PythonTls {
    fn drop(&mut self) {
        // The end of its input ends it; should it hang, it must not outlive the test either.
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
