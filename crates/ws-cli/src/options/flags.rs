//! The command line: which commands and flags there are, and what they say.
//!
//! clap parses, the texts of refusals are k6's. Values are taken as text and judged here, so that a bad one names its
//! flag.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use ws_engine::duration::GoDuration;

use super::network::{self, Dns};
use super::runtime::{Globals, Output, Runtime};
use super::{Layer, known, parse};
use crate::error::CliError;

/// A command with its flags.
#[derive(Debug)]
pub(crate) enum Command {
    Run(Box<Run>),
    /// The address to listen on.
    Echo(String),
    Version,
    /// The text to print.
    Help(String),
}

/// `ws run`.
#[derive(Debug)]
pub(crate) struct Run {
    /// A path, or `-` for standard input.
    pub(crate) script: String,
    pub(crate) options: Layer,
    pub(crate) runtime: Runtime,
}

/// Reads the arguments (without the program's name). The second part says how to log, which is needed even to report a
/// failure of the first.
pub(crate) fn parse(args: &[String]) -> (Result<Command, CliError>, Globals) {
    let command = Cli::command().args_override_self(true);
    let full = std::iter::once("ws").chain(args.iter().map(String::as_str));
    match command.try_get_matches_from(full).and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => {
            let globals = cli.globals.globals();
            (cli.into_command(), globals)
        }
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            (Ok(Command::Help(error.to_string())), Globals::default())
        }
        Err(error) => (Err(refusal(&error)), Globals::default()),
    }
}

#[derive(Parser, Debug)]
#[command(
    name = "ws",
    about = "Load tests for WebSocket services, with the scripts of k6.",
    disable_version_flag = true,
    after_help = "Use \"ws <command> --help\" for the flags of a command."
)]
struct Cli {
    #[command(flatten)]
    globals: GlobalFlags,
    /// Print the version
    #[arg(long)]
    version: bool,
    #[command(subcommand)]
    command: Option<Commands>,
}

#[derive(Subcommand, Debug)]
enum Commands {
    /// Run a test
    Run(Box<RunFlags>),
    /// Start a WebSocket server that sends every message back
    Echo {
        /// Address to listen on
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9001")]
        listen: String,
    },
    /// Print the version
    Version,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Flags of all commands")]
struct GlobalFlags {
    /// No banner, description and progress; logs and the report remain
    #[arg(short, long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = parse::boolean, value_name = "BOOL", hide_possible_values = true)]
    quiet: Option<bool>,
    /// No colours
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = parse::boolean, value_name = "BOOL")]
    no_color: Option<bool>,
    /// Log messages of level debug, too
    #[arg(short, long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = parse::boolean, value_name = "BOOL")]
    verbose: Option<bool>,
    /// Where the log goes: stderr, stdout, none or file=PATH[,level=LEVEL]
    #[arg(long, global = true, value_name = "TARGET", allow_hyphen_values = true)]
    log_output: Option<String>,
    /// How the log looks: text, json or raw
    #[arg(long, global = true, value_name = "FORMAT", allow_hyphen_values = true)]
    log_format: Option<String>,
}

impl GlobalFlags {
    fn globals(&self) -> Globals {
        Globals {
            quiet: self.quiet.unwrap_or(false),
            no_color: self.no_color.unwrap_or(false),
            verbose: self.verbose.unwrap_or(false),
            log_output: self.log_output.clone(),
            log_format: self.log_format.clone(),
        }
    }
}

#[derive(Args, Debug)]
struct RunFlags {
    /// The script, or "-" to read it from standard input
    #[arg(value_name = "FILE|-")]
    file: Vec<String>,
    /// Number of virtual users
    #[arg(short = 'u', long, value_name = "N", allow_hyphen_values = true)]
    vus: Option<String>,
    /// Number of iterations of the script, all virtual users together
    #[arg(short = 'i', long, value_name = "N", allow_hyphen_values = true)]
    iterations: Option<String>,
    /// How long the test runs, for example 1m30s
    #[arg(short = 'd', long, value_name = "DURATION", allow_hyphen_values = true)]
    duration: Option<String>,
    /// A variable for the script's __ENV (repeatable)
    #[arg(short = 'e', long, value_name = "NAME=VALUE", allow_hyphen_values = true)]
    env: Vec<String>,
    /// Give the script all environment variables, on by default
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = parse::boolean, value_name = "BOOL")]
    include_system_env_vars: Option<bool>,
    /// A tag for all samples (repeatable)
    #[arg(long, value_name = "NAME=VALUE", allow_hyphen_values = true)]
    tag: Vec<String>,
    /// The system tags to set, as a comma list
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    system_tags: Option<String>,
    /// Do not call setup()
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = parse::boolean, value_name = "BOOL")]
    no_setup: Option<bool>,
    /// Do not call teardown()
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = parse::boolean, value_name = "BOOL")]
    no_teardown: Option<bool>,
    /// Do not evaluate thresholds
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = parse::boolean, value_name = "BOOL")]
    no_thresholds: Option<bool>,
    /// No report at the end, neither as text nor as a file
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = parse::boolean, value_name = "BOOL")]
    no_summary: Option<bool>,
    /// Write the report as JSON to this file, too
    #[arg(long, value_name = "FILE", allow_hyphen_values = true)]
    summary_export: Option<String>,
    /// Columns of trends in the report, default avg,min,med,max,p(90),p(95)
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    summary_trend_stats: Option<String>,
    /// Unit of times in the report: s, ms or us
    #[arg(long, value_name = "UNIT", allow_hyphen_values = true)]
    summary_time_unit: Option<String>,
    /// Write all samples: json=FILE, or json to standard output (repeatable)
    #[arg(short = 'o', long, value_name = "TYPE[=ARG]", allow_hyphen_values = true)]
    out: Vec<String>,
    /// Serve the live metrics to Prometheus: http://ADDR/metrics
    #[arg(long, value_name = "ADDR")]
    prometheus: Option<String>,
    /// Measure more than k6 does: ws_handshake_*, ws_msg_latency, ws_generator_delay
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = parse::boolean, value_name = "BOOL")]
    extended_metrics: Option<bool>,
    /// How names are looked up, default ttl=5m,select=random,policy=preferIPv4
    #[arg(long, value_name = "KEY=VALUE,..", allow_hyphen_values = true)]
    dns: Option<String>,
    /// Names that must not be dialled, as a comma list; "*" may stand at the beginning (repeatable)
    #[arg(long, value_name = "PATTERNS", allow_hyphen_values = true)]
    block_hostnames: Vec<String>,
    /// Ranges of addresses that must not be dialled, as a comma list, for example 10.0.0.0/8 (repeatable)
    #[arg(long, value_name = "CIDRS", allow_hyphen_values = true)]
    blacklist_ip: Vec<String>,
    /// Whom k6/websockets follows where k6 and the web's standard differ: k6 (default) or web
    #[arg(long, value_name = "WHOM", allow_hyphen_values = true)]
    compat: Option<String>,
    /// Addresses to connect from, dealt out to the VUs: a comma list of addresses, ranges (A-B) and CIDR blocks
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    local_ips: Option<String>,
    /// User-Agent header of handshakes
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    user_agent: Option<String>,
    /// Accept any server certificate
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = parse::boolean, value_name = "BOOL")]
    insecure_skip_tls_verify: Option<bool>,
    /// End connections on which a text comes that is not UTF-8, with close code 1007
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = parse::boolean, value_name = "BOOL")]
    strict_utf8: Option<bool>,
    /// Resume TLS sessions instead of a full handshake for each connection
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = parse::boolean, value_name = "BOOL")]
    tls_resumption: Option<bool>,
    /// Throw on bad metric values instead of warning
    #[arg(short = 'w', long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = parse::boolean, value_name = "BOOL")]
    throw: Option<bool>,
    /// Threads that run scripts, instead of as many as the load needs
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    drivers: Option<String>,
    /// Start an echo server for this run and put its address into __ENV.WS_URL
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = parse::boolean, value_name = "BOOL")]
    echo: Option<bool>,
}

impl Cli {
    fn into_command(self) -> Result<Command, CliError> {
        match self.command {
            _ if self.version => Ok(Command::Version),
            Some(Commands::Run(flags)) => flags.run().map(|run| Command::Run(Box::new(run))),
            Some(Commands::Echo { listen }) => Ok(Command::Echo(listen)),
            Some(Commands::Version) => Ok(Command::Version),
            None => Ok(Command::Help(help())),
        }
    }
}

fn help() -> String {
    Cli::command().render_help().to_string()
}

impl RunFlags {
    fn run(self) -> Result<Run, CliError> {
        let [script] = self.file.as_slice() else {
            return Err(CliError::generic(format!(
                "accepts 1 arg(s), received {}: arg should either be \"-\", if reading script from stdin, or a path to a script file",
                self.file.len()
            )));
        };
        Ok(Run { script: script.clone(), options: self.layer()?, runtime: self.runtime()? })
    }

    fn layer(&self) -> Result<Layer, CliError> {
        let tags = self.tag.iter().map(|tag| parse::tag(tag)).collect::<Result<_, _>>();
        let trend_stats = self.summary_trend_stats.as_deref().map(parse::list);
        if let Some(stats) = &trend_stats {
            parse::trend_stats(stats).map_err(CliError::generic)?;
        }
        if let Some(unit) = &self.summary_time_unit {
            parse::time_unit(unit).map_err(CliError::generic)?;
        }
        Ok(Layer {
            vus: value("-u, --vus", &self.vus, parse::integer)?,
            iterations: value("-i, --iterations", &self.iterations, parse::integer)?,
            duration: value("-d, --duration", &self.duration, |text| {
                GoDuration::parse(text).map_err(|error| error.to_string())
            })?,
            tags: if self.tag.is_empty() { None } else { Some(tags.map_err(CliError::generic)?) },
            system_tags: self.system_tags.as_deref().map(parse::list),
            dns: self.dns.as_deref().map(Dns::parse).transpose().map_err(CliError::generic)?,
            block_hostnames: lists(&self.block_hostnames, network::patterns)?,
            blacklist_ips: lists(&self.blacklist_ip, network::ranges)?,
            local_ips: self
                .local_ips
                .as_deref()
                .filter(|list| !list.is_empty())
                .map(network::local_ips)
                .transpose()
                .map_err(CliError::generic)?,
            user_agent: self.user_agent.clone(),
            insecure_skip_tls_verify: self.insecure_skip_tls_verify,
            strict_utf8: self.strict_utf8,
            tls_resumption: self.tls_resumption,
            throw: self.throw,
            no_setup: self.no_setup,
            no_teardown: self.no_teardown,
            summary_trend_stats: trend_stats,
            summary_time_unit: self.summary_time_unit.clone(),
            compat: value("--compat", &self.compat, parse::compat)?,
            ..Layer::default()
        })
    }

    fn runtime(&self) -> Result<Runtime, CliError> {
        let drivers = value("--drivers", &self.drivers, |text| match text.parse() {
            Ok(number @ 1..=1024) => Ok(number),
            _ => Err("expected a number from 1 to 1024".to_owned()),
        })?;
        Ok(Runtime {
            env: self.env.iter().map(|text| variable(text)).collect::<Result<_, _>>()?,
            include_system_env_vars: self.include_system_env_vars,
            no_thresholds: self.no_thresholds,
            no_summary: self.no_summary,
            summary_export: self.summary_export.clone(),
            outputs: self.out.iter().map(|text| Output::parse(text)).collect::<Result<_, _>>()?,
            prometheus: self.prometheus.clone(),
            extended_metrics: self.extended_metrics,
            drivers,
            echo: self.echo.unwrap_or(false),
        })
    }
}

fn variable(text: &str) -> Result<(String, String), CliError> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    if !parse::is_variable_name(name) {
        return Err(CliError::generic(format!("invalid environment variable name '{name}'")));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// A flag whose values are comma lists; none if it is not given at all.
fn lists<T>(texts: &[String], parse: impl Fn(&[String]) -> Result<T, String>) -> Result<Option<T>, CliError> {
    let items: Vec<_> = texts.iter().flat_map(|text| parse::list(text)).collect();
    (!texts.is_empty()).then(|| parse(&items)).transpose().map_err(CliError::generic)
}

fn value<T>(
    flag: &str,
    text: &Option<String>,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, CliError> {
    let Some(text) = text else { return Ok(None) };
    parse(text)
        .map(Some)
        .map_err(|why| CliError::generic(format!("invalid argument {text:?} for {flag:?} flag: {why}")))
}

/// clap's refusal in k6's words.
fn refusal(error: &clap::Error) -> CliError {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    let flag = context(ContextKind::InvalidArg);
    let flag = flag.split([' ', '=', '[']).next().unwrap_or_default();
    CliError::generic(match error.kind() {
        ErrorKind::UnknownArgument if known::flag(flag).is_some() => {
            format!("--{} is not supported yet", known::flag(flag).unwrap_or_default())
        }
        ErrorKind::UnknownArgument if flag.starts_with("--") => format!("unknown flag: {flag}"),
        ErrorKind::UnknownArgument if flag.starts_with('-') => {
            format!("unknown shorthand flag: '{}' in {flag}", &flag[1..])
        }
        ErrorKind::UnknownArgument => format!("unexpected argument: {flag}"),
        ErrorKind::InvalidSubcommand => {
            let name = context(ContextKind::InvalidSubcommand);
            if known::is_command(&name) {
                format!("command {name:?} is not supported yet")
            } else {
                format!("unknown command {name:?} for \"ws\"")
            }
        }
        ErrorKind::InvalidValue if context(ContextKind::InvalidValue).is_empty() => {
            format!("flag needs an argument: {flag}")
        }
        ErrorKind::ValueValidation => {
            let value = context(ContextKind::InvalidValue);
            format!("invalid argument {value:?} for {flag:?} flag: use true or false")
        }
        _ => error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use indexmap::indexmap;
    use ws_loop::{AddressPool, HostPatterns};

    use super::*;

    fn args(line: &str) -> Vec<String> {
        line.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }

    fn run(line: &str) -> Run {
        match parse(&args(line)).0 {
            Ok(Command::Run(run)) => *run,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn refused(line: &str) -> String {
        let error = parse(&args(line)).0.unwrap_err();
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
            ("--tag a=b --tag c=d=e", Layer { tags: Some(tags), ..none() }),
            (
                "--system-tags url,ip",
                Layer { system_tags: Some(vec!["url".to_owned(), "ip".to_owned()]), ..none() },
            ),
            ("--compat=web", Layer { compat: Some(ws_js::Compat::Web), ..none() }),
            ("--strict-utf8", Layer { strict_utf8: Some(true), ..none() }),
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
            assert_eq!(run(&format!("run x.js {line}")).options, expected, "{line}");
            assert_eq!(run(&format!("run {line} x.js")).options, expected, "{line}");
        }
    }

    #[test]
    fn runtime_flags() {
        let run = run("run -e A=b -e C --include-system-env-vars=false --no-thresholds --no-summary \
             --summary-export s.json -o json=o.json --prometheus :9100 --extended-metrics --drivers 2 --echo -");
        assert_eq!(run.script, "-");
        assert_eq!(run.runtime.env, [("A".to_owned(), "b".to_owned()), ("C".to_owned(), String::new())]);
        assert_eq!(run.runtime.include_system_env_vars, Some(false));
        assert_eq!((run.runtime.no_thresholds, run.runtime.no_summary), (Some(true), Some(true)));
        assert_eq!(run.runtime.summary_export.as_deref(), Some("s.json"));
        assert_eq!(run.runtime.outputs, [Output::Json("o.json".to_owned())]);
        assert_eq!(run.runtime.prometheus.as_deref(), Some(":9100"));
        assert_eq!(run.runtime.extended_metrics, Some(true));
        assert_eq!((run.runtime.drivers, run.runtime.echo), (Some(2), true));
    }

    #[test]
    fn global_flags_before_and_after_the_command() {
        for line in [
            "-qv --no-color --log-format json --log-output none run x.js",
            "run x.js -q --verbose --no-color=true --log-format=json --log-output=none",
        ] {
            let (command, globals) = parse(&args(line));
            assert!(command.is_ok(), "{line}");
            assert!(globals.quiet && globals.verbose && globals.no_color);
            assert_eq!(globals.log_format.as_deref(), Some("json"));
            assert_eq!(globals.log_output.as_deref(), Some("none"));
        }
    }

    #[test]
    fn other_commands() {
        assert!(matches!(parse(&args("version")).0, Ok(Command::Version)));
        assert!(matches!(parse(&args("--version")).0, Ok(Command::Version)));
        assert!(matches!(parse(&args("echo")).0, Ok(Command::Echo(addr)) if addr == "127.0.0.1:9001"));
        assert!(
            matches!(parse(&args("echo --listen [::1]:1")).0, Ok(Command::Echo(addr)) if addr == "[::1]:1")
        );
        for line in ["", "-h", "help", "run -h", "help run", "run --help"] {
            let Ok(Command::Help(text)) = parse(&args(line)).0 else { panic!("{line}") };
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
            ("cloud", "command \"cloud\" is not supported yet"),
            ("inspect x.js", "command \"inspect\" is not supported yet"),
            ("echo x", "unexpected argument: x"),
            ("run --badflag", "unknown flag: --badflag"),
            ("run x.js --badflag=3", "unknown flag: --badflag"),
            ("run -x", "unknown shorthand flag: 'x' in -x"),
            ("run x.js --stage 10s:5", "--stage is not supported yet"),
            ("run x.js -s 10s:5", "--stage is not supported yet"),
            ("run x.js --no-usage-report", "--no-usage-report is not supported yet"),
            ("run x.js -c conf.json", "--config is not supported yet"),
            ("run x.js --address=:6565", "--address is not supported yet"),
            ("run --vus", "flag needs an argument: --vus"),
            (
                "run x.js -d 5",
                "invalid argument \"5\" for \"-d, --duration\" flag: time: missing unit in duration \"5\"",
            ),
            ("run x.js -u abc", "invalid argument \"abc\" for \"-u, --vus\" flag: \"abc\" is not an integer"),
            (
                "run x.js --no-setup=maybe",
                "invalid argument \"maybe\" for \"--no-setup\" flag: use true or false",
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
