//! Writing an index.

use std::borrow::Cow;

use mcp_source::Reason;
use rustc_hash::FxHashMap;
use xxhash_rust::xxh3::xxh3_64;

use super::snapshot::{MAGIC, VERSION};
use crate::facts::Facts;

/// A place that is not there.
pub(super) const NONE: u32 = u32::MAX;

/// The reasons by number; the first number is for none.
const REASONS: [Reason; 13] = [
    Reason::Ignored,
    Reason::Hidden,
    Reason::Binary,
    Reason::TooLarge,
    Reason::LongLine,
    Reason::Unreadable,
    Reason::NotRegular,
    Reason::OutsideRoot,
    Reason::Name,
    Reason::ParseTime,
    Reason::TooDeep,
    Reason::NoGrammar,
    Reason::TooMany,
];

pub(super) fn reason(number: u32) -> Option<Reason> {
    REASONS.get((number as usize).checked_sub(1)?).copied()
}

fn number(reason: Option<Reason>) -> u32 {
    let place = reason.and_then(|reason| REASONS.iter().position(|known| *known == reason));
    place.map_or(0, |place| small(place + 1))
}

/// Files are at most some megabytes, and there are at most some hundred thousand of them.
fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(NONE)
}

/// Strings, each once.
#[derive(Default)]
struct Strings {
    numbers: FxHashMap<String, u32>,
    starts: Vec<u32>,
    text: Vec<u8>,
}

impl Strings {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = small(self.starts.len());
        self.starts.push(small(self.text.len()));
        self.text.extend_from_slice(text.as_bytes());
        self.numbers.insert(text.to_owned(), number);
        number
    }
}

#[derive(Default)]
struct Tables {
    files: Vec<u32>,
    symbols: Vec<u32>,
    /// Of each symbol, the number of its name.
    names_of_symbols: Vec<u32>,
    imports: Vec<u32>,
    names: Vec<u32>,
    strings: Strings,
}

impl Tables {
    fn add(&mut self, file: u32, facts: &Facts) {
        let halves = |number: u64| [(number & u64::from(u32::MAX)) as u32, (number >> 32) as u32];
        let flags =
            facts.language.number() as u32 | number(facts.refused) << 8 | u32::from(facts.has_errors) << 16;
        let path = self.strings.number(&facts.path);
        let [changed, changed_high] = halves(facts.stamp.changed);
        let [inode, inode_high] = halves(facts.stamp.inode);
        let bytes = u32::try_from(facts.stamp.bytes).unwrap_or(NONE);
        self.files.extend([path, flags, bytes, changed, changed_high, inode, inode_high]);
        self.files.extend([facts.lines, facts.decisions]);
        self.ends();
        for symbol in &facts.symbols {
            let name = self.strings.number(&symbol.name);
            let container = self.strings.number(symbol.container.as_deref().unwrap_or_default());
            let doc = symbol.doc.clone();
            self.names_of_symbols.push(name);
            self.symbols.extend([
                name,
                container,
                symbol.kind as u32 | u32::from(symbol.is_declaration) << 8,
                small(symbol.range.start),
                small(symbol.range.end),
                small(symbol.name_range.start),
                symbol.body.map_or(NONE, small),
                doc.as_ref().map_or(NONE, |doc| small(doc.start)),
                doc.map_or(NONE, |doc| small(doc.end)),
                small(symbol.lines.0),
                small(symbol.lines.1),
                file,
                0,
            ]);
        }
        for import in &facts.imports {
            let strings = [&import.module, &import.item, &import.local].map(|text| self.strings.number(text));
            self.imports.extend(strings);
            self.imports.extend([import.form as u32 | u32::from(import.is_reexport) << 8, import.line]);
        }
        self.names.extend(&facts.names);
    }

    /// Where the parts of the next file begin.
    fn ends(&mut self) {
        self.files.extend([
            small(self.names_of_symbols.len()),
            small(self.imports.len() / super::snapshot::IMPORT),
            small(self.names.len()),
        ]);
    }

    fn by_name(&self) -> Vec<u32> {
        let name = |symbol: &u32| {
            let number = self.names_of_symbols[*symbol as usize] as usize;
            let start = self.strings.starts[number] as usize;
            let end =
                self.strings.starts.get(number + 1).map_or(self.strings.text.len(), |end| *end as usize);
            &self.strings.text[start..end]
        };
        let mut symbols: Vec<u32> = (0..small(self.names_of_symbols.len())).collect();
        symbols.sort_by(|a, b| name(a).cmp(name(b)));
        symbols
    }
}

pub(super) fn bytes<'f>(files: impl Iterator<Item = Cow<'f, Facts>>) -> Vec<u8> {
    let mut tables = Tables::default();
    let mut count = 0;
    for facts in files {
        tables.add(count, &facts);
        count += 1;
    }
    // The row behind the last one, of which only the ends count.
    tables.files.extend([0; 9]);
    tables.ends();
    let by_name = tables.by_name();
    let Tables { files, symbols, names_of_symbols, imports, names, mut strings } = tables;
    // The largest part of what writing needs.
    strings.numbers = FxHashMap::default();
    let counts = [
        count,
        small(names_of_symbols.len()),
        small(imports.len() / super::snapshot::IMPORT),
        small(names.len()),
        small(strings.starts.len()),
        small(strings.text.len()),
    ];
    strings.starts.push(small(strings.text.len()));
    let numbers = [files.as_slice(), &symbols, &by_name, &imports, &names, &strings.starts];
    let length: usize = numbers.iter().map(|table| table.len() * 4).sum();
    let mut out = Vec::with_capacity(64 + length + strings.text.len());
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&[0; 8]);
    for number in counts.iter().chain(numbers.into_iter().flatten()) {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(&strings.text);
    let sum = xxh3_64(&out[super::snapshot::PREFIX..]);
    out[12..super::snapshot::PREFIX].copy_from_slice(&sum.to_le_bytes());
    out
}
