//! rustc's command lines, as Cargo's verbose output has them: what was compiled, and with which flags. Wherever a flag
//! comes from, it stands here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::build::BuildError;
use crate::build::messages::Product;

/// Options that Cargo makes from a profile or from where things lie: they are compared one by one, or mean nothing.
const FROM_CARGO: [&str; 24] = [
    "codegen-units",
    "debug-assertions",
    "debuginfo",
    "embed-bitcode",
    "extra-filename",
    "incremental",
    "linker",
    "linker-plugin-lto",
    "lto",
    "metadata",
    "opt-level",
    "overflow-checks",
    "panic",
    "prefer-dynamic",
    "rpath",
    "split-debuginfo",
    // What a Cargo of the nightly channel adds by itself.
    "Z allow-features",
    "Z binary-dep-depinfo",
    "Z codegen-backend",
    "Z embed-metadata",
    "Z force-unstable-if-unmarked",
    "Z hint-mostly-unused",
    "Z no-embed-metadata",
    "Z unstable-options",
];
/// The same, which a build script may add to as well.
const SHARED: [&str; 4] = ["link-arg", "link-args", "link-dead-code", "strip"];

/// One call of rustc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandLine {
    /// As Cargo printed it.
    pub text: String,
    words: Vec<String>,
}

/// Code generation options, by name in their order: `target-cpu`, `Z tune-cpu`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options(Vec<(String, String)>);

impl CommandLine {
    /// Every call in Cargo's verbose output.
    pub(crate) fn all(stderr: &str) -> Vec<Self> {
        let lines = stderr.lines().filter_map(|line| line.trim_start().strip_prefix("Running `"));
        lines.filter_map(|line| Self::read(line.strip_suffix('`').unwrap_or(line))).collect()
    }

    /// One call; `None` where it is none of rustc: Cargo prints build scripts in the same way.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let words = shlex::split(text)?;
        words.iter().any(|word| word == "--crate-name").then(|| Self { text: text.to_owned(), words })
    }

    /// The program that was called.
    pub(crate) fn program(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// What follows an option.
    pub(crate) fn value(&self, option: &str) -> Option<&str> {
        let at = self.words.iter().position(|word| word == option)?;
        self.words.get(at + 1).map(String::as_str)
    }

    /// The crate's name, with underscores.
    pub(crate) fn crate_name(&self) -> &str {
        self.value("--crate-name").unwrap_or_default()
    }

    /// Whether it compiled this target of a package.
    pub(crate) fn made(&self, product: Product, bin: &str) -> bool {
        if self.crate_name() != bin.replace('-', "_") {
            return false;
        }
        // Programs of the package are built for its benches to start, and may have the same name. What Cargo builds as a
        // test has no type in its command.
        let is_test = self.has_pair("--cfg", "test");
        if product == Product::Bench {
            return is_test;
        }
        let types =
            self.words.iter().zip(self.words.iter().skip(1)).filter(|(option, _)| *option == "--crate-type");
        !is_test && types.flat_map(|(_, types)| types.split(',')).any(|kind| kind == product.crate_type())
    }

    fn has_pair(&self, option: &str, value: &str) -> bool {
        self.words.windows(2).any(|pair| pair[0] == option && pair[1] == value)
    }

    /// rustc's list of the files that it read.
    pub(crate) fn dep_info(&self) -> Option<PathBuf> {
        let options = self.options();
        let hash = options.last().get("extra-filename").copied().unwrap_or_default().to_owned();
        Some(Path::new(self.value("--out-dir")?).join(format!("{}{hash}.d", self.crate_name())))
    }

    /// Its code generation options.
    pub(crate) fn options(&self) -> Options {
        Options::of(&self.words)
    }

    /// The flags that do not come from Cargo must be the flag set's, in its order.
    ///
    /// # Errors
    /// [`BuildError::Flags`].
    pub(crate) fn check(&self, flags: &[String]) -> Result<(), BuildError> {
        let (found, wanted) = (self.options(), Options::of(flags));
        let has = |option: &&(String, String)| !found.0.contains(option);
        let lacking = wanted.0.iter().filter(|(name, _)| SHARED.contains(&name.as_str())).find(has);
        if found.own() == wanted.own() && lacking.is_none() && self.has_cfgs(flags) {
            return Ok(());
        }
        let lacking = lacking.map(spelled);
        Err(BuildError::Flags {
            name: self.crate_name().to_owned(),
            wanted: wanted.own().iter().map(|option| spelled(option)).chain(lacking).collect(),
            found: found.own().iter().map(|option| spelled(option)).collect(),
        })
    }

    /// Whether everything that a flag set lets `cfg` say is said. Build scripts and features say more.
    fn has_cfgs(&self, flags: &[String]) -> bool {
        let mut wanted = flags.iter().zip(flags.iter().skip(1)).filter(|(option, _)| *option == "--cfg");
        wanted.all(|(_, cfg)| self.words.iter().any(|word| word == cfg))
    }
}

impl Options {
    /// The options among words, whatever way they are spelled in.
    pub(crate) fn of(words: &[String]) -> Self {
        let mut options = Vec::new();
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            let (prefix, option) = match word {
                "-C" | "--codegen" => ("", words.next()),
                "-Z" => ("Z ", words.next()),
                "-O" => ("", Some("opt-level=3")),
                "-g" => ("", Some("debuginfo=2")),
                _ => match word.strip_prefix("-C").or(word.strip_prefix("--codegen=")) {
                    Some(option) => ("", Some(option)),
                    None => ("Z ", word.strip_prefix("-Z")),
                },
            };
            let Some(option) = option else { continue };
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            // rustc takes underscores in names too.
            options.push((format!("{prefix}{}", name.replace('_', "-")), value.to_owned()));
        }
        Self(options)
    }

    /// Those that no profile and no build script make.
    fn own(&self) -> Vec<&(String, String)> {
        let own = |(name, _): &&(String, String)| {
            !FROM_CARGO.contains(&name.as_str()) && !SHARED.contains(&name.as_str())
        };
        self.0.iter().filter(own).collect()
    }

    /// The last value of each, which is the one that counts.
    pub(crate) fn last(&self) -> BTreeMap<&str, &str> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}

fn spelled((name, value): &(String, String)) -> String {
    if value.is_empty() { name.clone() } else { format!("{name}={value}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    fn check(command: &str, flags: &str) -> Result<(), String> {
        let command = CommandLine::read(&format!("rustc --crate-name a {command}")).expect("a command");
        let flags = if flags.is_empty() { Vec::new() } else { words(flags) };
        command.check(&flags).map_err(|error| error.to_string())
    }

    #[test]
    fn flags_that_are_not_the_flag_sets_are_noticed() {
        for (command, flags) in [
            ("-C opt-level=3 -C metadata=1 -C target-cpu=znver4", "-C target-cpu=znver4"),
            ("-C 'target-feature=+avx2,+fma'", "-C target-feature=+avx2,+fma"),
            ("-C target_cpu=znver4", "-Ctarget-cpu=znver4"),
            ("-C link-arg=-Wl,-z,now --cfg x", "--cfg x"),
            ("-C relocation-model=static -Z tune-cpu=native", "-Crelocation-model=static -Ztune-cpu=native"),
            ("", ""),
        ] {
            assert_eq!(check(command, flags), Ok(()), "{command}");
        }
        for (command, flags, told) in [
            ("", "-C target-cpu=znver4", "[\"target-cpu=znver4\"]"),
            ("-C target-cpu=znver4 -Ctarget-cpu=native", "-C target-cpu=znver4", "\"target-cpu=native\""),
            ("-Ctarget-feature=+avx2", "", "[\"target-feature=+avx2\"]"),
            ("-C relocation-model=static", "", "relocation-model=static"),
            ("--codegen=force-frame-pointers=yes", "", "force-frame-pointers=yes"),
            ("-Zmir-opt-level=4", "", "Z mir-opt-level=4"),
            ("", "-C link-arg=-fuse-ld=mold", "link-arg=-fuse-ld=mold"),
            ("", "--cfg x", "where the flag set says"),
        ] {
            let error = check(command, flags).expect_err(command);
            assert!(error.contains(told) && error.starts_with("rustc compiled a with"), "{error}");
        }
    }

    #[test]
    fn the_command_line_of_each_target_is_found() {
        let stderr = "   Compiling a\n     Running `rustc --crate-name my_bin --crate-type lib --target t`\n\
                      \x20    Running `/x/it\\'s/rustc --crate-name my_bin --crate-type bin -C x`\n\
                      \x20    Running `/t/release/build/a-1/build-script-build`\n";
        let all = CommandLine::all(stderr);
        assert_eq!(all.len(), 2);
        assert!(all[1].made(Product::Executable, "my-bin") && !all[0].made(Product::Executable, "my-bin"));
        assert_eq!((all[1].program(), all[0].value("--target")), ("/x/it's/rustc", Some("t")));
        assert!(!all[1].made(Product::Executable, "other"));
        // A bench of the same name: no type, and compiled as tests are.
        let bench =
            CommandLine::read("rustc --crate-name my_bin benches/x.rs --cfg test --check-cfg 'cfg(test)'")
                .unwrap();
        assert!(bench.made(Product::Bench, "my-bin") && !bench.made(Product::Executable, "my-bin"));
        assert!(!all[1].made(Product::Bench, "my-bin"));
        let text = "rustc --crate-name a_b --out-dir /t/deps -C extra-filename=-1f";
        let list = CommandLine::read(text).and_then(|command| command.dep_info());
        assert_eq!(list.as_deref(), Some(Path::new("/t/deps/a_b-1f.d")));
    }

    #[test]
    fn the_last_of_several_values_counts() {
        let options = Options::of(&words("-C opt-level=3 -O -C opt-level=1 -C lto"));
        assert_eq!(options.last(), BTreeMap::from([("lto", ""), ("opt-level", "1")]));
    }
}
