//! Where code is hard and is changed often: the files that most of the work goes into.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::git::Churn;

/// A file's place among the others.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hotspot {
    /// The file.
    pub path: String,
    /// From 0 to 1: the geometric mean of its share of the greatest complexity and of the greatest number of commits.
    pub score: f64,
    /// Commits that changed it in the time that was read.
    pub commits: u32,
    /// People who did.
    pub authors: u32,
    /// The sum of the cyclomatic complexities of its functions.
    pub cyclomatic: u64,
    /// The sum of the cognitive complexities.
    pub cognitive: u64,
    /// Its lines of code.
    pub code_lines: u32,
}

/// What is known of a file's complexity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Complexity {
    /// The sum of the cyclomatic complexities of its functions.
    pub cyclomatic: u64,
    /// The sum of the cognitive complexities.
    pub cognitive: u64,
    /// Its lines of code.
    pub code_lines: u32,
}

/// The files that were changed and have code, the hottest first. Equal ones are in the order of their paths.
#[must_use]
pub fn rank(complexities: &BTreeMap<String, Complexity>, churn: &BTreeMap<String, Churn>) -> Vec<Hotspot> {
    let most_complex =
        complexities.values().map(|complexity| complexity.cyclomatic).max().unwrap_or(0).max(1);
    let changed =
        complexities.iter().filter_map(|(path, complexity)| Some((path, complexity, churn.get(path)?)));
    let most_changed = changed.clone().map(|(.., churn)| churn.commits).max().unwrap_or(0).max(1);
    #[expect(clippy::cast_precision_loss, reason = "sums of complexities are far below 2^52")]
    let score = |complexity: &Complexity, churn: &Churn| {
        let complexity = complexity.cyclomatic as f64 / most_complex as f64;
        (complexity * f64::from(churn.commits) / f64::from(most_changed)).sqrt()
    };
    let mut spots: Vec<Hotspot> = changed
        .map(|(path, complexity, churn)| Hotspot {
            path: path.clone(),
            score: score(complexity, churn),
            commits: churn.commits,
            authors: churn.authors,
            cyclomatic: complexity.cyclomatic,
            cognitive: complexity.cognitive,
            code_lines: complexity.code_lines,
        })
        .collect();
    spots.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.path.cmp(&b.path)));
    spots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_have_to_be_high() {
        let complexity = |cyclomatic| Complexity { cyclomatic, cognitive: 0, code_lines: 1 };
        let churn = |commits| Churn { commits, authors: 1, last: 0 };
        let complexities = [("hard", 100), ("easy", 1), ("both", 64), ("still", 50)]
            .map(|(path, cyclomatic)| (path.to_owned(), complexity(cyclomatic)))
            .into();
        let churned = [("hard", 1), ("easy", 100), ("both", 25), ("gone", 90)]
            .map(|(path, commits)| (path.to_owned(), churn(commits)))
            .into();
        let spots = rank(&complexities, &churned);
        let rows: Vec<(&str, f64)> = spots.iter().map(|spot| (spot.path.as_str(), spot.score)).collect();
        // Both are the greatest of all in one respect and a hundredth in the other; the third is 0.64 and 0.25.
        assert_eq!(rows, [("both", 0.4), ("easy", 0.1), ("hard", 0.1)]);
    }
}
