//! What the command line writes. A reader that goes away takes nothing from a verb: neither its work nor its exit code.

use std::fmt::Arguments;
use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::cli::context::plain;
use crate::report::visible;

/// What became of stdout: still written to, not written to any more, or failed.
static STDOUT: AtomicU8 = AtomicU8::new(OPEN);
const OPEN: u8 = 0;
/// Its reader has gone: `perflab … | head`.
const GONE: u8 = 1;
/// What was to be written is lost: a full disk.
const LOST: u8 = 2;

/// Writes to stdout as `print!` does, without a panic. Once it cannot be written to, nothing more is.
pub(crate) fn write_out(text: Arguments<'_>) {
    static TERMINAL: OnceLock<bool> = OnceLock::new();
    if STDOUT.load(Ordering::Relaxed) != OPEN {
        return;
    }
    let mut stdout = std::io::stdout().lock();
    let written = if *TERMINAL.get_or_init(|| stdout.is_terminal()) {
        stdout.write_all(shown(&text.to_string()).as_bytes())
    } else {
        stdout.write_fmt(text)
    };
    noticed(written);
}

/// Writes a line to stderr as `eprintln!` does, without a panic: whoever does not listen misses it.
pub(crate) fn write_error_line(text: Arguments<'_>) {
    let line = plain(&lines(&text.to_string())) + "\n";
    std::io::stderr().write_all(line.as_bytes()).ok();
}

/// Whether something that belongs on stdout could not be written, though somebody was to read it.
pub(crate) fn lost() -> bool {
    noticed(std::io::stdout().flush());
    STDOUT.load(Ordering::Relaxed) == LOST
}

fn noticed(written: std::io::Result<()>) {
    match written {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => STDOUT.store(GONE, Ordering::Relaxed),
        Err(error) => {
            if STDOUT.swap(LOST, Ordering::Relaxed) != LOST {
                write_error_line(format_args!("error: cannot write to stdout: {error}"));
            }
        }
    }
}

/// A text whose control characters a terminal shows in place of obeying them; tabs and the ends of lines stay.
fn lines(text: &str) -> String {
    text.split_inclusive(['\n', '\t'])
        .map(|part| match part.strip_suffix(['\n', '\t']) {
            Some(before) => visible(before) + &part[before.len()..],
            None => visible(part),
        })
        .collect()
}

/// As [`lines`], and the colours of the lab's own tables stay too.
fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for (at, part) in text.split("\u{1b}[").enumerate() {
        let color = part.find('m').filter(|&end| part[..end].bytes().all(|byte| byte.is_ascii_digit()));
        let rest = match color {
            Some(end) if at > 0 => {
                shown.push_str("\u{1b}[");
                shown.push_str(&part[..=end]);
                &part[end + 1..]
            }
            _ if at > 0 => {
                shown.push_str(&visible("\u{1b}["));
                part
            }
            _ => part,
        };
        shown.push_str(&lines(rest));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_colours_and_no_other_order() {
        assert_eq!(shown("\u{1b}[32m+1 %\u{1b}[0m\n"), "\u{1b}[32m+1 %\u{1b}[0m\n");
        assert_eq!(shown("a\u{1b}]0;title\u{7}b"), "a␛]0;title␇b");
        assert_eq!(shown("a\u{1b}[2Jb\rc"), "a␛[2Jb␍c", "neither erased nor overwritten");
        assert_eq!(lines("one\ntwo\u{1b}[31m"), "one\ntwo␛[31m");
    }
}
