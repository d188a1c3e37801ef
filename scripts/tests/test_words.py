"""What `scripts/words` finds, and what it leaves alone."""

import contextlib
import importlib.machinery
import importlib.util
import io
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
from unittest import mock

SCRIPT = pathlib.Path(__file__).resolve().parent.parent / "words"


def loaded():
    """The script as a module; it has no suffix."""
    loader = importlib.machinery.SourceFileLoader("words", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("words", loader))
    loader.exec_module(module)
    return module


words = loaded()
PHRASES = words.PHRASES + words.single_words()


def found(name, text):
    """Lines and phrases."""
    return [(line, phrase) for line, phrase, _ in words.findings(name, text, PHRASES)]


class Phrases(unittest.TestCase):
    def test_each_phrase_is_found_in_prose(self):
        for text, phrase in [
            ("This is no directory.", "is no directory"),
            ("“7” is due, and “9” came", "is due"),
            ("a folder of files", "folder"),
            ("the call was taken back", "taken back"),
            ("a sandbox is put up first", "put up"),
            ("failures are told at the end", "are told"),
            ("Mend the file", "Mend"),
            ("the power is reckoned from it", "reckoned"),
        ]:
            self.assertEqual(found("a.md", text), [(1, phrase)], text)

    def test_what_an_engineer_writes_is_left_alone(self):
        for text in [
            "there is no directory",
            "it is no longer there",
            "when the next call is due",
            "the process was told to stop",
            "amended, recommended",
            "put up with it",
        ]:
            self.assertEqual(found("a.md", text), [], text)

    def test_every_phrase_says_what_is_better(self):
        for pattern, better in PHRASES:
            re.compile(pattern)
            self.assertTrue(better)


class Places(unittest.TestCase):
    def test_rust_is_read_in_comments_and_sentences(self):
        text = (
            "/// A folder.\n"
            "fn folder(folder: &'static Folder, c: char) -> bool {\n"
            '    let key = json["folder"];\n'
            "    let quote = '\"'; // the folder\n"
            '    panic!("no folder {folder} \\" here")\n'
            "}\n"
            'const R: &str = r#"a "folder" of\nfolder"#;\n'
        )
        self.assertEqual([line for line, _ in found("a.rs", text)], [1, 4, 5, 7, 8])

    def test_markdown_is_read_without_its_code(self):
        text = "A folder.\n```\nfolder\n```\nThe `folder` key.\n~~~text\nfolder\n~~~\nfolders\n"
        self.assertEqual(found("a.md", text), [(1, "folder"), (9, "folders")])

    def test_python_is_read_in_comments_and_sentences(self):
        text = '"""A folder."""\nfolder = {"folder": 1}  # a folder\nprint(f"the folder {folder} is here")\n'
        self.assertEqual([line for line, _ in found("a.py", text)], [1, 2, 3])

    def test_shell_is_read_without_its_variables(self):
        text = '#!/usr/bin/env bash\n# The folder.\nfolder=$(mktemp)\nlocal folder status\nrm "$folder" "${folder}"\n'
        self.assertEqual(found("run", text), [(2, "folder")])

    def test_keys_of_toml_are_names(self):
        text = 'folder = "folder"\n# a folder\nname = "a folder of it"\n'
        self.assertEqual([line for line, _ in found("a.toml", text)], [2, 3])

    def test_records_and_foreign_text_are_exempt(self):
        names = set(words.files([]))
        self.assertIn("scripts/check", names)
        for part in ("results/", "baselines/", "servers/bash_god/catalogue/"):
            self.assertFalse([name for name in names if name.startswith(part)], part)


class Command(unittest.TestCase):
    def outcome(self, text, *arguments):
        """What the command does in a repository with one document."""
        with tempfile.TemporaryDirectory() as root:
            root = pathlib.Path(root)
            shutil.copy(words.ROOT / "typos.toml", root)
            (root / "a.md").write_text(text)
            subprocess.run(["git", "init", "--quiet", str(root)], check=True)
            out = io.StringIO()
            with mock.patch.object(words, "ROOT", root), contextlib.redirect_stdout(out):
                with contextlib.redirect_stderr(io.StringIO()):
                    return words.main(list(arguments)), out.getvalue()

    def test_a_finding_fails_only_where_that_is_asked_for(self):
        shown = "a.md:1: folder -> directory\nwords: 1 to look at\n"
        self.assertEqual(self.outcome("a folder\n"), (0, shown))
        self.assertEqual(self.outcome("a folder\n", "--fail"), (1, shown))
        self.assertEqual(self.outcome("a directory\n", "--fail"), (0, "words: 0 to look at\n"))
        counted = "     1 times: directory\nwords: 1 to look at\n"
        self.assertEqual(self.outcome("a folder\n", "--count", "--fail"), (1, counted))
        self.assertEqual(self.outcome("a folder\n", "--nothing"), (2, ""))


if __name__ == "__main__":
    unittest.main()
