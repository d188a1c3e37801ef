use proptest::prelude::*;

use super::*;

fn root(files: &[(&str, &[u8])]) -> (tempfile::TempDir, Root) {
    let base = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = base.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let root = Root::open(base.path()).unwrap();
    (base, root)
}

fn found(root: &Root, query: &Query) -> Vec<(String, Vec<(u64, String)>)> {
    let found = search(root, query, &|| false).unwrap();
    let lines = |file: &FileHits| file.lines.iter().map(|line| (line.number, line.text.clone())).collect();
    found.files.iter().map(|file| (file.path.clone(), lines(file))).collect()
}

#[test]
fn hits_are_grouped_by_file_in_order() {
    let (_base, root) = root(&[("b.rs", b"one\ntwo one\n"), ("a/c.txt", b"none\r\n"), ("x.bin", b"one\0")]);
    let hits = found(&root, &Query::new("one", Mode::Regex));
    let line = |number, text: &str| (number, text.to_owned());
    let expected = [
        ("a/c.txt".to_owned(), vec![line(1, "none")]),
        ("b.rs".to_owned(), vec![line(1, "one"), line(2, "two one")]),
    ];
    assert_eq!(hits, expected);
    let word = Query { word: true, glob: Some("*.txt".to_owned()), ..Query::new("one", Mode::Text) };
    assert!(found(&root, &word).is_empty());
    let one = Query { below: "b.rs".into(), context: 1, ..Query::new("two", Mode::Text) };
    assert_eq!(found(&root, &one), [("b.rs".to_owned(), vec![line(1, "one"), line(2, "two one")])]);
}

#[test]
fn a_long_line_is_shown_around_its_hit() {
    let text = format!("{}needle{}\n", "é".repeat(5_000_000), "z".repeat(1_000));
    let (_base, root) = root(&[("a.txt", text.as_bytes())]);
    let hits = found(&root, &Query { most_bytes: 60, ..Query::new("needle", Mode::Text) });
    let shown = &hits[0].1[0].1;
    assert!(shown.contains("éneedlez") && shown.starts_with('…') && shown.ends_with('…'), "{shown}");
    assert!(shown.len() < 80, "{}", shown.len());
}

#[test]
fn a_search_that_is_stopped_says_so() {
    let (_base, root) = root(&[("a.txt", b"a\n"), ("b.txt", b"a\n")]);
    assert!(search(&root, &Query::new("a", Mode::Text), &|| true).unwrap().is_stopped);
    let late = Query { deadline: Some(Instant::now()), ..Query::new("a", Mode::Text) };
    assert!(search(&root, &late, &|| false).unwrap().is_stopped);
}

#[test]
fn a_path_that_leads_out_is_refused() {
    let (base, root) = root(&[("in/a.txt", b"a\n")]);
    std::os::unix::fs::symlink("/etc", base.path().join("out")).unwrap();
    for below in ["out", "out/passwd", "../..", "none"] {
        let query = Query { below: below.into(), ..Query::new("a", Mode::Text) };
        assert!(search(&root, &query, &|| false).is_err(), "{below}");
    }
    let glob = Query { glob: Some("[".to_owned()), ..Query::new("a", Mode::Text) };
    assert!(search(&root, &glob, &|| false).unwrap_err().0.contains("the glob [ is not one"));
}

proptest! {
    #[test]
    fn what_is_cut_holds_the_place(before in "[aé漢]{0,80}", hit in "[xyz]{1,8}", after in "[bü]{0,80}", most in 24_usize..64) {
        let line = format!("{before}{hit}{after}");
        let place = before.len()..before.len() + hit.len();
        let shown = cut(&line, place, most);
        prop_assert!(shown.contains(&hit), "{shown}");
        prop_assert!(shown.len() <= most.max(line.len().min(most)) + 6);
    }

    #[test]
    fn a_text_is_found_where_a_plain_look_finds_it(lines in proptest::collection::vec("[ab.*(]{0,6}", 1..12), pattern in "[ab.*(]{1,3}") {
        let text = lines.join("\n");
        let (_base, root) = root(&[("a.txt", text.as_bytes())]);
        let expected: Vec<u64> = text.split('\n').enumerate().filter(|(_, line)| line.contains(&pattern)).map(|(at, _)| at as u64 + 1).collect();
        let hits = found(&root, &Query::new(&pattern, Mode::Text));
        let numbers: Vec<u64> = hits.iter().flat_map(|(_, lines)| lines.iter().map(|(number, _)| *number)).collect();
        prop_assert_eq!(numbers, expected);
    }
}
