//! The cases: what is analysed as dangerous, and what would leave a sandbox that had a hole.

use std::io;
use std::path::Path;

/// A command, and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    pub class: String,
    pub command: String,
    /// The programs that it needs to have an effect.
    pub programs: Vec<String>,
}

impl Case {
    /// Whether its effects come after its end.
    pub fn later(&self) -> bool {
        self.class == "later"
    }
}

/// The cases of a file: class, command and a remark or programs, separated by tabs.
pub fn cases(path: &Path) -> io::Result<Vec<Case>> {
    Ok(parse(&std::fs::read_to_string(path)?))
}

/// The cases of a text; new lines and tabs of commands stand as signs.
pub fn parse(text: &str) -> Vec<Case> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| {
            let mut cells = line.split('\t').map(|cell| cell.replace('␤', "\n").replace('␉', "\t"));
            let mut next = || cells.next().unwrap_or_default();
            let (class, command, programs) = (next(), next(), next());
            Case { class, command, programs: programs.split(' ').map(str::to_owned).collect() }
        })
        .collect()
}
