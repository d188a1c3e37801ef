use mcp_source::Language;

use crate::duplicates::{CloneType, Corpus, Options, Pair, classes};

const ORIGINAL: &str = "fn total(orders: &[Order], limit: u32) -> Result<u32, Problem> {
    let mut sum = 0;
    for order in orders {
        if order.count > limit {
            return Err(Problem::TooMany(order.count));
        }
        sum += order.count * order.price;
        log(\"counted\", order.count);
    }
    while sum > limit {
        sum -= orders.len() as u32;
    }
    Ok(sum)
}
";

fn pairs(texts: &[&str]) -> (Corpus, Vec<Pair>) {
    let mut corpus = Corpus::default();
    for text in texts {
        corpus.add(Language::Rust, text.as_bytes());
    }
    let pairs = corpus.pairs(Options::default(), None, || true);
    (corpus, pairs)
}

fn kinds(texts: &[&str]) -> Vec<CloneType> {
    pairs(texts).1.iter().map(|pair| pair.kind).collect()
}

#[test]
fn layout_and_comments_do_not_matter() {
    let laid_out = ORIGINAL.replace("    ", "\t").replace(";\n", "; // done\n\n").replace(" {", "\n{");
    assert_eq!(kinds(&[ORIGINAL, &format!("struct Before;\n{laid_out}")]), [CloneType::Exact]);
}

#[test]
fn other_names_and_values_are_a_renamed_copy() {
    let renamed = ORIGINAL
        .replace("order", "item")
        .replace("sum", "result")
        .replace("limit", "most")
        .replace("\"counted\"", "\"seen\"")
        .replace("= 0", "= 17");
    assert_eq!(kinds(&[ORIGINAL, &renamed]), [CloneType::Renamed]);
}

#[test]
fn a_few_other_tokens_are_an_edited_copy() {
    let edited = ORIGINAL
        .replace("sum += order.count * order.price;", "sum += order.count * order.price + tax(order);")
        .replace("        log(\"counted\", order.count);\n", "");
    assert_eq!(kinds(&[ORIGINAL, &edited]), [CloneType::Edited]);
}

#[test]
fn another_text_is_no_copy() {
    let other = "impl Display for Shape {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Circle { radius } => write!(f, \"circle of {radius}\"),
            Self::Square { side } => write!(f, \"square of {side}\"),
            Self::Line(from, to) if from == to => f.write_str(\"point\"),
            Self::Line(..) => f.write_str(\"line\"),
        }
    }
}
";
    assert_eq!(kinds(&[ORIGINAL, other]), []);
}

#[test]
fn a_table_is_no_copy_of_itself() {
    let rows: String = (0..100).map(|row| format!("    (\"name {row}\", {row}, {}),\n", row * 7)).collect();
    let table = format!("const TABLE: [(&str, u32, u32); 100] = [\n{rows}];\n");
    assert_eq!(kinds(&[&table]), []);
}

#[test]
fn copies_within_a_file_and_of_copies_are_one_class() {
    let (corpus, found) =
        pairs(&[&format!("{ORIGINAL}\nstruct Between {{ a: u8 }}\n\n{ORIGINAL}"), ORIGINAL]);
    let classes = classes(&corpus, &found, |file| format!("{file}.rs"));
    assert_eq!(classes.len(), 1, "{classes:?}");
    let places: Vec<(&str, u32, u32)> = classes[0]
        .places
        .iter()
        .map(|place| (place.path.as_str(), place.first_line, place.last_line))
        .collect();
    assert_eq!(places, [("0.rs", 1, 14), ("0.rs", 18, 31), ("1.rs", 1, 14)]);
}

#[test]
fn a_file_that_changed_is_looked_at_alone() {
    let mut corpus = Corpus::default();
    let first = corpus.add(Language::Rust, ORIGINAL.as_bytes());
    let second = corpus.add(Language::Rust, b"struct Nothing;");
    assert!(corpus.pairs(Options::default(), None, || true).is_empty());
    corpus.remove(second);
    let third = corpus.add(Language::Rust, ORIGINAL.as_bytes());
    let found = corpus.pairs(Options::default(), Some(&[third]), || true);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].one.0, found[0].other.0), (first, third));
    corpus.remove(third);
    assert!(corpus.pairs(Options::default(), None, || true).is_empty());
}
