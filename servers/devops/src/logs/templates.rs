//! The templates of a heap of lines. The order of the lines makes no difference: only how often each masked line is there.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::logs::mask::{VALUE, masked};
use crate::logs::{LONGEST_LINE, MOST_LINES};

/// A place with up to so many different words divides lines: they are kinds, such as "started" and "paused". More are
/// values, such as names of users.
pub const FEW_WORDS: usize = 24;
/// A place whose words stand in so many different lines each is one that names kinds, however many there are.
const LINES_OF_A_KIND: usize = 8;
/// After so many lines it is asked whether anybody still waits.
const ASKED_EACH: usize = 4_096;
/// The most templates of an answer; the rarest are joined.
pub const MOST_TEMPLATES: usize = 1_000;
/// The most different masked lines that are kept apart; what comes beyond is counted by its first words alone.
const MOST_DIFFERENT: usize = 200_000;

/// A kind of lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// Its words, [`VALUE`] in place of values.
    pub text: String,
    /// How many lines are of this kind.
    pub count: usize,
    /// The times of those that have one, in milliseconds since 1970, in order.
    pub times: Vec<i64>,
}

/// All kinds of lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Templates {
    /// The kinds, the most frequent first.
    pub found: Vec<Template>,
    /// How many lines there are.
    pub lines: usize,
    /// Lines of kinds beyond the most that are kept.
    pub others: usize,
    /// Lines beyond the most that are read.
    pub unread: usize,
}

/// A masked line and how often it is there.
#[derive(Debug, Default)]
struct Same {
    count: usize,
    times: Vec<i64>,
}

/// How lines are read.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// The clock, in milliseconds since 1970: with it times are known that name no year.
    pub now_ms: Option<i64>,
    /// Whether nobody waits for the answer any more: then what was found so far is returned.
    pub is_cancelled: &'a dyn Fn() -> bool,
}

/// The templates of lines.
#[must_use]
pub fn templates<'a>(lines: impl Iterator<Item = &'a str>) -> Templates {
    templates_of(lines, Reading { now_ms: None, is_cancelled: &|| false })
}

/// The templates of lines, as [`Reading`] says.
#[must_use]
pub fn templates_of<'a>(lines: impl Iterator<Item = &'a str>, reading: Reading<'_>) -> Templates {
    let mut same: FxHashMap<Vec<String>, Same> = FxHashMap::default();
    let mut all = Templates::default();
    for line in lines {
        if line.trim().is_empty() {
            continue;
        }
        if all.lines >= MOST_LINES {
            all.unread += 1;
            continue;
        }
        all.lines += 1;
        if all.lines % ASKED_EACH == 0 && (reading.is_cancelled)() {
            return all;
        }
        let line = &line[..line.floor_char_boundary(LONGEST_LINE)];
        let found = masked(line, reading.now_ms);
        let mut words = found.words;
        if same.len() >= MOST_DIFFERENT && !same.contains_key(&words) {
            words.truncate(2);
            words.push("…".to_owned());
        }
        let entry = same.entry(words).or_default();
        entry.count += 1;
        entry.times.extend(found.time_ms);
    }
    let mut by_length: BTreeMap<usize, Vec<(Vec<String>, Same)>> = BTreeMap::new();
    for (words, same) in same {
        by_length.entry(words.len()).or_default().push((words, same));
    }
    let mut kinds: BTreeMap<String, Same> = BTreeMap::new();
    for group in by_length.into_values() {
        divide(group, &mut kinds, reading);
    }
    let mut found: Vec<Template> = kinds
        .into_iter()
        .map(|(text, Same { count, mut times })| {
            times.sort_unstable();
            Template { text, count, times }
        })
        .collect();
    // Of equally many the text decides, so that no order does.
    found.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.text.cmp(&b.text)));
    all.others = found.iter().skip(MOST_TEMPLATES).map(|template| template.count).sum();
    found.truncate(MOST_TEMPLATES);
    all.found = found;
    all
}

/// Divides lines of one length until each place has one word, or is a value.
fn divide(group: Vec<(Vec<String>, Same)>, kinds: &mut BTreeMap<String, Same>, reading: Reading<'_>) {
    let mut waiting = vec![group];
    while let Some(mut group) = waiting.pop() {
        if (reading.is_cancelled)() {
            return;
        }
        let length = group.first().map_or(0, |(words, _)| words.len());
        let place = match dividing(&group, length) {
            Place::Divides(place) => place,
            Place::IsValue(place) => {
                for (words, _) in &mut group {
                    VALUE.clone_into(&mut words[place]);
                }
                waiting.push(group);
                continue;
            }
            Place::None => {
                for (words, same) in group {
                    let kind = kinds.entry(words.join(" ")).or_default();
                    kind.count += same.count;
                    kind.times.extend(same.times);
                }
                continue;
            }
        };
        let mut parts: BTreeMap<String, Vec<(Vec<String>, Same)>> = BTreeMap::new();
        for (words, same) in group {
            parts.entry(words[place].clone()).or_default().push((words, same));
        }
        waiting.extend(parts.into_values());
    }
}

/// What is done next with a group of lines.
enum Place {
    /// The words of this place are kinds.
    Divides(usize),
    /// The words of this place are values.
    IsValue(usize),
    /// All lines are alike.
    None,
}

fn dividing(group: &[(Vec<String>, Same)], length: usize) -> Place {
    let mut fewest: Option<(usize, usize)> = None;
    for place in 0..length {
        let mut words: Vec<&str> = group.iter().map(|(words, _)| words[place].as_str()).collect();
        words.sort_unstable();
        words.dedup();
        let count = words.len();
        // As in Drain the first word names a kind, unless there are more of them than kinds are kept.
        if place == 0 && count > 1 && count <= MOST_TEMPLATES {
            return Place::Divides(0);
        }
        if count > 1 && fewest.is_none_or(|(least, _)| count < least) {
            fewest = Some((count, place));
        }
    }
    match fewest {
        None => Place::None,
        // The place with the fewest words divides first: it is the most likely one to name kinds.
        Some((count, place)) if count <= FEW_WORDS || count * LINES_OF_A_KIND <= group.len() => {
            Place::Divides(place)
        }
        Some((_, place)) => Place::IsValue(place),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(lines: &[String]) -> Vec<(String, usize)> {
        let all = templates(lines.iter().map(String::as_str));
        all.found.into_iter().map(|template| (template.text, template.count)).collect()
    }

    #[test]
    fn values_of_many_words_are_masked_and_kinds_of_few_are_not() {
        let mut lines: Vec<String> =
            (0..100).map(|n| format!("user u{}x logged in after {n} s", letters(n))).collect();
        for n in 0..40 {
            lines.push(format!("job {n} started"));
            lines.push(format!("job {n} paused"));
        }
        lines.push("disk is full".to_owned());
        let known = [
            ("user <*> logged in after <*> s", 100),
            ("job <*> paused", 40),
            ("job <*> started", 40),
            ("disk is full", 1),
        ];
        assert_eq!(found(&lines), known.map(|(text, count)| (text.to_owned(), count)));
    }

    fn letters(number: usize) -> String {
        let letter = |digit: usize| char::from(b'a' + (digit % 26) as u8);
        [letter(number), letter(number / 26), letter(number * 7)].iter().collect()
    }

    #[test]
    fn templates_and_lines_are_capped() {
        let lines: Vec<String> =
            (0..1500).flat_map(|n| std::iter::repeat_n(vec!["w"; n + 1].join(" "), 1 + n % 2)).collect();
        let all = templates(lines.iter().map(String::as_str));
        assert_eq!((all.found.len(), all.lines), (MOST_TEMPLATES, lines.len()));
        let counted: usize = all.found.iter().map(|template| template.count).sum();
        assert_eq!(counted + all.others, lines.len(), "nothing is lost");
        let long = "x".repeat(100_000);
        assert!(templates([long.as_str()].into_iter()).found[0].text.len() <= LONGEST_LINE);
        assert_eq!(templates(["", "  "].into_iter()).lines, 0);
    }

    #[test]
    fn what_nobody_waits_for_is_not_done() {
        let asked = std::cell::Cell::new(0);
        let is_cancelled = || {
            asked.set(asked.get() + 1);
            true
        };
        let lines = (0..100_000).map(|_| "a b c");
        let found = templates_of(lines, Reading { now_ms: None, is_cancelled: &is_cancelled });
        assert_eq!((found.lines, found.found.len(), asked.get()), (ASKED_EACH, 0, 1));
    }

    #[test]
    fn times_are_kept_in_order() {
        let lines = ["2014-02-14T14:30:01Z a", "2014-02-14T14:30:00Z a", "a"];
        let all = templates(lines.into_iter());
        assert_eq!(
            (all.found[0].count, &all.found[0].times),
            (3, &vec![1_392_388_200_000, 1_392_388_201_000])
        );
    }

    fn line() -> impl Strategy<Value = String> {
        let state = prop::sample::select(vec!["started", "paused", "stopped", "failed"]);
        let word = prop::string::string_regex("[a-z]{1,6}").unwrap();
        prop_oneof![
            (state, 0_u32..1000).prop_map(|(state, n)| format!("job {n} {state}")),
            (word, 0_u32..9).prop_map(|(word, n)| format!("user {word} has {n} keys")),
            "[ -~é]{0,30}",
        ]
    }

    proptest! {
        #[test]
        fn the_order_of_lines_makes_no_difference(
            lines in prop::collection::vec(line(), 0..150), seed in any::<u64>()
        ) {
            let known = found(&lines);
            let mut other = lines.clone();
            let mut state = seed | 1;
            for at in (1..other.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                other.swap(at, (state >> 33) as usize % (at + 1));
            }
            prop_assert_eq!(found(&other), known);
        }

        #[test]
        fn lines_that_differ_in_a_word_with_few_values_never_merge(
            lines in prop::collection::vec(line(), 0..150)
        ) {
            let all = found(&lines);
            for state in ["started", "paused", "stopped", "failed"] {
                let of_state = |text: &str| {
                    let words: Vec<&str> = text.split(' ').collect();
                    words.len() == 3 && words[0] == "job" && words[2] == state
                };
                let count = lines.iter().filter(|line| of_state(line)).count();
                let counted: usize = all.iter().filter(|(text, _)| of_state(text)).map(|(_, count)| count).sum();
                prop_assert_eq!(counted, count);
            }
        }

        #[test]
        fn every_line_is_counted_once(lines in prop::collection::vec(line(), 0..150)) {
            let all: usize = found(&lines).iter().map(|(_, count)| count).sum();
            prop_assert_eq!(all, lines.iter().filter(|line| !line.trim().is_empty()).count());
        }
    }
}
