//! One variant: built by Cargo, shown to be what was asked for, and kept with its linker inputs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use crate::build::bundle::Bundle;
use crate::build::cargo::{Builder, Built};
use crate::build::command_line::CommandLine;
use crate::build::kept::Kept;
use crate::build::messages::Product;
use crate::build::profile::Profile;
use crate::build::sources::{Place, Proofs, digest, directory_of, watched_by_script};
use crate::build::{Artifact, BuildError};
use crate::plan::{FlagSet, Variant};
use crate::process::Invocation;

/// How often Cargo is called for one variant: once more where it takes older code for this, and once more where files
/// change meanwhile.
const CALLS: usize = 3;

/// A variant, with where it is built and kept.
struct Job<'a> {
    variant: &'a Variant,
    product: Product,
    flagset: &'a FlagSet,
    /// Cargo's target directory.
    target: PathBuf,
    /// Where lld puts what it links.
    archive: PathBuf,
    /// Where the artifact is kept.
    folder: PathBuf,
}

/// What is known of what Cargo left.
struct Known {
    /// How it was made.
    kept: Kept,
    /// Every file of a path that it was made from.
    files: BTreeSet<PathBuf>,
}

impl Builder {
    /// Lets Cargo build a variant, and keeps its linker inputs.
    pub(crate) fn by_cargo(
        &self,
        variant: &Variant,
        product: Product,
        flagset: &FlagSet,
        stop: &dyn Fn() -> bool,
    ) -> Result<Artifact, BuildError> {
        let bundles = self.target.join("bundles");
        self.create(&bundles)?;
        let slug = slug(variant);
        let job = Job {
            variant,
            product,
            flagset,
            target: self.directory(product, flagset),
            archive: bundles.join(format!("{slug}.tar")),
            folder: bundles.join(slug),
        };
        let mut invocation = self.invocation(variant, product, flagset, &job.archive);
        let mut unproven = BTreeSet::new();
        for call in 0..CALLS {
            let built = self.call(&mut invocation, &job, stop)?;
            self.check(&built, variant, flagset)?;
            match self.known(&job, &built, stop)? {
                // What was saved while rustc read it is compiled again by the next call. Once: the time of a file may lie
                // in the future, where a clock was set back.
                Ok(known) if call == 0 && !built.fresh && is_newer(&known.files, built.started) => {}
                Ok(known) => return self.artifact(&job, &built, known, &invocation),
                Err(packages) => {
                    self.clean(&packages, variant, flagset, &job.target, stop)?;
                    unproven = packages;
                }
            }
        }
        let name = unproven.pop_first().unwrap_or_else(|| variant.package.clone());
        Err(BuildError::Stale { name, target: job.target })
    }

    /// Seconds that Cargo took when it last compiled every crate of a variant; `None` where nobody saw that.
    pub(crate) fn seconds_of(&self, variant: &Variant) -> Option<f64> {
        Kept::read(&self.target.join("bundles").join(slug(variant)))?.build_seconds
    }

    /// Calls Cargo. A linker that is not lld may refuse lld's option: one layout is better than none.
    fn call(
        &self,
        invocation: &mut Invocation,
        job: &Job<'_>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Built, BuildError> {
        let &Job { variant, product, flagset, .. } = job;
        match self.cargo(invocation, variant, product, stop) {
            Err(BuildError::Compile { error, .. }) if self.lld.is_some() && error.contains("--reproduce") => {
                *invocation = self.bare(variant, product, flagset, &job.target);
                self.cargo(invocation, variant, product, stop)
            }
            other => other,
        }
    }

    /// How what Cargo left was made; within, the packages of which that is not known.
    fn known(
        &self,
        job: &Job<'_>,
        built: &Built,
        stop: &dyn Fn() -> bool,
    ) -> Result<Result<Known, BTreeSet<String>>, BuildError> {
        let place = Place { root: &self.root, target: &self.target };
        let others =
            built.messages.iter().filter(|message| message.product(job.product, &job.variant.bin).is_none());
        let mut proofs = Proofs::open(&job.target);
        let mut checked =
            proofs.check(others, &built.messages, place, (&job.flagset.target, &job.flagset.flags))?;
        let watched = watched_by_script(&built.messages, &built.package_id, place);
        let own_files = |command: &CommandLine| {
            let mut files = command.dep_info().map_or_else(BTreeSet::new, |list| place.files(&list));
            files.extend(watched.iter().cloned());
            files
        };
        let digest_now = digest_of(&built.executable)?;
        let now = built.commands.iter().rev().find(|command| command.made(job.product, &job.variant.bin));
        if now.is_none() && !built.fresh {
            return Err(BuildError::NoCommand { name: job.variant.bin.clone() });
        }
        let kept = match now {
            Some(command) => Some(self.keep(
                job,
                built,
                command,
                (digest_now, digest(&own_files(command), &self.root)),
                stop,
            )?),
            None => Kept::read(&job.folder).filter(|kept| {
                let sources = CommandLine::read(&kept.rustc_command)
                    .map(|command| digest(&own_files(&command), &self.root));
                kept.digest == digest_now
                    && sources.as_ref() == Some(&kept.sources)
                    && kept.is_whole(&job.folder, self.lld.as_deref())
            }),
        };
        let Some(kept) = kept.filter(|_| checked.unproven.is_empty()) else {
            checked.unproven.insert(built.package_id.clone());
            return Ok(Err(checked.unproven));
        };
        checked.files.extend(CommandLine::read(&kept.rustc_command).iter().flat_map(own_files));
        Ok(Ok(Known { kept, files: checked.files }))
    }

    /// Keeps what was compiled now, with its linker inputs.
    fn keep(
        &self,
        job: &Job<'_>,
        built: &Built,
        command: &CommandLine,
        (digest, sources): (String, String),
        stop: &dyn Fn() -> bool,
    ) -> Result<Kept, BuildError> {
        let mut kept = Kept {
            digest,
            build_seconds: built.compiled_all().then_some(built.wall.as_secs_f64()),
            rustc_command: command.text.clone(),
            compiler: self.version(command.program(), stop),
            sources,
            bundle: None,
        };
        if kept.build_seconds.is_none() {
            kept.build_seconds = Kept::read(&job.folder).and_then(|before| before.build_seconds);
        }
        let files = |path: &Path| {
            let path = path.to_owned();
            move |error| BuildError::Files { path, error }
        };
        if let Some(lld) = self.lld.as_ref().filter(|_| job.archive.exists()) {
            kept.bundle = Bundle::unpack(&job.archive, &job.folder, lld)?.size();
            fs::remove_file(&job.archive).map_err(files(&job.archive))?;
        } else if job.folder.exists() {
            // The linker inputs of other code.
            fs::remove_dir_all(&job.folder).map_err(files(&job.folder))?;
        }
        self.create(&job.folder)?;
        kept.write(&job.folder)?;
        Ok(kept)
    }

    fn artifact(
        &self,
        job: &Job<'_>,
        built: &Built,
        known: Known,
        invocation: &Invocation,
    ) -> Result<Artifact, BuildError> {
        let Known { kept, files } = known;
        // Variants that differ in features alone share Cargo's path: the next build would replace this one.
        let ending = match job.product {
            Product::Executable | Product::Bench => "",
            Product::Cdylib => ".so",
        };
        let path = job.folder.join(format!("{}{ending}", job.variant.bin));
        copy(&built.executable, &path, &kept.digest)?;
        let lld = self.lld.as_ref().filter(|_| kept.bundle.is_some());
        Ok(Artifact {
            variant: job.variant.clone(),
            directory: match job.product {
                // As `cargo bench` starts it.
                Product::Bench => directory_of(&built.package_id).unwrap_or_else(|| self.root.clone()),
                Product::Executable | Product::Cdylib => self.root.clone(),
            },
            root: self.root.clone(),
            file_bytes: fs::metadata(&path).map_or(0, |metadata| metadata.len()),
            path,
            library: None,
            host: None,
            build_seconds: kept.build_seconds,
            flags: job.flagset.flags.clone(),
            command: invocation.display(),
            compiler: kept.compiler.clone(),
            sources: digest(&files, &self.root),
            files,
            overridden: self.overridden(job, built, &kept),
            other_linker: self.lld.is_some() && kept.bundle.is_none(),
            bundle: lld.and_then(|lld| Bundle::open(&job.folder, lld)),
            digest: kept.digest,
            rustc_command: kept.rustc_command,
        })
    }

    /// What the profile in force has otherwise than the manifest.
    fn overridden(&self, job: &Job<'_>, built: &Built, kept: &Kept) -> Vec<String> {
        let Some(profile) = Profile::read(&self.root, &job.variant.profile) else { return Vec::new() };
        let flags = &job.flagset.flags;
        let command = CommandLine::read(&kept.rustc_command);
        let own = command.map(|command| command.options());
        let mut told =
            own.map_or(Vec::new(), |own| profile.overridden(&job.variant.package, job.product, &own, flags));
        for message in built.messages.iter().filter(|message| message.is_for(&job.flagset.target)) {
            let same_package = message.package_id == built.package_id;
            let Some(found) = message.profile.as_ref().filter(|_| !same_package) else { continue };
            for clause in profile.overridden_in(message.package(), found, flags) {
                let general = told.iter().any(|told| clause.starts_with(told.as_str()));
                if !general {
                    told.push(clause);
                }
            }
        }
        told
    }
}

/// Whether a file was saved after a time.
fn is_newer(files: &BTreeSet<PathBuf>, than: SystemTime) -> bool {
    let modified = |file: &PathBuf| fs::metadata(file).and_then(|file| file.modified());
    files.iter().any(|file| modified(file).is_ok_and(|modified| modified >= than))
}

/// A name for a variant that is also a file name.
pub(crate) fn slug(variant: &Variant) -> String {
    let Variant { package, bin, bench, features, flagset, profile, .. } = variant;
    let bench = bench.map_or_else(String::new, |bench| format!("-bench-{}", bench.name()));
    let features = if features.is_empty() { String::new() } else { format!("+{}", features.join("+")) };
    let defaults = if variant.default_features { "" } else { "-no-defaults" };
    // A feature of a dependency is written with a slash.
    format!("{package}-{bin}{bench}{defaults}{features}-{flagset}-{profile}").replace('/', "_")
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
