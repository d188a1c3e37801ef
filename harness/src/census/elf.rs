//! Takes an ELF file apart into named stretches of code.

use std::borrow::Cow;
use std::collections::HashMap;

use object::elf::{EM_X86_64, SHF_EXECINSTR};
use object::read::archive::ArchiveFile;
use object::read::elf::ElfFile64;
use object::{LittleEndian, Object, ObjectSection, ObjectSymbol, SectionFlags, SectionIndex, SymbolKind};

use crate::census::CensusError;

/// An x86-64 ELF file.
pub(crate) type Elf<'data> = ElfFile64<'data, LittleEndian>;

/// The code of one ELF file.
#[derive(Debug)]
pub(crate) struct Image<'data> {
    /// Its code, in order of section and address; data that symbols mark as such is left out.
    pub(crate) pieces: Vec<Piece<'data>>,
    /// Whether the full symbol table names functions.
    pub(crate) symbols_present: bool,
    /// The strings of `.comment`.
    pub(crate) producers: Vec<String>,
}

/// A stretch of code between two symbols.
#[derive(Debug)]
pub(crate) struct Piece<'data> {
    /// The raw names of its address, in order; none where no symbol covers the bytes.
    pub(crate) names: Vec<Cow<'data, str>>,
    /// Where the code is loaded; in an object file its offset in the section.
    pub(crate) address: u64,
    pub(crate) bytes: &'data [u8],
}

/// The images of a file: one, or those of an archive's ELF members.
pub(crate) fn images(bytes: &[u8]) -> Result<Vec<Image<'_>>, CensusError> {
    if !is_archive(bytes) {
        return Ok(vec![image(bytes)?]);
    }
    let mut images = Vec::new();
    for (_, data) in members(bytes)? {
        match image(data) {
            Ok(image) => images.push(image),
            Err(CensusError::NotElf) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(images)
}

/// Whether the bytes begin like an archive (`ar`), be it a thin one.
pub(crate) fn is_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(b"!<arch>\n") || bytes.starts_with(b"!<thin>\n")
}

/// The members of an archive with their names.
pub(crate) fn members(bytes: &[u8]) -> Result<Vec<(String, &[u8])>, CensusError> {
    let archive = ArchiveFile::parse(bytes)?;
    if archive.is_thin() {
        return Err(CensusError::Damaged { detail: "a thin archive holds no members of its own".to_owned() });
    }
    let mut members = Vec::new();
    for member in archive.members() {
        let member = member?;
        members.push((String::from_utf8_lossy(member.name()).into_owned(), member.data(bytes)?));
    }
    Ok(members)
}

/// Checks the header and reads the tables of an x86-64 ELF file.
pub(crate) fn parse(bytes: &[u8]) -> Result<Elf<'_>, CensusError> {
    if !bytes.starts_with(b"\x7fELF") {
        return Err(CensusError::NotElf);
    }
    let field = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let (class, little_endian) = (field(4), field(5) == 1);
    let machine = [field(18), field(19)];
    let machine = if little_endian { u16::from_le_bytes(machine) } else { u16::from_be_bytes(machine) };
    if bytes.len() >= 20 && (class != 2 || !little_endian || machine != EM_X86_64.0) {
        return Err(CensusError::NotX86_64 { class, machine });
    }
    Ok(Elf::parse(bytes)?)
}

fn image(bytes: &[u8]) -> Result<Image<'_>, CensusError> {
    let elf = parse(bytes)?;
    let mut marks = marks(elf.symbols());
    let symbols_present = marks.values().flatten().any(|mark| mark.is_code);
    if !symbols_present {
        marks = self::marks(elf.dynamic_symbols());
    }
    let mut pieces = Vec::new();
    for section in elf.sections().filter(is_executable) {
        let marks = marks.remove(&section.index()).unwrap_or_default();
        cut(section.data()?, section.address(), marks, &mut pieces);
    }
    let producers = match elf.section_by_name(".comment") {
        Some(comment) => strings(comment.data()?),
        None => Vec::new(),
    };
    Ok(Image { pieces, symbols_present, producers })
}

/// Whether a section holds instructions.
fn is_executable<'data>(section: &impl ObjectSection<'data>) -> bool {
    matches!(section.flags(), SectionFlags::Elf { sh_flags, .. } if sh_flags.contains(SHF_EXECINSTR))
}

/// A symbol's claim on a stretch of its section.
#[derive(Debug)]
struct Mark<'data> {
    address: u64,
    /// 0 where the symbol does not say.
    size: u64,
    name: Cow<'data, str>,
    is_code: bool,
}

/// The functions and data objects of a symbol table, by section.
fn marks<'data>(
    symbols: impl Iterator<Item = impl ObjectSymbol<'data>>,
) -> HashMap<SectionIndex, Vec<Mark<'data>>> {
    let mut marks: HashMap<SectionIndex, Vec<Mark<'data>>> = HashMap::new();
    for symbol in symbols {
        let is_code = symbol.kind() == SymbolKind::Text;
        let (Some(section), true) = (symbol.section_index(), is_code || symbol.kind() == SymbolKind::Data)
        else {
            continue;
        };
        // A name outside the string table is a damaged symbol; the code is read all the same.
        let Ok(name) = symbol.name_bytes() else { continue };
        marks.entry(section).or_default().push(Mark {
            address: symbol.address(),
            size: symbol.size(),
            name: String::from_utf8_lossy(name),
            is_code,
        });
    }
    marks
}

/// Cuts a section at its marks. Every byte ends up in one piece, but for marked data.
fn cut<'data>(data: &'data [u8], base: u64, mut marks: Vec<Mark<'data>>, pieces: &mut Vec<Piece<'data>>) {
    marks.sort_by(|a, b| (a.address, &a.name).cmp(&(b.address, &b.name)));
    let length = data.len() as u64;
    let mut piece = |names: Vec<Cow<'data, str>>, from: u64, to: u64| {
        // Both are offsets in `data`, so they fit in a usize.
        let bytes = &data[from as usize..to as usize];
        if !bytes.is_empty() {
            pieces.push(Piece { names, address: base.wrapping_add(from), bytes });
        }
    };
    let mut done = 0;
    let mut rest = marks.into_iter().peekable();
    while let Some(first) = rest.next() {
        let Some(start) = first.address.checked_sub(base).filter(|start| *start < length) else {
            continue;
        };
        let (mut size, mut is_code) = (first.size, first.is_code);
        let mut names = if is_code { vec![first.name] } else { Vec::new() };
        while let Some(alias) = rest.next_if(|alias| alias.address == first.address) {
            size = size.max(alias.size);
            is_code |= alias.is_code;
            if alias.is_code && names.last() != Some(&alias.name) {
                names.push(alias.name);
            }
        }
        let next = rest.peek().map_or(length, |next| next.address.saturating_sub(base).min(length));
        let end = if size == 0 { next } else { start.saturating_add(size).min(next) };
        piece(Vec::new(), done, start);
        if is_code {
            piece(names, start, end);
        }
        done = end;
    }
    piece(Vec::new(), done, length);
}

/// The strings of a section of NUL-terminated ones.
fn strings(data: &[u8]) -> Vec<String> {
    let texts = data.split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).trim().to_owned());
    texts.filter(|text| !text.is_empty()).collect()
}
