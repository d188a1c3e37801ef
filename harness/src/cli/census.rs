//! `census`: what instructions a file holds, and what CPU they need.

use anyhow::Context as _;

use crate::census::{Census, Disassembly};
use crate::cli::Exit;
use crate::cli::args::{CensusArgs, Format, Shared};
use crate::cli::values::all_names;
use crate::machine::features::Features;

/// Prints the census of each file.
pub(crate) fn census(shared: &Shared, args: &CensusArgs) -> anyhow::Result<Exit> {
    let host = Features::host();
    let functions = all_names(&args.functions);
    let functions: Vec<&str> = functions.iter().map(String::as_str).collect();
    let mut all = Vec::new();
    for file in &args.files {
        let shown = file.display().to_string();
        let bytes = std::fs::read(file).with_context(|| format!("cannot read {shown}"))?;
        let disassembly = Disassembly::of(&bytes).with_context(|| shown.clone())?;
        let census =
            if functions.is_empty() { disassembly.census() } else { disassembly.of_functions(&functions) };
        match shared.format {
            Format::Table => print_one(&shown, &census, &host),
            Format::Json => all.push(serde_json::json!({ "file": shown, "census": census })),
        }
    }
    if shared.format == Format::Json {
        outln!("{}", serde_json::to_string_pretty(&all)?);
    }
    Ok(Exit::Fine)
}

fn print_one(file: &str, census: &Census, host: &Features) {
    let width = &census.width;
    outln!("{file}");
    outln!(
        "  {} instructions in {} functions, {} bytes of code",
        census.instructions,
        census.functions,
        census.text_bytes
    );
    outln!(
        "  widest register: none {}, xmm {}, ymm {}, zmm {}; with a mask register {}",
        width.scalar,
        width.xmm,
        width.ymm,
        width.zmm,
        width.mask
    );
    if census.undecoded_bytes > 0 {
        outln!("  {} bytes are not instruction", census.undecoded_bytes);
    }
    for (feature, used) in &census.features {
        let lacking = if host.contains(feature.name()) { "" } else { "  (this CPU lacks it)" };
        let example = used.functions.first().map_or(String::new(), |name| format!("  {}", shortened(name)));
        outln!("  {:<18} {:>8} instructions{example}{lacking}", feature.name(), used.instructions);
    }
    if !census.symbols_present {
        outln!("  stripped: functions have no names");
    }
    for producer in &census.producers {
        outln!("  compiled by {producer}");
    }
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= 60 { name.to_owned() } else { name.chars().take(59).chain(['…']).collect() }
}
