//! Names that mislead: equal names in two files, common names, re-exports, shadowing, methods through objects. Each use
//! of a project is written down by hand: `line: confidence`.

use super::*;
use crate::resolve::Modules;
use crate::resolve::tests::Project;

/// The uses of the definition at a path and line, and the numbers of places that are unresolved and that mean something
/// else.
fn found(project: &Project, name: &str, path: &str, line: usize) -> (Vec<String>, usize, usize) {
    let live = project.index.now(&|_, _| true).unwrap();
    let modules = Modules::new(&live, project.index.root());
    let resolver = Resolver { modules: &modules, live: &live, root: Some(project.index.root()) };
    let named = live.named(name);
    let (entry, def) =
        named.iter().find(|(entry, def)| entry.path() == path && def.lines.0 == line).unwrap_or_else(|| {
            panic!(
                "{name} is not at {path}:{line}: {named:?}",
                named = named.iter().map(|(entry, def)| (entry.path(), def)).collect::<Vec<_>>()
            )
        });
    let target = Target::new(modules.number(entry.path()).unwrap(), *entry, def);
    let uses = uses(&resolver, project.index.root(), &[target], &|| false);
    let shown = uses.uses.iter().map(|one| {
        let sure = match one.confidence {
            Confidence::Resolved => "resolved",
            Confidence::Likely => "likely",
        };
        format!("{}:{} {sure}", modules.path(one.file), one.line)
    });
    (shown.collect(), uses.unresolved.len(), uses.others)
}

fn check(files: &[(&str, &str)], name: &str, at: (&str, usize), uses: &[&str], unresolved: usize) {
    let project = Project::new(files);
    let (shown, unknown, others) = found(&project, name, at.0, at.1);
    assert_eq!(shown, uses, "{name} at {at:?}; {unknown} unresolved, {others} others");
    assert_eq!(unknown, unresolved, "unresolved of {name} at {at:?}");
}

const RUST: &[(&str, &str)] = &[
    ("Cargo.toml", "[package]\nname = \"it\"\n"),
    ("src/lib.rs", "pub mod a;\npub mod b;\npub use a::load;\nmod c;\n"),
    (
        "src/a.rs",
        "pub fn load() {}\npub struct Parser;\nimpl Parser {\n    pub fn new() -> Self { Parser }\n    pub fn parse(&self) { self.step(); }\n    fn step(&self) {}\n}\n",
    ),
    (
        "src/b.rs",
        "pub fn load() {}\npub struct Reader;\nimpl Reader {\n    pub fn new() -> Self { load(); Reader }\n    pub fn parse(&self) {}\n}\n",
    ),
    (
        "src/c.rs",
        "use crate::load;\nuse crate::a::Parser;\nfn one() {\n    load();\n    let p = Parser::new();\n    p.parse();\n    let load = 1;\n    drop(load);\n}\nfn two(x: &crate::b::Reader, y: impl Fn()) {\n    x.parse();\n    crate::b::load();\n    \"1\".parse::<u8>();\n    Vec::<u8>::new();\n}\n",
    ),
];

#[test]
fn rust_equal_names_in_two_files() {
    check(
        RUST,
        "load",
        ("src/a.rs", 1),
        &["src/c.rs:1 resolved", "src/c.rs:4 resolved", "src/lib.rs:3 resolved"],
        0,
    );
    check(RUST, "load", ("src/b.rs", 1), &["src/b.rs:4 resolved", "src/c.rs:12 resolved"], 0);
}

#[test]
fn rust_methods_by_the_type_of_the_value() {
    check(RUST, "parse", ("src/a.rs", 5), &["src/c.rs:6 resolved"], 1);
    check(RUST, "parse", ("src/b.rs", 5), &["src/c.rs:11 resolved"], 1);
    check(RUST, "new", ("src/a.rs", 4), &["src/c.rs:5 resolved"], 0);
    check(RUST, "step", ("src/a.rs", 6), &["src/a.rs:5 resolved"], 0);
    check(
        RUST,
        "Parser",
        ("src/a.rs", 2),
        &["src/a.rs:3 resolved", "src/a.rs:4 resolved", "src/c.rs:2 resolved", "src/c.rs:5 resolved"],
        0,
    );
}

const PYTHON: &[(&str, &str)] = &[
    ("pkg/__init__.py", "from .core import run, Base\n"),
    (
        "pkg/core.py",
        "def run():\n    pass\n\nclass Base:\n    def take(self):\n        self.take_again()\n        return run()\n\n    def take_again(self):\n        pass\n",
    ),
    ("pkg/other.py", "def run():\n    pass\n\nclass Thing:\n    def take(self):\n        run()\n"),
    (
        "app.py",
        "from pkg import run, Base\nimport pkg.core as core\nfrom pkg.other import Thing\n\nclass Derived(Base):\n    def __init__(self):\n        self.thing = Thing()\n\n    def go(self, run=None):\n        self.take()\n        self.thing.take()\n        run()\n\ndef main(x, y: Thing):\n    run()\n    core.run()\n    y.take()\n    x.take()\n    Base().take()\n    b = Base()\n    b.take()\n",
    ),
];

#[test]
fn python_equal_names_shadowing_and_aliases() {
    check(
        PYTHON,
        "run",
        ("pkg/core.py", 1),
        &[
            "app.py:1 resolved",
            "app.py:15 resolved",
            "app.py:16 resolved",
            "pkg/__init__.py:1 resolved",
            "pkg/core.py:7 resolved",
        ],
        0,
    );
    check(PYTHON, "run", ("pkg/other.py", 1), &["pkg/other.py:6 resolved"], 0);
}

#[test]
fn python_methods_through_objects_and_bases() {
    let uses = ["app.py:10 resolved", "app.py:19 resolved", "app.py:21 resolved"];
    check(PYTHON, "take", ("pkg/core.py", 5), &uses, 1);
    check(PYTHON, "take", ("pkg/other.py", 5), &["app.py:11 resolved", "app.py:17 resolved"], 1);
    check(PYTHON, "take_again", ("pkg/core.py", 9), &["pkg/core.py:6 resolved"], 0);
}

const SCRIPT: &[(&str, &str)] = &[
    (
        "src/a.ts",
        "export function load() {}\nexport class Store {\n  load() {}\n  private inner: Inner = new Inner();\n  go() { this.load(); this.inner.load(); load(); }\n}\nclass Inner { load() {} }\n",
    ),
    ("src/b.ts", "export function load() {}\n"),
    ("src/index.ts", "export * from './a';\nexport { load as other } from './b';\n"),
    (
        "src/main.ts",
        "import { load, Store, other } from './index';\nimport * as b from './b';\nload();\nother();\nb.load();\nfunction f(load: () => void, s: Store, t: any) {\n  load();\n  s.load();\n  t.load();\n}\nconst x = { load: 1 };\n",
    ),
];

#[test]
fn typescript_reexports_namespaces_and_fields() {
    check(
        SCRIPT,
        "load",
        ("src/a.ts", 1),
        &["src/a.ts:5 resolved", "src/main.ts:1 resolved", "src/main.ts:3 resolved"],
        0,
    );
    let uses = [
        "src/index.ts:2 resolved",
        "src/main.ts:1 resolved",
        "src/main.ts:4 resolved",
        "src/main.ts:5 resolved",
    ];
    check(SCRIPT, "load", ("src/b.ts", 1), &uses, 0);
    check(SCRIPT, "load", ("src/a.ts", 3), &["src/a.ts:5 resolved", "src/main.ts:8 resolved"], 2);
    check(SCRIPT, "load", ("src/a.ts", 7), &["src/a.ts:5 resolved"], 2);
}

const GO: &[(&str, &str)] = &[
    ("go.mod", "module example.org/m\n"),
    (
        "store/store.go",
        "package store\n\ntype Store struct{ inner *Inner }\n\nfunc Load() {}\n\nfunc (s *Store) Load() { s.inner.Load(); s.take() }\n\nfunc (s *Store) take() {}\n",
    ),
    ("store/inner.go", "package store\n\ntype Inner struct{}\n\nfunc (i *Inner) Load() { Load() }\n"),
    (
        "main.go",
        "package main\n\nimport \"example.org/m/store\"\n\nfunc Load() {}\n\nfunc main() {\n\tstore.Load()\n\tLoad()\n\ts := store.Store{}\n\ts.Load()\n\tvar i *store.Inner\n\ti.Load()\n}\n",
    ),
];

#[test]
fn go_packages_receivers_and_values() {
    check(GO, "Load", ("store/store.go", 5), &["main.go:8 resolved", "store/inner.go:5 resolved"], 0);
    check(GO, "Load", ("store/store.go", 7), &["main.go:11 resolved"], 0);
    check(GO, "Load", ("store/inner.go", 5), &["main.go:13 resolved", "store/store.go:7 resolved"], 0);
    check(GO, "take", ("store/store.go", 9), &["store/store.go:7 resolved"], 0);
    check(GO, "Load", ("main.go", 5), &["main.go:9 resolved"], 0);
}

const JAVA: &[(&str, &str)] = &[
    (
        "a/Base.java",
        "package a;\npublic class Base {\n  public void load() {}\n  void go() { load(); this.load(); }\n}\n",
    ),
    (
        "a/Other.java",
        "package a;\nclass Other {\n  void load() {}\n  void go(Base b) { load(); b.load(); new Base().load(); }\n}\n",
    ),
    (
        "b/Sub.java",
        "package b;\nimport a.Base;\nclass Sub extends Base {\n  void go() { load(); super.load(); }\n}\n",
    ),
];

#[test]
fn java_packages_and_inheritance() {
    let uses = ["a/Base.java:4 resolved", "a/Other.java:4 resolved", "b/Sub.java:4 resolved"];
    check(JAVA, "load", ("a/Base.java", 3), &uses, 0);
    check(JAVA, "load", ("a/Other.java", 3), &["a/Other.java:4 resolved"], 0);
    check(
        JAVA,
        "Base",
        ("a/Base.java", 2),
        &["a/Other.java:4 resolved", "b/Sub.java:2 resolved", "b/Sub.java:3 resolved"],
        0,
    );
}

const C: &[(&str, &str)] = &[
    ("lib/x.h", "int load(int a);\nstruct node { int count; };\n"),
    ("lib/x.c", "#include \"x.h\"\nint load(int a) { return a; }\n"),
    (
        "main.c",
        "#include \"lib/x.h\"\nint main(void) { int r = load(1); struct node n; n.count = r; return n.count; }\n",
    ),
    ("other.c", "static int load(int a) { return a; }\nint f(void) { return load(2); }\n"),
];

#[test]
fn c_headers_and_static_functions() {
    check(C, "load", ("lib/x.c", 2), &["main.c:2 resolved"], 0);
    check(C, "load", ("other.c", 1), &["other.c:2 resolved"], 0);
    check(C, "count", ("lib/x.h", 2), &["main.c:2 resolved"], 0);
}

#[test]
fn a_name_that_says_enough_is_likely_and_a_common_one_is_not() {
    let files = [
        (
            "a.py",
            "class A:\n    def reload_configuration(self):\n        pass\n    def get(self):\n        pass\n",
        ),
        ("b.py", "def f(x):\n    x.reload_configuration()\n    x.get()\n"),
    ];
    check(&files, "reload_configuration", ("a.py", 2), &["b.py:2 likely"], 0);
    check(&files, "get", ("a.py", 4), &[], 1);
}

#[test]
fn typescript_other_names_of_one_definition() {
    let files = [
        (
            "impl.ts",
            "export function one() {}\nfunction two() {}\nexport { two as second };\nexport default function three() {}\nexport namespace Inner { export function four() {} }\n",
        ),
        ("barrel.ts", "export { one as uno, default as drei } from './impl';\n"),
        (
            "use.ts",
            "import { one as eins, second, Inner } from './impl';\nimport tres from './impl';\nimport * as all from './impl';\nimport { uno, drei } from './barrel';\neins();\nsecond();\ntres();\nall.default();\nuno();\ndrei();\nInner.four();\nconst { one: taken } = all;\nfunction f(eins: () => void) { eins(); }\n",
        ),
        ("other.ts", "const eins = () => 1;\neins();\nfunction uno() {}\nuno();\n"),
    ];
    let resolved =
        |places: &[&str]| places.iter().map(|place| format!("{place} resolved")).collect::<Vec<_>>();
    let uses = |name: &str, line: usize| {
        let project = Project::new(&files);
        let (uses, unresolved, _) = found(&project, name, "impl.ts", line);
        assert_eq!(unresolved, 0, "{name}");
        uses
    };
    let one = ["barrel.ts:1", "use.ts:1", "use.ts:4", "use.ts:5", "use.ts:9", "use.ts:12"];
    assert_eq!(uses("one", 1), resolved(&one));
    assert_eq!(uses("two", 2), resolved(&["impl.ts:3", "use.ts:1", "use.ts:6"]));
    let three = ["barrel.ts:1", "use.ts:2", "use.ts:4", "use.ts:7", "use.ts:8", "use.ts:10"];
    assert_eq!(uses("three", 4), resolved(&three));
    assert_eq!(uses("four", 5), resolved(&["use.ts:11"]));
}

#[test]
fn typescript_blocks_of_a_module_and_its_own_values() {
    let files = [
        ("impl.ts", "export function one() {}\nexport class Base { greet() {} }\n"),
        (
            "use.ts",
            "import { one, Base } from './impl';\none();\n{ const one = 3; console.log(one); }\none();\nexport { one };\nconst base = new Base();\nbase.greet();\nfunction f() { base.greet(); }\n",
        ),
    ];
    let one = ["use.ts:1 resolved", "use.ts:2 resolved", "use.ts:4 resolved", "use.ts:5 resolved"];
    check(&files, "one", ("impl.ts", 1), &one, 0);
    check(&files, "greet", ("impl.ts", 2), &["use.ts:7 resolved", "use.ts:8 resolved"], 0);
}

#[test]
fn python_other_names_and_modules_by_their_paths() {
    let files = [
        ("p/__init__.py", ""),
        ("p/core.py", "def work():\n    pass\n\nclass A:\n    def over(self):\n        pass\n"),
        (
            "use.py",
            "from p.core import work as w, A as B\nimport p.core\nw()\np.core.work()\nb = B()\nb.over()\nclass C(B):\n    def go(self):\n        self.over()\n",
        ),
        ("more.py", "from use import w as again\nagain()\nw = 1\nprint(w)\n"),
    ];
    let work = [
        "more.py:1 resolved",
        "more.py:2 resolved",
        "use.py:1 resolved",
        "use.py:3 resolved",
        "use.py:4 resolved",
    ];
    check(&files, "work", ("p/core.py", 1), &work, 0);
    check(&files, "A", ("p/core.py", 4), &["use.py:1 resolved", "use.py:5 resolved", "use.py:7 resolved"], 0);
    check(&files, "over", ("p/core.py", 5), &["use.py:6 resolved", "use.py:9 resolved"], 0);
}

#[test]
fn rust_other_names() {
    let files = [
        ("Cargo.toml", "[package]\nname = \"it\"\n"),
        (
            "src/lib.rs",
            "mod a;\npub use a::thing as public;\nuse a::thing as own;\nfn f() { own(); public(); }\n",
        ),
        ("src/a.rs", "pub fn thing() {}\n"),
        (
            "tests/t.rs",
            "extern crate it as tested;\nfn f() { it::public(); tested::public(); let public = 1; drop(public); }\n",
        ),
    ];
    let uses =
        ["src/lib.rs:2 resolved", "src/lib.rs:3 resolved", "src/lib.rs:4 resolved", "tests/t.rs:2 resolved"];
    check(&files, "thing", ("src/a.rs", 1), &uses, 0);
}

#[test]
fn java_members_by_their_name_alone() {
    let files = [
        (
            "a/A.java",
            "package a;\npublic class A {\n  public static int s() { return 1; }\n  int over(int x) { return x; }\n  class In { int z() { return over(2); } }\n}\n",
        ),
        ("a/B.java", "package a;\nclass B extends A {\n  int g() { return over(1) + s(); }\n}\n"),
        ("b/C.java", "package b;\nimport static a.A.*;\nclass C { int t() { return s(); } }\n"),
        ("b/D.java", "package b;\nimport static a.A.s;\nclass D { int t() { return s(); } }\n"),
        ("b/E.java", "package b;\nimport a.*;\nclass E { int s() { return 2; } int t() { return s(); } }\n"),
    ];
    check(&files, "over", ("a/A.java", 4), &["a/A.java:5 resolved", "a/B.java:3 resolved"], 0);
    let (shown, unresolved, _) = found(&Project::new(&files), "s", "a/A.java", 3);
    let calls: Vec<&String> = shown.iter().filter(|place| !place.contains("D.java:2")).collect();
    assert_eq!(calls, ["a/B.java:3 resolved", "b/C.java:3 resolved", "b/D.java:3 resolved"]);
    assert_eq!(unresolved, 0);
}

#[test]
fn members_behind_several_fields() {
    let rust = [
        ("Cargo.toml", "[package]\nname = \"it\"\n"),
        ("src/lib.rs", "mod a;\nmod b;\nmod c;\n"),
        ("src/a.rs", "pub struct End;\nimpl End { pub fn take(&self) {} }\n"),
        ("src/b.rs", "use crate::a::End;\npub struct Config { pub end: End, pub other: u8 }\n"),
        (
            "src/c.rs",
            "use crate::b::Config;\nstruct Own { config: Config }\nimpl Own {\n  fn go(&self, other: &Own) {\n    self.config.end.take();\n    other.config.end.take();\n    (&self.config).end.take();\n    self.config.other.take();\n    self.none.end.take();\n  }\n}\n",
        ),
    ];
    let uses = ["src/c.rs:5 resolved", "src/c.rs:6 resolved", "src/c.rs:7 resolved"];
    check(&rust, "take", ("src/a.rs", 2), &uses, 2);
    let python = [
        ("a.py", "class End:\n    def take(self):\n        pass\n"),
        ("b.py", "from a import End\nclass Config:\n    def __init__(self):\n        self.end = End()\n"),
        (
            "c.py",
            "from b import Config\nclass Own:\n    def __init__(self):\n        self.config = Config()\n    def go(self):\n        self.config.end.take()\n        self.config.none.take()\n",
        ),
    ];
    check(&python, "take", ("a.py", 2), &["c.py:6 resolved"], 1);
}

#[test]
fn a_parameter_may_be_a_fixture() {
    let files = [
        (
            "conftest.py",
            "import pytest\n\n@pytest.fixture\ndef client():\n    pass\n\ndef other():\n    pass\n",
        ),
        ("test_a.py", "def test_a(client, other):\n    client.get()\n    other()\n"),
    ];
    check(&files, "client", ("conftest.py", 3), &[], 2);
    check(&files, "other", ("conftest.py", 7), &[], 0);
}
