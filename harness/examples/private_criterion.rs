//! Writes the private package `criterion` of the versions that are named into a directory, and prints where each is:
//! `private_criterion DIRECTORY VERSION…`. `scripts/foreign_benches` starts it.

use std::io::Write as _;
use std::path::PathBuf;

use perflab::foreign::criterion::write;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let directory = args.next().map(PathBuf::from);
    let directory =
        directory.ok_or_else(|| anyhow::anyhow!("expected a directory and versions, found nothing"))?;
    for version in args {
        writeln!(std::io::stdout(), "{}", write(&directory, &version)?.display())?;
    }
    Ok(())
}
