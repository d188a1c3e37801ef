//! Whether a path is one that a pattern stands for, by a reading of the patterns that is not the analysis' own.

/// `*` and `?` stay in a name, `[` stands for any one character that the brackets may mean, a backslash takes the
/// meaning away, and `**` is any number of names.
pub fn covers(pattern: &str, path: &str) -> bool {
    if pattern == "**" {
        return true;
    }
    let pattern: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
    let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    parts(&pattern, &path)
}

fn parts(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => parts(rest, path) || !path.is_empty() && parts(pattern, &path[1..]),
        (Some((part, rest)), Some((name, names))) => {
            let (part, name): (Vec<char>, Vec<char>) = (part.chars().collect(), name.chars().collect());
            one(&part, &name) && parts(rest, names)
        }
        (None, Some(_)) | (Some(_), None) => false,
    }
}

fn one(pattern: &[char], name: &[char]) -> bool {
    match pattern {
        [] => name.is_empty(),
        ['*', rest @ ..] => (0..=name.len()).any(|taken| one(rest, &name[taken..])),
        ['?', rest @ ..] => !name.is_empty() && one(rest, &name[1..]),
        ['[', rest @ ..] if rest.contains(&']') => {
            let close = rest.iter().skip(1).position(|c| *c == ']').map_or(0, |at| at + 1);
            !name.is_empty() && one(&rest[close + 1..], &name[1..])
        }
        ['\\', literal, rest @ ..] | [literal, rest @ ..] => {
            name.first() == Some(literal) && one(rest, &name[1..])
        }
    }
}

/// The reading on patterns whose meaning is plain.
pub fn patterns_mean_what_they_say() {
    for (pattern, path, covered) in [
        ("/a/b", "/a/b", true),
        ("/a/b", "/a/bc", false),
        ("/a/*.txt", "/a/x.txt", true),
        ("/a/*.txt", "/a/b/x.txt", false),
        ("/a/**", "/a/b/c", true),
        ("/a/**", "/a", true),
        ("/a/**", "/b", false),
        ("**", "/x", true),
        ("/a/\\*", "/a/*", true),
        ("/a/\\*", "/a/x", false),
        ("/a/[bc]d", "/a/bd", true),
        ("/a/[bc]d", "/a/d", false),
        ("/a/b*", "/a/b", true),
    ] {
        assert_eq!(covers(pattern, path), covered, "{pattern} {path}");
    }
}
