//! Several servers from a file, measured side by side: who they are, and which calls all of them get.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::latency::Load;
use crate::load_test::Error;
use crate::mcp::{Call, CallEntry, Tool, calls_of};

/// The most servers of a field: each is one byte in a record.
const MOST: usize = 200;

/// A field as its file writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name, of which the markers in a document are.
    pub name: String,
    /// The servers; the others are compared with the first.
    #[serde(rename = "server")]
    pub servers: Vec<Entry>,
    /// What is called, and how.
    #[serde(rename = "load")]
    pub loads: Vec<CallsUnderLoad>,
}

/// A server of a field.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What it is called in tables.
    pub name: String,
    /// Its version and how it is built or configured.
    #[serde(default)]
    pub details: Option<String>,
    /// Its command. A program with a slash is found from the file's workspace.
    pub command: Vec<String>,
    /// Its address, where it is spoken with over HTTP.
    #[serde(default)]
    pub http: Option<String>,
    /// Whether it times calls in its own process, by the protocol of `harness/PROTOCOL.md`.
    #[serde(default)]
    pub in_process: bool,
}

/// Calls of a field, with how many are in flight.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallsUnderLoad {
    /// Their name.
    pub name: String,
    /// Calls in flight.
    #[serde(default = "one")]
    pub in_flight: u32,
    /// The calls.
    #[serde(rename = "call")]
    pub calls: Vec<CallEntry>,
}

fn one() -> u32 {
    1
}

impl Field {
    /// Reads a field's file.
    ///
    /// # Errors
    /// A sentence with the place.
    pub fn read(file: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(file).map_err(Error::file("read the servers", file))?;
        Self::parse(&file.display().to_string(), &text)
    }

    /// Reads a field from a text that messages call `file`.
    ///
    /// # Errors
    /// A sentence with the place.
    pub fn parse(file: &str, text: &str) -> Result<Self, Error> {
        let field: Self = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = text[..start.min(text.len())].matches('\n').count() + 1;
            Error::Malformed(format!("{file}:{line}: {}", error.message()))
        })?;
        field.check().map_err(|said| Error::Malformed(format!("{file}: {said}")))?;
        Ok(field)
    }

    /// What is wrong with it, in a sentence.
    fn check(&self) -> Result<(), String> {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        if self.name.is_empty() || !self.name.chars().all(plain) {
            return Err("name is made of letters, digits and hyphens".to_owned());
        }
        if self.servers.is_empty() || self.servers.len() > MOST {
            return Err(format!(
                "a field has 1 to {MOST} servers, each a [[server]] table with name and command"
            ));
        }
        for (index, server) in self.servers.iter().enumerate() {
            if server.command.is_empty() {
                return Err(format!("the command of {} is empty", server.name));
            }
            if self.servers[..index].iter().any(|other| other.name == server.name) {
                return Err(format!("two servers are called {}", server.name));
            }
            if server.in_process && (server.http.is_some() || index == 0) {
                return Err(format!("{} times itself: it has no address, and is not the first", server.name));
            }
        }
        if self.loads.is_empty() {
            return Err(
                "there is nothing to call: write a [[load]] table with name and [[load.call]]".to_owned()
            );
        }
        for (index, load) in self.loads.iter().enumerate() {
            if !(1..=1024).contains(&load.in_flight) {
                return Err(format!("in_flight of {} is from 1 to 1024", load.name));
            }
            if self.loads[..index].iter().any(|other| other.name == load.name) {
                return Err(format!("two loads are called {}", load.name));
            }
        }
        Ok(())
    }

    /// The calls of every load, for a server with these tools.
    ///
    /// # Errors
    /// A tool that it has not.
    pub(crate) fn calls(&self, server: &str, tools: &[Tool]) -> Result<Vec<Vec<Call>>, Error> {
        let of = |load: &CallsUnderLoad| Ok(calls_of(server, load.calls.clone(), tools)?);
        self.loads.iter().map(of).collect()
    }

    /// The loads, with their names.
    #[must_use]
    pub fn loads(&self) -> Vec<(String, Load)> {
        let of = |load: &CallsUnderLoad| (load.name.clone(), Load::Closed { in_flight: load.in_flight });
        self.loads.iter().map(of).collect()
    }
}

impl Entry {
    /// The command's words, programs with a slash from `root` on.
    pub(crate) fn words(&self, root: &Path) -> Vec<OsString> {
        let place = |word: &String| {
            let path = Path::new(word);
            let inside = !path.is_absolute() && path.components().count() > 1 && !word.starts_with('-');
            if inside && root.join(path).exists() { root.join(path).into() } else { OsString::from(word) }
        };
        self.command.iter().map(place).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "name = \"two\"\n\
        [[server]]\nname = \"a\"\ncommand = [\"a\", \"b/c\"]\n\
        [[server]]\nname = \"b\"\ncommand = [\"b\"]\nhttp = \"http://127.0.0.1:{port}/\"\n\
        [[load]]\nname = \"echo\"\n[[load.call]]\ntool = \"echo\"\narguments = { text = \"x\" }\n\
        [[load]]\nname = \"many\"\nin_flight = 64\n[[load.call]]\ntool = \"echo\"\n";

    #[test]
    fn a_field_is_read() {
        let field = Field::parse("f.toml", FILE).unwrap();
        assert_eq!((field.name.as_str(), field.servers.len()), ("two", 2));
        let loads = field.loads();
        assert_eq!(loads[0], ("echo".to_owned(), Load::Closed { in_flight: 1 }));
        assert_eq!(loads[1].1, Load::Closed { in_flight: 64 });
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("b")).unwrap();
        fs::write(folder.path().join("b/c"), "").unwrap();
        let words = field.servers[0].words(folder.path());
        assert_eq!(words, [OsString::from("a"), folder.path().join("b/c").into()]);
    }

    #[test]
    fn the_peers_are_those_of_the_lock_files() {
        let peers = Field::parse("peers.toml", include_str!("../../../peers/peers.toml")).unwrap();
        Field::parse("transports.toml", include_str!("../../../peers/transports.toml")).unwrap();
        let locks = [
            include_str!("../../../peers/rust/Cargo.lock"),
            include_str!("../../../peers/typescript/package.json"),
            include_str!("../../../peers/python/mcp.txt"),
            include_str!("../../../peers/python/fastmcp.txt"),
        ];
        for server in &peers.servers[1..] {
            let details = server.details.as_ref().unwrap();
            let mut words = details.split([' ', ',']);
            let (name, version) = (words.next().unwrap(), words.next().unwrap());
            let pinned = [
                format!("name = \"{name}\"\nversion = \"{version}\""),
                format!("\"{name}\": \"{version}\""),
                format!("{name}=={version}\n"),
            ];
            let is_pinned = |lock: &&str| pinned.iter().any(|pin| lock.contains(pin.as_str()));
            assert!(locks.iter().any(is_pinned), "{details}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_field_is_said() {
        let said = |from: &str, to: &str| {
            let text = FILE.replacen(from, to, 1);
            assert_ne!(text, FILE);
            Field::parse("f.toml", &text).unwrap_err().to_string()
        };
        assert!(said("command =", "comand =").starts_with("f.toml:4: unknown field `comand`"));
        assert!(said("\"two\"", "\"a b\"").contains("letters, digits and hyphens"));
        assert!(said("name = \"b\"", "name = \"a\"").contains("two servers are called a"));
        assert!(said("[\"b\"]", "[]").contains("the command of b is empty"));
        assert!(said("\"many\"", "\"echo\"").contains("two loads are called echo"));
        assert!(said("64", "0").contains("in_flight of many is from 1 to 1024"));
        assert!(said("http = ", "in_process = true\nhttp = ").contains("b times itself"));
    }
}
