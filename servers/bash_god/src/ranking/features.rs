//! A text as a bag of hashed features: words, word pairs and character n-grams.
//!
//! A word counts in a reduced form (no plural, no "-ing") and as the concept that it names ("directory" and
//! "directory" are one). Names, numbers and patterns count mainly as what they are, a path or a size,
//! since the next request will name others.

use rustc_hash::FxHashMap;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The longest text that is read; what follows is ignored.
pub const LONGEST: usize = 2_000;

/// What a feature was made of. Each kind has its own weight in a comparison.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// The reduced form of a word, or the class of a name.
    Word,
    /// The concept that a word with synonyms names.
    Concept,
    /// Two neighbouring words.
    Pair,
    /// Three or four neighbouring characters of a word.
    Characters,
    /// The word that a text begins with.
    First,
}

impl Kind {
    /// How much a feature of the kind counts beside a word.
    fn weight(self) -> f32 {
        match self {
            Self::Word => 1.0,
            Self::Concept => 0.8,
            Self::Pair | Self::First => 0.7,
            Self::Characters => 0.35,
        }
    }

    fn key(self, text: &str) -> u64 {
        xxh3_64_with_seed(text.as_bytes(), self as u64)
    }
}

/// Which features a text is turned into.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Detail {
    /// Lower-case words and nothing else: the plain form that better ones are measured against.
    Words,
    /// All kinds of features.
    #[default]
    Full,
}

/// One distinct feature of a text, with its weight before rarity is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Feature {
    /// The hash of the feature.
    pub key: u64,
    /// 1 + ln of how often it occurs, times the weight of its kind.
    pub weight: f32,
}

/// The distinct features of `text`, in the order of their keys.
pub fn features(text: &str, detail: Detail) -> Vec<Feature> {
    let mut counts: FxHashMap<u64, (Kind, u32)> = FxHashMap::default();
    let mut add = |kind: Kind, text: &str| counts.entry(kind.key(text)).or_insert((kind, 0)).1 += 1;
    let text = first_bytes(text, LONGEST);
    match detail {
        Detail::Words => {
            let lower = text.to_lowercase();
            lower
                .split(|c: char| !c.is_alphanumeric())
                .filter(|w| !w.is_empty())
                .for_each(|w| add(Kind::Word, w));
        }
        Detail::Full => full(text, &mut add),
    }
    let mut features: Vec<Feature> = counts
        .into_iter()
        .map(|(key, (kind, count))| Feature { key, weight: (1.0 + (count as f32).ln()) * kind.weight() })
        .collect();
    features.sort_unstable_by_key(|feature| feature.key);
    features
}

/// The longest start of `text` of at most `limit` bytes.
fn first_bytes(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn full(text: &str, add: &mut impl FnMut(Kind, &str)) {
    let mut previous = String::new();
    for word in text.split_whitespace() {
        for token in tokens_of(word) {
            if previous.is_empty() {
                add(Kind::First, &token);
            } else {
                add(Kind::Pair, &format!("{previous} {token}"));
            }
            add(Kind::Word, &token);
            if let Some(concept) = concept(&token) {
                add(Kind::Concept, concept);
            }
            if !token.starts_with('<') {
                n_grams(&token, |gram| add(Kind::Characters, gram));
            }
            previous = token;
        }
    }
}

/// The tokens of one blank-separated piece of a text: words in reduced form, classes of names.
fn tokens_of(piece: &str) -> Vec<String> {
    let quoted = piece.starts_with(['"', '\'', '`']);
    let bare = piece.trim_matches(|c: char| "\"'`,;:()?!".contains(c)).trim_end_matches('.');
    let mut tokens = Vec::new();
    if quoted {
        tokens.push("<quoted>".to_owned());
    }
    if let Some(class) = class_of(bare) {
        tokens.push(class.to_owned());
        tokens.extend(extension(bare).map(str::to_lowercase));
        return tokens;
    }
    let parts = bare.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    tokens.extend(parts.map(|part| reduced(&part.to_lowercase())));
    tokens
}

/// The class of a piece that is a name or a number rather than a word.
fn class_of(piece: &str) -> Option<&'static str> {
    let digits = piece.chars().take_while(char::is_ascii_digit).count();
    let unit = &piece[digits..];
    if piece.starts_with('$') {
        Some("<variable>")
    } else if piece.contains("://") {
        Some("<url>")
    } else if piece.contains('*') {
        Some("<glob>")
    } else if piece.contains('@') && piece.len() > 1 {
        Some("<address>")
    } else if digits > 0 && unit.is_empty() {
        Some("<number>")
    } else if digits > 0 && is_size_unit(unit) {
        Some("<size>")
    } else if piece.contains('/') && piece.len() > 1 && piece.starts_with(['/', '.', '~']) {
        Some("<path>")
    } else if extension(piece).is_some() {
        Some("<file>")
    } else {
        None
    }
}

fn is_size_unit(unit: &str) -> bool {
    matches!(
        unit.to_ascii_lowercase().as_str(),
        "k" | "m" | "g" | "t" | "kb" | "mb" | "gb" | "tb" | "kib" | "mib" | "gib"
    )
}

/// The extension of a file name, without its dot: up to five letters or digits.
fn extension(piece: &str) -> Option<&str> {
    let (_, extension) = piece.rsplit_once('.')?;
    let fits = (1..=5).contains(&extension.len())
        && extension.bytes().all(|b| b.is_ascii_alphanumeric())
        && extension.bytes().any(|b| b.is_ascii_alphabetic());
    fits.then_some(extension)
}

/// A word without the endings of plurals and verb forms. Crude on purpose: it must only do the same to a
/// request and to a description.
fn reduced(word: &str) -> String {
    let cut = |ending: &str, least: usize| word.strip_suffix(ending).filter(|stem| stem.len() >= least);
    if let Some(stem) = cut("ies", 2) {
        return format!("{stem}y");
    }
    if let Some(stem) = cut("sses", 2).or_else(|| cut("shes", 2)).or_else(|| cut("ches", 2)) {
        return word[..stem.len() + 2].to_owned();
    }
    if let Some(stem) = cut("ing", 3).or_else(|| cut("ed", 3)) {
        return undoubled(stem);
    }
    if word.ends_with("ss") || word.ends_with("us") || word.ends_with("is") {
        return word.to_owned();
    }
    let stem = cut("s", 3).unwrap_or(word);
    stem.strip_suffix('e').filter(|rest| rest.len() >= 3).unwrap_or(stem).to_owned()
}

/// "stopp" is "stop", but "unzipp" and "call" are told apart by length only.
fn undoubled(stem: &str) -> String {
    let bytes = stem.as_bytes();
    let doubled = bytes.len() > 3 && bytes[bytes.len() - 1] == bytes[bytes.len() - 2];
    if doubled && !b"lsz".contains(&bytes[bytes.len() - 1]) {
        return stem[..stem.len() - 1].to_owned();
    }
    stem.strip_suffix('e').unwrap_or(stem).to_owned()
}

/// Words (in reduced form) that people use for one another, each row with its common name first.
const CONCEPTS: &[&[&str]] = &[
    &["directory", "folder", "dir"],
    &["remov", "delet", "eras", "wip", "drop", "purg", "rm", "rid", "throw", "discard", "clear"],
    &["show", "display", "print", "view", "list", "output", "tell", "giv", "get", "peek", "read", "see"],
    &["find", "search", "locat", "look", "seek", "hunt"],
    &["largest", "biggest", "top", "most"],
    &["small", "smallest", "tiny"],
    &["new", "newest", "recent", "latest", "recently", "young"],
    &["old", "oldest", "stal"],
    &["copy", "duplicat", "clon"],
    &["mov", "renam", "mv"],
    &["compres", "compress", "zip", "pack", "archiv", "tarball", "tar", "bundl"],
    &["extract", "unpack", "decompress", "uncompress", "unzip", "untar", "expand"],
    &["proces", "process", "task", "job", "program", "running"],
    &["kill", "stop", "terminat", "end", "quit", "abort", "halt", "shut"],
    &["chang", "modify", "modifi", "edit", "alter", "updat", "set"],
    &["replac", "substitut", "swap"],
    &["count", "number", "total", "many"],
    &["user", "account", "login", "people"],
    &["permission", "mod", "right", "access"],
    &["download", "fetch", "grab", "retriev"],
    &["network", "internet", "connection"],
    &["disk", "drive", "storag", "filesystem", "partition"],
    &["memory", "ram"],
    &["hash", "checksum", "digest", "fingerprint"],
    &["lin", "row"],
    &["column", "field"],
    &["text", "string", "word", "pattern", "phras"],
    &["sort", "order", "arrang"],
    &["uniqu", "distinct", "dedup", "duplicat"],
    &["creat", "mak", "generat"],
    &["computer", "machin", "system", "host", "server"],
    &["schedul", "cron", "crontab", "periodic"],
    &["watch", "follow", "monitor", "live", "tail"],
    &["begin", "start", "head", "first"],
    &["compar", "differenc", "diff", "differ"],
    &["install", "add", "put"],
    &["revert", "undo", "restor", "rollback"],
    &["split", "chop", "cut", "divid", "break", "piec", "part", "chunk"],
    &["without", "exclud", "except", "omit", "lack", "skip"],
    &["often", "frequent", "frequently", "common"],
    &["content", "insid", "within", "hold", "contain"],
    &["upper", "uppercas", "capital"],
    &["lower", "lowercas"],
    &["verify", "check", "test", "valid", "validat", "intact"],
    &["measur", "tim", "long", "duration"],
    &["siz", "spac", "larg", "big", "much"],
    &["owner", "ownership"],
    &["join", "merg", "combin", "concatenat"],
    &["path", "location", "wher"],
];

/// The common name of what the reduced `word` means, if it has synonyms.
fn concept(word: &str) -> Option<&'static str> {
    CONCEPTS.iter().find(|row| row.contains(&word)).map(|row| row[0])
}

/// Calls `take` with every run of three and four characters of `word` between its ends.
fn n_grams(word: &str, mut take: impl FnMut(&str)) {
    let bounded = format!("^{word}$");
    let starts: Vec<usize> = bounded.char_indices().map(|(at, _)| at).chain([bounded.len()]).collect();
    for length in [3, 4] {
        for window in starts.windows(length + 1) {
            take(&bounded[window[0]..window[length]]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().flat_map(tokens_of).collect()
    }

    #[test]
    fn words_are_reduced_alike() {
        for (a, b) in [
            ("files", "file"),
            ("directories", "directory"),
            ("stopped", "stop"),
            ("removing", "remove"),
            ("removed", "removes"),
            ("compressed", "compress"),
            ("processes", "process"),
            ("Listing", "lists"),
        ] {
            assert_eq!(words(a), words(b), "{a} {b}");
        }
        assert_ne!(words("status"), words("statu"));
    }

    #[test]
    fn names_count_as_what_they_are() {
        assert_eq!(
            words("find '*.log' over 100MB, 7 $HOME below /var/log/x in a.tar.gz."),
            [
                "find",
                "<quoted>",
                "<glob>",
                "log",
                "over",
                "<size>",
                "<number>",
                "<variable>",
                "below",
                "<path>",
                "in",
                "<file>",
                "gz"
            ]
        );
    }

    #[test]
    fn synonyms_share_a_feature() {
        let share = |a: &str, b: &str| {
            let b = features(b, Detail::Full);
            features(a, Detail::Full).iter().filter(|f| b.iter().any(|g| g.key == f.key)).count()
        };
        assert_eq!(share("erase", "remove"), 1, "the concept");
        assert!(share("erase it", "delete it") > share("erase it", "paint it"));
    }

    #[test]
    fn any_text_is_safe() {
        for text in ["", " ", "é", "''", "\"", "....", "日本語 ファイル", "5", "a\0b", "9é", "@", "/"]
        {
            features(text, Detail::Full);
        }
        let long = "é".repeat(LONGEST);
        assert_eq!(first_bytes(&long, 5).len(), 4);
        assert!(features(&long, Detail::Full).len() < 20);
    }
}
