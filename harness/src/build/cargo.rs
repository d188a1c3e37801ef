//! One variant, built by Cargo under exactly the flags of its flag set.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::build::bundle::Bundle;
use crate::build::extension::{Host, PythonHome, missing};
use crate::build::said::{check_flags, first_error, rustc_command};
use crate::build::settings::is_build_variable;
use crate::plan::{CargoBuild, FlagSet, Variant, Workload};
use crate::process::{Invocation, Limits, RunError, run};

/// The longest that one build may take.
const LONGEST_BUILD: Duration = Duration::from_secs(3600);

/// What came out of building a variant.
#[derive(Clone, Debug, PartialEq)]
pub struct Artifact {
    /// What was asked for.
    pub variant: Variant,
    /// The executable that is started.
    pub path: PathBuf,
    /// The shared library, where the executable only starts an interpreter that loads it.
    pub library: Option<PathBuf>,
    /// How a library is started; `None` where the artifact is an executable of its own.
    pub host: Option<Host>,
    /// The SHA-256 of what was built, in hex.
    pub digest: String,
    /// Its size, in bytes.
    pub file_bytes: u64,
    /// Seconds that Cargo took when it last compiled every crate of it; `None` where some were there before.
    pub build_seconds: Option<f64>,
    /// The flags that rustc was given.
    pub flags: Vec<String>,
    /// The Cargo command.
    pub command: String,
    /// The rustc command line of the executable, as Cargo printed it.
    pub rustc_command: String,
    /// Its linker inputs; `None` where the toolchain has no lld or another linker is configured.
    pub bundle: Option<Bundle>,
}

impl Artifact {
    /// The file that holds the measured code.
    #[must_use]
    pub fn code(&self) -> &Path {
        self.library.as_ref().unwrap_or(&self.path)
    }
}

/// Why there is no artifact.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// This machine lacks something that building takes.
    #[error("{what}: {remedy}")]
    Missing {
        /// What is missing, in a clause.
        what: String,
        /// What to do about it.
        remedy: String,
    },
    /// Cargo said no.
    #[error("{error}")]
    Compile {
        /// Its first error.
        error: String,
    },
    /// The linker said no.
    #[error("the linker failed: {error}")]
    Link {
        /// Its first line.
        error: String,
    },
    /// rustc was given other flags than the flag set's.
    #[error(
        "rustc got {found:?} where the flag set says {wanted:?}: a Cargo config file or wrapper changes flags"
    )]
    Flags {
        /// What the flag set says.
        wanted: Vec<String>,
        /// What the command line has.
        found: Vec<String>,
    },
    /// lld left no archive.
    #[error("no linker inputs in {}: is another linker than lld configured?", archive.display())]
    NoBundle {
        /// Where they should be.
        archive: PathBuf,
    },
    /// Files could not be read or written.
    #[error("{}: {error}", path.display())]
    Files {
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// A program could not be run.
    #[error(transparent)]
    Run(RunError),
}

/// Builds variants of one workspace.
#[derive(Clone, Debug)]
pub struct Builder {
    /// The workspace's root.
    pub root: PathBuf,
    /// Where everything that is built goes, one target directory a flag set.
    pub target: PathBuf,
    /// The toolchain's lld.
    pub lld: Option<PathBuf>,
    /// The lab's own executable, which ends a build when the lab is gone.
    pub supervisor: Option<PathBuf>,
    /// The interpreter of an `ffi` suite.
    pub python: Option<PythonHome>,
}

/// Which target of a package Cargo builds, and what is taken from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Product {
    /// The executable of a binary target.
    Executable,
    /// The shared library of the library target.
    Cdylib,
}

/// One clean or touched build of a `build` suite.
#[derive(Clone, Debug, PartialEq)]
pub struct TimedBuild {
    /// Wall clock.
    pub wall: Duration,
    /// The executable.
    pub executable: PathBuf,
    /// The Cargo command.
    pub command: String,
}

#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    executable: Option<PathBuf>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
    #[serde(default)]
    fresh: bool,
    #[serde(default)]
    target: Option<MessageTarget>,
}

impl Message {
    /// What came out.
    fn product(&self, product: Product) -> Option<PathBuf> {
        let is_shared = |path: &&PathBuf| path.extension().is_some_and(|kind| kind == "so");
        match product {
            Product::Executable => self.executable.clone(),
            Product::Cdylib => self.filenames.iter().find(is_shared).cloned(),
        }
    }
}

#[derive(Deserialize)]
struct MessageTarget {
    name: String,
}

/// What is kept beside an unpacked bundle.
#[derive(Deserialize, serde::Serialize, Default)]
struct Kept {
    digest: String,
    build_seconds: Option<f64>,
    rustc_command: String,
}

struct Built {
    executable: PathBuf,
    compiled: bool,
    compiled_all: bool,
    rustc_command: Option<String>,
    wall: Duration,
}

impl Builder {
    /// Builds what an arm runs, or finds it built. The flag set is that of its variant; `None` where Cargo builds
    /// nothing.
    ///
    /// # Errors
    /// [`BuildError`]: the code does not compile, the flags that arrived are not the flag set's, the disk is
    /// full, something is missing, or `stop` said so.
    pub fn build(
        &self,
        workload: &Workload,
        flagset: Option<&FlagSet>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Artifact, BuildError> {
        match (workload.ffi(), workload.variant(), flagset) {
            (Some(ffi), _, Some(flagset)) if workload.by_cargo() => {
                self.hosted(self.by_cargo(&ffi.variant, Product::Cdylib, flagset, stop)?, ffi)
            }
            (Some(ffi), _, _) => self.build_extension(ffi, stop),
            (None, Some(variant), Some(flagset)) => {
                self.by_cargo(variant, Product::Executable, flagset, stop)
            }
            (None, _, _) => Err(missing("nothing says what to build", "name a package and a flag set")),
        }
    }

    /// Lets Cargo build a variant, and keeps its linker inputs.
    fn by_cargo(
        &self,
        variant: &Variant,
        product: Product,
        flagset: &FlagSet,
        stop: &dyn Fn() -> bool,
    ) -> Result<Artifact, BuildError> {
        let slug = slug(variant);
        let archive = self.target.join("bundles").join(format!("{slug}.tar"));
        let folder = self.target.join("bundles").join(&slug);
        self.create(&self.target.join("bundles"))?;
        let mut invocation = self.invocation(variant, product, flagset, &archive);
        let mut bundled = self.lld.is_some();
        let mut built = match self.cargo(&invocation, variant, product, stop) {
            // A linker that is not lld may refuse the option: one layout is better than none.
            Err(BuildError::Compile { error }) if bundled && error.contains("--reproduce") => {
                bundled = false;
                invocation = self.bare(variant, product, flagset, &self.target.join(&flagset.name));
                self.cargo(&invocation, variant, product, stop)?
            }
            other => other?,
        };
        let mut kept = read_kept(&folder);
        let digest = digest_of(&built.executable)?;
        let stale = kept.as_ref().is_none_or(|kept| kept.digest != digest);
        if bundled && stale && !archive.exists() {
            // Cargo found the executable fresh, but its linker inputs are gone: link once more.
            self.clean(variant, flagset, stop)?;
            built = self.cargo(&invocation, variant, product, stop)?;
        }
        let digest = digest_of(&built.executable)?;
        if built.compiled || stale {
            let new = Kept {
                digest: digest.clone(),
                build_seconds: if built.compiled_all {
                    Some(built.wall.as_secs_f64())
                } else {
                    kept.and_then(|kept| kept.build_seconds)
                },
                rustc_command: built.rustc_command.clone().unwrap_or_default(),
            };
            check_flags(&new.rustc_command, &flagset.flags)?;
            if let Some(lld) = &self.lld
                && archive.exists()
            {
                Bundle::unpack(&archive, &folder, lld)?;
                fs::remove_file(&archive)
                    .map_err(|error| BuildError::Files { path: archive.clone(), error })?;
            }
            self.create(&folder)?;
            write_kept(&folder, &new)?;
            kept = Some(new);
        }
        let kept = kept.unwrap_or_default();
        // Variants that differ in features alone share Cargo's path: the next build would replace this one.
        let ending = match product {
            Product::Executable => "",
            Product::Cdylib => ".so",
        };
        let path = folder.join(format!("{}{ending}", variant.bin));
        copy(&built.executable, &path, &digest)?;
        Ok(Artifact {
            variant: variant.clone(),
            file_bytes: fs::metadata(&path).map_or(0, |metadata| metadata.len()),
            path,
            library: None,
            host: None,
            digest,
            build_seconds: kept.build_seconds,
            flags: flagset.flags.clone(),
            command: invocation.display(),
            rustc_command: kept.rustc_command,
            bundle: self.lld.as_ref().and_then(|lld| Bundle::open(&folder, lld)),
        })
    }

    /// Builds under the build's settings into `target`, timed, without keeping anything.
    ///
    /// # Errors
    /// As [`Builder::build`].
    pub fn time(
        &self,
        CargoBuild { variant, settings }: &CargoBuild,
        flagset: &FlagSet,
        target: &Path,
        stop: &dyn Fn() -> bool,
    ) -> Result<TimedBuild, BuildError> {
        let mut invocation = self.bare(variant, Product::Executable, flagset, target);
        if let Some(jobs) = settings.jobs {
            invocation.args.extend(["--jobs".into(), jobs.to_string().into()]);
        }
        if let Some(incremental) = settings.incremental {
            invocation.set.push(("CARGO_INCREMENTAL".into(), if incremental { "1" } else { "0" }.into()));
        }
        if let Some(units) = settings.codegen_units {
            let key = format!("profile.{}.codegen-units={units}", variant.profile);
            invocation.args.extend(["--config".into(), key.into()]);
        }
        let start = Instant::now();
        let built = self.cargo(&invocation, variant, Product::Executable, stop)?;
        Ok(TimedBuild { wall: start.elapsed(), executable: built.executable, command: invocation.display() })
    }

    fn invocation(
        &self,
        variant: &Variant,
        product: Product,
        flagset: &FlagSet,
        archive: &Path,
    ) -> Invocation {
        let mut invocation = self.bare(variant, product, flagset, &self.target.join(&flagset.name));
        if self.lld.is_some() {
            let mut link_arg = OsString::from("link-arg=-Wl,--reproduce=");
            link_arg.push(archive);
            invocation.args.extend(["--".into(), "-C".into(), link_arg]);
        }
        invocation
    }

    fn bare(&self, variant: &Variant, product: Product, flagset: &FlagSet, target: &Path) -> Invocation {
        let mut args: Vec<OsString> =
            ["rustc", "--verbose", "--message-format", "json-render-diagnostics"].map(Into::into).into();
        let mut add = |option: &str, value: &str| args.extend([option.into(), value.into()]);
        add("--package", &variant.package);
        if product == Product::Executable {
            add("--bin", &variant.bin);
        }
        add("--profile", &variant.profile);
        add("--target", &flagset.target);
        if !variant.features.is_empty() {
            add("--features", &variant.features.join(","));
        }
        if product == Product::Cdylib {
            args.push("--lib".into());
        }
        if !variant.default_features {
            args.push("--no-default-features".into());
        }
        args.extend(["--target-dir".into(), target.into()]);
        let mut invocation = Invocation::new("cargo", args).in_folder(&self.root);
        // The interpreter that will import the module is the one that it is built for.
        let python = self.python.as_ref().filter(|_| product == Product::Cdylib);
        invocation.set.extend(python.map(|python| ("PYO3_PYTHON".into(), python.word())));
        Self::exactly(&mut invocation, flagset);
        invocation
    }

    /// Lets rustc get the flags of the flag set and none from anywhere else.
    fn exactly(invocation: &mut Invocation, flagset: &FlagSet) {
        let names = std::env::vars_os().map(|(name, _)| name);
        let foreign = |name: &OsString| {
            name.to_str().is_some_and(|name| is_build_variable(name) || name.starts_with("PYO3_"))
        };
        invocation.unset = names.filter(foreign).collect();
        // Present even when there are no flags: it outranks every `rustflags` of config files.
        invocation.set.push(("CARGO_ENCODED_RUSTFLAGS".into(), flagset.flags.join("\u{1f}").into()));
        invocation.set.push(("RUSTC_WRAPPER".into(), OsString::new()));
    }

    /// `cargo bench` of one bench target under a flag set, with these arguments for the bench itself.
    #[must_use]
    pub fn bench(&self, package: &str, bench: &str, flagset: &FlagSet, arguments: &[&str]) -> Invocation {
        let mut args: Vec<OsString> =
            ["bench", "--quiet", "--package", package, "--bench", bench].map(Into::into).into();
        args.extend(["--target".into(), flagset.target.clone().into()]);
        args.extend(["--target-dir".into(), self.target.join(&flagset.name).into(), "--".into()]);
        args.extend(arguments.iter().map(Into::into));
        let mut invocation = Invocation::new("cargo", args).in_folder(&self.root);
        Self::exactly(&mut invocation, flagset);
        invocation
    }

    fn cargo(
        &self,
        invocation: &Invocation,
        variant: &Variant,
        product: Product,
        stop: &dyn Fn() -> bool,
    ) -> Result<Built, BuildError> {
        let limits = Limits { timeout: LONGEST_BUILD, output: 8 << 20 };
        let start = Instant::now();
        let supervised = match &self.supervisor {
            Some(lab) => invocation.clone().through(lab, ["__supervise".to_owned()]),
            None => invocation.clone(),
        };
        let output = run(&supervised, limits, stop).map_err(BuildError::Run)?;
        if !output.success() {
            return Err(BuildError::Compile { error: first_error(&output) });
        }
        let messages: Vec<Message> =
            output.stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let artifacts = || messages.iter().filter(|message| message.reason == "compiler-artifact");
        let of_bin =
            |message: &&Message| message.target.as_ref().is_some_and(|target| target.name == variant.bin);
        let executable = artifacts().filter(of_bin).find_map(|message| message.product(product));
        let what = match product {
            Product::Executable => "executable",
            Product::Cdylib => "shared library",
        };
        let Some(executable) = executable else {
            return Err(BuildError::Compile { error: format!("Cargo named no {what} for {}", variant.bin) });
        };
        Ok(Built {
            executable,
            compiled: artifacts().any(|message| !message.fresh),
            compiled_all: artifacts().all(|message| !message.fresh),
            rustc_command: rustc_command(&output.stderr, &variant.bin),
            wall: start.elapsed(),
        })
    }

    fn clean(&self, variant: &Variant, flagset: &FlagSet, stop: &dyn Fn() -> bool) -> Result<(), BuildError> {
        let args = [
            "clean",
            "--package",
            &variant.package,
            "--target",
            &flagset.target,
            "--profile",
            &variant.profile,
        ];
        let mut invocation = Invocation::new("cargo", args).in_folder(&self.root);
        invocation.args.extend(["--target-dir".into(), self.target.join(&flagset.name).into()]);
        let limits = Limits { timeout: LONGEST_BUILD, output: 64 << 10 };
        let output = run(&invocation, limits, stop).map_err(BuildError::Run)?;
        if output.success() { Ok(()) } else { Err(BuildError::Compile { error: first_error(&output) }) }
    }

    pub(crate) fn create(&self, folder: &Path) -> Result<(), BuildError> {
        fs::create_dir_all(folder).map_err(|error| BuildError::Files { path: folder.to_owned(), error })
    }
}

/// A name for a variant that is also a file name.
pub(crate) fn slug(variant: &Variant) -> String {
    let Variant { package, bin, features, flagset, profile, .. } = variant;
    let features = if features.is_empty() { String::new() } else { format!("+{}", features.join("+")) };
    let defaults = if variant.default_features { "" } else { "-no-defaults" };
    format!("{package}-{bin}{defaults}{features}-{flagset}-{profile}")
}

pub(crate) fn digest_of(file: &Path) -> Result<String, BuildError> {
    let bytes = fs::read(file).map_err(|error| BuildError::Files { path: file.to_owned(), error })?;
    Ok(crate::plan::hex(&Sha256::digest(&bytes)))
}

/// Copies an executable to `to`, unless it is there. Renamed into place, since another lab may be running it.
pub(crate) fn copy(from: &Path, to: &Path, digest: &str) -> Result<(), BuildError> {
    if digest_of(to).is_ok_and(|there| there == digest) {
        return Ok(());
    }
    let partial = to.with_extension(format!("partial-{}", std::process::id()));
    let copied = fs::copy(from, &partial).and_then(|_| fs::rename(&partial, to));
    copied.map_err(|error| BuildError::Files { path: to.to_owned(), error })
}

fn read_kept(folder: &Path) -> Option<Kept> {
    serde_json::from_str(&fs::read_to_string(folder.join("built.json")).ok()?).ok()
}

fn write_kept(folder: &Path, kept: &Kept) -> Result<(), BuildError> {
    let path = folder.join("built.json");
    let text = serde_json::to_string(kept).unwrap_or_default();
    fs::write(&path, text).map_err(|error| BuildError::Files { path, error })
}
