//! What a plan can be asked for, apart from how it is written on a command line.

use std::path::PathBuf;

use anyhow::bail;

use crate::experiment::context::Context;
use crate::experiment::surroundings::clock_seed;
use crate::plan::{LAUNCH_LIMIT, Plan, Suite};

/// Which of a suite's two budgets bounds a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BudgetChoice {
    /// The small one.
    #[default]
    Quick,
    /// The large one.
    Full,
}

/// Which part of a suite is planned, and how much of it. The default is the whole of the workspace's own suite.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanOptions {
    /// The suite's file; `None` is the workspace's default.
    pub suite: Option<PathBuf>,
    /// Its budget.
    pub budget: BudgetChoice,
    /// The arms besides the baseline, by name; empty is all of them.
    pub arms: Vec<String>,
    /// The benchmarks, by name; empty is the suite's choice.
    pub benchmarks: Vec<String>,
    /// Texts, of which a benchmark's name holds one; empty lets all pass.
    pub filters: Vec<String>,
    /// A Cargo profile in place of the suite's.
    pub profile: Option<String>,
    /// A Python interpreter in place of the suite's: a name on `PATH`, or a path.
    pub python: Option<String>,
    /// Launches in place of the budget's.
    pub launches: Option<u32>,
    /// The seed of every random choice; `None` takes one from the clock.
    pub seed: Option<u64>,
}

impl PlanOptions {
    /// The suite and the plan that these options ask for. Its benchmarks are not known before its subjects were asked.
    ///
    /// # Errors
    /// The suite has a fault, or an option does not fit it.
    pub fn plan(&self, context: &Context) -> anyhow::Result<(Suite, Plan)> {
        let suite = context.suite(self.suite.as_deref())?;
        let mut budget = match self.budget {
            BudgetChoice::Quick => suite.quick,
            BudgetChoice::Full => suite.full,
        };
        budget.launches = self.launches.unwrap_or(budget.launches);
        if !(1..=LAUNCH_LIMIT).contains(&budget.launches) {
            bail!("--launches {}: expected a number from 1 to {LAUNCH_LIMIT}", budget.launches);
        }
        let mut plan = suite.plan(&self.arms, budget, self.seed.unwrap_or_else(clock_seed))?;
        match &self.python {
            Some(program) if !plan.call_from(program) => {
                bail!("--python: suite {} calls from no interpreter; only ffi suites do", plan.suite)
            }
            Some(_) | None => {}
        }
        if let Some(profile) = &self.profile {
            plan.set_profile(profile);
        }
        Ok((suite, plan))
    }

    /// Whether a benchmark passes the filters.
    #[must_use]
    pub fn passes(&self, name: &str) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|text| name.contains(text.as_str()))
    }

    /// The benchmarks that were asked for: these options' or the suite's.
    #[must_use]
    pub fn wanted(&self, suite: &[String]) -> Vec<String> {
        if self.benchmarks.is_empty() { suite.to_vec() } else { self.benchmarks.clone() }
    }
}
