//! `init`: a suite for a project that has none, with everything that may be said in it, and on wish a workflow.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use clap::Args;

use crate::called::{OF_CARGO, program};
use crate::cli::Exit;
use crate::cli::context::{current, from_here};
use crate::cli::project::ProjectArgs;
use crate::experiment::context::SUITE;
use crate::experiment::store;
use crate::foreign::{Project, Target};

/// Where a workflow goes.
const WORKFLOW: &str = ".github/workflows/perflab.yml";

/// What is written.
#[derive(Args)]
pub(crate) struct InitArgs {
    /// Also write .github/workflows/perflab.yml, which gates every pull request.
    #[arg(long)]
    pub workflow: bool,
    /// Replace files that are there.
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub project: ProjectArgs,
}

/// Writes `perflab.toml` beside the workspace's manifest.
pub(crate) fn init(args: &InitArgs) -> anyhow::Result<Exit> {
    let project = Project::find(&current()?, &args.project.selection())?;
    let measurable = project.targets.iter().find(|target| target.way().is_some());
    let mut files = vec![(project.root.join(SUITE), suite(&project, measurable))];
    if args.workflow {
        files.push((project.root.join(WORKFLOW), workflow()));
    }
    if let Some((there, _)) = files.iter().find(|(file, _)| file.exists() && !args.force) {
        bail!("{} is there already: --force replaces it", from_here(there).display());
    }
    for (file, text) in &files {
        written(file, text)?;
        outln!("{}", from_here(file).display());
    }
    let others = project.targets.iter().filter(|target| target.way().is_some()).skip(1);
    for Target { package, name, .. } in others {
        errln!(
            "note: {SUITE} measures one bench target; `{} run -p {package} --bench {name}` measures this one",
            program()
        );
    }
    Ok(Exit::Fine)
}

fn written(file: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    store::replace(file, text.as_bytes()).with_context(|| format!("cannot write {}", file.display()))
}

/// The text of a suite, whose lines explain themselves.
fn suite(project: &Project, target: Option<&Target>) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let directory =
        project.root.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let (package, subject, benchmark) = match target {
        Some(target) => (
            target.package.clone(),
            format!("# A bench target of criterion or divan. `harness = \"criterion\"` takes the project's own criterion.\nbench = {}", quoted(&target.name)),
            "a benchmark of it",
        ),
        None => (
            directory,
            "# A program that speaks the subject protocol: perflab-subject makes one of a few lines.\nbin = \"NAME\"".to_owned(),
            "NAME",
        ),
    };
    let features = target.map(|target| target.features.clone()).unwrap_or_default();
    let features = if features.is_empty() {
        String::new()
    } else {
        let listed: Vec<String> = features.iter().map(|feature| quoted(feature)).collect();
        format!("features = [{}]\n", listed.join(", "))
    };
    let arm = |name: &str| format!("[[arm]]\nname = \"{name}\"\nflagset = \"{name}\"\n{features}");
    format!(
        "# What `{run} run` measures here, and what `{run} gate --against origin/main` holds.\n\
         name = {name}\npackage = {name}\n{subject}\n\
         # What `cargo bench` compiles with.\nprofile = \"bench\"\n\n\
         # Arms: a flag set, a profile, features. All are compared with the baseline.\nbaseline = \"x86-64\"\n\n\
         {plain}\n{v3}\n{native}\n\
         # [[arm]]\n# name = \"one codegen unit\"\n# flagset = \"x86-64\"\n# profile = \"PROFILE OF Cargo.toml\"\n\n\
         # Only these benchmarks; without the key all that there are (it would stand above the first [[arm]]).\n\
         # benchmarks = [\"{benchmark}\"]\n\n\
         # How much is measured: launches, each on a layout of its own. `{run} run --budget 10m` chooses them by time.\n\
         [budget]\nquick = {{ launches = 16 }}\nfull = {{ launches = 64 }}\n\n\
         # What the gate lets pass. A confirmed slow-down beyond noise_threshold (1 %) fails; an interval that ends\n\
         # below the tolerance passes.\n\
         [gate]\ntolerance = 0.05\n# rows.\"{benchmark}\" = {{ tolerance = 0.10 }}\n\n\
         # A claim is fixed before the run, and answered by it.\n\
         # [[claim]]\n# id = \"v3\"\n# text = \"AVX2 makes it 5 % faster\"\n# baseline = \"x86-64\"\n# candidate = \"x86-64-v3\"\n# speed_up = [1.05]\n",
        run = program(),
        name = quoted(&package),
        plain = arm("x86-64"),
        v3 = arm("x86-64-v3"),
        native = arm("native"),
    )
}

/// A workflow that gates pull requests.
fn workflow() -> String {
    WORKFLOW_TEXT.replace("$PERFLAB", OF_CARGO)
}

/// The same with `$PERFLAB` for the program.
const WORKFLOW_TEXT: &str = "\
# Fails a pull request whose benchmarks are slower than those of the branch that it goes to.
name: perflab
on:
  pull_request:
permissions:
  contents: read
jobs:
  gate:
    runs-on: ubuntu-latest
    timeout-minutes: 30
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          # The gate builds the other side too.
          fetch-depth: 0
          persist-credentials: false
      - run: cargo install perflab --locked
      - run: $PERFLAB gate --against \"origin/$BASE\" --budget 10m --export summary
        env:
          BASE: ${{ github.base_ref }}
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foreign::Harness;
    use crate::plan::{Bench, FlagSets, parse_suite};

    fn project(targets: Vec<Target>) -> Project {
        Project { root: "/w/it's".into(), targets, programs: Vec::new(), macros_alone: false }
    }

    #[test]
    fn what_is_written_is_a_suite_with_every_comment_taken_away() {
        let target = Target {
            package: "p".to_owned(),
            name: "b".to_owned(),
            features: vec!["f".to_owned()],
            harness: Harness::Criterion,
            refused: None,
        };
        let known = FlagSets::built_in().unwrap();
        let text = suite(&project(vec![target.clone()]), Some(&target));
        let parsed = parse_suite(SUITE, &text, &known).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let variant = parsed.arms[0].workload.variant().unwrap();
        assert_eq!((variant.bench, variant.bin.as_str()), (Some(Bench::Subject), "b"));
        assert_eq!(variant.features, ["f"]);
        assert_eq!(parsed.arms.len(), 3);
        // What stands behind `# ` may be taken in as it is.
        let claim = text.split("# [[claim]]").nth(1).unwrap().replace("\n# ", "\n");
        let whole = format!("{text}\n[[claim]]{claim}");
        let parsed = parse_suite(SUITE, &whole, &known).unwrap_or_else(|error| panic!("{error}\n{whole}"));
        assert_eq!(parsed.claims.len(), 1);
    }

    #[test]
    fn without_a_bench_target_it_is_a_suite_to_fill_in() {
        let text = suite(&project(Vec::new()), None);
        parse_suite(SUITE, &text, &FlagSets::built_in().unwrap())
            .unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert!(text.contains("bin = \"NAME\"") && text.contains("\"it's\""), "{text}");
    }
}
