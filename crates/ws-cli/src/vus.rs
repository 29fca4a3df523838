//! The JavaScript engine behind a run.

use crate::error::CliError;
use crate::host::{Host, LoadRequest, Script};

/// Runs scripts with ws-js.
pub(crate) struct Engine;

impl Host for Engine {
    fn load(&self, _: LoadRequest) -> Result<Box<dyn Script>, CliError> {
        Err(CliError::generic("this build cannot run scripts: it has no JavaScript engine"))
    }
}
