//! The page of the verbs in the book: what `--help` says, of every verb, so that nobody writes it twice.

use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;

use crate::called::{self, IN_REPOSITORY, INSTALLED};
use crate::cli::Exit;
use crate::cli::args::Cli;
use crate::experiment::store;

/// Characters in a line: what a page of the book shows without a scroll bar.
const WIDTH: usize = 100;

/// Writes the page into `file`.
pub(crate) fn write(file: &Path) -> anyhow::Result<Exit> {
    store::replace(file, page().as_bytes()).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(Exit::Fine)
}

/// Writes manual pages and shell completions below `directory`, for the archives of a release.
pub(crate) fn pages(directory: &Path) -> anyhow::Result<Exit> {
    let command = Cli::command().bin_name(INSTALLED);
    perflab_program::pages::write(command, INSTALLED, directory)
        .with_context(|| format!("cannot write into {}", directory.display()))?;
    Ok(Exit::Fine)
}

/// Every verb that is not hidden with its help, in the order of `--help`.
fn page() -> String {
    let mut text = String::new();
    let mut command = Cli::command().term_width(WIDTH);
    command.build();
    chapter(&mut text, command, 2);
    // The page is the same whoever writes it.
    let text = text.replace(called::program(), INSTALLED);
    format!(
        "# Verbs\n\n\
        `{IN_REPOSITORY} VERB` in this repository, `{INSTALLED} VERB` once it is installed. Generated from `--help`: after a \
        change of a verb\n`{IN_REPOSITORY} __reference docs/src/reference/verbs.md` writes this page again.\n{text}"
    )
}

fn chapter(text: &mut String, mut command: clap::Command, level: usize) {
    let name = command.get_bin_name().unwrap_or(INSTALLED).to_owned();
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    text.push_str(&format!(
        "\n{} `{name}`\n\n```text\n{}\n```\n",
        "#".repeat(level),
        lines.join("\n").trim_end()
    ));
    for verb in command.get_subcommands() {
        if !verb.is_hide_set() && verb.get_name() != "help" {
            chapter(text, verb.clone(), if name == called::program() { 2 } else { level + 1 });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_in_the_book_says_what_help_says() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/reference/verbs.md");
        let stands =
            std::fs::read_to_string(&file).expect("the book lies beside the package in the repository");
        let first = stands.lines().zip(page().lines()).position(|(stands, says)| stands != says);
        assert!(
            stands == page(),
            "docs/src/reference/verbs.md differs from --help, first in line {:?}: \
             {IN_REPOSITORY} __reference docs/src/reference/verbs.md",
            first.map(|line| line + 1)
        );
    }

    #[test]
    fn hidden_verbs_stay_hidden_and_sub_verbs_have_chapters() {
        let page = page();
        assert!(page.contains("\n## `perflab`\n") && page.contains("\n## `perflab run`\n"));
        assert!(page.contains("\n### `perflab baseline accept`\n"));
        assert!(!page.contains("`perflab __") && !page.contains("`perflab help`"));
        assert!(page.lines().all(|line| line == line.trim_end()));
    }
}
