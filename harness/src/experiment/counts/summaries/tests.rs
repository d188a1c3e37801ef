use super::*;

/// A summary of schema 7 whose counts of instructions are `values`.
fn summary(path: &str, id: &str, values: &str) -> String {
    let profile =
        format!(r#"{{"tool":"Callgrind","data":{{"total":{{"metrics":{{"Ir":{{"values":{values}}}}}}}}}}}"#);
    format!(r#"{{"version":"7","module_path":"{path}","id":"{id}","profiles":[{profile}]}}"#)
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let file = folder.join(name);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, text).unwrap();
    file
}

fn found(benchmark: &str, new: u64, old: Option<u64>) -> Found {
    let row = CountRow {
        benchmark: benchmark.to_owned(),
        tool: CountTool::Callgrind,
        instructions: Count { new, old },
        cycles: None,
        l1_hits: None,
        ll_hits: None,
        ram_hits: None,
    };
    Found { file: PathBuf::from("a/summary.json"), row }
}

#[test]
fn summaries_are_found_in_folders_and_files_are_taken_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let deep = write(root, "gungraun/p/counts/hot/dot.b/summary.json", "");
    let other = write(root, "gungraun/p/counts/hot/dot.a/summary.json", "");
    let named = write(root, "kept.json", "");
    write(root, "gungraun/p/counts/hot/dot.a/callgrind.out", "");
    std::os::unix::fs::symlink(root.join("gungraun"), root.join("gungraun/p/again")).unwrap();
    let paths = [named.clone(), root.join("gungraun"), deep.clone(), root.join("absent")];
    assert_eq!(files_named(&paths, SUMMARY).unwrap(), [other, deep, named]);
}

#[test]
fn without_summaries_it_tells_how_to_make_them() {
    let folders = [PathBuf::from("target/gungraun"), PathBuf::from("target/iai")];
    let ready = none_found(&folders, true, true);
    assert_eq!(
        ready,
        "no summary.json in target/gungraun or target/iai: make them with `cargo bench --bench counts -- --save-summary=json`"
    );
    let bare = none_found(&folders, false, false);
    assert!(bare.contains("Valgrind is missing") && bare.contains("gungraun-runner is missing"), "{bare}");
    assert!(!none_found(&folders, true, false).contains("Valgrind is missing"));
    assert!(!none_found(&folders, false, true).contains("gungraun-runner is missing"));
}

#[test]
fn a_path_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().to_owned();
    assert_eq!(present(std::slice::from_ref(&there)).unwrap(), std::slice::from_ref(&there));
    let error = present(&[there.clone(), there.join("absent")]).unwrap_err().to_string();
    assert_eq!(error, format!("there is no {}", there.join("absent").display()));
}

#[test]
fn a_file_that_is_no_summary_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let good = write(folder.path(), "a/summary.json", &summary("p", "x", r#"{"new":1}"#));
    for (text, says) in [("{", "not JSON"), ("{}", "not a summary"), ("", "not JSON")] {
        let bad = write(folder.path(), "b/summary.json", text);
        let error = format!("{:#}", read(&[good.clone(), bad]).err().unwrap());
        assert!(error.contains("b/summary.json: ") && error.contains(says), "{error}");
    }
}

#[test]
fn the_table_shows_changes_and_how_many_were_counted() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a/summary.json", &summary("c::hot::f", "grew", r#"{"new":1200,"old":1000}"#));
    write(folder.path(), "b/summary.json", &summary("c::hot::f", "kept", r#"{"new":50,"old":50}"#));
    write(folder.path(), "c/summary.json", &summary("c::hot::g", "new", r#"{"new":7}"#));
    let found = read(&files_named(&[folder.path().to_owned()], SUMMARY).unwrap()).unwrap();
    assert_eq!(
        table(&found),
        "c::hot::  instructions  before    change\n\
         f::grew           1200    1000  +20.00 %\n\
         f::kept             50      50      none\n\
         g::new               7       -         -\n\
         3 counted, 2 compared, 1 changed\n"
    );
}

#[test]
fn cache_columns_appear_where_caches_were_simulated() {
    let mut with = found("c::with", 10, None);
    with.row.cycles = Some(Count { new: 45, old: None });
    with.row.tool = CountTool::Cachegrind;
    assert_eq!(
        table(&[with, found("c::without", 3, None)]),
        "c::                instructions  est. cycles\n\
         with (cachegrind)            10           45\n\
         without                       3            -\n\
         2 counted, nothing to compare with\n"
    );
}

#[test]
fn one_benchmark_keeps_its_whole_name_and_equal_names_tell_their_folders() {
    assert!(table(&[found("c::f", 1, None)]).contains("\nc::f "));
    let mut twin = found("c::f", 2, None);
    twin.file = PathBuf::from("b/summary.json");
    let text = table(&[found("c::f", 1, None), twin]);
    assert!(text.contains("f in a ") && text.contains("f in b "), "{text}");
    // Names that share letters and no path have nothing in common.
    assert_eq!(common_path(&[found("ab::f", 1, None), found("ac::f", 1, None)]), "");
}

#[test]
fn a_change_of_one_instruction_is_never_none() {
    let change = |new, old| change(Count { new, old });
    assert_eq!(change(1_000_001, Some(1_000_000)), "+<0.01 %");
    assert_eq!(change(999_999, Some(1_000_000)), "-<0.01 %");
    assert_eq!(change(1_000_000, Some(1_000_000)), "none");
    assert_eq!(change(5, Some(0)), "from none");
    assert_eq!(change(5, None), "-");
}

#[test]
fn json_has_every_count_and_its_change() {
    let mut one = found("c::f", 1200, Some(1000));
    one.row.ram_hits = Some(Count { new: 3, old: None });
    assert_eq!(
        serde_json::Value::from(values(&[one])),
        serde_json::json!([{
            "benchmark": "c::f",
            "tool": "callgrind",
            "instructions": { "new": 1200, "old": 1000, "change_percent": 20.0 },
            "estimated_cycles": null,
            "l1_hits": null,
            "ll_hits": null,
            "ram_hits": { "new": 3, "old": null, "change_percent": null },
            "file": "a/summary.json",
        }])
    );
}
