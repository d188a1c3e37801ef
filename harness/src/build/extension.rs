//! Libraries that Python calls: built by Cargo or by the C compiler, and started inside an interpreter.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::build::bundle::Bundle;
use crate::build::cargo::Builder;
use crate::build::variant::{copy, digest_of, slug};
use crate::build::{Artifact, BuildError};
use crate::plan::{Bench, Ffi, Library, Shape, Variant};
use crate::process::{Invocation, Limits, Output, RunError, run};

/// The source of the bare C interface's module, and of its plain C functions.
const FLOOR: &str = include_str!("../../ffi/floor.c");

/// What a C module is compiled with. No CPU is named: it follows no flag set.
const C_FLAGS: [&str; 5] = ["-std=c11", "-O2", "-fPIC", "-ffunction-sections", "-fvisibility=hidden"];

/// The longest that compiling one C file may take.
const LONGEST_COMPILE: Duration = Duration::from_secs(300);

/// The interpreter that libraries are built for and called from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PythonHome {
    /// The word by which the user names it.
    pub program: String,
    /// Its executable.
    pub executable: PathBuf,
    /// The directory that its C headers belong in.
    pub include: PathBuf,
    /// Whether they are there.
    pub headers: bool,
    /// The subject's script.
    pub subject: PathBuf,
}

impl PythonHome {
    /// The interpreter as other directories can name it.
    pub(crate) fn word(&self) -> OsString {
        if self.program.contains('/') { self.executable.clone().into() } else { self.program.clone().into() }
    }
}

/// How something that is not a subject becomes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A library, by an interpreter that calls it.
    Python {
        /// The interpreter.
        python: PathBuf,
        /// The subject's script.
        subject: PathBuf,
        /// How the library is bound.
        shape: Shape,
        /// Its module.
        module: String,
    },
    /// A server, by the lab's own client.
    Client {
        /// The lab's executable.
        lab: PathBuf,
        /// The file of calls.
        calls: PathBuf,
        /// The server's arguments.
        args: Vec<String>,
    },
    /// A bench of another harness, by the lab's own driver.
    Bench {
        /// The lab's executable.
        lab: PathBuf,
        /// The harness.
        bench: Bench,
    },
}

impl Host {
    /// Writes an executable to `to` that starts the interpreter or the client on `library`, so that this arm is started
    /// like any other, also by hand.
    ///
    /// # Errors
    /// [`BuildError::Files`] when it cannot be written.
    pub fn write_starter(&self, library: Option<&Path>, to: &Path) -> Result<(), BuildError> {
        let files = |error| BuildError::Files { path: to.to_owned(), error };
        let command = match self {
            Self::Python { python, subject, shape, module } => {
                // Isolated from the user's own settings of the interpreter, and without writing bytecode.
                let mut args = vec!["-I".into(), "-B".into(), subject.clone().into_os_string()];
                args.extend(["--shape".into(), shape.name().into()]);
                if let Some(library) = library {
                    args.extend(["--module".into(), module.clone().into()]);
                    args.extend(["--library".into(), library.as_os_str().to_owned()]);
                }
                Invocation::new(python, args).display()
            }
            Self::Client { lab, calls, args: words } => {
                let mut args = vec!["__calls".into(), "--calls".into(), calls.clone().into_os_string()];
                args.push("--".into());
                args.extend(library.map(|server| server.as_os_str().to_owned()));
                args.extend(words.iter().map(OsString::from));
                Invocation::new(lab, args).display()
            }
            Self::Bench { lab, bench } => {
                let mut args: Vec<OsString> =
                    ["__bench", "--harness", bench.name(), "--"].map(Into::into).into();
                args.extend(library.map(|bench| bench.as_os_str().to_owned()));
                Invocation::new(lab, args).display()
            }
        };
        fs::write(to, format!("#!/bin/sh\nexec {command}\n")).map_err(files)?;
        fs::set_permissions(to, fs::Permissions::from_mode(0o755)).map_err(files)
    }
}

impl Builder {
    /// Builds or finds a library that Cargo does not build.
    ///
    /// # Errors
    /// [`BuildError`]: a compiler, header or file is missing, the code does not compile, or `stop` said so.
    pub(crate) fn build_extension(&self, ffi: &Ffi, stop: &dyn Fn() -> bool) -> Result<Artifact, BuildError> {
        let variant = &ffi.variant;
        let folder = self.target.join("bundles").join(library_slug(ffi));
        let compiled = |source: &Path| self.compile(variant, source, &folder, stop);
        let artifact = match &ffi.library {
            Library::Source(source) => compiled(&self.root.join(source))?,
            Library::Floor => {
                let source = self.target.join("bundles").join(format!("{}.c", variant.bin));
                self.create(&self.target.join("bundles"))?;
                fs::write(&source, FLOOR)
                    .map_err(|error| BuildError::Files { path: source.clone(), error })?;
                compiled(&source)?
            }
            Library::File(file) => {
                self.create(&folder)?;
                let path = self.root.join(file);
                if !path.is_file() {
                    return Err(missing(
                        format!("there is no {file}"),
                        "build it first (the suite names the file), or leave the arm out with --flagsets",
                    ));
                }
                found(variant, &self.root, path, String::new())?
            }
            Library::Nothing | Library::Cdylib => {
                self.create(&folder)?;
                found(variant, &self.root, self.python()?.subject.clone(), String::new())?
            }
        };
        self.hosted(artifact, ffi)
    }

    /// The artifact as a subject: with a host, and a starter in place of the library.
    pub(crate) fn hosted(&self, artifact: Artifact, ffi: &Ffi) -> Result<Artifact, BuildError> {
        let python = self.python()?;
        let host = Host::Python {
            python: python.executable.clone(),
            subject: python.subject.clone(),
            shape: ffi.shape,
            module: artifact.variant.bin.clone(),
        };
        // Not in the bundle's directory: the same library called in another way would replace that.
        let starters = self.target.join("starters");
        self.create(&starters)?;
        let starter = starters.join(format!("{}-{}", library_slug(ffi), ffi.shape.name()));
        let library = artifact.path;
        host.write_starter((ffi.library != Library::Nothing).then_some(library.as_path()), &starter)?;
        Ok(Artifact { path: starter, library: Some(library), host: Some(host), ..artifact })
    }

    /// A server as a subject: the lab's client makes the calls of the file `calls` to it.
    ///
    /// # Errors
    /// [`BuildError::Files`] when the starter cannot be written.
    pub fn served(&self, artifact: Artifact, calls: &Path, args: &[String]) -> Result<Artifact, BuildError> {
        let host = Host::Client { lab: self.lab()?, calls: calls.to_owned(), args: args.to_vec() };
        let starters = self.target.join("starters");
        self.create(&starters)?;
        // The same server with other arguments is another arm.
        let words = crate::plan::hex(&Sha256::digest(args.join("\0").as_bytes())[..4]);
        let starter = starters.join(format!("{}-{words}", slug(&artifact.variant)));
        let server = artifact.path;
        host.write_starter(Some(&server), &starter)?;
        Ok(Artifact { path: starter, library: Some(server), host: Some(host), ..artifact })
    }

    /// A bench as a subject: compiled against the lab's criterion it is one, else the lab's driver starts it.
    ///
    /// # Errors
    /// [`BuildError::Files`] when the starter cannot be written.
    pub(crate) fn driven(&self, artifact: Artifact) -> Result<Artifact, BuildError> {
        let Some(bench) = artifact.variant.bench.filter(|bench| *bench != Bench::Subject) else {
            return Ok(artifact);
        };
        let host = Host::Bench { lab: self.lab()?, bench };
        let starters = self.target.join("starters");
        self.create(&starters)?;
        let starter = starters.join(slug(&artifact.variant));
        let program = artifact.path;
        host.write_starter(Some(&program), &starter)?;
        Ok(Artifact { path: starter, library: Some(program), host: Some(host), ..artifact })
    }

    fn lab(&self) -> Result<PathBuf, BuildError> {
        self.supervisor.clone().ok_or_else(|| missing("the lab's own executable is unknown", "start it"))
    }

    /// The interpreter.
    pub(crate) fn python(&self) -> Result<&PythonHome, BuildError> {
        self.python.as_ref().ok_or_else(|| missing("no interpreter was named", "name one with --python"))
    }

    /// Compiles a C file into `folder`, and keeps its linker inputs.
    fn compile(
        &self,
        variant: &Variant,
        source: &Path,
        folder: &Path,
        stop: &dyn Fn() -> bool,
    ) -> Result<Artifact, BuildError> {
        let python = self.python()?;
        if !source.is_file() {
            return Err(missing(format!("there is no {}", source.display()), "name a file that is there"));
        }
        if !python.headers {
            return Err(missing(
                format!("the C headers of {} are not installed (no Python.h)", python.program),
                "apt-get install python3-dev, or take an interpreter that has them with --python",
            ));
        }
        self.create(&self.target.join("bundles"))?;
        let beside = |kind: &str| {
            let mut path = folder.as_os_str().to_owned();
            path.push(format!(".{kind}"));
            PathBuf::from(path)
        };
        let (object, linked, archive) = (beside("o"), beside("so"), beside("tar"));
        let start = Instant::now();
        let mut args: Vec<OsString> = C_FLAGS.map(Into::into).into();
        args.extend(["-I".into(), python.include.clone().into()]);
        args.extend(["-c".into(), source.into(), "-o".into(), object.clone().into()]);
        succeeded(&compiler(&Invocation::new("cc", args), stop)?)?;
        let bundled = self.link_extension(&object, &linked, &archive, stop)?;
        let seconds = start.elapsed().as_secs_f64();
        if let Some(lld) = self.lld.as_ref().filter(|_| bundled) {
            Bundle::unpack(&archive, folder, lld)?;
        }
        self.create(folder)?;
        let path = folder.join(format!("{}.so", variant.bin));
        copy(&linked, &path, &digest_of(&linked)?)?;
        for left in [&object, &linked, &archive] {
            fs::remove_file(left).ok();
        }
        let name = source.file_name().unwrap_or_default().display();
        // Without the directories of this machine: a record reads the same wherever it was made.
        let command =
            format!("cc {} -I$PYTHON_INCLUDE -shared {name} -o {}.so", C_FLAGS.join(" "), variant.bin);
        let bundle = self.lld.as_ref().filter(|_| bundled).and_then(|lld| Bundle::open(folder, lld));
        Ok(Artifact { build_seconds: Some(seconds), bundle, ..found(variant, &self.root, path, command)? })
    }

    /// Links a module. With the toolchain's lld its inputs are archived, so that it can be linked again in
    /// another order; returns whether they are.
    fn link_extension(
        &self,
        object: &Path,
        linked: &Path,
        archive: &Path,
        stop: &dyn Fn() -> bool,
    ) -> Result<bool, BuildError> {
        let plain: [OsString; 4] = ["-shared".into(), object.into(), "-o".into(), linked.into()];
        if let Some(folder) = self.lld.as_ref().and_then(|lld| lld.parent()) {
            let mut args: Vec<OsString> = vec!["-B".into(), folder.into(), "-fuse-ld=lld".into()];
            // Not -Wl, which takes a comma in the path for the end of the word.
            let mut reproduce = OsString::from("--reproduce=");
            reproduce.push(archive);
            args.extend(["-Xlinker".into(), reproduce]);
            args.extend(plain.clone());
            // One that a killed lab left would be taken for this one's.
            fs::remove_file(archive).ok();
            let output = compiler(&Invocation::new("cc", args), stop)?;
            // A compiler that cannot take another linker may still link: one layout is better than none.
            if output.success() && archive.is_file() {
                return Ok(true);
            }
        }
        succeeded(&compiler(&Invocation::new("cc", plain), stop)?)?;
        Ok(false)
    }
}

/// A name for a library that is also a file name.
fn library_slug(ffi: &Ffi) -> String {
    match &ffi.library {
        // Not a directory of its own for every directory in the path.
        Library::Source(file) | Library::File(file) => {
            format!("{}-{}", file.replace('/', "_"), ffi.variant.bin)
        }
        Library::Cdylib | Library::Floor | Library::Nothing => slug(&ffi.variant),
    }
}

pub(crate) fn missing(what: impl Into<String>, remedy: &str) -> BuildError {
    BuildError::Missing { what: what.into(), remedy: remedy.to_owned() }
}

/// What is known of a library by its file alone.
fn found(variant: &Variant, root: &Path, path: PathBuf, command: String) -> Result<Artifact, BuildError> {
    Ok(Artifact {
        variant: variant.clone(),
        root: root.to_owned(),
        directory: root.to_owned(),
        digest: digest_of(&path)?,
        file_bytes: fs::metadata(&path).map_or(0, |metadata| metadata.len()),
        path,
        library: None,
        host: None,
        build_seconds: None,
        flags: Vec::new(),
        command,
        rustc_command: String::new(),
        compiler: String::new(),
        sources: String::new(),
        files: BTreeSet::new(),
        overridden: Vec::new(),
        other_linker: false,
        bundle: None,
    })
}

fn compiler(invocation: &Invocation, stop: &dyn Fn() -> bool) -> Result<Output, BuildError> {
    let limits = Limits { timeout: LONGEST_COMPILE, output: 64 << 10 };
    run(invocation, limits, stop).map_err(|error| match error {
        RunError::NotStarted { .. } => {
            missing("there is no C compiler (no cc on PATH)", "apt-get install gcc")
        }
        other => BuildError::Run(other),
    })
}

fn succeeded(output: &Output) -> Result<(), BuildError> {
    if output.success() {
        return Ok(());
    }
    let wrong = output.stderr.lines().find(|line| line.contains("error")).or(output.stderr.lines().next());
    Err(BuildError::Compile { error: wrong.unwrap_or("the C compiler said nothing").to_owned(), log: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_starter_starts_its_interpreter_on_the_library() {
        let folder = tempfile::tempdir().unwrap();
        let said = folder.path().join("it's said");
        let host = Host::Python {
            python: "/bin/echo".into(),
            subject: "/s u/bject.py".into(),
            shape: Shape::CApi,
            module: "m".into(),
        };
        let start = |library: Option<&Path>| {
            host.write_starter(library, &said).unwrap();
            let limits = Limits { timeout: LONGEST_COMPILE, output: 1000 };
            run(&Invocation::new(&said, [""; 0]), limits, &|| false).unwrap().stdout
        };
        assert_eq!(
            start(Some(Path::new("/l/x.so"))),
            "-I -B /s u/bject.py --shape c-api --module m --library /l/x.so\n"
        );
        assert_eq!(start(None), "-I -B /s u/bject.py --shape c-api\n");
    }

    #[test]
    fn the_first_error_of_a_compiler_is_told() {
        let output = |stderr: &str| Output {
            code: Some(1),
            signal: None,
            stdout: String::new(),
            stderr: stderr.to_owned(),
            wall: Duration::ZERO,
        };
        let told = |stderr: &str| succeeded(&output(stderr)).unwrap_err().to_string();
        assert_eq!(told("a.c: In function 'f':\na.c:1:2: error: no x\n"), "a.c:1:2: error: no x");
        assert_eq!(told(""), "the C compiler said nothing");
    }
}
