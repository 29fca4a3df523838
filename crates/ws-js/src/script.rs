//! The first init stage: read the script, run it once, and see what it wants.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use ws_metrics::{Registry, TagSets, WallClock};

use crate::api::Caller;
use crate::api::data::SharedArrays;
use crate::binding::Throw;
use crate::error::Error;
use crate::exception::JsException;
use crate::group::Group;
use crate::isolate::HeapShare;
use crate::log::Log;
use crate::modules::{Main, Sources};
use crate::realm::Realm;
use crate::shared::{Parts, Settings, Shared};
use crate::vu::call::Fault;
use crate::vu::tags::VuTags;
use crate::vu::{self, Vu, call};

/// What a script needs before anything is known of its run.
pub struct ScriptOptions {
    /// The script.
    pub main: Main,
    /// What it sees as `__ENV`.
    pub env: BTreeMap<String, String>,
    /// What it has beyond the language.
    pub mode: CompatibilityMode,
    /// Where its custom metrics are registered.
    pub registry: Arc<Registry>,
    /// Where tag sets are interned.
    pub tag_sets: Arc<TagSets>,
    /// Where `console` and exceptions go.
    pub log: Arc<dyn Log>,
}

/// k6's word for whether scripts have what comes from neither the language nor the web.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CompatibilityMode {
    /// They have `global`, the global object, which bundles look for that were made for Node.js.
    #[default]
    Extended,
    /// They have not.
    Base,
}

/// A script whose init stage has run once.
pub struct Script {
    pub(crate) sources: Arc<Sources>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) mode: CompatibilityMode,
    pub(crate) registry: Arc<Registry>,
    pub(crate) tag_sets: Arc<TagSets>,
    pub(crate) arrays: Arc<SharedArrays>,
    pub(crate) log: Arc<dyn Log>,
    options: Option<serde_json::Value>,
    exports: Vec<Export>,
}

/// Something that the script exports, other than `options`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// Its name.
    pub name: String,
    /// Whether it can be called.
    pub is_function: bool,
}

/// The init stage failed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// The script threw, could not be parsed, or imports what is not there.
    #[error("{}", .0.stack_text().trim_end())]
    Exception(JsException),
    /// Its `options` cannot be written as JSON, for this reason.
    #[error("error parsing script options: {0}")]
    Options(String),
}

impl Script {
    /// Reads the script and runs its init stage once, in a world of its own that is thrown away.
    ///
    /// Call [`initialize`](crate::initialize) before.
    pub fn load(options: ScriptOptions) -> Result<Self, Error> {
        let ScriptOptions { main, env, mode, registry, tag_sets, log } = options;
        let sources = Sources::new(main);
        let arrays = Arc::<SharedArrays>::default();
        let shared = Shared::new(Parts {
            settings: Settings::default(),
            sources: Arc::clone(&sources),
            env: env.clone(),
            mode,
            registry: Arc::clone(&registry),
            tag_sets: Arc::clone(&tag_sets),
            arrays: Arc::clone(&arrays),
            log: Arc::clone(&log),
            samples: None,
            wall: WallClock::new(Instant::now(), SystemTime::now()),
        });
        let group = Group::new(shared, 1, HeapShare { limit: heap_limit(), realms: 1 })?;
        let vu = add_vu(&group, 0)?;
        let (options, exports) = group.enter(|inside| {
            let realm = Rc::clone(&inside.state().vus[vu as usize].realm);
            let described = inside.with_realm(vu, &realm, |scope| {
                realm.in_init_again(|| describe(Caller { inside, vu }, scope, &realm))
            });
            inside.state().vus[vu as usize].busy = false;
            described
        })?;
        sources.seal();
        Ok(Self { sources, env, mode, registry, tag_sets, arrays, log, options, exports })
    }

    /// The exported `options`, if there are any.
    pub fn options(&self) -> Option<&serde_json::Value> {
        self.options.as_ref()
    }

    /// What the script exports besides `options`, in the order of the names.
    pub fn exports(&self) -> &[Export] {
        &self.exports
    }

    /// Whether the script exports a function of this name.
    pub fn has_function(&self, name: &str) -> bool {
        self.exports.iter().any(|export| export.name == name && export.is_function)
    }
}

/// Half of the memory that this process may use, in bytes: a script can fill its heap, but not the machine.
pub(crate) fn heap_limit() -> usize {
    usize::try_from(crate::memory::available() / 2).unwrap_or(usize::MAX).max(256 << 20)
}

/// Makes a VU in `group` and runs its init stage. Returns its index.
pub(crate) fn add_vu(group: &Group, number: u32) -> Result<u32, ScriptError> {
    group.enter(|inside| {
        let realm = inside.with_isolate(|isolate| Realm::new(isolate, &group.shared, number));
        let vu = {
            let mut state = inside.state();
            state.vus.push(Vu::new(number, Rc::clone(&realm), VuTags::default()));
            (state.vus.len() - 1) as u32
        };
        if group.must_end(vu) {
            return Err(ScriptError::Exception(JsException::plain("interrupted")));
        }
        let loaded = inside.with_realm(vu, &realm, |scope| realm.load(Caller { inside, vu }, scope));
        // A script that has slept counts as one that runs.
        inside.state().vus[vu as usize].busy = false;
        match loaded {
            Err(_) if group.is_exhausted(vu) => {
                Err(ScriptError::Exception(call::out_of_memory(number, group.heap_limit())))
            }
            loaded => loaded.map(|()| vu).map_err(ScriptError::Exception),
        }
    })
}

type Description = (Option<serde_json::Value>, Vec<Export>);

/// Reads the exports. Getters of theirs are a part of the init stage, with all that they set off.
fn describe(
    caller: Caller,
    scope: &mut v8::PinScope<'_, '_>,
    realm: &Realm,
) -> Result<Description, ScriptError> {
    let mut unreadable = None;
    let read = call::native(caller, scope, realm, |scope| {
        exports(scope, realm).map_err(|error| {
            unreadable = Some(error);
            Throw::Pending
        })
    });
    let told = |fault| match fault {
        Fault::Threw(exception) => ScriptError::Exception(exception),
        Fault::Interrupted => ScriptError::Exception(JsException::plain("interrupted")),
    };
    match (read, unreadable) {
        // An exception that no line of the script has thrown is V8's own about the value.
        (Err(Fault::Threw(exception)), Some(error)) if exception.frames.is_empty() => Err(error),
        (Err(fault), _) => Err(told(fault)),
        (Ok(described), _) => vu::init::run_loop(caller, scope, realm).map(|()| described).map_err(told),
    }
}

fn exports(scope: &mut v8::PinScope<'_, '_>, realm: &Realm) -> Result<Description, ScriptError> {
    let Some(exports) = realm.exports(scope) else { return Ok((None, Vec::new())) };
    let mut options = None;
    let mut found = Vec::new();
    let entries = crate::api::entries(scope, exports)
        .map_err(|_| ScriptError::Options("an export cannot be read".to_owned()))?;
    for (name, value) in entries {
        if name == "options" {
            if value.is_null_or_undefined() {
                continue;
            }
            let json = crate::convert::json_stringify(scope, value).map_err(|throw| match throw {
                Throw::Plain(why) => ScriptError::Options(why),
                _ => ScriptError::Options("a getter throws".to_owned()),
            })?;
            options = json
                .map(|json| serde_json::from_str(&json))
                .transpose()
                .map_err(|error| ScriptError::Options(error.to_string()))?;
        } else {
            found.push(Export { is_function: value.is_function(), name });
        }
    }
    Ok((options, found))
}
