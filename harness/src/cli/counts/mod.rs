//! `counts`: instructions of one call, counted here or read from what gungraun and iai-callgrind saved.

mod accepted;
mod callgrind;
mod calls;
pub(crate) mod summaries;
mod table;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::cli::Exit;
use crate::cli::args::{CountsArgs, Format, Shared};
use crate::cli::context::{Context, style};
use crate::cli::run::{is_broken, record_name};
use crate::cli::store::replace;
use crate::record::call_counts::CountsFile;

/// The file of a record of counts.
const COUNTS: &str = "counts.json";

/// Counts, or shows what was counted; accepts it or holds it against what was accepted.
pub(crate) fn counts(shared: &Shared, args: &CountsArgs) -> anyhow::Result<Exit> {
    if let Some(file) = record(&args.paths) {
        let text =
            std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let counts = CountsFile::read(&text).with_context(|| file.display().to_string())?;
        return finish(shared, &Context::open()?, args, &counts);
    }
    let asked = args.suite.is_some() || !args.flagsets.is_empty() || !args.benchmarks.is_empty();
    if !args.callgrind && !asked {
        if args.gate || args.accept {
            bail!("name what is to be counted (--suite FILE or --callgrind), or a record of counts");
        }
        return summaries::show(shared, &args.paths);
    }
    let context = Context::open()?;
    context.tell_foreign();
    let alone = context.alone()?;
    let counted =
        if args.callgrind { callgrind::count(&context, args)? } else { Some(calls::count(&context, args)?) };
    drop(alone);
    let Some(counts) = counted else { return Ok(Exit::Failed) };
    keep(&context, args, &counts)?;
    finish(shared, &context, args, &counts)
}

/// The file of a record of counts, where the one path leads to it.
fn record(paths: &[PathBuf]) -> Option<PathBuf> {
    let [path] = paths else { return None };
    let file = if path.is_dir() { path.join(COUNTS) } else { path.clone() };
    (file.file_name().is_some_and(|name| name == COUNTS) && file.is_file()).then_some(file)
}

/// Writes the record.
fn keep(context: &Context, args: &CountsArgs, counts: &CountsFile) -> anyhow::Result<()> {
    let out = args.out.clone().unwrap_or_else(|| context.root.join("results"));
    let folder = out.join(record_name(&out));
    let put = |name: &str, text: &str| {
        let path = folder.join(name);
        replace(&path, text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
    };
    put("counts.md", &table::markdown(counts))?;
    // Last: a record is whole once it has this file.
    put(COUNTS, &(serde_json::to_string_pretty(counts)? + "\n"))?;
    eprintln!(" record   {}", shown(&context.root, &folder).display());
    Ok(())
}

fn finish(
    shared: &Shared,
    context: &Context,
    args: &CountsArgs,
    counts: &CountsFile,
) -> anyhow::Result<Exit> {
    let folder = args.accepted.clone().unwrap_or_else(|| context.root.join("baselines/counts"));
    let file = accepted::file(&folder, counts, &context.environment);
    let failed = counts.failures.iter().any(is_broken);
    if args.accept {
        if failed {
            bail!("not accepted: {}", table::failures(counts).trim_end());
        }
        return accepted::accept(shared, &context.root, &file, counts);
    }
    if args.gate {
        return accepted::gate(shared, &context.root, &file, counts);
    }
    match shared.format {
        Format::Table => out!("{}", table::text(counts, style(shared).width)),
        Format::Json => outln!("{}", serde_json::to_string_pretty(counts)?),
    }
    Ok(if failed { Exit::Failed } else { Exit::Fine })
}

/// A path below the workspace without the workspace.
fn shown<'a>(root: &Path, path: &'a Path) -> &'a Path {
    path.strip_prefix(root).unwrap_or(path)
}
