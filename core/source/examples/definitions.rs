//! Prints the definitions of the files below a directory, for comparing them with another program's: file, line of the
//! name, kind, name, and whether the file broke the grammar, with tabs between.
//!
//! usage: definitions DIRECTORY [LANGUAGE]

use std::io::Write;
use std::path::{Path, PathBuf};

use mcp_source::walk::{Rules, walk};
use mcp_source::{Language, Limits, Lines, parse, read, symbols};
use mcp_workspace::Root;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().ok_or("usage: definitions DIRECTORY [LANGUAGE]")?);
    let only =
        arguments.next().map(|name| Language::of_name(&name).ok_or(format!("{name} is not a language")));
    let only = only.transpose()?;
    let root = Root::open(&directory)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for file in walk(root.path(), &Rules::default()).files {
        let path = Path::new(&file.path);
        let Ok(text) = read(&root, path, &Limits::default()) else { continue };
        let Some(language) = Language::of_file(path, &text) else { continue };
        if only.is_some_and(|only| only != language) {
            continue;
        }
        let Ok(tree) = parse::parse(language, &text, parse::USUAL_TIME) else { continue };
        let lines = Lines::new(&text);
        let state = if tree.root_node().has_error() { "error" } else { "whole" };
        writeln!(out, "{}\t0\tfile\t\t{state}", file.path)?;
        for symbol in symbols::symbols(language, &tree, &text) {
            let line = lines.line(symbol.name_range.start);
            let kind = if symbol.is_declaration { "declaration" } else { symbol.kind.name() };
            writeln!(out, "{}\t{line}\t{kind}\t{}\t{state}", file.path, symbol.name)?;
        }
    }
    Ok(())
}
