//! An HTTP proxy that makes tunnels, or refuses to.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A proxy on a free port of the loopback interface, whose threads end with the process.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Starts a proxy whose tunnels all end at `target`, whatever is asked for.
    ///
    /// # Errors
    ///
    /// Those of binding the port.
    pub fn to(target: SocketAddr) -> io::Result<Proxy> {
        Self::start(move |client| {
            let mut server = TcpStream::connect(target)?;
            client.write_all(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")?;
            let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
            std::thread::spawn(move || {
                let _ = io::copy(&mut from_client, &mut to_server);
                let _ = to_server.shutdown(Shutdown::Write);
            });
            io::copy(&mut server, client)?;
            Ok(())
        })
    }

    /// Starts a proxy that answers every request with these bytes and hangs up.
    ///
    /// # Errors
    ///
    /// Those of binding the port.
    pub fn answering(answer: &'static str) -> io::Result<Proxy> {
        Self::start(move |client| client.write_all(answer.as_bytes()))
    }

    fn start(serve: impl Fn(&mut TcpStream) -> io::Result<()> + Send + Sync + 'static) -> io::Result<Proxy> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (seen, serve) = (Arc::clone(&heads), Arc::new(serve));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (seen, serve) = (Arc::clone(&seen), Arc::clone(&serve));
                std::thread::spawn(move || {
                    let Ok(mut client) = client else { return };
                    let Ok(head) = read_head(&mut client) else { return };
                    seen.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(head);
                    // A client that goes away is what many tests do.
                    let _ = serve(&mut client);
                    let _ = client.shutdown(Shutdown::Both);
                });
            }
        });
        Ok(Proxy { address, heads })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The request heads it got, in order of arrival.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }
}

fn read_head(client: &mut TcpStream) -> io::Result<String> {
    client.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    client.set_read_timeout(None)?;
    Ok(String::from_utf8_lossy(&head).into_owned())
}
