//! The manifests that name packages and modules: `Cargo.toml`, `go.mod`, `package.json`, `tsconfig.json`.

use std::io::Read;
use std::path::Path;

use mcp_workspace::Root;
use rustc_hash::FxHashSet;
use serde_json::Value;

use super::directory;

/// Manifests are written by people.
const MOST_BYTES: u64 = 1 << 20;

/// A crate of Cargo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Crate {
    /// Where its manifest is.
    pub directory: String,
    /// The name that code uses.
    pub name: String,
    /// The root of its library, below the repository.
    pub library: String,
}

/// A package of npm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Npm {
    pub directory: String,
    pub name: String,
    /// What it says is loaded, below its directory.
    pub entries: Vec<String>,
}

/// Names of `paths` in a `tsconfig.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Paths {
    pub directory: String,
    /// The directory that names without a dot begin at.
    pub base: Option<String>,
    /// A name, which may end with a star, and where it leads.
    pub names: Vec<(String, Vec<String>)>,
}

/// What the manifests say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Configs {
    pub crates: Vec<Crate>,
    /// A directory and the path of the module in it.
    pub go: Vec<(String, String)>,
    pub npm: Vec<Npm>,
    pub paths: Vec<Paths>,
}

/// Reads the manifests in the directories of files and above them.
pub(super) fn read(root: &Root, paths: &[String]) -> Configs {
    let mut seen = FxHashSet::default();
    let mut directories = Vec::new();
    for path in paths {
        let mut at = directory(path);
        while seen.insert(at) {
            directories.push(at);
            if at.is_empty() {
                break;
            }
            at = directory(at);
        }
    }
    directories.sort_unstable();
    let mut configs = Configs::default();
    for at in directories {
        let text =
            |name: &str| text(root, &if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") });
        configs.crates.extend(text("Cargo.toml").and_then(|text| cargo(at, &text)));
        configs.go.extend(text("go.mod").and_then(|text| Some((at.to_owned(), go(&text)?))));
        configs.npm.extend(text("package.json").and_then(|text| npm(at, &text)));
        configs.paths.extend(text("tsconfig.json").and_then(|text| tsconfig(at, &text)));
    }
    configs
}

fn text(root: &Root, path: &str) -> Option<String> {
    let mut text = String::new();
    root.file(Path::new(path)).ok()?.take(MOST_BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}

fn below(at: &str, path: &str) -> String {
    super::join(at, path).unwrap_or_else(|| path.to_owned())
}

fn cargo(at: &str, text: &str) -> Option<Crate> {
    let manifest: toml::Table = text.parse().ok()?;
    let name = manifest.get("package")?.get("name")?.as_str()?;
    let library = manifest.get("lib");
    let said = |field: &str| library.and_then(|library| library.get(field)?.as_str());
    Some(Crate {
        directory: at.to_owned(),
        name: said("name").unwrap_or(name).replace('-', "_"),
        library: below(at, said("path").unwrap_or("src/lib.rs")),
    })
}

fn go(text: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.trim().strip_prefix("module "))?;
    Some(line.trim().trim_matches('"').to_owned())
}

fn npm(at: &str, text: &str) -> Option<Npm> {
    let manifest: Value = serde_json::from_str(text).ok()?;
    let name = manifest.get("name")?.as_str()?.to_owned();
    let mut entries: Vec<String> = ["source", "types", "typings", "module", "main"]
        .iter()
        .filter_map(|field| manifest.get(field)?.as_str())
        .map(str::to_owned)
        .collect();
    let exported = manifest.get("exports").map(|exports| exports.get(".").unwrap_or(exports));
    match exported {
        Some(Value::String(entry)) => entries.push(entry.clone()),
        Some(Value::Object(conditions)) => {
            entries.extend(conditions.values().filter_map(Value::as_str).map(str::to_owned))
        }
        _ => {}
    }
    Some(Npm { directory: at.to_owned(), name, entries })
}

fn tsconfig(at: &str, text: &str) -> Option<Paths> {
    let config: Value = serde_json::from_str(&without_comments(text)).ok()?;
    let options = config.get("compilerOptions")?;
    let base = options.get("baseUrl").and_then(Value::as_str).map(|base| below(at, base));
    let from = base.clone().unwrap_or_else(|| at.to_owned());
    let list = |targets: &Value| -> Vec<String> {
        let targets = targets.as_array().into_iter().flatten().filter_map(Value::as_str);
        targets.map(|target| below(&from, target)).collect()
    };
    let paths = options.get("paths").and_then(Value::as_object);
    let names = paths.into_iter().flatten().map(|(name, targets)| (name.clone(), list(targets))).collect();
    Some(Paths { directory: at.to_owned(), base, names })
}

/// JSON without the comments and the commas before a closing bracket that `tsconfig.json` may have.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let mut is_string = false;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if is_string => {
                out.push(letter);
                out.extend(letters.next());
            }
            '"' => {
                is_string = !is_string;
                out.push(letter);
            }
            '/' if !is_string && letters.peek() == Some(&'/') => {
                while letters.next_if(|letter| *letter != '\n').is_some() {}
            }
            '/' if !is_string && letters.peek() == Some(&'*') => {
                let mut last = ' ';
                letters.next();
                for letter in letters.by_ref() {
                    if last == '*' && letter == '/' {
                        break;
                    }
                    last = letter;
                }
            }
            '}' | ']' if !is_string => {
                while out.ends_with(|letter: char| letter.is_whitespace() || letter == ',') {
                    out.pop();
                }
                out.push(letter);
            }
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_say_what_modules_are_called() {
        let made = cargo("a/b", "[package]\nname = \"x-y\"\n[lib]\npath = \"lib.rs\"\n");
        let expected = Crate { directory: "a/b".into(), name: "x_y".into(), library: "a/b/lib.rs".into() };
        assert_eq!(made, Some(expected));
        assert_eq!(cargo("", "[workspace]\n"), None);
        assert_eq!(go("// x\nmodule example.org/m\n\ngo 1.22\n").as_deref(), Some("example.org/m"));
        let made =
            npm("p", r#"{"name": "@a/b", "main": "dist/x.js", "exports": {".": {"import": "./x.ts"}}}"#);
        assert_eq!(made.unwrap().entries, ["dist/x.js", "./x.ts"]);
        let text = "{ // \"x\"\n \"compilerOptions\": { /* , */ \"baseUrl\": \"./src\", \"paths\": {\"@/*\": [\"app/*\",]}, }, }";
        let made = tsconfig("w", text).unwrap();
        assert_eq!((made.base.as_deref(), &made.names[0].1[0][..]), (Some("w/src"), "w/src/app/*"));
    }
}
