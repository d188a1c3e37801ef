//! Blocks that the lab writes into a document between markers, so that no number is copied by hand.

use thiserror::Error;

/// How much of a record a document shows. It stands in the begin marker, after the block's name:
/// `<!-- perflab:begin record rows=8 -->`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// The whole table with its notes, and one chart. The default.
    #[default]
    Whole,
    /// `rows=N`: the answers, a table of at most N rows under the arms that claims name, and one chart.
    Rows(usize),
    /// `answers`: one line a claim.
    Answers,
}

impl Form {
    fn parse(words: &str) -> Option<Self> {
        match words.trim() {
            "" => Some(Self::Whole),
            "answers" => Some(Self::Answers),
            other => other.strip_prefix("rows=")?.parse().ok().filter(|rows| *rows > 1).map(Self::Rows),
        }
    }
}

/// Why a document does not have one well-formed block of a name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SpliceError {
    /// A marker is not there.
    #[error("the marker `{marker}` is missing; write it on a line of its own where the block shall stand")]
    Missing {
        /// The marker.
        marker: String,
    },
    /// A marker stands in more than one place.
    #[error("the marker `{marker}` stands {count} times; keep one")]
    Repeated {
        /// The marker.
        marker: String,
        /// How often it was found.
        count: usize,
    },
    /// The end comes before the beginning.
    #[error("the end marker of `{name}` stands before its begin marker; swap them")]
    Unordered {
        /// The block's name.
        name: String,
    },
    /// The begin marker asks for a form that is not known.
    #[error(
        "the begin marker of `{name}` asks for `{form}`; expected nothing, `rows=N` (N from 2) or `answers` after the name"
    )]
    UnknownForm {
        /// The block's name.
        name: String,
        /// What stands after the name.
        form: String,
    },
    /// The new block itself holds one of its markers, so that it could not be found again.
    #[error("the block for `{name}` contains one of its own markers")]
    MarkerInBlock {
        /// The block's name.
        name: String,
    },
}

/// A block's begin marker and what lies between its markers, line breaks beside them left out.
struct Place<'a> {
    /// What the begin marker says after the name.
    form: &'a str,
    start: usize,
    end: usize,
}

const CLOSE: &str = " -->";

/// The begin marker without its form.
fn begin(name: &str) -> String {
    format!("<!-- perflab:begin {name}")
}

fn end(name: &str) -> String {
    format!("<!-- perflab:end {name}{CLOSE}")
}

/// The only one of `places`, which are those of `marker`.
fn only<T>(mut places: impl Iterator<Item = T>, marker: String) -> Result<T, SpliceError> {
    let first = places.next();
    match (first, places.count()) {
        (Some(place), 0) => Ok(place),
        (Some(_), more) => Err(SpliceError::Repeated { marker, count: more + 1 }),
        (None, _) => Err(SpliceError::Missing { marker }),
    }
}

/// Every begin marker of `name`: its form, and where it ends. A longer name that begins alike is another block.
fn begins<'a>(document: &'a str, name: &str) -> impl Iterator<Item = (&'a str, usize)> {
    let marker = begin(name);
    document
        .match_indices(&marker)
        .map(|(at, marker)| at + marker.len())
        .collect::<Vec<_>>()
        .into_iter()
        .filter_map(|after| {
            let form = document[after..].split_once(CLOSE)?.0;
            let own = form.is_empty() || form.starts_with(' ') && !form.contains('\n');
            own.then_some((form, after + form.len() + CLOSE.len()))
        })
}

fn place<'a>(document: &'a str, name: &str) -> Result<Place<'a>, SpliceError> {
    let (form, start) = only(begins(document, name), begin(name) + CLOSE)?;
    let end = only(document.match_indices(&end(name)).map(|(at, _)| at), end(name))?;
    if end < start {
        return Err(SpliceError::Unordered { name: name.to_owned() });
    }
    Ok(Place { form: form.trim(), start, end })
}

/// The form that the block of `name` has in a document.
///
/// # Errors
/// A marker that is missing, repeated or in the wrong order, or a form that is not known.
pub fn form(document: &str, name: &str) -> Result<Form, SpliceError> {
    let Place { form, .. } = place(document, name)?;
    Form::parse(form).ok_or_else(|| SpliceError::UnknownForm { name: name.to_owned(), form: form.to_owned() })
}

/// The document with `block` between the markers of `name`, on lines of its own.
///
/// # Errors
/// A marker that is missing, repeated or in the wrong order, or a block that holds one of them.
pub fn splice(document: &str, name: &str, block: &str) -> Result<String, SpliceError> {
    if begins(block, name).next().is_some() || block.contains(&end(name)) {
        return Err(SpliceError::MarkerInBlock { name: name.to_owned() });
    }
    let Place { start, end, .. } = place(document, name)?;
    Ok(format!("{}\n{block}\n{}", &document[..start], &document[end..]))
}

/// What stands between the markers of `name`, without the line breaks next to them.
///
/// # Errors
/// A marker that is missing, repeated or in the wrong order.
pub fn spliced<'a>(document: &'a str, name: &str) -> Result<&'a str, SpliceError> {
    let Place { start, end, .. } = place(document, name)?;
    let block = &document[start..end];
    let block = block.strip_prefix("\r\n").or_else(|| block.strip_prefix('\n')).unwrap_or(block);
    Ok(block.strip_suffix("\r\n").or_else(|| block.strip_suffix('\n')).unwrap_or(block))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DOCUMENT: &str = "# A\n<!-- perflab:begin quick -->\nold\n<!-- perflab:end quick -->\n\n<!-- perflab:begin quick-2 --><!-- perflab:end quick-2 -->\nB\n";

    #[test]
    fn a_block_replaces_the_old_one_and_nothing_else() {
        let text = splice(DOCUMENT, "quick", "new").expect("markers");
        assert_eq!(text, DOCUMENT.replace("old", "new"));
        assert_eq!(spliced(DOCUMENT, "quick"), Ok("old"));
    }

    #[test]
    fn names_that_begin_alike_are_told_apart() {
        let text = splice(DOCUMENT, "quick-2", "x").expect("markers");
        assert_eq!(spliced(&text, "quick-2"), Ok("x"));
        assert_eq!(spliced(&text, "quick"), Ok("old"));
    }

    #[test]
    fn every_malformed_document_is_refused_by_name() {
        let missing = |marker: &str| Err(SpliceError::Missing { marker: marker.to_owned() });
        assert_eq!(splice("none", "a", ""), missing("<!-- perflab:begin a -->"));
        assert_eq!(splice(&(begin("a") + CLOSE), "a", ""), missing("<!-- perflab:end a -->"));
        let opened = begin("a") + CLOSE;
        let unordered = format!("{}{opened}", end("a"));
        assert_eq!(splice(&unordered, "a", ""), Err(SpliceError::Unordered { name: "a".to_owned() }));
        let twice = format!("{opened}{} rows=3 -->{}", begin("a"), end("a"));
        assert_eq!(splice(&twice, "a", ""), Err(SpliceError::Repeated { marker: opened.clone(), count: 2 }));
        let ends = format!("{opened}{0}{0}{0}", end("a"));
        assert_eq!(spliced(&ends, "a"), Err(SpliceError::Repeated { marker: end("a"), count: 3 }));
        let own = splice(DOCUMENT, "quick", &end("quick"));
        assert_eq!(own, Err(SpliceError::MarkerInBlock { name: "quick".to_owned() }));
    }

    #[test]
    fn the_form_stands_after_the_name_and_survives() {
        let document = |form: &str| format!("{}{form}{CLOSE}\nold\n{}\n", begin("quick"), end("quick"));
        assert_eq!(form(&document(""), "quick"), Ok(Form::Whole));
        assert_eq!(form(&document(" answers"), "quick"), Ok(Form::Answers));
        assert_eq!(form(&document(" rows=8"), "quick"), Ok(Form::Rows(8)));
        let text = splice(&document(" rows=8"), "quick", "new").expect("markers");
        assert_eq!(text, document(" rows=8").replace("old", "new"));
        assert_eq!(spliced(&text, "quick"), Ok("new"));
        for wrong in ["rows=1", "rows=", "rows=-3", "row=3", "answers all"] {
            let unknown = SpliceError::UnknownForm { name: "quick".to_owned(), form: wrong.to_owned() };
            assert_eq!(form(&document(&format!(" {wrong}")), "quick"), Err(unknown));
        }
    }

    #[test]
    fn a_name_may_be_a_word_of_another_marker() {
        let document = format!("{}-2{CLOSE}\n{}", begin("quick"), end("quick"));
        assert!(matches!(spliced(&document, "quick"), Err(SpliceError::Missing { .. })));
    }

    proptest! {
        #[test]
        fn what_is_spliced_is_found_again(
            before in "[a-z<>!\\-\n ]{0,40}",
            old in "[a-z|\n]{0,40}",
            block in "[a-zµ−|\r\n ]{0,60}",
            after in "[a-z\n]{0,40}",
        ) {
            let document = format!("{before}{}{CLOSE}{old}{}{after}", begin("n"), end("n"));
            let text = splice(&document, "n", &block).expect("markers");
            // A carriage return at the block's very end would read as part of the marker's line break.
            prop_assert_eq!(spliced(&text, "n").expect("markers"), block.strip_suffix('\r').unwrap_or(&block));
            prop_assert_eq!(splice(&text, "n", &block).expect("markers"), text.clone());
            prop_assert!(text.starts_with(&before) && text.ends_with(&after));
        }
    }
}
