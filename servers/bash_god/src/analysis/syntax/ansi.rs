//! `$'…'`: the escapes of the Bash reference manual, section 3.1.2.4.

/// The text of a `$'…'` quote and how many bytes it took with its closing quote; `text` starts after the
/// opening one. `None` if the quote is not closed.
pub(crate) fn decode(text: &str) -> Option<(String, usize)> {
    let mut out = String::new();
    let mut at = 0;
    loop {
        let c = text[at..].chars().next()?;
        at += c.len_utf8();
        match c {
            '\'' => return Some((out, at)),
            '\\' => at += escape(&text[at..], &mut out)?,
            _ => out.push(c),
        }
    }
}

/// Appends what an escape stands for and returns its length; `text` starts after the backslash.
fn escape(text: &str, out: &mut String) -> Option<usize> {
    let c = text.chars().next()?;
    let simple = match c {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'e' | 'E' => '\u{1b}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' | '\'' | '"' | '?' => c,
        'x' => return number(text, 1, 2, 16, out),
        'u' => return number(text, 1, 4, 16, out),
        'U' => return number(text, 1, 8, 16, out),
        '0'..='7' => return number(text, 0, 3, 8, out),
        'c' => {
            let control = text[1..].chars().next()?;
            out.push(char::from(u8::try_from(u32::from(control) & 0x1f).unwrap_or(0)));
            return Some(1 + control.len_utf8());
        }
        _ => {
            out.extend(['\\', c]);
            return Some(c.len_utf8());
        }
    };
    out.push(simple);
    Some(1)
}

fn number(text: &str, start: usize, most: usize, radix: u32, out: &mut String) -> Option<usize> {
    let digits = text[start..].chars().take(most).take_while(|c| c.is_digit(radix)).count();
    if digits == 0 {
        out.push('\\');
        out.push(text.chars().next()?);
        return Some(1);
    }
    let value = u32::from_str_radix(&text[start..start + digits], radix).ok()?;
    // A code that is not a character cannot be part of a name that matters here.
    out.push(char::from_u32(value).unwrap_or('\u{fffd}'));
    Some(start + digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_stand_for_characters() {
        for (text, plain) in [
            ("\\x72m'", "rm"),
            ("\\162\\155'", "rm"),
            ("\\u0072m'", "rm"),
            ("a\\nb'", "a\nb"),
            ("it\\'s'", "it's"),
            ("\\q'", "\\q"),
        ] {
            assert_eq!(decode(text).unwrap(), (plain.to_owned(), text.len()), "{text}");
        }
        assert_eq!(decode("open"), None);
    }
}
