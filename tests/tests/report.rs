//! The figures at the end of a run: what is in them, and what they cost when there is a lot.

use std::time::Duration;

use serde_json::Value;
use ws_e2e::fixture::{Fixture, is_ws};
use ws_e2e::server::TestServer;

/// With a time that is the square of the number of groups this would take minutes.
#[test]
fn many_groups_and_checks() {
    const MANY: usize = 60_000;
    let fixture = Fixture::new(&format!(
        "import {{ check, group }} from 'k6';
        export default function () {{
          for (let i = 0; i < {MANY} - 1; i++) {{
            group('g' + i % ({MANY} / 2), () => {{ check(1, {{ ['c' + i]: () => true }}); }});
          }}
        }}
        export function handleSummary(data) {{
          const groups = data.root_group.groups;
          const last = groups[groups.length - 1];
          return {{ stdout: `${{groups.length}} ${{last.path}} ${{last.checks.length}} ${{last.checks[0].path}}` }};
        }}"
    ));
    let run = fixture.run().args(["--quiet", "--iterations", "1", "--summary-export", "summary.json"]);
    let finished = run.limit(Duration::from_secs(120)).finish().unwrap();
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    assert_eq!(finished.stdout, "30000 ::g29999 1 ::g29999::c29999");
    let summary = std::fs::read_to_string(fixture.path("summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&summary).unwrap();
    let groups = summary["root_group"]["groups"].as_object().unwrap();
    assert_eq!(groups.len(), MANY / 2);
    assert_eq!(groups["g7"]["checks"].as_object().unwrap().len(), 2);
    assert_eq!(summary["metrics"]["checks"]["passes"], MANY - 1);
}

/// The tag of a script may pretend to be any group; its depth used to be that of the stack.
#[test]
fn a_group_of_any_depth() {
    let fixture = Fixture::new(
        "import { check } from 'k6';
        export default function () { check(1, { deep: () => true }, { group: '::a'.repeat(50000) }); }",
    );
    let run = fixture.run().args(["--quiet", "--iterations", "1", "--summary-export", "summary.json"]);
    let finished = run.finish().unwrap();
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    assert!(finished.stdout.contains("✓ deep"), "{}", finished.stdout);
    let summary: Value =
        serde_json::from_str(&std::fs::read_to_string(fixture.path("summary.json")).unwrap()).unwrap();
    let mut group = &summary["root_group"];
    let mut depth = 0;
    while let Some((_, inner)) = group["groups"].as_object().unwrap().iter().next() {
        (group, depth) = (inner, depth + 1);
    }
    assert_eq!(depth, 50);
    assert_eq!(group["checks"]["deep"]["passes"], 1);
}

const WITHOUT_END: &str = "
    import { check } from 'k6';
    import { Counter, Gauge, Trend } from 'k6/metrics';
    const sum = new Counter('my_sum'), level = new Gauge('my_level'), time = new Trend('my_time', true);
    export const options = { thresholds: {
      my_sum: ['count>1', { threshold: 'count>2', abortOnFail: true, delayAbortEval: '90s' }],
      'my_sum{list:\"1,2\"}': ['count==3'],
    } };
    export default function () {
      sum.add(Infinity); level.add(-Infinity); time.add(Infinity); sum.add(3, { list: '1,2' });
      check(1, { 'up\\x1b[A\\nand down': () => true });
    }
    export function handleSummary(data) {
      if (!__ENV.TEXT) return;
      const { my_sum, my_level, my_time } = data.metrics;
      return { stdout: String([my_sum.values.count, my_level.values.value, my_time.values.avg].map((n) => [typeof n, n])) };
    }";

#[test]
fn figures_without_end_are_not_lost() {
    let fixture = Fixture::new(WITHOUT_END);
    let run = fixture.run().args(["--quiet", "--iterations", "1", "--out", "json=samples.json"]);
    let finished = run.args(["--summary-export", "summary.json"]).finish().unwrap();
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    for part in [
        "\n    my_sum\n    ✓ 'count>1' count=Infinity\n    ✓ 'count>2' count=Infinity\n\n      {list:\"1,2\"}\n      ✓ 'count==3' count=3\n",
        "\n    ✓ up\\u001b[A\\nand down\n",
        "\n    my_level.............: -Infinity",
        "\n    my_time..............: avg=Infinity",
    ] {
        assert!(finished.stdout.contains(part), "{part} is not in {}", finished.stdout);
    }
    let read = |name: &str| std::fs::read_to_string(fixture.path(name)).unwrap();
    let summary: Value = serde_json::from_str(&read("summary.json")).unwrap();
    assert_eq!(summary["metrics"]["my_sum"]["count"], "Infinity");
    assert_eq!(summary["metrics"]["my_level"]["min"], "-Infinity");
    let lines: Vec<Value> =
        read("samples.json").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |metric: &str| {
        lines.iter().filter(|line| line["metric"] == metric).map(|line| &line["data"]).collect::<Vec<_>>()
    };
    assert_eq!(of("my_level")[1]["value"], "-Infinity");
    let ends = serde_json::json!({"threshold": "count>2", "abortOnFail": true, "delayAbortEval": "1m30s"});
    assert_eq!(of("my_sum")[0]["thresholds"], serde_json::json!(["count>1", ends]));
    assert_eq!(of("my_sum")[0]["submetrics"][0]["tags"], serde_json::json!({"list": "1,2"}));
}

#[test]
fn handle_summary_gets_numbers() {
    let fixture = Fixture::new(WITHOUT_END);
    let run = fixture.run().args(["--quiet", "--iterations", "1", "--env", "TEXT=1"]);
    let finished = run.finish().unwrap();
    assert_eq!(finished.stdout, "number,Infinity,number,-Infinity,number,Infinity", "{finished:#?}");
}

#[test]
fn a_bad_selector_is_named_whole() {
    let script = "export const options = { thresholds: { 'checks{url:ws://h/?a=1,2}': ['rate>0'] } };
        export default function () {}";
    let finished = Fixture::new(script).run().finish().unwrap();
    assert_eq!(finished.code, Some(104), "{finished:#?}");
    let error = &finished.errors()[0];
    let whole = "metric \"2\" tag expression is malformed in \"checks{url:ws://h/?a=1,2}\"";
    assert!(error.contains(whole), "{error}");
}

#[test]
fn failed_connections_have_reasons() {
    if !is_ws("the report's failures") {
        return;
    }
    let server = TestServer::start().unwrap();
    let fixture = Fixture::new(
        "import ws from 'k6/ws';
        import { WebSocket } from 'k6/websockets';
        export default function () {
          ws.connect('ws://me:secret@127.0.0.1:1/', () => {});
          ws.connect(`${__ENV.WS_URL}/echo`, (socket) => socket.on('open', () => socket.close()));
          new WebSocket('ws://127.0.0.1:1/other');
        }",
    );
    let url = format!("WS_URL={}", server.url());
    let run = fixture.run().args(["-v", "--iterations", "3", "-e", &url]);
    let finished = run.finish().unwrap();
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    let part = "\n    FAILURES\n    tcp: connection refused...: 6 \
                dial tcp 127.0.0.1:1: connect: connection refused (ws://me:xxxxx@127.0.0.1:1/)\n";
    assert!(finished.stdout.contains(part), "{}", finished.stdout);
    let told = |line: &&str| line.contains("a connection could not be made") && line.contains("phase=tcp");
    assert_eq!(finished.stderr.lines().filter(told).count(), 6, "{}", finished.stderr);
    assert!(!finished.stderr.contains("secret"), "{}", finished.stderr);
}
