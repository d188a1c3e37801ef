//! The index as bytes: written once, read in place from a mapped file that several processes share.
//!
//! Little-endian numbers of 32 bits: a header, then the tables of files, symbols, symbols by name, imports, names of
//! files, strings. A checksum covers all that follows it; bytes that do not fit are refused, never half believed.

use std::cmp::Ordering;
use std::ops::Range;

use mcp_source::symbols::{Kind, Symbol};
use mcp_source::walk::Stamp;
use mcp_source::{Language, Reason};
use xxhash_rust::xxh3::xxh3_64;

use super::entry::Def;
use super::write::{self, NONE};
use crate::facts::{Facts, Form, Import};

/// What a file of an index begins with.
pub(super) const MAGIC: &[u8; 8] = b"devindex";
/// The version of the tables and of what the parsers find: raised when either changes.
pub(super) const VERSION: u32 = 2;

/// Magic, version, checksum.
pub(super) const PREFIX: usize = 20;
/// Counts: files, symbols, imports, names, strings, bytes of strings.
pub(super) const COUNTS: usize = 6;
/// Numbers of a file, a symbol, an import.
pub(super) const FILE: usize = 12;
pub(super) const SYMBOL: usize = 13;
pub(super) const IMPORT: usize = 5;

/// Why bytes are not an index of this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Another program's, or none.
    #[error("is not an index")]
    Foreign,
    /// Of another version of this program.
    #[error("is of another version")]
    Version,
    /// Cut or changed.
    #[error("is damaged")]
    Damaged,
}

/// Where the bytes are.
pub enum Bytes {
    /// In a mapped file.
    Mapped(memmap2::Mmap),
    /// In memory of this process.
    Owned(Vec<u8>),
}

impl Bytes {
    fn get(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Owned(bytes) => bytes,
        }
    }
}

/// Where the tables begin, in bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Tables {
    files: usize,
    symbols: usize,
    by_name: usize,
    imports: usize,
    names: usize,
    strings: usize,
    text: usize,
}

/// An index, read in place.
pub struct Snapshot {
    bytes: Bytes,
    counts: [usize; COUNTS],
    at: Tables,
}

impl Snapshot {
    /// An index over bytes that [`Snapshot::write`] made.
    ///
    /// # Errors
    /// The bytes are something else, of another version, or damaged.
    pub fn new(bytes: Bytes) -> Result<Self, Unreadable> {
        let all = bytes.get();
        if all.get(..8) != Some(MAGIC) {
            return Err(Unreadable::Foreign);
        }
        if number(all, 8) != Some(VERSION) {
            return Err(Unreadable::Version);
        }
        let sum = all.get(12..PREFIX).and_then(|sum| sum.try_into().ok()).map(u64::from_le_bytes);
        let rest = all.get(PREFIX..).ok_or(Unreadable::Damaged)?;
        if sum != Some(xxh3_64(rest)) {
            return Err(Unreadable::Damaged);
        }
        let mut counts = [0; COUNTS];
        for (place, count) in counts.iter_mut().enumerate() {
            *count = number(all, PREFIX + place * 4).ok_or(Unreadable::Damaged)? as usize;
        }
        let [files, symbols, imports, names, strings, text] = counts;
        let mut at = Tables { files: PREFIX + COUNTS * 4, ..Tables::default() };
        // One more row than there are files says where the last one's parts end.
        at.symbols = at.files + (files + 1) * FILE * 4;
        at.by_name = at.symbols + symbols * SYMBOL * 4;
        at.imports = at.by_name + symbols * 4;
        at.names = at.imports + imports * IMPORT * 4;
        at.strings = at.names + names * 4;
        at.text = at.strings + (strings + 1) * 4;
        if at.text + text != all.len() {
            return Err(Unreadable::Damaged);
        }
        Ok(Self { bytes, counts, at })
    }

    /// An index of files, as bytes. The files come in the order of their paths.
    #[must_use]
    pub fn write<'f>(files: impl Iterator<Item = std::borrow::Cow<'f, Facts>>) -> Vec<u8> {
        write::bytes(files)
    }

    /// How many files there are, with those that are left out.
    #[must_use]
    pub fn files(&self) -> usize {
        self.counts[0]
    }

    /// How many bytes it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.get().len()
    }

    /// Whether it holds no file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files() == 0
    }

    /// Whether it is a mapped file, which processes share.
    #[must_use]
    pub fn is_mapped(&self) -> bool {
        matches!(self.bytes, Bytes::Mapped(_))
    }

    fn at(&self, table: usize, place: usize) -> u32 {
        number(self.bytes.get(), table + place * 4).unwrap_or_default()
    }

    fn string(&self, number: u32) -> &str {
        let start = self.at(self.at.strings, number as usize) as usize;
        let end = self.at(self.at.strings, number as usize + 1) as usize;
        let bytes = self.bytes.get().get(self.at.text + start..self.at.text + end).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    fn file(&self, file: usize, field: usize) -> u32 {
        self.at(self.at.files, file * FILE + field)
    }

    fn long(&self, file: usize, field: usize) -> u64 {
        u64::from(self.file(file, field)) | u64::from(self.file(file, field + 1)) << 32
    }

    /// The path of a file.
    #[must_use]
    pub fn path(&self, file: usize) -> &str {
        self.string(self.file(file, 0))
    }

    /// The number of the file with a path.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.files());
        while low < high {
            let middle = low.midpoint(high);
            match self.path(middle).cmp(path) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    /// The language of a file.
    #[must_use]
    pub fn language(&self, file: usize) -> Language {
        let number = (self.file(file, 1) & 0xff) as usize;
        Language::ALL.get(number).copied().unwrap_or(Language::C)
    }

    /// Why a file is left out, if it is.
    #[must_use]
    pub fn refused(&self, file: usize) -> Option<Reason> {
        write::reason((self.file(file, 1) >> 8) & 0xff)
    }

    /// Whether a file's text broke the grammar.
    #[must_use]
    pub fn has_errors(&self, file: usize) -> bool {
        self.file(file, 1) >> 16 != 0
    }

    /// What tells whether a file changed.
    #[must_use]
    pub fn stamp(&self, file: usize) -> Stamp {
        Stamp { bytes: u64::from(self.file(file, 2)), changed: self.long(file, 3), inode: self.long(file, 5) }
    }

    /// Lines of a file.
    #[must_use]
    pub fn lines(&self, file: usize) -> u32 {
        self.file(file, 7)
    }

    /// Decisions of a file.
    #[must_use]
    pub fn decisions(&self, file: usize) -> u32 {
        self.file(file, 8)
    }

    fn part(&self, file: usize, field: usize) -> Range<usize> {
        self.file(file, field) as usize..self.file(file + 1, field) as usize
    }

    /// The definitions of a file.
    pub fn defs(&self, file: usize) -> impl Iterator<Item = Def<'_>> {
        self.part(file, 9).map(|symbol| self.def(symbol))
    }

    fn field(&self, symbol: usize, field: usize) -> u32 {
        self.at(self.at.symbols, symbol * SYMBOL + field)
    }

    fn def(&self, symbol: usize) -> Def<'_> {
        let field = |place| self.field(symbol, place);
        let flags = field(2);
        let body = field(6);
        let doc = field(7);
        Def {
            name: self.string(field(0)),
            container: self.string(field(1)),
            kind: Kind::ALL.get((flags & 0xff) as usize).copied().unwrap_or(Kind::Variable),
            is_declaration: flags >> 8 != 0,
            range: field(3) as usize..field(4) as usize,
            name_start: field(5) as usize,
            body: (body != NONE).then_some(body as usize),
            doc: (doc != NONE).then(|| doc as usize..field(8) as usize),
            lines: (field(9) as usize, field(10) as usize),
        }
    }

    /// The files and definitions of a name, in the order of the files.
    pub fn named<'s>(&'s self, name: &str) -> impl Iterator<Item = (usize, Def<'s>)> + use<'s> {
        let symbol = |place: usize| self.at(self.at.by_name, place) as usize;
        let bound = |is_before: &dyn Fn(&str) -> bool| {
            let (mut low, mut high) = (0, self.counts[1]);
            while low < high {
                let middle = low.midpoint(high);
                if is_before(self.string(self.field(symbol(middle), 0))) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            low
        };
        let places = bound(&|other| other < name)..bound(&|other| other <= name);
        places.map(move |place| {
            let symbol = self.at(self.at.by_name, place) as usize;
            (self.field(symbol, 11) as usize, self.def(symbol))
        })
    }

    /// Each distinct name of a definition, in order.
    pub fn all_names(&self) -> impl Iterator<Item = &str> {
        let mut last = NONE;
        (0..self.counts[1]).filter_map(move |place| {
            let name = self.field(self.at(self.at.by_name, place) as usize, 0);
            let is_new = name != last;
            last = name;
            is_new.then(|| self.string(name))
        })
    }

    /// What a file imports.
    pub fn imports(&self, file: usize) -> impl Iterator<Item = Import> {
        self.part(file, 10).map(|import| {
            let field = |place: usize| self.at(self.at.imports, import * IMPORT + place);
            let form = field(3);
            Import {
                form: Form::ALL.get((form & 0xff) as usize).copied().unwrap_or(Form::System),
                module: self.string(field(0)).to_owned(),
                item: self.string(field(1)).to_owned(),
                local: self.string(field(2)).to_owned(),
                is_reexport: form >> 8 != 0,
                line: field(4),
            }
        })
    }

    /// The hashes of the names in a file, sorted.
    pub fn names(&self, file: usize) -> impl Iterator<Item = u32> {
        self.part(file, 11).map(|place| self.at(self.at.names, place))
    }

    /// Whether a file may hold a name.
    #[must_use]
    pub fn holds(&self, file: usize, hash: u32) -> bool {
        let Range { start: mut low, end: mut high } = self.part(file, 11);
        while low < high {
            let middle = low.midpoint(high);
            match self.at(self.at.names, middle).cmp(&hash) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return true,
            }
        }
        false
    }

    /// A file as it was written.
    #[must_use]
    pub fn facts(&self, file: usize) -> Facts {
        Facts {
            path: self.path(file).to_owned(),
            language: self.language(file),
            stamp: self.stamp(file),
            refused: self.refused(file),
            lines: self.lines(file),
            decisions: self.decisions(file),
            has_errors: self.has_errors(file),
            symbols: self.defs(file).map(|def| symbol(&def)).collect(),
            imports: self.imports(file).collect(),
            names: self.names(file).collect(),
        }
    }
}

fn symbol(def: &Def<'_>) -> Symbol {
    Symbol {
        kind: def.kind,
        name: def.name.to_owned(),
        container: (!def.container.is_empty()).then(|| def.container.to_owned()),
        range: def.range.clone(),
        name_range: def.name_start..def.name_start + def.name.len(),
        lines: def.lines,
        body: def.body,
        doc: def.doc.clone(),
        is_declaration: def.is_declaration,
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::*;

    fn facts(path: &str, text: &str) -> Facts {
        let language = Language::of_path(std::path::Path::new(path)).unwrap();
        let stamp = Stamp { bytes: text.len() as u64, changed: 1 << 40, inode: 7 << 33 };
        Facts::of(path.to_owned(), language, stamp, text.as_bytes())
    }

    fn some() -> Vec<Facts> {
        vec![
            facts(
                "a.py",
                "import b\nclass A:\n    def go(self):\n        '''Goes.'''\n        return b.go()\n",
            ),
            facts(
                "b.rs",
                "/// Goes.\npub fn go() {}\npub mod x { pub struct Y { z: u8 } }\nuse a::b as c;\n",
            ),
            Facts::refused("c.go".to_owned(), Language::Go, Stamp::default(), Reason::TooLarge),
        ]
    }

    fn written(files: &[Facts]) -> Vec<u8> {
        Snapshot::write(files.iter().map(Cow::Borrowed))
    }

    #[test]
    fn what_was_written_is_read() {
        let files = some();
        let snapshot = Snapshot::new(Bytes::Owned(written(&files))).unwrap();
        assert_eq!(snapshot.files(), 3);
        for (place, facts) in files.iter().enumerate() {
            assert_eq!(snapshot.facts(place), *facts);
            assert_eq!(snapshot.find(&facts.path), Some(place));
            assert!(facts.names.iter().all(|name| snapshot.holds(place, *name)));
        }
        assert_eq!((snapshot.find("b"), snapshot.holds(2, 5)), (None, false));
        let places: Vec<(usize, &str)> =
            snapshot.named("go").map(|(file, def)| (file, def.container)).collect();
        assert_eq!(places, [(0, "A"), (1, "")]);
        assert_eq!(snapshot.all_names().collect::<Vec<_>>(), ["A", "Y", "go", "x", "z"]);
        assert_eq!(snapshot.named("none").count(), 0);
    }

    #[test]
    fn an_index_of_nothing_is_one() {
        let snapshot = Snapshot::new(Bytes::Owned(written(&[]))).unwrap();
        assert!(snapshot.is_empty() && snapshot.find("a").is_none() && snapshot.named("a").next().is_none());
    }

    proptest! {
        #[test]
        fn a_file_that_is_torn_or_changed_is_refused(at in 0.0..1.0_f64, flip in 1_u8.., cut in any::<bool>()) {
            let mut bytes = written(&some());
            let place = (at * bytes.len() as f64) as usize;
            if cut {
                bytes.truncate(place);
            } else {
                bytes[place] ^= flip;
            }
            prop_assert!(Snapshot::new(Bytes::Owned(bytes)).is_err());
        }

        #[test]
        fn foreign_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Snapshot::new(Bytes::Owned(bytes)).is_err());
        }
    }
}
