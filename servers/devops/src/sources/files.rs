//! The text of files below the roots.

use std::io::{self, Read, Seek, SeekFrom};

use mcp_workspace::Roots;

use crate::readers::shown;

/// The longest file that is read as a whole, in bytes: a hundred million rows are not.
pub(crate) const LONGEST: u64 = 256 << 20;
/// Of a longer log the end is read, so many bytes.
const END: u64 = 64 << 20;
/// A file in which a larger share of the characters is not UTF-8 is not text.
const FOREIGN: f64 = 0.1;
/// What files begin with that are compressed, and how they are called.
const COMPRESSED: [(&[u8], &str); 4] =
    [(&[0x1f, 0x8b], "gzip"), (&[0x28, 0xb5, 0x2f, 0xfd], "zstd"), (b"\xfd7zXZ", "xz"), (b"BZh", "bzip2")];

/// A text, and what there is to say about it.
#[derive(Debug)]
pub(crate) struct Text {
    pub text: String,
    pub notes: Vec<String>,
}

/// The text of a file.
pub(crate) fn whole(roots: &Roots, path: &str) -> Result<Text, String> {
    read(roots, path, false)
}

/// The text of a log: of one that is too long its end.
pub(crate) fn log(roots: &Roots, path: &str) -> Result<Text, String> {
    read(roots, path, true)
}

fn read(roots: &Roots, path: &str, is_end_enough: bool) -> Result<Text, String> {
    let refused = |what: String| format!("{}: {what}", shown(path));
    let unreadable = |error: io::Error| refused(format!("cannot be read ({error})"));
    let mut file = roots.open(path).map_err(|error| {
        let hint = if error.message.contains("root") { ": name a file below a root" } else { "" };
        refused(format!("{}{hint}", error.message))
    })?;
    let size = file.metadata().map_err(unreadable)?.len();
    let mut notes = Vec::new();
    let is_cut = size > LONGEST;
    if is_cut && !is_end_enough {
        return Err(refused(format!(
            "has {} MiB, more than the {} that are read: give a part of it",
            size >> 20,
            LONGEST >> 20
        )));
    }
    if is_cut {
        file.seek(SeekFrom::Start(size - END)).map_err(unreadable)?;
        notes.push(format!("the file has {} MiB: its last {} were read", size >> 20, END >> 20));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(END)).unwrap_or_default());
    // It may grow while it is read; a file of the kernel says that it has no size.
    file.take(if is_cut { END } else { LONGEST }).read_to_end(&mut bytes).map_err(unreadable)?;
    if let Some((_, name)) = COMPRESSED.iter().find(|(magic, _)| !is_cut && bytes.starts_with(magic)) {
        return Err(refused(format!("is compressed ({name}): unpack it first")));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(refused("is UTF-16: convert it to UTF-8 first".to_owned()));
    }
    if is_cut {
        // The first line is a part of one.
        let begin = bytes.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        bytes.drain(..begin);
    }
    let text =
        String::from_utf8(bytes).or_else(|error| lossy(error.as_bytes(), &mut notes).map_err(refused))?;
    Ok(Text { text, notes })
}

/// A text with the replacement character in place of what is not UTF-8: one byte of another encoding does not make a log
/// unreadable.
fn lossy(bytes: &[u8], notes: &mut Vec<String>) -> Result<String, String> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let foreign = text.matches('\u{fffd}').count();
    if foreign as f64 > FOREIGN * text.chars().count() as f64 {
        return Err("is not text in UTF-8".to_owned());
    }
    let lines = text.lines().filter(|line| line.contains('\u{fffd}')).count();
    let lines = if lines == 1 { "1 line has".to_owned() } else { format!("{lines} lines have") };
    notes.push(format!("{lines} bytes that are not UTF-8, shown as \u{fffd}"));
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_and_what_is_not_text_is_named() {
        let place = tempfile::tempdir().unwrap();
        let roots = Roots::new(&[place.path().to_owned()]).unwrap();
        let read = |bytes: &[u8]| {
            std::fs::write(place.path().join("x"), bytes).unwrap();
            log(&roots, "x")
        };
        let found = read(b"caf\xe9 is open\nit is\n").unwrap();
        assert_eq!((found.text.as_str(), found.notes.len()), ("caf\u{fffd} is open\nit is\n", 1));
        assert!(found.notes[0].starts_with("1 line has"), "{:?}", found.notes);
        for (bytes, part) in
            [(&b"\x1f\x8b\x08"[..], "gzip"), (b"\xff\xfet\0", "UTF-16"), (b"\xff\xff\xff\x80", "not text")]
        {
            assert!(read(bytes).unwrap_err().contains(part), "{part}");
        }
    }

    #[test]
    fn of_a_log_that_is_too_long_the_end_is_read() {
        let place = tempfile::tempdir().unwrap();
        let roots = Roots::new(&[place.path().to_owned()]).unwrap();
        let file = std::fs::File::create(place.path().join("x")).unwrap();
        // A hole, which takes no room on the disk.
        file.set_len(LONGEST + 1).unwrap();
        let mut end = std::fs::OpenOptions::new().append(true).open(place.path().join("x")).unwrap();
        io::Write::write_all(&mut end, b"\nlast line\n").unwrap();
        let found = log(&roots, "x").unwrap();
        assert_eq!(found.text, "last line\n");
        assert!(found.notes[0].contains("last 64"), "{:?}", found.notes);
        let error = whole(&roots, "x").unwrap_err();
        assert!(error.contains("256 MiB"), "{error}");
    }
}
