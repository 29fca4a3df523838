//! Every flag of k6 2.2, and the configuration file: taken, or refused by name.

use ws_e2e::fixture::{Fixture, is_ws};
use ws_e2e::process::{Finished, Run};
use ws_e2e::tool::{self, Kind, Tool};

const SCRIPT: &str = "export default function () { console.log('ran', __VU) }";

/// The flags of `k6 run`, each with a value that it takes.
const RUN: &[&str] = &[
    "-u=2",
    "--vus=2",
    "-d=1s --vus=1 --iterations=1",
    "--duration=1s --iterations=1",
    "-i=1",
    "--iterations=1",
    "-s=1s:1",
    "--stage=1s:1",
    "--execution-segment=0:1",
    "--execution-segment-sequence=0,1",
    "-p=false",
    "--paused=false",
    "--no-setup",
    "--no-teardown",
    "--max-redirects=3",
    "--batch=3",
    "--batch-per-host=3",
    "--rps=10",
    "--user-agent=me",
    "--http-debug",
    "--http-debug=full",
    "--insecure-skip-tls-verify",
    "--no-connection-reuse",
    "--no-vu-connection-reuse",
    "--min-iteration-duration=1ms",
    "-w",
    "--throw",
    "--blacklist-ip=10.0.0.0/8",
    "--block-hostnames=*.test",
    "--summary-trend-stats=avg,p(99)",
    "--summary-time-unit=ms",
    "--system-tags=url",
    "--tag=a=b",
    "--console-output=console.txt",
    "--discard-response-bodies",
    "--local-ips=127.0.0.1",
    "--dns=ttl=1m",
    "--include-system-env-vars",
    "--compatibility-mode=extended",
    "--compatibility-mode=base",
    "-t=js",
    "--type=js",
    "-e=A=b",
    "--env=A=b",
    "--no-thresholds",
    "--summary-mode=compact",
    "--summary-mode=full",
    "--summary-mode=disabled",
    "--summary-export=summary.json",
    "--new-machine-readable-summary",
    "--traces-output=none",
    "-o=json=samples.json",
    "--out=json=samples.json",
    "-l=false",
    "--linger=false",
    "--no-usage-report",
    "--features=merge-run-tags",
    "-a=localhost:0",
    "--address=localhost:0",
    "-c=config.json",
    "--config=config.json",
    "--log-format=json",
    "--log-output=stdout",
    "--no-color",
    "--profiling-enabled",
    "-q",
    "--quiet",
    "--secret-source=mock=a=b",
    "-v",
    "--verbose",
];

/// The other commands of k6, with their flags.
const COMMANDS: &[&str] = &[
    "archive script.js",
    "archive -O out.tar script.js",
    "archive --archive-out=out.tar --exclude-env-vars script.js",
    "cloud run script.js",
    "completion bash",
    "completion zsh",
    "completion fish",
    "completion powershell",
    "deps --json script.js",
    "features --json",
    "help",
    "inspect script.js",
    "inspect --execution-requirements --no-thresholds script.js",
    "new other.js",
    "new --force --template=minimal script2.js",
    "new --project-id=1 script3.js",
    "pause",
    "resume",
    "scale -u 1 -m 2",
    "stats",
    "status",
    "version",
    "version --json",
    "--version",
    "x docs",
];

fn folder() -> Fixture {
    let fixture = Fixture::new(SCRIPT);
    std::fs::write(fixture.path("config.json"), "{}").unwrap();
    fixture
}

/// Fails unless the command did what it was asked to, or says what it cannot do.
#[track_caller]
fn taken_or_refused(line: &str, finished: &Finished, names: &[&str]) {
    let refused = finished.errors();
    let by_name = refused.first().is_some_and(|error| {
        error.contains("not supported")
            && names.iter().any(|name| error.contains(name.split('=').next().unwrap_or(name)))
    });
    assert!(finished.code == Some(0) || by_name, "{line}: {finished:#?}");
}

#[test]
fn every_flag_of_run() {
    let fixture = folder();
    for line in RUN {
        let args: Vec<_> = line.split(' ').collect();
        let run = Run::new(tool::ws(), ["run", "script.js"]).args(&args).directory(fixture.folder());
        let finished = run.finish().unwrap();
        let name = args[0].split('=').next().unwrap().trim_start_matches('-');
        // A refusal calls a flag by its long name.
        let long = RUN.iter().find_map(|other| {
            let long = other.strip_prefix("--")?.split(['=', ' ']).next()?;
            (name.len() == 1 && long.starts_with(name)).then_some(long)
        });
        taken_or_refused(line, &finished, &[name.trim_start_matches("summary-"), long.unwrap_or(name)]);
        if finished.code == Some(0) && !line.contains("console") {
            let output = finished.stdout.clone() + &finished.stderr;
            assert!(output.contains("ran 1"), "{line}: {finished:#?}");
        }
    }
    assert!(std::fs::read_to_string(fixture.path("console.txt")).unwrap().contains("msg=\"ran 1\"\n"));
}

#[test]
fn every_command() {
    let fixture = folder();
    for line in COMMANDS {
        let args: Vec<_> = line.split(' ').collect();
        let finished = Run::new(tool::ws(), &args).directory(fixture.folder()).finish().unwrap();
        taken_or_refused(line, &finished, &args);
    }
}

#[test]
fn sources_by_precedence() {
    let fixture = Fixture::new(
        "export const options = { tags: { from: 'script' } }; export default function () { console.log('ran', __VU) }",
    );
    let config = r#"{"vus": 3, "iterations": 3, "out": ["json=from_config.json"], "noUsageReport": true}"#;
    std::fs::write(fixture.path("c.json"), config).unwrap();
    let ran = |run: Run| {
        let finished = run.finish().unwrap();
        assert_eq!(finished.code, Some(0), "{finished:#?}");
        finished.console().len()
    };
    assert_eq!(ran(fixture.run().args(["--config", "c.json"])), 3);
    assert!(std::fs::read_to_string(fixture.path("from_config.json")).unwrap().contains("script"));
    assert_eq!(ran(fixture.run().args(["--config", "c.json", "--iterations", "5"])), 5);
    assert_eq!(ran(fixture.run().env("K6_CONFIG", "c.json").env("K6_ITERATIONS", "4")), 4);
    let usual = fixture.path("home/.config/k6");
    std::fs::create_dir_all(&usual).unwrap();
    std::fs::copy(fixture.path("c.json"), usual.join("config.json")).unwrap();
    let home = fixture.path("home");
    let at_home = || fixture.run().env("HOME", &home).env("XDG_CONFIG_HOME", "");
    assert_eq!(ran(at_home()), 3);
    let missing = at_home().args(["--config", "missing.json"]).finish().unwrap();
    assert_eq!(missing.code, Some(104));
    assert!(missing.errors()[0].contains("stat missing.json: no such file or directory"), "{missing:#?}");
}

#[test]
fn scripts_to_start_from() {
    if !is_ws("the scripts of `ws new`") {
        return;
    }
    let fixture = folder();
    for template in ["minimal", "protocol"] {
        let file = format!("{template}.js");
        let new = Run::new(tool::ws(), ["new", &file, "--template", template]).directory(fixture.folder());
        assert_eq!(
            new.finish().unwrap().stdout,
            format!("New script created: {file} ({template} template).\n")
        );
        let run = Run::new(tool::ws(), ["run", "--quiet", "--echo", "-u", "2", "-i", "2", &file]);
        let finished = run.directory(fixture.folder()).finish().unwrap();
        assert_eq!(finished.code, Some(0), "{finished:#?}");
        assert!(finished.errors().is_empty(), "{finished:#?}");
        assert!(finished.stdout.contains("checks_succeeded"), "{finished:#?}");
        assert!(finished.stdout.contains("100.00%"), "{finished:#?}");
    }
}

#[test]
fn the_report_as_json_on_standard_output() {
    let args = ["--summary-export", "-"];
    let finished =
        Fixture::new("export function handleSummary() { return {} } export default function () {}")
            .run()
            .args(args)
            .finish()
            .unwrap();
    let report: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(report["metrics"]["iterations"]["count"], 1, "{finished:#?}");
}

#[test]
fn a_link_named_k6() {
    if !is_ws("the name of the tool") {
        return;
    }
    let fixture = folder();
    let link = fixture.path("k6");
    std::os::unix::fs::symlink(&tool::ws().path, &link).unwrap();
    let k6 = Tool { path: link, kind: Kind::Ws };
    for (tool, name) in [(&k6, "k6"), (tool::ws(), "ws")] {
        let version = Run::new(tool, ["version"]).finish().unwrap();
        assert!(version.stdout.starts_with(&format!("{name} v")), "{version:#?}");
        let nope = Run::new(tool, ["nope"]).finish().unwrap();
        assert_eq!(nope.errors(), [format!("unknown command \"nope\" for \"{name}\"")]);
    }
}
