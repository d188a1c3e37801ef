//! Blocks that the lab writes into a document between markers, so that no number is copied by hand.

use thiserror::Error;

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
    /// The new block itself holds one of its markers, so that it could not be found again.
    #[error("the block for `{name}` contains one of its own markers")]
    MarkerInBlock {
        /// The block's name.
        name: String,
    },
}

/// The byte range between a block's markers, line breaks beside them left out.
struct Place {
    start: usize,
    end: usize,
}

fn begin(name: &str) -> String {
    format!("<!-- perflab:begin {name} -->")
}

fn end(name: &str) -> String {
    format!("<!-- perflab:end {name} -->")
}

fn only(document: &str, marker: String) -> Result<usize, SpliceError> {
    let mut places = document.match_indices(&marker);
    let first = places.next();
    match (first, places.count()) {
        (Some((place, _)), 0) => Ok(place),
        (Some(_), more) => Err(SpliceError::Repeated { marker, count: more + 1 }),
        (None, _) => Err(SpliceError::Missing { marker }),
    }
}

fn place(document: &str, name: &str) -> Result<Place, SpliceError> {
    let start = only(document, begin(name))? + begin(name).len();
    let end = only(document, end(name))?;
    if end < start {
        return Err(SpliceError::Unordered { name: name.to_owned() });
    }
    Ok(Place { start, end })
}

/// The document with `block` between the markers of `name`, on lines of its own.
///
/// # Errors
/// A marker that is missing, repeated or in the wrong order, or a block that holds one of them.
pub fn splice(document: &str, name: &str, block: &str) -> Result<String, SpliceError> {
    if block.contains(&begin(name)) || block.contains(&end(name)) {
        return Err(SpliceError::MarkerInBlock { name: name.to_owned() });
    }
    let Place { start, end } = place(document, name)?;
    Ok(format!("{}\n{block}\n{}", &document[..start], &document[end..]))
}

/// What stands between the markers of `name`, without the line breaks next to them.
///
/// # Errors
/// A marker that is missing, repeated or in the wrong order.
pub fn spliced<'a>(document: &'a str, name: &str) -> Result<&'a str, SpliceError> {
    let Place { start, end } = place(document, name)?;
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
        assert_eq!(splice(&begin("a"), "a", ""), missing("<!-- perflab:end a -->"));
        let unordered = format!("{}{}", end("a"), begin("a"));
        assert_eq!(splice(&unordered, "a", ""), Err(SpliceError::Unordered { name: "a".to_owned() }));
        let twice = format!("{0}{0}{1}", begin("a"), end("a"));
        assert_eq!(splice(&twice, "a", ""), Err(SpliceError::Repeated { marker: begin("a"), count: 2 }));
        let ends = format!("{0}{1}{1}{1}", begin("a"), end("a"));
        assert_eq!(spliced(&ends, "a"), Err(SpliceError::Repeated { marker: end("a"), count: 3 }));
        let own = splice(DOCUMENT, "quick", &end("quick"));
        assert_eq!(own, Err(SpliceError::MarkerInBlock { name: "quick".to_owned() }));
    }

    proptest! {
        #[test]
        fn what_is_spliced_is_found_again(
            before in "[a-z<>!\\-\n ]{0,40}",
            old in "[a-z|\n]{0,40}",
            block in "[a-zµ−|\r\n ]{0,60}",
            after in "[a-z\n]{0,40}",
        ) {
            let document = format!("{before}{}{old}{}{after}", begin("n"), end("n"));
            let text = splice(&document, "n", &block).expect("markers");
            // A carriage return at the block's very end would read as part of the marker's line break.
            prop_assert_eq!(spliced(&text, "n").expect("markers"), block.strip_suffix('\r').unwrap_or(&block));
            prop_assert_eq!(splice(&text, "n", &block).expect("markers"), text.clone());
            prop_assert!(text.starts_with(&before) && text.ends_with(&after));
        }
    }
}
