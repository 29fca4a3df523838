//! What scripts see of the web platform and of the built-in libraries: each file in `tests/web` is the body of a
//! function, and what it logs is in the `.out` file beside it. `WS_TEST_BLESS=1` writes these anew; then they are
//! only as right as whoever reads the difference.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::Plan;

/// Runs the case and gives what it has logged.
fn logged(prelude: &str, case: &str) -> Vec<String> {
    // Imports come first.
    let (imports, body): (Vec<_>, Vec<_>) = case.lines().partition(|line| line.starts_with("import "));
    let script = format!(
        "{}\n{prelude}\nexport default async function () {{\n{}\n}}",
        imports.join("\n"),
        body.join("\n")
    );
    let outcome = Plan::new(script).run();
    outcome.text().into_iter().map(str::to_owned).collect()
}

#[test]
fn every_case_logs_what_is_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/web");
    let prelude = fs::read_to_string(folder.join("prelude.js")).unwrap();
    let mut cases: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|it| it == "js") && !path.ends_with("prelude.js"));
    cases.sort();
    assert!(cases.len() >= 40, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for path in cases {
        let seen = logged(&prelude, &fs::read_to_string(&path).unwrap()).join("\n") + "\n";
        let out = path.with_extension("out");
        if std::env::var_os("WS_TEST_BLESS").is_some_and(|bless| bless == "1") {
            fs::write(&out, &seen).unwrap();
        }
        let expected = fs::read_to_string(&out).unwrap_or_default();
        if seen != expected {
            wrong.push(format!("{}\n--- expected\n{expected}--- seen\n{seen}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_a_listener_throws_fails_the_iteration_but_not_the_dispatch() {
    let script = "
        export default function () {
          const target = new EventTarget();
          target.addEventListener('x', () => { throw new RangeError('bad'); });
          target.addEventListener('x', () => console.log('second'));
          console.log(target.dispatchEvent(new Event('x')));
        }";
    let outcome = Plan::new(script).run();
    assert_eq!(outcome.failed, 1);
    let text = outcome.text();
    assert_eq!(text[..2], ["second", "true"]);
    assert!(
        text[2].starts_with("Uncaught (in promise) RangeError: bad\n\tat file:///script.js:4:"),
        "{}",
        text[2]
    );
    assert!(!text[2].contains("ws:"), "{}", text[2]);
}

#[test]
fn what_a_microtask_throws_fails_the_iteration() {
    let script = "export default function () { queueMicrotask(() => { throw new Error('in task'); }); }";
    let outcome = Plan::new(script).run();
    assert_eq!(outcome.failed, 1);
    assert!(outcome.text()[0].contains("Error: in task"), "{:?}", outcome.text());
}

#[test]
fn a_library_that_throws_without_a_script_around_it_has_no_place() {
    let script = "export { randomItem as default } from 'https://jslib.k6.io/k6-utils/1.4.0/index.js';";
    let outcome = Plan::new(script).run();
    assert_eq!(outcome.failed, 1);
    assert_eq!(outcome.text(), ["TypeError: Cannot read properties of undefined (reading 'length')\n"]);
}

#[test]
fn random_numbers_of_the_libraries_follow_the_seed() {
    let script = "
        import { randomSeed } from 'k6';
        import { uuidv4, randomIntBetween, randomItem, randomString } from 'https://jslib.k6.io/k6-utils/1.4.0/index.js';
        export default function () {
          const all = () => {
            randomSeed(42);
            return [uuidv4(), randomIntBetween(1, 1e9), randomItem([...Array(1000).keys()]), randomString(20)].join();
          };
          const first = all();
          console.log(first === all(), uuidv4(true) !== uuidv4(true), first);
        }";
    let (one, two) = (Plan::new(script).run(), Plan::new(script).run());
    assert!(one.text()[0].starts_with("true true "), "{:?}", one.text());
    assert_eq!(one.text(), two.text());
}
