//! The binary `ws`.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    ws_cli::main_with(ws_cli::Env::process()).into()
}
