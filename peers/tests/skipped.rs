//! What is skipped is seen by whoever runs the tests.

use std::process::Command;

#[test]
#[ignore = "for the other test, which looks at what it prints"]
fn skips() {
    ws_peers::skip_comparison("a", "no k6");
    ws_peers::skip_comparison("b", "no k6");
    ws_peers::skip("c", "no python3");
}

#[test]
fn numbers_are_told_when_the_tests_are_over() {
    let this = std::env::current_exe().unwrap();
    let output = Command::new(this).args(["--ignored", "--exact", "skips"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(told, "2 comparisons skipped (a, b): no k6\n1 test skipped (c): no python3\n");
}
