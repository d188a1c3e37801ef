//! The index follows the files: generated edits, several servers on one directory, what a crash leaves.

use std::path::Path;

use proptest::prelude::*;

use super::*;

fn index(root: &Path, state: Option<&Path>) -> Index {
    Index::new(&Settings { root: root.to_owned(), state: state.map(Path::to_owned) }).unwrap()
}

fn go(_done: usize, _total: usize) -> bool {
    true
}

/// Every definition with its file, as an index that knows nothing beforehand finds it.
fn everything(live: &Live) -> Vec<(String, String, usize)> {
    let entries = live.entries();
    let of = |entry: &Entry<'_>| {
        let path = entry.path().to_owned();
        entry
            .defs()
            .into_iter()
            .map(|def| (path.clone(), def.name.to_owned(), def.lines.0))
            .collect::<Vec<_>>()
    };
    entries.iter().flat_map(of).collect()
}

fn anew(root: &Path) -> Vec<(String, String, usize)> {
    let index = index(root, None);
    let live = index.now(&go).unwrap();
    everything(&live)
}

#[derive(Clone, Debug)]
enum Edit {
    Write(usize, usize),
    Remove(usize),
    Rename(usize, usize),
    Ignore(usize),
    RemoveDirectory,
}

const PATHS: [&str; 6] = ["a.rs", "b.py", "sub/c.rs", "sub/d.go", "sub/deep/e.c", "f.txt"];
const TEXTS: [&str; 4] = ["fn one() {}\n", "def two():\n    pass\n", "", "fn one() {}\nfn three() {}\n"];

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        5 => (0..PATHS.len(), 0..TEXTS.len()).prop_map(|(path, text)| Edit::Write(path, text)),
        2 => (0..PATHS.len()).prop_map(Edit::Remove),
        2 => (0..PATHS.len(), 0..PATHS.len()).prop_map(|(from, to)| Edit::Rename(from, to)),
        1 => (0..PATHS.len()).prop_map(Edit::Ignore),
        1 => Just(Edit::RemoveDirectory),
    ]
}

fn carry_out(root: &Path, edit: &Edit) {
    let at = |path: usize| root.join(PATHS[path]);
    // What cannot be done is not done; the index has to follow what is.
    match edit {
        Edit::Write(path, text) => {
            std::fs::create_dir_all(at(*path).parent().unwrap()).unwrap();
            std::fs::write(at(*path), TEXTS[*text]).unwrap();
        }
        Edit::Remove(path) => drop(std::fs::remove_file(at(*path))),
        Edit::Rename(from, to) => {
            std::fs::create_dir_all(at(*to).parent().unwrap()).unwrap();
            drop(std::fs::rename(at(*from), at(*to)));
        }
        Edit::Ignore(path) => std::fs::write(root.join(".ignore"), PATHS[*path]).unwrap(),
        Edit::RemoveDirectory => drop(std::fs::remove_dir_all(root.join("sub"))),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn after_any_edits_the_index_is_what_a_new_one_is(edits in proptest::collection::vec(edit(), 1..14)) {
        let base = tempfile::tempdir().unwrap();
        let state = tempfile::tempdir().unwrap();
        let kept = index(base.path(), Some(state.path()));
        let memory = index(base.path(), None);
        for edit in &edits {
            carry_out(base.path(), edit);
            let expected = anew(base.path());
            prop_assert_eq!(everything(&kept.now(&go).unwrap()), expected.clone(), "{:?}", edit);
            prop_assert_eq!(everything(&memory.now(&go).unwrap()), expected);
        }
    }
}

fn many(root: &Path, files: usize) {
    for number in 0..files {
        std::fs::write(root.join(format!("f{number}.rs")), format!("fn f{number}() {{}}\n")).unwrap();
    }
}

#[test]
fn an_index_is_kept_and_taken_up_again() {
    let (base, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    many(base.path(), 20);
    // A file that was written a moment ago is read again; these were not.
    std::thread::sleep(std::time::Duration::from_millis(60));
    assert_eq!(index(base.path(), Some(state.path())).now(&go).unwrap().counts().0, 20);
    let second = index(base.path(), Some(state.path()));
    let live = second.now(&go).unwrap();
    assert_eq!((live.counts().0, live.fresh.len()), (20, 0), "nothing was read twice");
    assert!(live.kept_bytes() > 0 && live.notice().is_none());
}

#[test]
fn a_torn_index_is_made_anew_and_that_is_said() {
    let (base, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    many(base.path(), 5);
    drop(index(base.path(), Some(state.path())).now(&go).unwrap());
    let file = std::fs::read_dir(state.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|end| end == "bin"))
        .unwrap();
    let bytes = std::fs::read(&file).unwrap();
    let mut other_version = bytes.clone();
    other_version[8] ^= 0xff;
    for (content, said) in [
        (&bytes[..bytes.len() / 2], "is damaged"),
        (&other_version[..], "another version"),
        (b"something else", "is not an index"),
        (b"", "is not an index"),
    ] {
        std::fs::write(&file, content).unwrap();
        let index = index(base.path(), Some(state.path()));
        let live = index.now(&go).unwrap();
        assert_eq!(live.counts().0, 5);
        assert!(live.notice().is_some_and(|notice| notice.contains(said)), "{said}: {:?}", live.notice());
        drop(live);
        assert!(std::fs::read(&file).unwrap().len() > 100, "it was written again");
    }
}

#[test]
fn one_of_several_servers_writes_and_all_have_the_answers() {
    let (base, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    many(base.path(), 400);
    std::thread::sleep(std::time::Duration::from_millis(60));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let index = index(base.path(), Some(state.path()));
                let live = index.now(&go).unwrap();
                assert_eq!(live.named("f399").len(), 1);
                assert!(matches!(live.kept.as_deref().map(Snapshot::is_mapped), Some(true)), "it is shared");
            });
        }
    });
    let kept: Vec<String> = std::fs::read_dir(state.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(kept.len(), 2, "an index and its lock: {kept:?}");
}

#[test]
fn a_directory_that_cannot_be_written_costs_the_file_and_not_the_answers() {
    let base = tempfile::tempdir().unwrap();
    many(base.path(), 3);
    let index = index(base.path(), Some(Path::new("/proc/none")));
    let live = index.now(&go).unwrap();
    assert_eq!(live.counts().0, 3);
    assert!(live.notice().is_some_and(|notice| notice.contains("not kept")));
}

#[test]
fn whoever_stops_gets_a_sentence_and_may_ask_again() {
    let base = tempfile::tempdir().unwrap();
    many(base.path(), 300);
    let index = index(base.path(), None);
    let said = index.now(&|_, _| false).map(|_| ()).unwrap_err();
    assert!(said.contains("ask again"), "{said}");
    assert_eq!(index.now(&go).unwrap().counts().0, 300);
}

#[test]
fn files_that_are_left_out_are_counted_and_not_read_again() {
    let base = tempfile::tempdir().unwrap();
    std::fs::write(base.path().join("large.rs"), "// x\n".repeat(1 << 20)).unwrap();
    std::fs::write(base.path().join("binary.rs"), b"\0\0").unwrap();
    std::fs::write(base.path().join("long.js"), "x".repeat(200_000)).unwrap();
    std::fs::write(base.path().join("a.txt"), "").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(60));
    let index = index(base.path(), None);
    let live = index.now(&go).unwrap();
    let (indexed, skips) = live.counts();
    let of = |reason| skips.of(reason);
    assert_eq!(indexed, 0);
    assert_eq!([Reason::TooLarge, Reason::Binary, Reason::LongLine, Reason::NoGrammar].map(of), [1, 1, 1, 1]);
    assert!(!skips.is_complete());
}

#[test]
fn a_write_that_keeps_length_and_times_is_seen() {
    let base = tempfile::tempdir().unwrap();
    let state = tempfile::tempdir().unwrap();
    let path = base.path().join("a.rs");
    std::fs::write(&path, "fn one() {}\n").unwrap();
    // Older than the clock's grain.
    std::thread::sleep(std::time::Duration::from_millis(120));
    drop(index(base.path(), Some(state.path())).now(&go).unwrap());
    let before = std::fs::metadata(&path).unwrap().modified().unwrap();
    std::fs::write(&path, "fn two() {}\n").unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(before).unwrap();
    let next = index(base.path(), Some(state.path()));
    let live = next.now(&go).unwrap();
    assert_eq!(everything(&live), [("a.rs".to_owned(), "two".to_owned(), 1)]);
}

#[test]
fn a_root_that_is_removed_or_replaced_is_lost() {
    let base = tempfile::tempdir().unwrap();
    let root = base.path().join("root");
    std::fs::create_dir(&root).unwrap();
    let index = index(&root, None);
    assert!(!index.is_lost());
    std::fs::rename(&root, base.path().join("old")).unwrap();
    assert!(index.is_lost());
    std::fs::create_dir(&root).unwrap();
    assert!(index.is_lost(), "another directory of that name is not it");
}

#[test]
fn an_index_that_is_being_made_is_not_waited_for() {
    let base = tempfile::tempdir().unwrap();
    for number in 0..10 {
        std::fs::write(base.path().join(format!("f{number}.rs")), "fn f() {}\n").unwrap();
    }
    let index = index(base.path(), None);
    let was_free = std::sync::atomic::AtomicBool::new(true);
    let tell = |_: usize, _: usize| {
        was_free.store(index.last().is_some(), std::sync::atomic::Ordering::Relaxed);
        true
    };
    drop(index.now(&tell).unwrap());
    assert!(!was_free.into_inner() && index.last().is_some());
}
