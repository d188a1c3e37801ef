//! The ISA census: which instructions an executable or library holds, and what CPU they need.
//!
//! It is the proof that a flag set did something, and the check before an artifact runs: code that the
//! flag set made and this CPU cannot execute is refused by name instead of dying of SIGILL. Files are
//! taken as bytes; nothing here opens one.
//!
//! The disassembly is linear, from symbol to symbol (or over whole sections where there are no
//! symbols). Data inside code sections which no symbol marks as data is therefore read as
//! instructions; what does not decode is counted and skipped.

mod count;
mod elf;
mod graph;
mod identity;
mod linker_input;
mod name;
mod refusal;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::census::count::{Catalogue, Slot, Tally};
use crate::census::elf::Image;
use crate::machine::features::Feature;

pub use identity::{CodeDigest, identity};
pub use refusal::{MissingFeature, dispatched, refusal};

/// How many functions a [`FeatureUse`] names.
const EXAMPLES: usize = 5;

/// Why a file could not be read. Each message is one whole sentence fragment, fit to follow a path.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CensusError {
    /// The bytes begin like no ELF file and no archive of them.
    #[error("this is neither an ELF file nor an archive of ELF objects")]
    NotElf,
    /// An ELF file for another processor, or for 32-bit code.
    #[error("this ELF file is not 64-bit x86-64 code (class {class}, machine {machine})")]
    NotX86_64 {
        /// `EI_CLASS`: 1 is 32-bit, 2 is 64-bit.
        class: u8,
        /// `e_machine` of the ELF header; 62 is x86-64.
        machine: u16,
    },
    /// A header, table or section points outside the file or contradicts itself.
    #[error("this ELF file or archive is truncated or damaged: {detail}")]
    Damaged {
        /// What the reader stumbled over.
        detail: String,
    },
    /// There is no executable section at all.
    #[error("this ELF file has no section that holds code")]
    NoCode,
    /// One of several inputs could not be read; names it.
    #[error("{name}: {error}")]
    Input {
        /// The input's name as the caller gave it.
        name: String,
        /// What is wrong with it.
        error: Box<CensusError>,
    },
}

impl From<object::Error> for CensusError {
    fn from(error: object::Error) -> Self {
        Self::Damaged { detail: error.to_string() }
    }
}

/// How many instructions use which registers.
///
/// `scalar`, `xmm`, `ymm` and `zmm` sort every instruction by its widest vector register; an x86-64
/// float is kept in an xmm register, so `xmm` does not mean that anything was vectorised. `mask`
/// counts beside them, because a masked instruction has a vector register too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Width {
    /// Instructions without a vector register and without a mask register.
    pub scalar: u64,
    /// Instructions whose widest vector register has 128 bits.
    pub xmm: u64,
    /// Instructions whose widest vector register has 256 bits.
    pub ymm: u64,
    /// Instructions whose widest vector register has 512 bits.
    pub zmm: u64,
    /// Instructions that name a mask register (k0–k7), with or without a vector register.
    pub mask: u64,
}

impl Width {
    fn add(&mut self, other: Self) {
        self.scalar += other.scalar;
        self.xmm += other.xmm;
        self.ymm += other.ymm;
        self.zmm += other.zmm;
        self.mask += other.mask;
    }
}

/// The use of one feature.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureUse {
    /// How many instructions need it. One that needs several features counts for each.
    pub instructions: u64,
    /// The functions with most of them (at most five, demangled, most first); empty without symbols.
    pub functions: Vec<String>,
}

impl FeatureUse {
    /// Adds examples while there is room. Instances of a generic function share a name, which is
    /// listed once.
    fn name<'a>(&mut self, functions: impl Iterator<Item = &'a String>) {
        for name in functions {
            if self.functions.len() < EXAMPLES && !self.functions.contains(name) {
                self.functions.push(name.clone());
            }
        }
    }
}

/// What a file, or the measured part of it, holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Census {
    /// Functions that a symbol names; several names of one address count once.
    pub functions: usize,
    /// Instructions, without padding (NOP of any length and INT3), which alignment alone decides.
    pub instructions: u64,
    /// Bytes of the code that was read, padding included.
    pub text_bytes: u64,
    /// Bytes of the whole file.
    pub file_bytes: u64,
    /// Bytes that are not instruction: data in a code section, or an encoding unknown to the decoder.
    pub undecoded_bytes: u64,
    /// Instructions by register width.
    pub width: Width,
    /// Features beyond x86-64's guaranteed ones, with their use.
    pub features: BTreeMap<Feature, FeatureUse>,
    /// TZCNT, kept out of `features`: compilers write it without BMI1 too, because an older CPU runs
    /// it as BSF, which agrees on every input but zero. It needs `bmi1` only where that is enabled.
    pub tzcnt: FeatureUse,
    /// Whether a full symbol table names the functions. A stripped library still names its exports.
    pub symbols_present: bool,
    /// The compilers that wrote `.comment`, in order. Beside rustc a C compiler means code that the
    /// flag set does not reach, be it only the C runtime's start files.
    pub producers: Vec<String>,
}

/// The figures of a [`Census`] that fit on one line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// See [`Census::text_bytes`].
    pub text_bytes: u64,
    /// See [`Census::instructions`].
    pub instructions: u64,
    /// Share of the instructions whose widest register is an xmm one, 0 to 1.
    pub xmm: f64,
    /// Share of the instructions whose widest register is a ymm one, 0 to 1.
    pub ymm: f64,
    /// Share of the instructions whose widest register is a zmm one, 0 to 1.
    pub zmm: f64,
    /// Share of the instructions that name a mask register, 0 to 1.
    pub mask: f64,
    /// The features in order of name, each with its instructions.
    pub features: Vec<(Feature, u64)>,
}

impl Census {
    /// The census of a whole file: an executable, a library, an object or an archive of objects.
    ///
    /// # Errors
    /// When the bytes are not x86-64 ELF, are damaged, or hold no code.
    pub fn of(bytes: &[u8]) -> Result<Self, CensusError> {
        Ok(Disassembly::of(bytes)?.census())
    }

    /// The figures that fit on one line. All shares are zero where there are no instructions.
    pub fn summary(&self) -> Summary {
        let total = self.instructions.max(1) as f64;
        let share = |part: u64| part as f64 / total;
        Summary {
            text_bytes: self.text_bytes,
            instructions: self.instructions,
            xmm: share(self.width.xmm),
            ymm: share(self.width.ymm),
            zmm: share(self.width.zmm),
            mask: share(self.width.mask),
            features: self
                .features
                .iter()
                .map(|(feature, used)| (feature.clone(), used.instructions))
                .collect(),
        }
    }
}

/// A file that was disassembled once, of which several censuses can be taken.
#[derive(Debug, Clone)]
pub struct Disassembly {
    functions: Vec<Function>,
    catalogue: Catalogue,
    file_bytes: u64,
    symbols_present: bool,
    producers: Vec<String>,
}

/// A stretch of code and what was counted in it.
#[derive(Debug, Clone)]
struct Function {
    /// The demangled names of its address; none where no symbol covers the bytes.
    names: Vec<String>,
    bytes: u64,
    tally: Tally,
}

impl Disassembly {
    /// Disassembles an executable, a library, an object or an archive of objects.
    ///
    /// # Errors
    /// When the bytes are not x86-64 ELF, are damaged, or hold no code.
    pub fn of(bytes: &[u8]) -> Result<Self, CensusError> {
        let images = elf::images(bytes)?;
        let mut catalogue = Catalogue::default();
        let mut functions = Vec::new();
        for piece in images.iter().flat_map(|image| &image.pieces) {
            functions.push(Function {
                names: piece.names.iter().map(|raw| name::demangled(raw)).collect(),
                bytes: piece.bytes.len() as u64,
                tally: catalogue.tally(piece.bytes, piece.address),
            });
        }
        if functions.is_empty() {
            return Err(CensusError::NoCode);
        }
        Ok(Self {
            functions,
            catalogue,
            file_bytes: bytes.len() as u64,
            symbols_present: images.iter().any(|image| image.symbols_present),
            producers: producers(&images),
        })
    }

    /// The census of everything.
    pub fn census(&self) -> Census {
        self.sum(self.functions.iter())
    }

    /// The census of the measured functions: those whose demangled name holds one of the paths.
    ///
    /// A path such as `my_crate::dot` covers the function or module of that name, what is nested in
    /// it (closures, methods), `<my_crate::dot::X as Trait>::method`, and generic code of other
    /// crates where the symbol says that it was made for a type of that path (v0 mangling does, legacy
    /// mangling does not). It does not cover `my_crate::dot_product`. Inlined code counts where it
    /// ended up. Without symbols nothing matches: look at [`Census::symbols_present`].
    pub fn of_functions(&self, paths: &[&str]) -> Census {
        let measured = |function: &&Function| {
            function.names.iter().any(|name| paths.iter().any(|path| name::is_under(name, path)))
        };
        self.sum(self.functions.iter().filter(measured))
    }

    fn sum<'a>(&'a self, functions: impl Iterator<Item = &'a Function>) -> Census {
        let mut census = Census {
            file_bytes: self.file_bytes,
            symbols_present: self.symbols_present,
            producers: self.producers.clone(),
            ..Census::default()
        };
        let mut users: BTreeMap<Slot, Vec<(u64, &'a Function)>> = BTreeMap::new();
        for function in functions {
            census.functions += usize::from(!function.names.is_empty());
            census.instructions += function.tally.instructions;
            census.text_bytes += function.bytes;
            census.undecoded_bytes += function.tally.undecoded_bytes;
            census.width.add(function.tally.width);
            for (slot, count) in &function.tally.uses {
                users.entry(*slot).or_default().push((*count, function));
            }
        }
        for (slot, users) in users {
            let used = feature_use(users);
            match self.catalogue.feature(slot) {
                Some(feature) => drop(census.features.insert(feature.clone(), used)),
                None => census.tzcnt = used,
            }
        }
        census
    }
}

/// Sums the counts and names the functions with most of them.
fn feature_use(mut users: Vec<(u64, &Function)>) -> FeatureUse {
    users.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| one.names.cmp(&other.names)));
    let mut used =
        FeatureUse { instructions: users.iter().map(|(count, _)| count).sum(), functions: Vec::new() };
    used.name(users.iter().filter_map(|(_, user)| user.names.first()));
    used
}

/// The compilers of all images, each once, in order. The linker signs `.comment` too; it makes no code.
fn producers(images: &[Image<'_>]) -> Vec<String> {
    let signed = images.iter().flat_map(|image| &image.producers);
    let mut producers: Vec<String> = signed.filter(|name| !name.starts_with("Linker: ")).cloned().collect();
    producers.sort();
    producers.dedup();
    producers
}

#[cfg(test)]
mod tests;
