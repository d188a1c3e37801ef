"""Tests of scripts/documents: on small trees with known faults, and on this repository."""

import importlib.machinery
import importlib.util
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPT = ROOT / "scripts" / "documents"


def loaded():
    """The script as a module; its name has no suffix, so that it is named to the loader."""
    loader = importlib.machinery.SourceFileLoader("documents", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    sys.modules[loader.name] = module
    loader.exec_module(module)
    return module


documents = loaded()

CODE = """\
/// Looks.
pub const LOOKS: [usize; 5] = [16, 32, 64, 128, 256];
const SHARE: f64 = 0.6;
const NEAR: u64 = 1 << 20;
pub(crate) const REST: Duration = Duration::from_millis(20);
const LAUNCHES: std::ops::RangeInclusive<u32> = 6..=1_000;
const SPIN: u64 = 60_000;
const WORD: &str = "record";
"""
VERBS = """\
# Verbs

## `perflab`

      --format <FORMAT>
      --suite <FILE>

## `perflab run`

      --suite <FILE>
      --launches <N>

## `perflab cmp`

  commands  Two commands

### `perflab cmp commands`

      --budget <TIME>
"""


class OfATree(unittest.TestCase):
    """What is found in a tree of a few files."""

    def faults(self, text, name="docs/src/page.md", **more):
        files = {
            "lab/src/judge/mod.rs": CODE,
            "lab/src/other.rs": "const SHARE: f64 = 0.5;\n#[cfg(test)]\nmod tests {\n    const LOOKS: u8 = 1;\n}\n",
            "docs/src/reference/verbs.md": VERBS,
            "docs/src/other.md": "# Other\n\n## A `code` heading\n\n## Twice\n\n## Twice\n",
            "results/one/charts/heatmap.svg": "<svg/>",
            name: text,
            **more,
        }
        with tempfile.TemporaryDirectory() as root:
            for file, content in files.items():
                path = Path(root) / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, encoding="utf-8")
            found = documents.faults(documents.Tree(root, files))
        return [(fault.line, fault.what) for fault in found if fault.document == name]

    def one(self, text, line, part):
        found = self.faults(text)
        self.assertEqual(len(found), 1, found)
        self.assertEqual(found[0][0], line)
        self.assertIn(part, found[0][1])

    def test_links(self):
        self.assertEqual(self.faults("[a](other.md) ![b](../../results/one/charts/heatmap.svg) <https://x.y/>\n"), [])
        self.assertEqual(self.faults("[a](other.md#a-code-heading) [b](other.md#twice-1) [c](#here)\n\n# Here\n"), [])
        self.one("one\n[a](missing.md)\n", 2, "docs/src/missing.md")
        self.one("[a](other.md#nowhere)\n", 1, "heading")
        self.one("[a](#there)\n# Here\n", 1, "heading")
        self.one("![a](../../results/two/charts/heatmap.svg)\n", 1, "results/two")
        # Text in backticks and in code blocks is not a link.
        self.assertEqual(self.faults("`[a](missing.md)`\n\n```\n[a](missing.md)\n```\n"), [])

    def test_paths(self):
        good = "`lab/src/judge/mod.rs` `judge/mod.rs` `mod.rs` `lab/src` `lab/src/` `results/*/charts/*.svg`"
        self.assertEqual(self.faults(good), [])
        self.one("text\n\n`judge/engine.rs`\n", 3, "judge/engine.rs")
        self.one("`lab/src/judge/engine`\n", 1, "does not exist")
        self.one("`engine.rs`\n", 1, "engine.rs")
        self.one("`lab/*/none.rs`\n", 1, "no file fits")
        self.one("```\nlab/run --all\n```\n", 2, "lab/run")
        self.one("`cat lab/src/none.toml`\n", 1, "none.toml")
        self.one("`MISSING.md`\n", 1, "MISSING.md")

    def test_what_is_not_a_path_of_this_tree(self):
        good = (
            "`lab/src/NAME.rs` `results/NAME` `results/<date>` `target/lab/x.rs` `module/form` `tools/call` "
            "`run.json` `~/lab/x.rs` `/lab/x.rs` `{port}/x.rs` `https://x.y/z.rs` `lab/src/…`\n"
        )
        self.assertEqual(self.faults(good), [])
        self.assertEqual(self.faults("```\nmy-subject/src/main.rs\n```\n"), [])
        self.assertEqual(self.faults("`gone/then.rs`", name="CHANGELOG.md"), [])

    def test_paths_through_a_symbolic_link(self):
        with tempfile.TemporaryDirectory() as root:
            page = "`.sets/one.toml` `.sets/*.toml` [a](.sets/one.toml)\n`.sets/two.toml` `.sets/*.md`\n"
            for file, content in {"lab/sets/one.toml": "", "page.md": page}.items():
                (Path(root) / file).parent.mkdir(parents=True, exist_ok=True)
                (Path(root) / file).write_text(content)
            (Path(root) / ".sets").symlink_to("lab/sets")
            (Path(root) / "lab/sets/two.md").write_text("not tracked")
            tree = documents.Tree(root, ["lab/sets/one.toml", ".sets", ".sets/three.toml", "page.md"])
            self.assertEqual(
                [(fault.line, fault.what) for fault in documents.faults(tree)],
                [(2, "`.sets/two.toml` does not exist"), (2, "no file fits `.sets/*.md`")],
            )

    def test_constants(self):
        good = (
            "16, 32, 64, 128 and 256<!-- constant: LOOKS --> launches, 60 %<!-- constant: judge::SHARE -->,\n"
            "1 MiB<!-- constant: NEAR -->, 20 ms<!-- constant: REST -->, 60 µs<!-- constant: SPIN -->,\n"
            "60,000<!-- constant: SPIN -->, at least 6 and at most 1,000<!-- constant: LAUNCHES -->\n"
        )
        self.assertEqual(self.faults(good), [])
        self.one("\n2 %<!-- constant: NEAR -->\n", 2, "the document says 2 %, and NEAR in lab/src/judge/mod.rs is 1 << 20")
        self.one("16, 32, 64, 128 and 255<!-- constant: LOOKS -->\n", 1, "LOOKS")
        self.one("61 %<!-- constant: judge::SHARE -->\n", 1, "SHARE")
        self.one("2 s<!-- constant: REST -->\n", 1, "REST")
        self.one("60 %<!-- constant: SHARE -->\n", 1, "end of its module's path")
        self.one("60 %<!-- constant: analyse::SHARE -->\n", 1, "there is no constant analyse::SHARE; it is in")
        self.one("few<!-- constant: NEAR -->\n", 1, "no figure")
        self.one("3<!-- constant: WORD -->\n", 1, "cannot read")

    def test_files_in_documents(self):
        block = "<!-- file: lab/src/judge/mod.rs -->\n```rust\n{}```\n"
        self.assertEqual(self.faults(block.format(CODE)), [])
        self.one("\n" + block.format(CODE + "// more\n"), 2, "not what lab/src/judge/mod.rs holds")
        self.one("<!-- file: lab/src/gone.rs -->\n```\n```\n", 1, "does not exist")
        self.one("<!-- file: lab/src/judge/mod.rs -->\nText\n", 1, "no code block")

    def test_verbs_and_options(self):
        good = (
            "`cargo lab run --suite x.toml --launches 3` `perflab cmp commands --budget 3s` `cargo lab --suite x.toml`\n"
            "`perflab __exec --cpu 3` `cargo lab VERB` `cargo lab`\n\n```\ncargo lab run -- server --any\n```\n"
        )
        self.assertEqual(self.faults(good), [])
        self.one("`cargo lab measures --suite x.toml`\n", 1, "no such verb")
        self.one("\n`cargo lab run --budget 3m`\n", 2, "`perflab run` has no option `--budget`")
        self.one("```\nperflab cmp --budget 3m A B\n```\n", 2, "`perflab cmp` has no option `--budget`")
        self.assertEqual(self.faults("`cargo lab run --suite 'a --wrong b'`\n"), [])

    def test_blocks_of_the_lab_are_its_own(self):
        block = "<!-- perflab:begin one rows=3 -->\n`cargo lab gone` `gone.rs`\n![x]({})\n<!-- perflab:end one -->\n"
        self.assertEqual(self.faults(block.format("../../results/one/charts/heatmap.svg")), [])
        self.one(block.format("../../results/gone.svg"), 3, "results/gone.svg")

    def test_records_are_the_labs_own(self):
        self.assertEqual(self.faults("[a](gone.md) `gone.rs`\n", name="results/one/report.md"), [])


class OfABook(unittest.TestCase):
    """What is found in built HTML."""

    def test_links_of_pages(self):
        with tempfile.TemporaryDirectory() as root:
            book = Path(root) / "docs" / "book"
            book.mkdir(parents=True)
            (Path(root) / "chart.svg").write_text("<svg/>")
            (book / "b.html").write_text('<h1 id="there">b</h1>')
            good = '<a href="b.html#there">x</a><img src="../../chart.svg"><a href="#me" id="me">y</a><a href="https://z/">z</a>'
            (book / "a.html").write_text(good)
            self.assertEqual(documents.book_faults(book), [])
            (book / "a.html").write_text('<a href="c.html">x</a><a href="b.html#nowhere">x</a><img src="../gone.svg">')
            self.assertEqual(
                [fault.what for fault in documents.book_faults(book)],
                [
                    "`c.html` leads nowhere",
                    "`b.html#nowhere` leads to an anchor that is not there",
                    "`../gone.svg` leads nowhere",
                ],
            )


class OfThisRepository(unittest.TestCase):
    """The documents of this repository."""

    def test_everything_that_documents_say_of_the_tree_is_so(self):
        tree = documents.Tree.of(ROOT)
        self.assertGreater(len(tree.documents()), 40)
        self.assertEqual([str(fault) for fault in documents.faults(tree)], [])

    def test_the_changelog_names_every_verb(self):
        changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
        entry = changelog.split("- The verbs ")[1].split("\n- ")[0]
        verbs = documents.Verbs((ROOT / documents.VERBS).read_text(encoding="utf-8")).options
        top = [verb for verb in verbs if verb and " " not in verb]
        self.assertIn("history", top)
        self.assertEqual([verb for verb in top if f"`{verb}`" not in entry], [])

    def test_the_map_of_the_lab_is_the_one_that_a_test_holds(self):
        code = (ROOT / "harness/tests/boundaries/modules.rs").read_text(encoding="utf-8")
        table = code.split("const MAY_NAME")[1].split("];")[0]
        held = {
            module: set(re.findall(r'"(\w+)"', names))
            for module, names in re.findall(r'\(\s*"(\w+)",\s*&\[([^\]]*)\]', table)
        }
        page = (ROOT / "docs/src/contributing/lab.md").read_text(encoding="utf-8").split("| module |")[1].split("\n\n")[0]
        shown = {}
        for row in page.split("\n")[2:]:
            module, _, may, *_ = [cell.strip() for cell in row.strip("|").split("|")]
            names = set(re.findall(r"`(\w+)`", may))
            if may.startswith("all"):
                names = set(held) - {module.strip("`")} - names
            shown[module.strip("`")] = names
        differ = {module: (shown.get(module), held.get(module)) for module in {*shown, *held}}
        self.assertEqual({module: both for module, both in differ.items() if both[0] != both[1]}, {})

    def test_the_columns_of_raw_samples_are_listed(self):
        code = (ROOT / "harness/src/record/raw.rs").read_text(encoding="utf-8")
        columns = re.search(r'RAW_HEADER: &str = "([^"\\]+)', code).group(1).split(",")
        page = (ROOT / "docs/src/reference/records.md").read_text(encoding="utf-8")
        listed = re.sub(r"\([^)]*\)", "", page.split("`raw.csv` has the columns ")[1].split("\n\n")[0])
        self.assertEqual(re.findall(r"`(\w+)`", listed), columns)

    def test_the_map_names_every_package(self):
        manifest = (ROOT / "Cargo.toml").read_text(encoding="utf-8")
        members = re.findall(r'"([^"]+)"', re.search(r"^members = \[(.*?)^\]", manifest, re.M | re.S).group(1))
        self.assertGreater(len(members), 20)
        architecture = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
        rows = {
            path.rstrip("/"): row for row in architecture.splitlines() for path in re.findall(r"`([^`\s]+/)`", row)
        }
        self.assertEqual([member for member in members if member not in rows], [])
        for member in members:
            name = re.search(r'^name = "([^"]+)"', (ROOT / member / "Cargo.toml").read_text(encoding="utf-8"), re.M)
            if rows[member].startswith(f"| `{member}/` |"):
                self.assertIn(f"`{name.group(1)}`", rows[member])

    def test_the_steps_of_the_check_are_listed(self):
        listed = subprocess.run([ROOT / "scripts" / "check", "--list"], check=True, capture_output=True, text=True)
        table = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("| step of ")[1]
        told = [name for row in re.findall(r"^\|([^|]+)\|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)]
        self.assertEqual(sorted(told), sorted(listed.stdout.split()))

    def test_the_first_page_is_short(self):
        lines = (ROOT / "README.md").read_text(encoding="utf-8").count("\n")
        self.assertLessEqual(lines, 150)
        for page in ROOT.glob("servers/*/README.md"):
            self.assertLessEqual(page.read_text(encoding="utf-8").count("\n"), 100, page)
        self.assertLessEqual((ROOT / "harness" / "README.md").read_text(encoding="utf-8").count("\n"), 100)


if __name__ == "__main__":
    unittest.main()
