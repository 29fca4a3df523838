//! The files of a run: read once, then the same for every VU.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use super::library::Library;
use super::resolve::{clean, missing, url_of};

/// The script that a run starts with.
#[derive(Debug, Clone)]
pub struct Main {
    path: PathBuf,
    text: String,
}

impl Main {
    /// Reads the script from a file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or the working directory is gone.
    pub fn read(path: &Path) -> io::Result<Self> {
        let bytes = std::fs::read(path)?;
        Ok(Self { path: std::path::absolute(path)?, text: decode(&bytes) })
    }

    /// A script that is no file, as if it were one at `path`: this is its name in messages, and what it
    /// imports and opens is relative to the folder.
    ///
    /// # Errors
    ///
    /// If `path` is relative and the working directory is gone.
    pub fn from_source(path: &Path, text: impl Into<String>) -> io::Result<Self> {
        Ok(Self { path: std::path::absolute(path)?, text: text.into() })
    }

    /// The script's URL, as it appears in stack traces.
    pub fn url(&self) -> String {
        url_of(&clean(&self.path))
    }
}

/// All files that the script and its modules are made of, shared by the realms of a run. The first init
/// stage decides which these are; later realms find only them.
pub(crate) struct Sources {
    main: Arc<Source>,
    main_path: PathBuf,
    state: Mutex<State>,
}

struct State {
    sealed: bool,
    modules: HashMap<PathBuf, Arc<Source>>,
    libraries: HashMap<&'static str, Arc<Source>>,
    files: HashMap<PathBuf, Arc<[u8]>>,
}

/// The text of one module.
pub(crate) struct Source {
    /// Its name in stack traces.
    pub(crate) url: String,
    /// Where its relative specifiers begin.
    pub(crate) dir: PathBuf,
    pub(crate) text: String,
    /// What kind of module it is, found out by the first realm that needs it.
    pub(crate) kind: OnceLock<Kind>,
    /// V8's compiled form, made by the first realm and used by the others.
    pub(crate) code: OnceLock<Vec<u8>>,
}

/// The two module systems of JavaScript.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// With `import`, `export` or top-level `await`.
    Es,
    /// Without: `require` and `exports`.
    CommonJs,
}

impl Sources {
    pub(crate) fn new(main: Main) -> Arc<Self> {
        let path = clean(&main.path);
        let main = Source::new(&path, main.text);
        let state = State {
            sealed: false,
            modules: HashMap::from([(path.clone(), Arc::clone(&main))]),
            libraries: HashMap::new(),
            files: HashMap::new(),
        };
        Arc::new(Self { main, main_path: path, state: Mutex::new(state) })
    }

    pub(crate) fn main(&self) -> &Arc<Source> {
        &self.main
    }

    pub(crate) fn main_path(&self) -> &Path {
        &self.main_path
    }

    /// From now on nothing new is read.
    pub(crate) fn seal(&self) {
        self.state.lock().sealed = true;
    }

    /// The module at `path`, imported as `specifier`, or why there is none.
    pub(crate) fn module(&self, path: &Path, specifier: &str) -> Result<Arc<Source>, String> {
        let mut state = self.state.lock();
        if let Some(source) = state.modules.get(path) {
            return Ok(Arc::clone(source));
        }
        if state.sealed {
            return Err(format!(
                "the module \"{specifier}\" was not previously resolved during initialization (__VU==0)"
            ));
        }
        let bytes = std::fs::read(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => missing(specifier),
            _ => format!("read {}: {}", path.display(), reason(&error)),
        })?;
        let source = Source::new(path, decode(&bytes));
        state.modules.insert(path.to_owned(), Arc::clone(&source));
        Ok(source)
    }

    /// A module that comes with this tool.
    pub(super) fn library(&self, library: &'static Library) -> Arc<Source> {
        let make = || {
            Arc::new(Source {
                url: library.key.into(),
                // It imports nothing relative to itself.
                dir: PathBuf::new(),
                text: library.text.into(),
                kind: OnceLock::from(Kind::Es),
                code: OnceLock::new(),
            })
        };
        Arc::clone(self.state.lock().libraries.entry(library.key).or_insert_with(make))
    }

    /// The contents of a file for `open()`, or why there are none.
    pub(crate) fn file(&self, path: &Path) -> Result<Arc<[u8]>, String> {
        let mut state = self.state.lock();
        if let Some(contents) = state.files.get(path) {
            return Ok(Arc::clone(contents));
        }
        let shown = path.display();
        if state.sealed {
            return Err(format!(
                "open() can't be used with files that weren't previously opened during initialization (__VU==0), path: \"{shown}\""
            ));
        }
        let metadata =
            std::fs::metadata(path).map_err(|error| format!("stat {shown}: {}", reason(&error)))?;
        if metadata.is_dir() {
            return Err(format!("open() can't be used with directories, path: \"{shown}\""));
        }
        let contents = std::fs::read(path).map_err(|error| format!("open {shown}: {}", reason(&error)))?;
        let contents: Arc<[u8]> = contents.into();
        state.files.insert(path.to_owned(), Arc::clone(&contents));
        Ok(contents)
    }
}

impl Source {
    fn new(path: &Path, text: String) -> Arc<Self> {
        let dir = path.parent().unwrap_or(path).to_owned();
        Arc::new(Self { url: url_of(path), dir, text, kind: OnceLock::new(), code: OnceLock::new() })
    }
}

/// UTF-8 with or without a byte order mark.
fn decode(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.strip_prefix('\u{FEFF}').unwrap_or(&text).to_owned()
}

/// The system's reason alone, in the words of its manual.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::IsADirectory => "is a directory".into(),
        io::ErrorKind::NotADirectory => "not a directory".into(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Arc<Sources>) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.js"), "\u{FEFF}first").unwrap();
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        let main = Main::from_source(&folder.path().join("main.js"), "").unwrap();
        let sources = Sources::new(main);
        (folder, sources)
    }

    #[test]
    fn files_are_read_once() {
        let (folder, sources) = folder();
        let path = folder.path().join("a.js");
        assert_eq!(sources.module(&path, "./a.js").unwrap().text, "first");
        assert_eq!(&*sources.file(&path).unwrap(), "\u{FEFF}first".as_bytes());
        std::fs::write(&path, "second").unwrap();
        assert_eq!(sources.module(&path, "./a.js").unwrap().text, "first");
        assert_eq!(&*sources.file(&path).unwrap(), "\u{FEFF}first".as_bytes());
    }

    #[test]
    fn later_realms_find_only_what_the_first_has_read() {
        let (folder, sources) = folder();
        let path = folder.path().join("a.js");
        sources.module(&path, "./a.js").unwrap();
        sources.seal();
        assert!(sources.module(&path, "./a.js").is_ok());
        assert_eq!(
            sources.module(&folder.path().join("b.js"), "./b.js").err().unwrap(),
            "the module \"./b.js\" was not previously resolved during initialization (__VU==0)"
        );
        assert_eq!(
            sources.file(&path).err().unwrap(),
            format!(
                "open() can't be used with files that weren't previously opened during initialization (__VU==0), path: \"{}\"",
                path.display()
            )
        );
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let (folder, sources) = folder();
        let (sub, none) = (folder.path().join("sub"), folder.path().join("none"));
        let missing = sources.module(&none, "./none").err().unwrap();
        assert!(
            missing.starts_with("The moduleSpecifier \"./none\" couldn't be found on local disk."),
            "{missing}"
        );
        assert_eq!(
            sources.module(&sub, "./sub").err().unwrap(),
            format!("read {}: is a directory", sub.display())
        );
        assert_eq!(
            sources.file(&none).err().unwrap(),
            format!("stat {}: no such file or directory", none.display())
        );
        assert_eq!(
            sources.file(&sub).err().unwrap(),
            format!("open() can't be used with directories, path: \"{}\"", sub.display())
        );
    }

    #[test]
    fn the_main_script_is_known_without_a_file() {
        let (folder, sources) = folder();
        let path = folder.path().join("main.js");
        assert!(Arc::ptr_eq(&sources.module(&path, "./main.js").unwrap(), sources.main()));
        assert_eq!(sources.main().dir, folder.path());
        assert!(sources.main().url.starts_with("file:///") && sources.main().url.ends_with("/main.js"));
    }
}
