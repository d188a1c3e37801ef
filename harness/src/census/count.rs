//! Counts the instructions of one stretch of code.

use iced_x86::{Code, Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};

use crate::census::Width;
use crate::machine::features::Feature;

/// A feature's number in a [`Catalogue`], smaller and faster to count with than its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot(usize);

impl Slot {
    /// TZCNT, which is counted apart from the features.
    const TZCNT: Self = Self(0);
}

/// What was counted in one stretch of code.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// Instructions without padding.
    pub(crate) instructions: u64,
    /// Bytes that are not instruction.
    pub(crate) undecoded_bytes: u64,
    /// Instructions by register width.
    pub(crate) width: Width,
    /// Instructions by feature, for the features that occur.
    pub(crate) uses: Vec<(Slot, u64)>,
}

/// The features met so far, and which of them each form of an instruction needs.
///
/// A form's features are looked up once and kept as slots: their names would be built and compared
/// for every instruction otherwise.
#[derive(Debug, Clone, Default)]
pub(crate) struct Catalogue {
    /// The feature of slot `n` is at `n - 1`; slot 0 is [`Slot::TZCNT`].
    features: Vec<Feature>,
    /// Indexed by [`Code`]; `None` where that form was not met yet.
    forms: Vec<Option<Box<[Slot]>>>,
}

impl Catalogue {
    /// The feature of a slot, or `None` for TZCNT.
    pub(crate) fn feature(&self, slot: Slot) -> Option<&Feature> {
        self.features.get(slot.0.checked_sub(1)?)
    }

    /// Disassembles `bytes`, which are loaded at `address`, from their first byte to their last.
    pub(crate) fn tally(&mut self, bytes: &[u8], address: u64) -> Tally {
        let mut decoder = Decoder::with_ip(64, bytes, address, DecoderOptions::NONE);
        let mut instruction = Instruction::default();
        let mut tally = Tally::default();
        let mut uses: Vec<u64> = Vec::new();
        while decoder.can_decode() {
            let start = decoder.position();
            decoder.decode_out(&mut instruction);
            if instruction.is_invalid() {
                // One byte on, because the next one may begin an instruction; the decoder has read further.
                tally.undecoded_bytes += 1;
                decoder.set_ip(address.wrapping_add(start as u64 + 1));
                if decoder.set_position(start + 1).is_err() {
                    break;
                }
                continue;
            }
            if matches!(instruction.mnemonic(), Mnemonic::Nop | Mnemonic::Int3) {
                continue;
            }
            tally.instructions += 1;
            count_width(&instruction, &mut tally.width);
            for slot in self.slots(instruction.code()) {
                if uses.len() <= slot.0 {
                    uses.resize(slot.0 + 1, 0);
                }
                uses[slot.0] += 1;
            }
        }
        tally.uses = uses.into_iter().enumerate().map(|(slot, count)| (Slot(slot), count)).collect();
        tally.uses.retain(|(_, count)| *count > 0);
        tally
    }

    /// The slots of the features that an instruction form needs.
    fn slots(&mut self, form: Code) -> &[Slot] {
        let index = form as usize;
        if self.forms.len() <= index {
            self.forms.resize(index + 1, None);
        }
        if self.forms[index].is_none() {
            self.forms[index] = Some(self.look_up(form));
        }
        self.forms[index].as_deref().unwrap_or_default()
    }

    fn look_up(&mut self, form: Code) -> Box<[Slot]> {
        match form.mnemonic() {
            Mnemonic::Tzcnt => return Box::new([Slot::TZCNT]),
            // In the space of hints: without CET they do nothing.
            Mnemonic::Rdsspd | Mnemonic::Rdsspq => return Box::new([]),
            _ => {}
        }
        let needed = form.cpuid_features().iter().filter_map(|group| Feature::from_group(*group));
        needed.map(|feature| self.slot_of(feature)).collect()
    }

    fn slot_of(&mut self, feature: Feature) -> Slot {
        let known = self.features.iter().position(|known| *known == feature);
        Slot(
            1 + known.unwrap_or_else(|| {
                self.features.push(feature);
                self.features.len() - 1
            }),
        )
    }
}

/// Sorts one instruction by its widest vector register, and notes a mask register.
fn count_width(instruction: &Instruction, width: &mut Width) {
    let explicit = (0..instruction.op_count()).map(|operand| match instruction.op_kind(operand) {
        OpKind::Register => instruction.op_register(operand),
        // A gather's index is a vector register, and may be wider than its destination.
        OpKind::Memory => instruction.memory_index(),
        _ => Register::None,
    });
    let mut bits = 0;
    let mut mask = instruction.op_mask() != Register::None;
    for register in explicit {
        mask |= register.is_k();
        bits = bits.max(vector_bits(register));
    }
    width.mask += u64::from(mask);
    match bits {
        512 => width.zmm += 1,
        256 => width.ymm += 1,
        128 => width.xmm += 1,
        _ => width.scalar += u64::from(!mask),
    }
}

/// The size of a vector register; 0 for any other.
fn vector_bits(register: Register) -> u16 {
    if register.is_zmm() {
        512
    } else if register.is_ymm() {
        256
    } else if register.is_xmm() {
        128
    } else {
        0
    }
}
