//! Cargo, called so that it builds exactly what a flag set says.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::build::command_line::CommandLine;
use crate::build::extension::{PythonHome, missing};
use crate::build::messages::{Message, Product};
use crate::build::profile::Profile;
use crate::build::said::failed;
use crate::build::settings::{is_build_variable, is_output_variable};
use crate::build::variant::slug;
use crate::build::{Artifact, BuildError};
use crate::plan::{CargoBuild, FlagSet, Variant, Workload};
use crate::process::{Invocation, Limits, run};

/// The longest that one build may take.
const LONGEST_BUILD: Duration = Duration::from_secs(3600);
/// The most that is read of what Cargo says: a line for every crate and every warning.
const LONGEST_OUTPUT: usize = 64 << 20;

/// Builds variants of one workspace.
#[derive(Clone, Debug)]
pub struct Builder {
    /// The workspace's root.
    pub root: PathBuf,
    /// Where everything that is built goes.
    pub target: PathBuf,
    /// The toolchain's lld.
    pub lld: Option<PathBuf>,
    /// The lab's own executable, which ends a build when the lab is gone.
    pub supervisor: Option<PathBuf>,
    /// The interpreter of an `ffi` suite.
    pub python: Option<PythonHome>,
    /// Options of Cargo's for every call that builds: where something in the workspace is replaced, and profiles of the
    /// lab's own.
    pub options: Vec<OsString>,
    /// A directory that stands for `/`, where the workspace is a copy of another: rustc names sources outside of the
    /// workspace by their absolute paths, and equal code has to be equal.
    pub stands_for_root: Option<PathBuf>,
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

/// What a call of Cargo left.
pub(crate) struct Built {
    /// The file that was asked for.
    pub executable: PathBuf,
    /// The package of that, as Cargo names it.
    pub package_id: String,
    /// Whether that was there before.
    pub fresh: bool,
    /// What Cargo told of each crate.
    pub messages: Vec<Message>,
    /// How rustc was called, of the crates that were compiled now.
    pub commands: Vec<CommandLine>,
    /// When it was started.
    pub started: SystemTime,
    /// How long it took.
    pub wall: Duration,
}

impl Built {
    /// Whether every crate was compiled now.
    pub(crate) fn compiled_all(&self) -> bool {
        self.messages.iter().filter(|message| message.is_artifact()).all(|message| !message.fresh)
    }
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
                self.driven(self.by_cargo(variant, product(variant), flagset, stop)?)
            }
            (None, _, _) => Err(missing("nothing says what to build", "name a package and a flag set")),
        }
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
            invocation.set.push(incrementally(incremental));
        }
        if let Some(units) = settings.codegen_units {
            let key = format!("profile.{}.codegen-units={units}", variant.profile);
            invocation.args.extend(["--config".into(), key.into()]);
        }
        let start = Instant::now();
        let built = self.cargo(&invocation, variant, Product::Executable, stop)?;
        let wall = start.elapsed();
        self.check(&built, variant, flagset)?;
        Ok(TimedBuild { wall, executable: built.executable, command: invocation.display() })
    }

    /// The directory that Cargo builds in. One for all flag sets, so that what runs on the host, build scripts and
    /// procedural macros, is compiled once: no flag reaches it. Cargo keeps the crates of several flag sets apart by a
    /// hash in their file names, which libraries for other languages do not have, and which leaves flags out as soon as one
    /// of them is about paths.
    pub(crate) fn directory(&self, product: Product, flagset: &FlagSet) -> PathBuf {
        let of_paths = |flag: &String| flag.starts_with("--remap-path-prefix");
        let hashed = self.stands_for_root.is_none() && !flagset.flags.iter().any(of_paths);
        match product {
            Product::Executable | Product::Bench if hashed => self.target.join("cargo"),
            Product::Executable | Product::Bench => self.target.join("executables").join(&flagset.name),
            Product::Cdylib => self.target.join("cdylibs").join(&flagset.name),
        }
    }

    /// The call that builds a variant, and lets lld put what it links into an archive.
    pub(crate) fn invocation(
        &self,
        variant: &Variant,
        product: Product,
        flagset: &FlagSet,
        archive: &Path,
    ) -> Invocation {
        let mut invocation = self.bare(variant, product, flagset, &self.directory(product, flagset));
        if self.lld.is_some() {
            let mut link_arg = OsString::from("link-arg=--reproduce=");
            link_arg.push(archive);
            // Not -Wl, which takes a comma in the path for the end of the word.
            let words = ["--", "-C", "link-arg=-Xlinker", "-C"].map(OsString::from);
            invocation.args.extend(words.into_iter().chain([link_arg]));
        }
        invocation
    }

    /// The call that builds a variant into `target`.
    pub(crate) fn bare(
        &self,
        variant: &Variant,
        product: Product,
        flagset: &FlagSet,
        target: &Path,
    ) -> Invocation {
        let mut args: Vec<OsString> =
            ["rustc", "--verbose", "--color", "never", "--message-format", "json-render-diagnostics"]
                .map(Into::into)
                .into();
        let mut add = |option: &str, value: &str| args.extend([option.into(), value.into()]);
        add("--package", &variant.package);
        match product {
            Product::Executable => add("--bin", &variant.bin),
            Product::Bench => add("--bench", &variant.bin),
            Product::Cdylib => {}
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
        args.extend(self.options.iter().cloned());
        args.extend(["--target-dir".into(), target.into()]);
        let mut invocation = Invocation::new("cargo", args).in_folder(&self.root);
        // The interpreter that will import the module is the one that it is built for.
        let python = self.python.as_ref().filter(|_| product == Product::Cdylib);
        invocation.set.extend(python.map(|python| ("PYO3_PYTHON".into(), python.word())));
        self.exactly(&mut invocation, flagset);
        let profile = Profile::read(&self.root, &variant.profile);
        invocation.set.push(incrementally(profile.is_some_and(|profile| profile.incremental())));
        invocation
    }

    /// Lets rustc get the flags of the flag set and none from anywhere else.
    fn exactly(&self, invocation: &mut Invocation, flagset: &FlagSet) {
        let names = std::env::vars_os().map(|(name, _)| name);
        let foreign = |name: &OsString| {
            name.to_str().is_some_and(|name| {
                is_build_variable(name) || is_output_variable(name) || name.starts_with("PYO3_")
            })
        };
        invocation.unset = names.filter(foreign).collect();
        // Present even when there are no flags: it outranks every `rustflags` of config files.
        let mut flags: Vec<OsString> = flagset.flags.iter().map(Into::into).collect();
        flags.extend(self.stands_for_root.as_ref().map(|copy| {
            let mut flag = OsString::from("--remap-path-prefix=");
            flag.push(copy);
            flag.push("=/");
            flag
        }));
        invocation.set.push(("CARGO_ENCODED_RUSTFLAGS".into(), flags.join(OsStr::new("\u{1f}"))));
        // Empty, they outrank those of config files too.
        for wrapper in ["RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"] {
            invocation.set.push((wrapper.into(), OsString::new()));
        }
    }

    /// `cargo bench` of one bench target under a flag set, with these arguments for the bench itself.
    #[must_use]
    pub fn bench(&self, package: &str, bench: &str, flagset: &FlagSet, arguments: &[&str]) -> Invocation {
        let mut args: Vec<OsString> =
            ["bench", "--quiet", "--color", "never", "--package", package, "--bench", bench]
                .map(Into::into)
                .into();
        args.extend(["--target".into(), flagset.target.clone().into()]);
        let target = self.directory(Product::Executable, flagset);
        args.extend(["--target-dir".into(), target.into(), "--".into()]);
        args.extend(arguments.iter().map(Into::into));
        let mut invocation = Invocation::new("cargo", args).in_folder(&self.root);
        self.exactly(&mut invocation, flagset);
        invocation.set.push(incrementally(false));
        invocation
    }

    /// Calls Cargo, and reads what it says.
    pub(crate) fn cargo(
        &self,
        invocation: &Invocation,
        variant: &Variant,
        product: Product,
        stop: &dyn Fn() -> bool,
    ) -> Result<Built, BuildError> {
        let limits = Limits { timeout: LONGEST_BUILD, output: LONGEST_OUTPUT };
        let (start, started) = (Instant::now(), SystemTime::now());
        let supervised = match &self.supervisor {
            Some(lab) => invocation.clone().through(lab, ["__supervise".to_owned()]),
            None => invocation.clone(),
        };
        let output = run(&supervised, limits, stop).map_err(BuildError::Run)?;
        if !output.success() {
            return Err(failed(&output, &self.target.join("logs"), &slug(variant)));
        }
        let messages = Message::all(&output.stdout);
        let asked = messages
            .iter()
            .filter(|message| message.is_artifact())
            .find_map(|message| Some((message.product(product, &variant.bin)?, message)));
        let Some((executable, about)) = asked else {
            let error = format!("Cargo named no {} for {}", product.name(), variant.bin);
            return Err(BuildError::Compile { error, log: None });
        };
        let (package_id, fresh) = (about.package_id.clone(), about.fresh);
        let commands = CommandLine::all(&output.stderr);
        Ok(Built { executable, package_id, fresh, messages, commands, started, wall: start.elapsed() })
    }

    /// Every crate for the target was compiled with the flags of the flag set.
    pub(crate) fn check(
        &self,
        built: &Built,
        variant: &Variant,
        flagset: &FlagSet,
    ) -> Result<(), BuildError> {
        let profile = Profile::read(&self.root, &variant.profile);
        let mut flags = profile.map_or(Vec::new(), |profile| profile.rustflags());
        flags.extend(flagset.flags.iter().cloned());
        let for_target = |command: &&CommandLine| command.value("--target").is_some();
        built.commands.iter().filter(for_target).try_for_each(|command| command.check(&flags))
    }

    /// Lets Cargo forget that it built these packages.
    pub(crate) fn clean(
        &self,
        packages: &BTreeSet<String>,
        variant: &Variant,
        flagset: &FlagSet,
        target: &Path,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), BuildError> {
        let mut args: Vec<OsString> = ["clean", "--color", "never"].map(Into::into).into();
        args.extend(packages.iter().flat_map(|package| ["--package".into(), package.into()]));
        args.extend(["--target", &flagset.target, "--profile", &variant.profile].map(OsString::from));
        args.extend(self.options.iter().cloned());
        args.extend(["--target-dir".into(), target.into()]);
        let mut invocation = Invocation::new("cargo", args).in_folder(&self.root);
        self.exactly(&mut invocation, flagset);
        let limits = Limits { timeout: LONGEST_BUILD, output: 64 << 10 };
        let output = run(&invocation, limits, stop).map_err(BuildError::Run)?;
        if output.success() {
            return Ok(());
        }
        Err(failed(&output, &self.target.join("logs"), &format!("{}-clean", slug(variant))))
    }

    /// What a compiler says of itself: `rustc 1.95.0 (59807616e 2026-04-14)`; empty where it says nothing.
    pub(crate) fn version(&self, rustc: &str, stop: &dyn Fn() -> bool) -> String {
        let limits = Limits { timeout: Duration::from_secs(60), output: 64 << 10 };
        let invocation = Invocation::new(rustc, ["--version"]).in_folder(&self.root);
        let said = run(&invocation, limits, stop).map(|output| output.stdout).unwrap_or_default();
        said.lines().next().unwrap_or_default().trim().to_owned()
    }

    pub(crate) fn create(&self, folder: &Path) -> Result<(), BuildError> {
        fs::create_dir_all(folder).map_err(|error| BuildError::Files { path: folder.to_owned(), error })
    }
}

/// Which target of a package an executable is.
fn product(variant: &Variant) -> Product {
    if variant.bench.is_some() { Product::Bench } else { Product::Executable }
}

/// The variable that decides over every config file whether members are compiled incrementally.
fn incrementally(on: bool) -> (OsString, OsString) {
    ("CARGO_INCREMENTAL".into(), if on { "1" } else { "0" }.into())
}
