//! The modules of one realm.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use super::load::{Source, Sources};
use super::{Builtins, es};
use crate::binding::{Native, Throw};

/// See the module's documentation. Does not leave its realm's isolate; holds globals only.
pub(crate) struct RealmModules {
    pub(super) sources: Arc<Sources>,
    pub(super) builtins: Box<dyn Builtins>,
    in_init: Cell<bool>,
    entries: RefCell<HashMap<Rc<str>, Rc<Entry>>>,
    /// By V8's hash, which several modules may have in common.
    by_hash: RefCell<HashMap<i32, Vec<Known>>>,
    exports: RefCell<HashMap<String, v8::Global<v8::Object>>>,
    /// The `module` objects of CommonJS modules that run or have run, by URL.
    pub(super) commonjs: RefCell<HashMap<String, v8::Global<v8::Object>>>,
    /// For each module code that runs right now, innermost last, the number of script frames below it.
    pub(super) running: RefCell<Vec<usize>>,
}

/// One module of a realm.
pub(super) struct Entry {
    pub(super) key: Rc<str>,
    pub(super) body: Body,
    pub(super) module: RefCell<v8::Global<v8::Module>>,
}

/// A V8 module that belongs to an entry. An entry has several if names were missing when others had been
/// linked to it already.
struct Known {
    module: v8::Global<v8::Module>,
    entry: Rc<Entry>,
    /// How many of the entry's names it exports.
    names: usize,
}

/// Where a module's exports come from.
pub(super) enum Body {
    Es(Arc<Source>),
    /// Shown to importers as an ES module with these exports.
    CommonJs(Arc<Source>, RefCell<Vec<String>>),
    /// Likewise.
    Builtin(RefCell<Vec<String>>),
}

impl Entry {
    /// The folder in which its relative specifiers begin.
    pub(super) fn dir(&self) -> PathBuf {
        match &self.body {
            Body::Es(source) | Body::CommonJs(source, _) => source.dir.clone(),
            Body::Builtin(_) => PathBuf::new(),
        }
    }

    /// The names that are exported besides `default`; `None` for ES modules, whose own text says.
    pub(super) fn names(&self) -> Option<&RefCell<Vec<String>>> {
        match &self.body {
            Body::Es(_) => None,
            Body::CommonJs(_, names) | Body::Builtin(names) => Some(names),
        }
    }
}

impl RealmModules {
    pub(crate) fn new(sources: Arc<Sources>, builtins: Box<dyn Builtins>) -> Self {
        Self {
            sources,
            builtins,
            in_init: Cell::new(true),
            entries: RefCell::default(),
            by_hash: RefCell::default(),
            exports: RefCell::default(),
            commonjs: RefCell::default(),
            running: RefCell::default(),
        }
    }

    /// Whether the init stage runs: files and modules can be had.
    pub(crate) fn in_init(&self) -> bool {
        self.in_init.get()
    }

    /// What follows belongs to the init stage once more.
    pub(crate) fn begin_init(&self) {
        self.in_init.set(true);
    }

    pub(crate) fn end_init(&self) {
        self.in_init.set(false);
    }

    pub(super) fn entry(&self, key: &str) -> Option<Rc<Entry>> {
        self.entries.borrow().get(key).cloned()
    }

    pub(super) fn insert(
        &self,
        scope: &mut v8::PinScope<'_, '_>,
        key: &str,
        body: Body,
        module: v8::Local<'_, v8::Module>,
    ) -> Rc<Entry> {
        let key: Rc<str> = key.into();
        let entry = Rc::new(Entry {
            key: Rc::clone(&key),
            body,
            module: RefCell::new(v8::Global::new(scope, module)),
        });
        self.entries.borrow_mut().insert(key, Rc::clone(&entry));
        self.know(scope, &entry, module);
        entry
    }

    /// Gives an entry another V8 module.
    pub(super) fn replace(
        &self,
        scope: &mut v8::PinScope<'_, '_>,
        entry: &Rc<Entry>,
        module: v8::Local<'_, v8::Module>,
    ) {
        *entry.module.borrow_mut() = v8::Global::new(scope, module);
        self.know(scope, entry, module);
    }

    /// The entry that a V8 module belongs to, and how many of its names the module exports.
    pub(super) fn entry_of(&self, module: v8::Local<'_, v8::Module>) -> Native<(Rc<Entry>, usize)> {
        let by_hash = self.by_hash.borrow();
        let same_hash = by_hash.get(&module.get_identity_hash().get());
        same_hash
            .and_then(|known| known.iter().find(|known| known.module == module))
            .map(|known| (Rc::clone(&known.entry), known.names))
            .ok_or_else(|| Throw::Plain("a module of another realm".into()))
    }

    fn know(&self, scope: &mut v8::PinScope<'_, '_>, entry: &Rc<Entry>, module: v8::Local<'_, v8::Module>) {
        let known = Known {
            module: v8::Global::new(scope, module),
            entry: Rc::clone(entry),
            names: entry.names().map_or(0, |names| names.borrow().len()),
        };
        self.by_hash.borrow_mut().entry(module.get_identity_hash().get()).or_default().push(known);
    }

    /// The exports of one of our own modules, made when they are asked for first.
    pub(super) fn builtin<'s>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        name: &str,
    ) -> Native<v8::Local<'s, v8::Object>> {
        if let Some(exports) = self.exports.borrow().get(name) {
            return Ok(v8::Local::new(scope, exports));
        }
        let exports = self.builtins.make(scope, name)?;
        let exports = exports.ok_or_else(|| Throw::Go(format!("unknown module: {name}")))?;
        self.exports.borrow_mut().insert(name.into(), v8::Global::new(scope, exports));
        Ok(exports)
    }

    /// Keeps what V8 has compiled, for the realms to come.
    pub(super) fn keep_code(&self, scope: &mut v8::PinScope<'_, '_>) {
        for entry in self.entries.borrow().values() {
            if let Body::Es(source) = &entry.body
                && source.code.get().is_none()
                && let Some(code) = es::compiled(scope, &entry.module.borrow())
            {
                // Another realm may have been faster; its code is as good.
                let _ = source.code.set(code);
            }
        }
    }
}
