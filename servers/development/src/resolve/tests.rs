//! Small projects in each language, and what their imports lead to.

use std::collections::BTreeMap;

use super::*;
use crate::index::{Index, Settings};

/// A project in a directory of its own.
pub(crate) struct Project {
    _base: tempfile::TempDir,
    pub index: Index,
}

impl Project {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let base = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = base.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let index = Index::new(&Settings { root: base.path().to_owned(), state: None }).unwrap();
        Self { _base: base, index }
    }

    /// Each file with the files that it imports.
    fn edges(&self) -> BTreeMap<String, Vec<String>> {
        let live = self.index.now(&|_, _| true).unwrap();
        let modules = Modules::new(&live, self.index.root());
        let graph = Graph::new(&modules, &live);
        let path = |file: FileId| modules.path(file).to_owned();
        modules
            .files()
            .map(|file| (path(file), graph.imports(file).into_iter().map(path).collect::<Vec<_>>()))
            .filter(|(_, imports)| !imports.is_empty())
            .collect()
    }

    fn unresolved(&self) -> usize {
        let live = self.index.now(&|_, _| true).unwrap();
        let modules = Modules::new(&live, self.index.root());
        Graph::new(&modules, &live).unresolved.len()
    }
}

fn expected(edges: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
    let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    edges.iter().map(|(from, to)| ((*from).to_owned(), own(to))).collect()
}

#[test]
fn rust_by_paths_children_reexports_and_crates() {
    let project = Project::new(&[
        ("one/Cargo.toml", "[package]\nname = \"one-lib\"\n"),
        ("one/src/lib.rs", "mod a;\npub mod b;\npub use a::Thing;\n"),
        ("one/src/a.rs", "pub struct Thing;\nuse super::b::inner::deep;\n"),
        ("one/src/b/mod.rs", "pub mod inner;\nuse std::fmt;\n"),
        ("one/src/b/inner.rs", "pub fn deep() {}\nmod tests { use super::*; use crate::a::Thing; }\n"),
        ("two/Cargo.toml", "[package]\nname = \"two\"\n"),
        (
            "two/src/main.rs",
            "use one_lib::Thing;\nfn main() { one_lib::b::inner::deep(); helper::go(); }\nmod helper;\n",
        ),
        ("two/src/helper.rs", "pub fn go() { let _ = serde::x(); }\n"),
    ]);
    let edges = expected(&[
        ("one/src/a.rs", &["one/src/b/inner.rs"]),
        ("one/src/b/inner.rs", &["one/src/a.rs"]),
        ("one/src/lib.rs", &["one/src/a.rs"]),
        ("two/src/main.rs", &["one/src/a.rs", "one/src/b/inner.rs", "one/src/lib.rs", "two/src/helper.rs"]),
    ]);
    assert_eq!(project.edges(), edges);
    assert_eq!(project.unresolved(), 0);
}

#[test]
fn python_by_packages_relative_names_and_reexports() {
    let project = Project::new(&[
        ("pkg/__init__.py", "from .core import run\n"),
        ("pkg/core.py", "from . import util\nimport os\ndef run(): pass\n"),
        ("pkg/util.py", "from ..other import x\n"),
        ("app.py", "from pkg import run\nimport pkg.util as u\nfrom pkg import missing\n"),
        ("src/lib/__init__.py", ""),
        ("src/lib/m.py", "import lib\n"),
    ]);
    let edges = expected(&[
        ("app.py", &["pkg/__init__.py", "pkg/core.py", "pkg/util.py"]),
        ("pkg/__init__.py", &["pkg/core.py"]),
        ("pkg/core.py", &["pkg/__init__.py", "pkg/util.py"]),
        ("src/lib/m.py", &["src/lib/__init__.py"]),
    ]);
    assert_eq!(project.edges(), edges);
    assert_eq!(project.unresolved(), 1, "pkg/util.py leaves the root");
}

#[test]
fn typescript_by_paths_index_files_names_and_packages() {
    let project = Project::new(&[
        ("tsconfig.json", "{\"compilerOptions\": {\"paths\": {\"@/*\": [\"./src/*\"]}}}"),
        (
            "src/a.ts",
            "import {b} from './b.js';\nimport x from '@/c';\nimport React from 'react';\nimport './none';\n",
        ),
        ("src/b.ts", "export * from './c';\nexport const b = 1;\n"),
        ("src/c/index.ts", "export default function x() {}\nexport const y = 1;\n"),
        ("packages/p/package.json", "{\"name\": \"@o/p\", \"main\": \"lib/main.js\"}"),
        ("packages/p/lib/main.ts", "import {y} from '../../../src/b';\n"),
        ("src/d.ts", "import {z} from '@o/p';\n"),
    ]);
    let edges = expected(&[
        ("packages/p/lib/main.ts", &["src/b.ts", "src/c/index.ts"]),
        ("src/a.ts", &["src/b.ts", "src/c/index.ts"]),
        ("src/b.ts", &["src/c/index.ts"]),
        ("src/d.ts", &["packages/p/lib/main.ts"]),
    ]);
    assert_eq!(project.edges(), edges);
    assert_eq!(project.unresolved(), 1);
}

#[test]
fn go_java_and_c_by_packages_and_includes() {
    let project = Project::new(&[
        ("go.mod", "module example.org/m\n"),
        ("main.go", "package main\nimport (\n\"fmt\"\n\"example.org/m/sub\"\n)\n"),
        ("sub/x.go", "package sub\n"),
        ("sub/y.go", "package sub\n"),
        ("j/a/A.java", "package a;\nimport b.B;\nimport java.util.List;\nclass A {}\n"),
        ("j/b/B.java", "package b;\npublic class B { static class In {} }\n"),
        ("j/c/C.java", "package c;\nimport b.B.In;\nimport a.*;\n"),
        ("c/main.c", "#include \"lib/x.h\"\n#include \"same.h\"\n#include <stdio.h>\n"),
        ("c/same.h", ""),
        ("inc/lib/x.h", "#include \"../same.h\"\n"),
        ("one/same.h", ""),
    ]);
    let edges = expected(&[
        ("c/main.c", &["c/same.h", "inc/lib/x.h"]),
        ("j/a/A.java", &["j/b/B.java"]),
        ("j/c/C.java", &["j/a/A.java", "j/b/B.java"]),
        ("main.go", &["sub/x.go", "sub/y.go"]),
    ]);
    assert_eq!(project.edges(), edges);
    assert_eq!(project.unresolved(), 1, "which same.h is meant is not known");
}

#[test]
fn packages_of_go_and_java_by_the_names_that_files_have() {
    let project = Project::new(&[
        ("go.mod", "module example.org/m\n"),
        ("p/a.go", "package p\nfunc A() {}\n"),
        ("p/b.go", "package p\nfunc b() { A() }\n"),
        ("p/c.go", "package p\nfunc C() {}\n"),
        ("p/a_test.go", "package p\nfunc Helper() { A() }\n"),
        ("main.go", "package main\nimport \"example.org/m/p\"\nfunc main() { p.C(); p.Helper() }\n"),
        ("j/One.java", "package j;\nclass One { int x = Two.val(); }\n"),
        ("j/Two.java", "package j;\nclass Two { static int val() { return 1; } }\n"),
        ("k/Three.java", "package k;\nimport j.*;\nclass Three { One one; }\n"),
    ]);
    let edges = expected(&[
        ("j/One.java", &["j/Two.java"]),
        ("k/Three.java", &["j/One.java"]),
        ("main.go", &["p/c.go"]),
        ("p/a_test.go", &["p/a.go"]),
        ("p/b.go", &["p/a.go"]),
    ]);
    assert_eq!(project.edges(), edges);
}
