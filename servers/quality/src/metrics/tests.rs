//! Functions whose metrics a person counted, or an oracle did whose name stands beside them.

use std::time::Duration;

use mcp_source::{Language, parse};

use crate::metrics::{FileMetrics, measure};

/// Nothing here is about time, and the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

fn of(language: Language, text: &str) -> FileMetrics {
    let tree = parse::parse(language, text.as_bytes(), PATIENCE).unwrap();
    measure(language, &tree, text.as_bytes())
}

/// Name, cyclomatic, cognitive, nesting, parameters of each function.
fn rows(metrics: &FileMetrics) -> Vec<(&str, u32, u32, u32, u32)> {
    let row = |function: &'_ crate::metrics::FunctionMetrics| {
        (function.cyclomatic, function.cognitive, function.nesting, function.parameters)
    };
    metrics
        .functions
        .iter()
        .map(|function| {
            let (cyclomatic, cognitive, nesting, parameters) = row(function);
            (function.name.as_str(), cyclomatic, cognitive, nesting, parameters)
        })
        .collect()
}

/// Big-code-analysis 2.4.0 gives the same complexities.
#[test]
fn rust_as_big_code_analysis_counts_it() {
    let metrics = of(
        Language::Rust,
        "struct S;
impl S {
    fn f(&self, a: i32) -> Option<i32> {
        let c = |x: i32| { if x > 1 && a > 2 { 1 } else { 2 } };
        match a { 1 => Some(1), 2 if a > 3 => None, _ => Some(c(a)) }
    }
}
fn g() { fn inner() { if true {} } loop { break; } }
fn h(v: &[u8]) -> Option<u8> {
    let Some(first) = v.first() else { return None };
    'outer: for x in v { while *x > 1 { if *x == 2 || *x == 3 { continue 'outer; } else if *x == 4 { break } } }
    let y = v.last()?;
    let z = loop { break y; };
    Some(first + z)
}
",
    );
    assert_eq!(
        rows(&metrics),
        [
            ("S::f", 4, 1, 1, 1),
            ("S::f::{closure}", 3, 4, 1, 1),
            ("g", 2, 1, 1, 0),
            ("g::inner", 2, 2, 1, 0),
            ("h", 9, 11, 3, 1),
        ]
    );
    assert!(!metrics.is_partial);
}

/// Big-code-analysis 2.4.0 gives the same complexities.
#[test]
fn other_languages_as_big_code_analysis_counts_them() {
    let script = of(
        Language::TypeScript,
        "const f = (a) => { if (a) { return function () { return a?.b ?? c; } } };
class B { x = a ? 1 : 2; m() { return [1].map(x => x && 1); } static { if (1) {} } }
run(function () { if (1) { for (;;) {} } });
",
    );
    assert_eq!(
        rows(&script),
        [
            ("f", 2, 2, 1, 1),
            ("f.{closure}", 3, 1, 0, 0),
            ("B.m", 1, 0, 0, 0),
            ("B.m.{closure}", 2, 1, 0, 1),
            ("B.{static}", 2, 1, 1, 0),
            ("{closure}", 3, 3, 2, 0),
        ]
    );
    let java = of(
        Language::Java,
        "class A { int f(int a) { Runnable r = () -> { if (a > 1 && a < 3) {} }; switch (a) { case 1: break; default: }
 Object o = new Object() { public int hashCode() { return a > 1 ? 1 : 2; } };
 return 1; } static { if (true) {} } A() {} }
",
    );
    assert_eq!(
        rows(&java),
        [
            ("A.f", 4, 4, 1, 1),
            ("A.f.o.hashCode", 2, 2, 0, 0),
            ("A.{static}", 2, 1, 1, 0),
            ("A.A", 1, 0, 0, 0)
        ]
    );
    let cpp = of(
        Language::Cpp,
        "namespace n {
class A { int f(int a) { auto l = [&](int b) { if (b && a) return 1; return 2; }; return a ? l(1) : 0; } };
}
int g() { for (auto x : y) { if (x) {} else if (z) {} else {} } }
",
    );
    assert_eq!(rows(&cpp), [("n::A::f", 4, 4, 1, 1), ("g", 4, 5, 2, 0)]);
    let go = of(
        Language::Go,
        "package a
func (r *T) F(a int) int { g := func() { if a > 1 && b { } else if c { } }; switch a { case 1: default: }; L: for { break L }; return 1 }
",
    );
    assert_eq!(rows(&go), [("F", 3, 3, 1, 1), ("F.{closure}", 4, 4, 1, 0)]);
    let c = of(
        Language::C,
        "int f(int a) { if (a && 1) { do { a--; } while (a); } switch (a) { case 1: case 2: break; } return a ? 1 : 2; }
int g(void) { return 1; }
",
    );
    assert_eq!(rows(&c), [("f", 7, 6, 2, 1), ("g", 1, 0, 0, 0)]);
}

/// Radon 6.0.1 gives the same cyclomatic, complexipy 8.3.0 the same cognitive complexities.
#[test]
fn python_as_radon_and_complexipy_count_it() {
    let metrics = of(
        Language::Python,
        "class A:
    def f(self, a, *b):
        assert a and b, 'no'
        for x in b:
            if x and a or not (a and x):
                continue
            elif x:
                pass
        else:
            a = [y for y in b if y if a]
        try:
            pass
        except ValueError:
            return 1 if a else 2
        match a:
            case 1:
                pass
            case _:
                pass
        return f(a)

def g(x, y=1 if z else 2):
    def inner(z):
        while z:
            z = g(z)
        return z
    return g(inner)
",
    );
    assert_eq!(rows(&metrics), [("A.f", 15, 16, 2, 2), ("g", 1, 2, 0, 2), ("g.inner", 2, 1, 1, 1)]);
}

#[test]
fn lines_are_told_apart() {
    let metrics = of(
        Language::Rust,
        "// a\nfn f() {\n\n    /* b\n    c */ let x = 1;\n    \"d\n    // e\n    \";\n}\n",
    );
    assert_eq!((metrics.lines, metrics.code_lines, metrics.comment_lines), (9, 6, 2));
    assert_eq!((metrics.functions[0].lines(), metrics.functions[0].code_lines), (8, 6));
}

#[test]
fn what_does_not_parse_or_nests_without_end_is_partial() {
    assert!(of(Language::Rust, "fn f( { if").is_partial);
    let deep = format!("fn f() {{ {}{} }}", "(".repeat(60_000), ")".repeat(60_000));
    let refused = parse::parse(Language::Rust, deep.as_bytes(), PATIENCE).err();
    assert_eq!(refused, Some(parse::Refused::TooDeep));
    let deep = format!("def f():\n    return {}1{}\n", "(".repeat(600), ")".repeat(600));
    assert!(of(Language::Python, &deep).is_partial);
    assert_eq!(of(Language::Python, "").functions, []);
}
