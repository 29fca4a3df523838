//! The figures at the end of a run: what is in them, and what they cost when there is a lot.

use std::time::Duration;

use serde_json::Value;
use ws_e2e::fixture::Fixture;

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
