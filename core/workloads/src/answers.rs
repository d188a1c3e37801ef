//! The answers that every benchmark must give, whichever map is measured.

use perflab_subject::answer::{Answer, mix};

/// Every benchmark's answers, computed with ordered standard collections; a test does so again.
#[rustfmt::skip]
pub const ANSWERS: &[Answer] = &[
    Answer::new("store/get_64", 0x1FAE60DA666EFAE2, 0x5B6F28450839BD8C),
    Answer::new("store/get_4096", 0x73E3307F226FA8C3, 0x7D65343298302B70),
    Answer::new("store/set_64", 0x09BDB135E5F1480E, 0xD28C6E95933B2672),
    Answer::new("store/set_4096", 0x8BC033BEFB372724, 0x13E0BCA94641AD06),
    Answer::new("store/mixed_64", 0xF6CE0E655EDC43F2, 0x5FB0813AD2E35765),
    Answer::new("store/get_64_4_threads", 0x9C7F7E49D652AED9, 0xE9FD97FE724AECD3),
    Answer::new("store/set_64_4_threads", 0xB54CDA58FBBEE87E, 0xB54CDA58FBBEE87E),
    Answer::new("store/mixed_64_4_threads", 0x7BF494388996A285, 0x28A8234330598B1A),
    Answer::new("queue/send_recv", 0x88642772D0202201, 0x52B0DAE8E41425BC),
    Answer::new("latency/record", 0x629625F6A8BC534B, 0xCB3F30180FF2E9ED),
];

/// The part of an answer that a value that was found gives: its length, its first and its last bytes.
pub fn found(value: &[u8]) -> u64 {
    let first = value.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let last = value.last_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    mix(mix(value.len() as u64, first), last)
}
