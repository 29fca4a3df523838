//! The example scripts and the README's main command.

use std::path::PathBuf;

use ws_e2e::process::{Finished, Run};
use ws_e2e::server::TestServer;
use ws_e2e::tool::{self, Kind, workspace};

fn example(name: &str) -> PathBuf {
    workspace().join("examples").join(name)
}

/// Runs an example against `ws`'s own echo server, or, for another program, against the tests' one.
fn run(name: &str, args: &[&str]) -> Finished {
    let tool = tool::ws();
    let run = Run::script(tool, &example(name)).args(args);
    if tool.kind == Kind::Ws {
        return run.args(["--echo"]).finish().unwrap();
    }
    let server = TestServer::start().unwrap();
    run.arg_value("--env", format!("WS_URL={}/echo", server.url())).finish().unwrap()
}

/// Runs an example that must succeed, with every check passed.
fn passes(name: &str, args: &[&str]) -> Finished {
    let finished = run(name, args);
    assert_eq!(finished.code, Some(0), "{name}: {finished:#?}");
    assert!(finished.stdout.contains("checks_succeeded"), "{name}: {finished:#?}");
    assert!(finished.stdout.contains("100.00%"), "{name}: {finished:#?}");
    assert!(finished.errors().is_empty(), "{name}: {finished:#?}");
    finished
}

#[test]
fn echo() {
    assert_eq!(passes("echo.js", &[]).console(), ["received: hello"]);
}

#[test]
fn chat() {
    let finished = passes("chat.js", &["--vus", "3", "--duration", "1s"]);
    assert!(finished.stdout.contains("chat_latency"), "{finished:#?}");
}

#[test]
fn binary() {
    let finished = passes("binary.js", &["--vus", "2", "--iterations", "4"]);
    assert!(finished.stdout.contains("120 out of 120"), "{finished:#?}");
}

#[test]
fn many() {
    let finished = passes("many.js", &["--vus", "2", "--iterations", "2", "--extended-metrics"]);
    assert!(finished.stdout.contains("602 out of 602"), "{finished:#?}");
    assert!(finished.stdout.contains("ws_msg_latency..."), "{finished:#?}");
}

#[test]
fn thresholds() {
    let finished = passes("thresholds.js", &[]);
    assert!(finished.stdout.contains("✓ 'count==20'"), "{finished:#?}");
}

#[test]
fn every_example_is_tested() {
    let mut names = std::fs::read_dir(example(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect::<Vec<_>>();
    names.sort();
    assert_eq!(names, ["binary.js", "chat.js", "echo.js", "many.js", "thresholds.js"]);
}

/// The script printed in the README is the one that its command runs.
#[test]
fn the_readme_shows_the_script_that_it_runs() {
    let readme = std::fs::read_to_string(workspace().join("README.md")).unwrap();
    let script = std::fs::read_to_string(example("echo.js")).unwrap();
    assert!(readme.contains(&format!("```js\n{script}```\n")), "README.md shows another examples/echo.js");
    assert!(readme.contains("cargo run --release -- run --echo examples/echo.js"));
    assert!(readme.contains("cargo test --workspace"));
    assert!(script.lines().filter(|line| !line.is_empty()).count() <= 10);
}

/// The output printed in the README has the lines that the command prints, whatever their figures.
#[test]
fn the_readme_shows_the_output_of_its_command() {
    if !ws_e2e::fixture::is_ws("the README's output") {
        return;
    }
    let names = |text: &str| {
        let names = text
            .lines()
            .filter_map(|line| Some(line.trim().split_once("...")?.0.trim_end_matches('.').to_owned()));
        names.filter(|name| !name.starts_with("vus")).collect::<Vec<_>>()
    };
    let readme = std::fs::read_to_string(workspace().join("README.md")).unwrap();
    let shown =
        readme.split("```text\n").nth(1).and_then(|block| block.split("```").next()).unwrap_or_default();
    assert_eq!(names(shown), names(&passes("echo.js", &[]).stdout));
}
