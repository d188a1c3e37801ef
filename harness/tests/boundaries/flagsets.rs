//! The flag sets of the package are those of this workspace.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use perflab::plan::{FlagSet, FlagSets};

use crate::dependencies::workspace;

fn in_directory(directory: &Path) -> FlagSets {
    let read = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let set = FlagSet::parse(&name, &name, &fs::read_to_string(&path).unwrap()).unwrap();
        (name, set)
    };
    FlagSets(fs::read_dir(directory).unwrap().map(|entry| read(entry.unwrap().path())).collect())
}

#[test]
fn every_flag_set_of_the_workspace_comes_with_the_lab() {
    // Cargo and people read .cargo/flagsets, and `cargo package` takes nothing from outside of a package.
    let built_in = FlagSets::built_in().unwrap();
    assert!(built_in.names().contains(&"x86-64-v3"));
    for directory in [".cargo/flagsets", "harness/flagsets"] {
        let files = in_directory(&workspace().join(directory));
        let names: BTreeSet<_> = files.names().into_iter().collect();
        assert_eq!(names, built_in.names().into_iter().collect(), "{directory}");
        assert_eq!(files, built_in, "{directory}");
    }
}
