//! Tasks of the workspace, run as `cargo xtask TASK`.
#![forbid(unsafe_code)]

mod bench;
mod conformance;
mod flags;
mod growth;
mod soak;
mod tidy;
mod v8;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask TASK [FLAGS]

  tidy    checks the rules of the tree that no compiler checks
  bench   compares ws with k6: CPU per message, memory per VU, pauses for garbage collection
            --rounds N     runs of each program and workload, alternating (3)
            --seconds S    how long connections are held (each workload's own)
            --only NAME    a workload, as echo_ws-200; may be repeated
            --ws PATH      the binary (cargo builds the dist profile)
            --k6 PATH      the peer (WS_TEST_K6, else k6 on PATH; none: ws alone)
  conformance
          runs ws-proto against the Autobahn cases and compares with docs/conformance.md
            --only GLOB    cases such as 9.*; may be repeated; the table is not written then
            --jobs N       servers at the same time (all cores)
            --python PATH  for the virtual environment of the suite (python3)
  growth  runs messages for minutes and fails if memory grows
            --seconds S    how long each script runs (600)
            --limit N      bytes per second that are too many (40000)
            --ws PATH      the binary (cargo builds the release profile)
  soak    holds thousands of connections to the servers of peers/ and counts every message
            --connections N  at once (5000)
            --messages N     of each (20)
  v8      rebuilds the library in third_party/v8 from the sources of the v8 crate
            --out DIR      where to build (target/v8)
            --up-to STEP   the last step: tools, sources, llvm, patch, gen, sample, build, pack
            --jobs N       parallel compilers (all cores)
";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let task = args.next();
    let rest = args.collect::<Vec<_>>();
    let outcome = match task.as_deref() {
        Some("tidy") => flags::Flags::parse(&rest, &[]).and_then(|_| tidy::run(workspace())),
        Some("bench") => {
            flags::Flags::parse(&rest, bench::FLAGS).and_then(|flags| bench::run(workspace(), &flags))
        }
        Some("conformance") => flags::Flags::parse(&rest, conformance::FLAGS)
            .and_then(|flags| conformance::run(workspace(), &flags)),
        Some("growth") => {
            flags::Flags::parse(&rest, growth::FLAGS).and_then(|flags| growth::run(workspace(), &flags))
        }
        Some("soak") => {
            flags::Flags::parse(&rest, soak::FLAGS).and_then(|flags| soak::run(workspace(), &flags))
        }
        Some("v8") => flags::Flags::parse(&rest, v8::FLAGS).and_then(|flags| v8::run(workspace(), &flags)),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace.
fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace")
}
