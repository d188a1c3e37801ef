use proptest::prelude::*;

use super::*;

fn whole(text: &[u8]) -> Captured {
    Captured { head: text.to_vec(), tail: Vec::new(), total: text.len() as u64 }
}

/// A stream of which only `kept` bytes of each end are there.
fn capped(text: &[u8], kept: usize) -> Captured {
    if text.len() <= 2 * kept {
        let (head, tail) = text.split_at(text.len().min(kept));
        return Captured { head: head.to_vec(), tail: tail.to_vec(), total: text.len() as u64 };
    }
    let (head, tail) = (text[..kept].to_vec(), text[text.len() - kept..].to_vec());
    Captured { head, tail, total: text.len() as u64 }
}

fn size(lines: usize, bytes: usize) -> Size {
    Size { lines, bytes }
}

fn numbers(count: usize) -> String {
    (1..=count).map(|number| format!("line {number}\n")).collect()
}

/// All pages after one another, and how many bytes were skipped.
fn pages(captured: &Captured, size: Size) -> (String, u64) {
    let (mut all, mut skipped, mut at) = (String::new(), 0, Some(0));
    let mut rounds = 0;
    while let Some(offset) = at {
        let part = page(captured, offset, size);
        all.push_str(&part.text);
        skipped += part.skipped;
        at = part.next;
        rounds += 1;
        assert!(rounds < 10_000, "pages come to an end");
    }
    (all, skipped)
}

#[test]
fn pages_join_to_the_whole() {
    let text = numbers(100);
    for lines in [1, 7, 1000] {
        assert_eq!(pages(&whole(text.as_bytes()), size(lines, 10_000)), (text.clone(), 0));
    }
    let part = page(&whole(text.as_bytes()), 0, size(2, 10_000));
    assert_eq!((part.text.as_str(), part.next), ("line 1\nline 2\n", Some(14)));
}

#[test]
fn a_gap_is_told_and_stepped_over() {
    let text = numbers(100);
    let captured = capped(text.as_bytes(), 20);
    let (all, skipped) = pages(&captured, size(1000, 10_000));
    assert_eq!(skipped, text.len() as u64 - 40);
    assert_eq!(all, format!("{}{}", &text[..20], &text[text.len() - 20..]));
}

#[test]
fn the_tail_is_the_last_lines() {
    let text = numbers(100);
    assert_eq!(tail(&whole(text.as_bytes()), size(2, 1000)).text, "line 99\nline 100\n");
    assert_eq!(tail(&capped(text.as_bytes(), 20), size(100, 1000)).text, &text[text.len() - 20..]);
    assert_eq!(tail(&whole(b""), size(2, 1000)).text, "");
    assert_eq!(tail(&whole(b"no end"), size(2, 1000)).text, "no end");
}

#[test]
fn grep_finds_lines_and_goes_on() {
    let text = numbers(100);
    let captured = whole(text.as_bytes());
    let first = grep(&captured, 0, "^line .5$", size(4, 1000)).unwrap();
    assert_eq!(first.text, "line 15\nline 25\nline 35\nline 45\n");
    let rest = grep(&captured, first.next.unwrap(), "^line .5$", size(100, 1000)).unwrap();
    assert_eq!(
        (rest.text.as_str(), rest.matches, rest.next),
        ("line 55\nline 65\nline 75\nline 85\nline 95\n", Some(5), None)
    );
    assert_eq!(grep(&captured, 0, "nothing", size(4, 1000)).unwrap().matches, Some(0));
    let over_the_gap = grep(&capped(text.as_bytes(), 20), 0, "line", size(100, 1000)).unwrap();
    assert!(over_the_gap.text.starts_with("line 1\n") && over_the_gap.text.ends_with("line 100\n"));
}

#[test]
fn patterns_have_limits() {
    let captured = whole(b"a\n");
    for (pattern, part) in [
        ("(".to_owned(), "not a regular expression"),
        ("a".repeat(1001), "shorten"),
        ("(a{1000}){1000}".into(), "size"),
    ] {
        let error = grep(&captured, 0, &pattern, size(1, 100)).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn binary_output_is_not_shown() {
    assert_eq!(page(&whole(b"\x7fELF\0\0"), 0, size(9, 99)).text, "[binary output, 6 bytes]");
}

#[test]
fn cursors_are_read_back() {
    assert_eq!(Cursor(4711).to_string().parse(), Ok(Cursor(4711)));
    for text in ["", "4711", "at-", "at-xyz", "at--1"] {
        assert!(text.parse::<Cursor>().is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn pages_of_any_text_are_the_text_and_fit(
        text in "[a-zé漢\n\"\\\\]{0,200}", kept in 1_usize..120, lines in 1_usize..9, bytes in 24_usize..90,
    ) {
        let captured = whole(text.as_bytes());
        let (all, skipped) = pages(&captured, size(lines, bytes));
        prop_assert_eq!((all.as_str(), skipped), (text.as_str(), 0));
        for part in [page(&captured, 0, size(lines, bytes)), tail(&captured, size(lines, bytes))] {
            prop_assert!(json_length(&part.text) <= bytes, "{:?}", part);
        }
        // With a gap nothing is shown twice, and pages end.
        let (all, skipped) = pages(&capped(text.as_bytes(), kept), size(lines, bytes));
        prop_assert!(all.len() as u64 + skipped <= 3 * text.len() as u64);
    }
}
