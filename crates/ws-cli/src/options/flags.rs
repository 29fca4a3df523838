//! The command line: which commands there are, and what they say. Their flags are rows of the [table](super::table).
//!
//! clap parses, the texts of refusals are k6's. Values are taken as text and judged here, so that a bad one names its
//! flag.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command as Cli};
use clap_complete::Shell;

use super::known::{self, NOT_YET};
use super::row::{Names, Scope};
use super::suggest;
use super::table::{Layer, OPTIONS};
use crate::error::CliError;
use crate::new::New;

/// A command with its flags.
#[derive(Debug)]
pub(crate) enum Command {
    Run(Box<Run>),
    /// The address to listen on.
    Echo(String),
    /// With a script to start from.
    New(New),
    Version {
        json: bool,
    },
    /// The text to print.
    Help(String),
}

/// `ws run`.
#[derive(Debug)]
pub(crate) struct Run {
    /// A path, or `-` for standard input.
    pub(crate) script: String,
    /// What the flags say.
    pub(crate) flags: Layer,
}

/// Reads the arguments (without the program's name). The second part has the flags of all commands, such as how to
/// log, which is needed even to report a failure of the first.
///
/// `name` is what the program calls itself.
pub(crate) fn parse(name: &'static str, args: &[String]) -> (Result<Command, CliError>, Layer) {
    let full = std::iter::once(name).chain(args.iter().map(String::as_str));
    match cli(name).try_get_matches_from(full) {
        Ok(matches) => match layer(&matches, &[Scope::Global]) {
            Ok(globals) => (command(name, &matches), globals),
            Err(error) => (Err(error), Layer::default()),
        },
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            (Ok(Command::Help(error.to_string())), Layer::default())
        }
        Err(error) => (Err(refusal(name, &error)), Layer::default()),
    }
}

/// The flags that `ws run` takes, besides those of all commands.
const RUN: &[Scope] = &[Scope::Test, Scope::Runtime, Scope::Run];

fn cli(name: &'static str) -> Cli {
    let run = Cli::new("run")
        .about("Run a test")
        .arg(
            Arg::new("file")
                .value_name("FILE|-")
                .num_args(0..)
                .help("The script, or \"-\" to read it from standard input"),
        )
        .args(flags(RUN));
    let echo = Cli::new("echo").about("Start a WebSocket server that sends every message back").arg(
        Arg::new("listen")
            .long("listen")
            .value_name("ADDR")
            .default_value("127.0.0.1:9001")
            .help("Address to listen on"),
    );
    let switch = |long| Arg::new(long).long(long).action(ArgAction::SetTrue);
    let file = Arg::new("file").value_name("FILE").default_value("script.js");
    let new = Cli::new("new")
        .about("Write a script to start from")
        .arg(file.help("Where to"))
        .arg(switch("force").short('f').help("Overwrite the file if there is one"))
        .arg(
            Arg::new("template")
                .long("template")
                .value_name("NAME|PATH")
                .default_value("minimal")
                .help("minimal, protocol (users who stay, with thresholds), or a script of your own"),
        )
        .arg(Arg::new("project-id").long("project-id").hide(true));
    let completion = Cli::new("completion")
        .about("Print what a shell needs to complete commands and flags: bash, zsh or fish")
        .arg(Arg::new("shell").value_name("SHELL"));
    let version = Cli::new("version").about("Print the version").arg(switch("json").help("As JSON"));
    Cli::new(name)
        .about("Load tests for WebSocket services, with the scripts of k6.")
        .after_help(format!("Use \"{name} <command> --help\" for the flags of a command."))
        .disable_version_flag(true)
        .args_override_self(true)
        .args(flags(&[Scope::Global]))
        .arg(
            Arg::new("version")
                .short('V')
                .long("version")
                .action(ArgAction::SetTrue)
                .help("Print the version"),
        )
        .subcommand(run)
        .subcommand(echo)
        .subcommand(new)
        .subcommand(completion)
        .subcommand(version)
}

/// All flags of these scopes; those that are not there yet are hidden.
fn flags(scopes: &[Scope]) -> Vec<Arg> {
    let within = |names: &Names| scopes.contains(&names.scope);
    let there = OPTIONS.iter().filter(|row| within(&row.names)).filter_map(|row| row.arg());
    let not_yet = NOT_YET.iter().filter(|option| within(&option.names)).filter_map(|option| option.arg());
    there.chain(not_yet).collect()
}

fn command(name: &'static str, matches: &ArgMatches) -> Result<Command, CliError> {
    match matches.subcommand() {
        _ if matches.get_flag("version") => Ok(Command::Version { json: false }),
        Some(("run", matches)) => run(matches).map(|run| Command::Run(Box::new(run))),
        Some(("echo", matches)) => {
            Ok(Command::Echo(matches.get_one::<String>("listen").cloned().unwrap_or_default()))
        }
        Some(("new", matches)) => new(matches).map(Command::New),
        Some(("completion", matches)) => completion(name, matches).map(Command::Help),
        Some((_, matches)) => Ok(Command::Version { json: matches.get_flag("json") }),
        None => Ok(Command::Help(cli(name).render_help().to_string())),
    }
}

fn run(matches: &ArgMatches) -> Result<Run, CliError> {
    let files: Vec<&String> = matches.get_many("file").into_iter().flatten().collect();
    let [script] = files.as_slice() else {
        return Err(CliError::generic(format!(
            "accepts 1 arg(s), received {}: arg should either be \"-\", if reading script from stdin, or a path to a script file",
            files.len()
        )));
    };
    Ok(Run { script: (*script).clone(), flags: layer(matches, RUN)? })
}

fn new(matches: &ArgMatches) -> Result<New, CliError> {
    if matches.contains_id("project-id") {
        return Err(CliError::generic("--project-id is not supported: there is no cloud"));
    }
    let text = |name| matches.get_one::<String>(name).cloned().unwrap_or_default();
    Ok(New { file: text("file"), template: text("template"), force: matches.get_flag("force") })
}

/// The script that a shell runs.
fn completion(name: &'static str, matches: &ArgMatches) -> Result<String, CliError> {
    let shell = match matches.get_one::<String>("shell").map(String::as_str) {
        Some("bash") => Shell::Bash,
        Some("zsh") => Shell::Zsh,
        Some("fish") => Shell::Fish,
        None => return Err(CliError::generic("completion needs the name of a shell: bash, zsh or fish")),
        Some(other) => {
            return Err(CliError::generic(format!(
                "completion for {other:?} is not supported; there are bash, zsh and fish"
            )));
        }
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut cli(name), name, &mut script);
    Ok(String::from_utf8_lossy(&script).into_owned())
}

/// What the flags of these scopes say.
fn layer(matches: &ArgMatches, scopes: &[Scope]) -> Result<Layer, CliError> {
    let given = |names: &Names| -> Option<Vec<&str>> {
        let flag = names.flag.filter(|_| scopes.contains(&names.scope))?;
        matches.get_many::<String>(flag.long).map(|values| values.map(String::as_str).collect())
    };
    for option in NOT_YET {
        let refused = given(&option.names)
            .is_some_and(|values| !values.iter().all(|value| option.harmless.allows_text(value)));
        if let Some(flag) = option.names.flag.filter(|_| refused) {
            return Err(CliError::generic(format!("--{} is not supported yet", flag.long)));
        }
    }
    let mut layer = Layer::default();
    for row in OPTIONS {
        let Some(values) = given(&row.names) else { continue };
        (row.set_from_flag)(&mut layer, &values).map_err(|why| {
            let value = values.last().unwrap_or(&"");
            CliError::generic(match row.speaks {
                true => why,
                false => format!("invalid argument {value:?} for {:?} flag: {why}", row.flag_name()),
            })
        })?;
    }
    Ok(layer)
}

/// clap's refusal in k6's words.
fn refusal(name: &'static str, error: &clap::Error) -> CliError {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    let flag = context(ContextKind::InvalidArg);
    let flag = flag.split([' ', '=', '[']).next().unwrap_or_default();
    CliError::generic(match error.kind() {
        ErrorKind::UnknownArgument if flag.starts_with("--") => {
            let all = OPTIONS.iter().filter_map(|row| row.names.flag).map(|flag| format!("--{}", flag.long));
            let all: Vec<_> = all.collect();
            format!("unknown flag: {flag}{}", suggest::advice(flag, all.iter().map(String::as_str)))
        }
        ErrorKind::UnknownArgument if flag.starts_with('-') => {
            format!("unknown shorthand flag: '{}' in {flag}", &flag[1..])
        }
        ErrorKind::UnknownArgument => format!("unexpected argument: {flag}"),
        ErrorKind::InvalidSubcommand => {
            let command = context(ContextKind::InvalidSubcommand);
            if known::is_command(&command) {
                format!("command {command:?} is not supported yet")
            } else {
                let cli = cli(name);
                let advice = suggest::advice(&command, cli.get_subcommands().map(Cli::get_name));
                format!("unknown command {command:?} for {name:?}{advice}")
            }
        }
        ErrorKind::InvalidValue if context(ContextKind::InvalidValue).is_empty() => {
            format!("flag needs an argument: {flag}")
        }
        _ => error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use indexmap::indexmap;
    use ws_engine::duration::GoDuration;
    use ws_loop::{AddressPool, HostPatterns};

    use super::super::network::Dns;
    use super::super::runtime::{Output, Runtime};
    use super::*;

    fn args(line: &str) -> Vec<String> {
        line.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }

    fn run(line: &str) -> Run {
        match parse("ws", &args(line)).0 {
            Ok(Command::Run(run)) => *run,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn refused(line: &str) -> String {
        let error = parse("ws", &args(line)).0.unwrap_err();
        assert_eq!(error.code, crate::exit::ExitCode::Generic, "{line}");
        error.message
    }

    #[test]
    fn every_option_flag() {
        let none = Layer::default;
        let tags = indexmap! { "a".to_owned() => "b".to_owned(), "c".to_owned() => "d=e".to_owned() };
        for (line, expected) in [
            ("", none()),
            ("-u 3", Layer { vus: Some(3), ..none() }),
            ("--vus=-3", Layer { vus: Some(-3), ..none() }),
            ("--vus 1 --vus 2", Layer { vus: Some(2), ..none() }),
            ("-i5", Layer { iterations: Some(5), ..none() }),
            ("--duration 1m30s", Layer { duration: Some(GoDuration::from_secs(90)), ..none() }),
            (
                "--execution-segment 25%:1/2 --execution-segment-sequence 0,1/4,0.5,1",
                Layer {
                    execution_segment: Some(ws_engine::Segment::parse("1/4:1/2").unwrap()),
                    execution_segment_sequence: Some(
                        ws_engine::SegmentSequence::parse("0,1/4,1/2,1").unwrap(),
                    ),
                    ..none()
                },
            ),
            ("--tag a=b --tag c=d=e", Layer { tags: Some(tags), ..none() }),
            (
                "--system-tags url,ip",
                Layer { system_tags: Some(vec!["url".to_owned(), "ip".to_owned()]), ..none() },
            ),
            ("--compat=web", Layer { compat: Some(ws_js::Compat::Web), ..none() }),
            ("--strict-utf8", Layer { strict_utf8: Some(true), ..none() }),
            ("--redact-query", Layer { redact_query: Some(true), ..none() }),
            (
                "--no-setup --no-teardown=false",
                Layer { no_setup: Some(true), no_teardown: Some(false), ..none() },
            ),
            (
                "-w --insecure-skip-tls-verify",
                Layer { throw: Some(true), insecure_skip_tls_verify: Some(true), ..none() },
            ),
            ("--dns ttl=0", Layer { dns: Some(Dns::parse("ttl=0").unwrap()), ..none() }),
            (
                "--block-hostnames a,*.b --block-hostnames c",
                Layer { block_hostnames: Some(HostPatterns::parse(["a", "*.b", "c"]).unwrap()), ..none() },
            ),
            (
                "--blacklist-ip 10.0.0.0/8,::1/128",
                Layer {
                    blacklist_ips: Some(vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]),
                    ..none()
                },
            ),
            ("--blacklist-ip \"\"", Layer { blacklist_ips: Some(Vec::new()), ..none() }),
            ("--tls-resumption", Layer { tls_resumption: Some(true), ..none() }),
            (
                "--local-ips 10.0.0.1,10.0.0.2",
                Layer { local_ips: Some(AddressPool::parse("10.0.0.1,10.0.0.2").unwrap()), ..none() },
            ),
            (
                "--batch 3 --batch-per-host=2 --rps 1 --max-redirects 0",
                Layer {
                    batch: Some(3),
                    batch_per_host: Some(2),
                    rps: Some(1),
                    max_redirects: Some(0),
                    ..none()
                },
            ),
            ("--http-debug", Layer { http_debug: Some("headers".to_owned()), ..none() }),
            ("--http-debug=full", Layer { http_debug: Some("full".to_owned()), ..none() }),
            (
                "--no-connection-reuse --no-vu-connection-reuse --discard-response-bodies=false",
                Layer {
                    no_connection_reuse: Some(true),
                    no_vu_connection_reuse: Some(true),
                    discard_response_bodies: Some(false),
                    ..none()
                },
            ),
            (
                "--features a,b --features c --no-usage-report --console-output f",
                Layer {
                    features: Some(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]),
                    no_usage_report: Some(true),
                    console_output: Some("f".to_owned()),
                    ..none()
                },
            ),
            ("--user-agent me", Layer { user_agent: Some("me".to_owned()), ..none() }),
            (
                "--summary-trend-stats avg,p(99) --summary-time-unit ms",
                Layer {
                    summary_trend_stats: Some(vec!["avg".to_owned(), "p(99)".to_owned()]),
                    summary_time_unit: Some("ms".to_owned()),
                    ..none()
                },
            ),
        ] {
            assert_eq!(run(&format!("run x.js {line}")).flags, expected, "{line}");
            assert_eq!(run(&format!("run {line} x.js")).flags, expected, "{line}");
        }
    }

    #[test]
    fn runtime_flags() {
        let run = run("run -e A=b -e C --include-system-env-vars=false --no-thresholds --no-summary \
             --summary-export s.json -o json=o.json --prometheus :9100 --extended-metrics --drivers 2 --echo -");
        assert_eq!(run.script, "-");
        let runtime = Runtime::new([&run.flags]);
        assert_eq!(runtime.env, [("A".to_owned(), "b".to_owned()), ("C".to_owned(), String::new())]);
        assert!(!runtime.include_system_env_vars && runtime.no_thresholds && runtime.no_summary);
        assert_eq!(runtime.summary_export.as_deref(), Some("s.json"));
        assert_eq!(runtime.outputs, [Output::Json("o.json".to_owned())]);
        assert_eq!(runtime.prometheus.as_deref(), Some(":9100"));
        assert!(runtime.extended_metrics && runtime.echo);
        assert_eq!(runtime.drivers, Some(2));
    }

    #[test]
    fn global_flags_before_and_after_the_command() {
        for line in [
            "-qv --no-color --log-format json --log-output none run x.js",
            "run x.js -q --verbose --no-color=true --log-format=json --log-output=none",
        ] {
            let (command, globals) = parse("ws", &args(line));
            assert!(command.is_ok(), "{line}");
            assert_eq!((globals.quiet, globals.verbose), (Some(true), Some(true)));
            assert_eq!(globals.no_color, Some(true));
            assert_eq!(globals.log_format.as_deref(), Some("json"));
            assert_eq!(globals.log_output.as_deref(), Some("none"));
        }
    }

    #[test]
    fn what_changes_nothing_is_taken() {
        for line in ["--linger=false -t js", "--traces-output none", "--paused=false"] {
            run(&format!("run {line} x.js"));
        }
    }

    #[test]
    fn clap_finds_nothing_wrong() {
        cli("ws").debug_assert();
    }

    #[test]
    fn other_commands() {
        assert!(matches!(parse("ws", &args("version")).0, Ok(Command::Version { json: false })));
        assert!(matches!(parse("ws", &args("--version")).0, Ok(Command::Version { json: false })));
        assert!(matches!(parse("ws", &args("-V")).0, Ok(Command::Version { json: false })));
        assert!(matches!(parse("ws", &args("version --json")).0, Ok(Command::Version { json: true })));
        let Ok(Command::New(new)) = parse("ws", &args("new")).0 else { panic!() };
        assert_eq!((new.file.as_str(), new.template.as_str(), new.force), ("script.js", "minimal", false));
        let Ok(Command::New(new)) = parse("ws", &args("new a.js -f --template protocol")).0 else { panic!() };
        assert_eq!((new.file.as_str(), new.template.as_str(), new.force), ("a.js", "protocol", true));
        for shell in ["bash", "zsh", "fish"] {
            let Ok(Command::Help(text)) = parse("ws", &args(&format!("completion {shell}"))).0 else {
                panic!()
            };
            assert!(text.contains("summary-export"), "{shell}: {text}");
        }
        assert!(matches!(parse("ws", &args("echo")).0, Ok(Command::Echo(addr)) if addr == "127.0.0.1:9001"));
        assert!(
            matches!(parse("ws", &args("echo --listen [::1]:1")).0, Ok(Command::Echo(addr)) if addr == "[::1]:1")
        );
        for line in ["", "-h", "help", "run -h", "help run", "run --help"] {
            let Ok(Command::Help(text)) = parse("ws", &args(line)).0 else { panic!("{line}") };
            assert!(text.contains("Usage: ws"), "{line}: {text}");
        }
    }

    #[test]
    fn refusals_in_the_words_of_k6() {
        let file = "arg should either be \"-\", if reading script from stdin, or a path to a script file";
        for (line, message) in [
            ("run", format!("accepts 1 arg(s), received 0: {file}").as_str()),
            ("run a b", format!("accepts 1 arg(s), received 2: {file}").as_str()),
            ("foo", "unknown command \"foo\" for \"ws\""),
            ("rnu", "unknown command \"rnu\" for \"ws\"; did you mean run?"),
            ("run --iteration 3 x.js", "unknown flag: --iteration; did you mean --iterations?"),
            ("completion", "completion needs the name of a shell: bash, zsh or fish"),
            (
                "completion powershell",
                "completion for \"powershell\" is not supported; there are bash, zsh and fish",
            ),
            ("new --project-id 1", "--project-id is not supported: there is no cloud"),
            ("cloud", "command \"cloud\" is not supported yet"),
            ("inspect x.js", "command \"inspect\" is not supported yet"),
            ("echo x", "unexpected argument: x"),
            ("run --badflag", "unknown flag: --badflag"),
            ("run x.js --badflag=3", "unknown flag: --badflag"),
            ("run -x", "unknown shorthand flag: 'x' in -x"),
            ("run x.js --execution-segment 0:1.5", "segment end value can't be more than 1 but was 1.50"),
            (
                "run x.js --execution-segment-sequence 0,x",
                "'x' is not a valid percentage, decimal, fraction or interval value",
            ),
            ("run x.js --stage :5", "stage 0 doesn't have a specified duration"),
            ("run x.js -s foo", "error for stage 0: time: invalid duration \"foo\""),
            ("run x.js --linger", "--linger is not supported yet"),
            ("run x.js -q --summary-mode full", "summary mode 'full' is not supported yet"),
            ("run x.js --address=:6565", "--address is not supported yet"),
            ("run --vus", "flag needs an argument: --vus"),
            (
                "run x.js -d 5",
                "invalid argument \"5\" for \"-d, --duration\" flag: time: missing unit in duration \"5\"",
            ),
            ("run x.js -u abc", "invalid argument \"abc\" for \"-u, --vus\" flag: \"abc\" is not an integer"),
            (
                "run x.js --no-setup=maybe",
                "invalid argument \"maybe\" for \"--no-setup\" flag: \"maybe\" is not a boolean, use true or false",
            ),
            ("run x.js -e 1A=x", "invalid environment variable name '1A'"),
            ("run x.js --tag bad", "error parsing tag 'bad': invalid tag, empty value"),
            ("run x.js --summary-trend-stats foo", "invalid trend stat 'foo', unknown format"),
            ("run x.js --summary-time-unit h", "invalid summary time unit 'h', use 's', 'ms' or 'us'"),
            ("run x.js --local-ips foo", "foo is not a valid IP, IP range or CIDR"),
            ("run x.js --dns ttl=foo", "invalid DNS TTL: foo"),
            ("run x.js --dns x=1", "unknown DNS configuration field: x"),
            ("run x.js --block-hostnames a*b", "invalid hostname pattern 'a*b'"),
            (
                "run x.js --blacklist-ip 1.2.3",
                "error parsing blacklist-ip '1.2.3': invalid CIDR address: 1.2.3",
            ),
            (
                "run x.js --drivers 0",
                "invalid argument \"0\" for \"--drivers\" flag: expected a number from 1 to 1024",
            ),
        ] {
            assert_eq!(refused(line), message, "{line}");
        }
    }
}
