//! What becomes of what `handleSummary()` wants.

use super::fake::Summary;
use super::*;
use crate::error::CliError;
use crate::host::SummaryFailure;

fn answering(files: &[(&str, &str)]) -> Fake {
    let files = files.iter().map(|(name, content)| ((*name).to_owned(), content.as_bytes().to_vec()));
    Fake { summary: Summary::Answers(Ok(Some(files.collect()))), ..Fake::default() }
}

fn failing(failure: SummaryFailure) -> Fake {
    Fake { summary: Summary::Answers(Err(failure)), ..Fake::default() }
}

#[test]
fn its_files_are_written_and_nothing_else() {
    let fake = answering(&[("stdout", "my report"), ("a.txt", "to a file"), ("stderr", "my complaint\n")]);
    let (code, world) = run("run -q x.js", &fake);
    assert_eq!(code, ExitCode::Success);
    assert_eq!(world.stdout.text(), "my report");
    assert_eq!(world.stderr.text(), "my complaint\n");
    assert_eq!(std::fs::read_to_string(world.path("a.txt")).unwrap(), "to a file");
    let (_, world) = run("run -q x.js", &answering(&[]));
    assert_eq!(world.stdout.text(), "");
}

#[test]
fn the_export_is_written_all_the_same() {
    let (_, world) = run("run -q x.js --summary-export s.json", &answering(&[("stdout", "mine")]));
    assert_eq!(world.stdout.text(), "mine");
    assert!(std::fs::read_to_string(world.path("s.json")).unwrap().starts_with("{\n    \"metrics\""));
}

#[test]
fn it_gets_the_results_of_the_run_and_the_limit() {
    let options = json!({
        "thresholds": {"iterations": ["count>5", "count>1"]},
        "summaryTrendStats": ["count"],
        "handleSummaryTimeout": "3s",
    });
    let fake = Fake { options, ..Fake::default() };
    let (code, _) = run("run -q --no-color -i 2 x.js", &fake);
    assert_eq!(code, ExitCode::ThresholdsFailed);
    let calls = fake.results.lock();
    let [(data, limit)] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!(*limit, Duration::from_secs(3));
    assert_eq!(
        data["metrics"]["iterations"]["thresholds"],
        json!({"count>5": {"ok": false}, "count>1": {"ok": true}})
    );
    assert_eq!(data["metrics"]["iteration_duration"]["values"], json!({"count": 2}));
    assert_eq!(
        data["options"],
        json!({"summaryTrendStats": ["count"], "summaryTimeUnit": "", "noColor": true})
    );
    assert!(data["state"]["testRunDurationMs"].as_f64().unwrap() > 0.0);
}

#[test]
fn it_is_called_after_a_failed_setup_but_not_without_a_summary() {
    let exports = vec![("default", true), ("setup", true)];
    let fake = Fake { setup: Setup::Throws, exports, ..Fake::default() };
    let (code, _) = run("run -q x.js", &fake);
    assert_eq!((code, fake.results.lock().len()), (ExitCode::ScriptException, 1));
    let fake = Fake::default();
    run("run -q --no-summary x.js", &fake);
    assert_eq!(fake.results.lock().len(), 0);
}

#[test]
fn without_an_answer_there_is_the_usual_report() {
    let threw = CliError::new(ExitCode::ScriptException, "Error: x").field("hint", "script exception");
    for (failure, line) in [
        (SummaryFailure::Threw(threw), "level=error msg=\"Error: x\" hint=\"script exception\""),
        (
            SummaryFailure::NoAnswer("handleSummary() execution timed out after 120 seconds".to_owned()),
            "level=error msg=\"failed to handle the end-of-test summary\" \
             error=\"handleSummary() execution timed out after 120 seconds\"",
        ),
    ] {
        let (code, world) = run("run -q x.js --summary-export s.json", &failing(failure));
        assert_eq!((code, world.log()), (ExitCode::Success, vec![line.to_owned()]));
        assert!(world.stdout.text().contains("TOTAL RESULTS"));
        assert!(world.path("s.json").exists());
    }
}

#[test]
fn after_a_senseless_answer_there_is_no_report() {
    let reason = "handleSummary() should return a map with string keys".to_owned();
    let fake = failing(SummaryFailure::BadAnswer(reason));
    let (code, world) = run("run -q x.js --summary-export s.json", &fake);
    assert_eq!((code, world.stdout.text().as_str()), (ExitCode::Success, ""));
    assert_eq!(
        world.log(),
        ["level=error msg=\"failed to handle the end-of-test summary\" \
         error=\"handleSummary() should return a map with string keys\""]
    );
    assert!(!world.path("s.json").exists());
}

#[test]
fn all_that_cannot_be_written_is_one_line() {
    let fake = answering(&[("/nodir/a", "x"), ("stdout", "text"), ("/nodir/b", "x")]);
    let (code, world) = run("run -q x.js --summary-export /nodir/s.json", &fake);
    assert_eq!((code, world.stdout.text().as_str()), (ExitCode::Success, "text"));
    let line =
        |name: &str| format!("\\n\\t- could not open '{name}': open {name}: no such file or directory");
    assert_eq!(
        world.log(),
        [format!(
            "level=error msg=\"failed to handle the end-of-test summary\" \
             error=\"Could not save some summary information:{}{}{}\"",
            line("/nodir/a"),
            line("/nodir/b"),
            line("/nodir/s.json")
        )]
    );
}

#[test]
fn bars_stay_below_a_text_without_an_end() {
    let mut world = World::new();
    world.tty = true;
    world.run("run --no-color x.js", &answering(&[("stdout", "my report")]));
    let text = world.stdout.text();
    let (_, after) = text.split_once("my report\n").unwrap();
    assert!(after.contains("running (") && !text.contains("TOTAL RESULTS"), "{text}");
}

#[test]
fn a_signal_ends_it_and_the_usual_report_is_printed() {
    let (started, begun) = mpsc::channel();
    let fake = Fake { summary: Summary::Hangs(started), ..Fake::default() };
    let mut world = World::new();
    let signals = world.signals.clone();
    let sender = std::thread::spawn(move || {
        begun.recv().unwrap();
        signals.send(Signal::Hangup).unwrap();
    });
    assert_eq!(world.run("run -q x.js", &fake), ExitCode::Interrupted);
    sender.join().unwrap();
    assert!(world.stdout.text().contains("TOTAL RESULTS"));
    assert_eq!(
        world.log(),
        [
            "level=error msg=\"failed to handle the end-of-test summary\" error=interrupted",
            "level=error msg=\"test run was aborted because ws received a 'hangup' signal\""
        ]
    );
}
