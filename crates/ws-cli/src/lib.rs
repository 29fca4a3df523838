//! The binary `ws`: from flags to a report.
//!
//! [`main_with`] is the whole program. Everything it takes from its surroundings comes in through [`Env`], so a test
//! can hand in its own.
//!
//! # Examples
//!
//! ```
//! use ws_cli::{Env, ExitCode, Stream, main_with};
//!
//! let env = Env { args: vec!["version".to_owned()], stdout: Stream::new(std::io::sink()), ..Env::process() };
//! assert_eq!(main_with(env), ExitCode::Success);
//! ```
#![forbid(unsafe_code)]

mod app;
mod banner;
mod conclusion;
mod console;
mod crash;
mod descriptors;
mod echo;
mod env;
mod error;
mod exit;
mod failpoint;
mod host;
mod listen;
mod logging;
mod new;
mod options;
mod output;
mod progress;
mod signal;
mod summary;
#[cfg(test)]
mod tests;
mod vus;
mod wording;

pub use console::Stream;
pub use crash::Crashes;
pub use env::Env;
pub use exit::ExitCode;
pub use signal::Signal;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use app::App;
use console::{Console, Target};
use error::CliError;
use host::Host;
use logging::Logger;
use options::flags::{self, Command};
use options::runtime::Globals;
use signal::Watch;

/// Runs the program and says how it went.
pub fn main_with(env: Env) -> ExitCode {
    main_on(env, &vus::Engine)
}

/// As [`main_with`], with another way to run scripts.
fn main_on(env: Env, host: &dyn Host) -> ExitCode {
    let Env {
        name,
        args,
        vars,
        cwd,
        stdin,
        stdout,
        stderr,
        clock,
        wall,
        signals,
        columns,
        exit_now,
        crashes,
    } = env;
    let console = Console::new(stdout, stderr);
    let (command, flags) = flags::parse(name, &args);
    let globals = Globals::new(flags, &vars);
    let logger = match Logger::new(&globals, &cwd, &console, clock.clone(), wall) {
        Ok(logger) => logger,
        Err(error) => {
            Logger::fallback(&console, clock, wall).failure(&error);
            return error.code;
        }
    };
    let listened = crashes.clone();
    let command = || match command {
        Err(error) => Err(error),
        Ok(Command::Version { json }) => {
            let version = if json { banner::version_json() } else { banner::version(name) };
            console.print(Target::Stdout, &version);
            Ok(ExitCode::Success)
        }
        Ok(Command::Help(text)) => {
            console.print(Target::Stdout, &text);
            Ok(ExitCode::Success)
        }
        Ok(Command::New(wanted)) => new::write(&wanted, &console, &cwd),
        Ok(Command::Echo(addr)) => echo::serve(&addr, &console, signals, &crashes),
        Ok(Command::Run(run)) => {
            let watch = Watch::start(name, signals, logger.clone(), exit_now);
            let log = logger.clone();
            App { name, console, log, vars, cwd, clock, wall, columns, globals, watch, crashes, host }
                .run(*run, stdin)
        }
    };
    let result = catch_unwind(AssertUnwindSafe(command));
    // On another thread it may have gone unnoticed, or come at the very end.
    let result = match (listened.first(), result) {
        (Some(crash), _) => Err(crash.into()),
        (None, Ok(result)) => result,
        (None, Err(panic)) => resume_unwind(panic),
    };
    result.unwrap_or_else(|error: CliError| {
        logger.failure(&error);
        error.code
    })
}
