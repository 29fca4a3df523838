//! One VU with as many sockets as a process may have descriptors for.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use ws_e2e::process::Run;
use ws_e2e::tool;

/// Sockets of the test: a process may open 20,000 descriptors where the limit is lowest.
const SOCKETS: usize = 15_000;

const SCRIPT: &str = "
import { WebSocket } from 'k6/websockets';

const count = Number(__ENV.SOCKETS);

export default function () {
  let open = 0, answered = 0, closed = 0, wrong = 0;
  const sockets = [];
  for (let i = 0; i < count; i++) {
    const ws = new WebSocket(__ENV.WS_URL);
    ws.onopen = () => {
      open += 1;
      sockets.push(ws);
      if (open === count) sockets.forEach((each, n) => each.send(`${n}`));
    };
    ws.onmessage = (e) => {
      answered += 1;
      if (sockets[Number(e.data)] !== ws) wrong += 1;
      if (answered === count) for (const each of sockets) each.close();
    };
    ws.onerror = (e) => { wrong += 1; console.error(e.error); };
    ws.onclose = () => {
      closed += 1;
      if (closed === count) console.log(`open ${open}, answered ${answered}, wrong ${wrong}`);
    };
  }
}
";

#[test]
fn fifteen_thousand_sockets_in_one_vu() {
    let tool = tool::ws();
    let mut echo = Command::new(&tool.path)
        .args(["echo", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the echo server starts");
    let mut line = String::new();
    BufReader::new(echo.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url =
        line.split_whitespace().find(|word| word.starts_with("ws://")).expect("it says where it listens");

    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("many.js");
    std::fs::write(&script, SCRIPT).unwrap();
    let finished = Run::script(tool, &script)
        .arg_value("--env", format!("WS_URL={url}"))
        .arg_value("--env", format!("SOCKETS={SOCKETS}"))
        .limit(Duration::from_secs(180))
        .finish();
    echo.kill().unwrap();
    echo.wait().unwrap();
    let finished = finished.unwrap();
    let expected = format!("open {SOCKETS}, answered {SOCKETS}, wrong 0");
    assert!(finished.stderr.contains(&expected), "{finished:#?}");
    assert_eq!(finished.code, Some(0), "{finished:#?}");
}
