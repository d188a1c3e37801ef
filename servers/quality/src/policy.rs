//! The file `quality.toml` at the top of a root: what new code has to hold, and which tests are in quarantine.

use jiff::civil::Date;
use serde::Deserialize;

/// The name of the file.
pub const FILE: &str = "quality.toml";

/// The most bytes of the file.
pub const LARGEST: u64 = 1 << 20;

/// What `quality.toml` says.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// What new code has to hold.
    #[serde(default)]
    pub gate: Conditions,
    /// Tests whose failures do not count for a time.
    #[serde(default)]
    pub quarantine: Vec<Quarantine>,
}

/// What new code has to hold. What is left out has the value of [`Conditions::default`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conditions {
    /// The least share of new and changed lines that tests run, in percent.
    pub new_line_coverage: f64,
    /// The greatest cyclomatic complexity of a new or changed function. One that had more before must not get more.
    pub cyclomatic: u32,
    /// The greatest cognitive complexity of such a function.
    pub cognitive: u32,
    /// The most findings on new and changed lines.
    pub new_findings: u32,
    /// The most flaky tests outside of quarantine.
    pub flaky: u32,
    /// Whether all tests have to have run and passed.
    pub tests: bool,
    /// Whether a record of the performance lab has to be there and to say yes.
    pub performance: bool,
}

impl Default for Conditions {
    /// Coverage as SonarQube's own gate has it; complexity as McCabe proposes it, and cognitive as Sonar's rule; no
    /// new finding; no flaky test.
    fn default() -> Self {
        Self {
            new_line_coverage: 80.0,
            cyclomatic: 10,
            cognitive: 15,
            new_findings: 0,
            flaky: 0,
            tests: true,
            performance: false,
        }
    }
}

/// A test whose failures do not count until a day.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quarantine {
    /// Its name, as the runner says it.
    pub test: String,
    /// The last day.
    pub until: Date,
    /// Why, for people.
    pub reason: String,
}

impl Policy {
    /// Reads the text of the file.
    ///
    /// # Errors
    /// One sentence with the place.
    pub fn read(text: &str) -> Result<Self, String> {
        let policy: Self = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start.min(text.len()));
            let before = &text[..start];
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
            let said = error.message().lines().collect::<Vec<_>>().join(": ");
            format!("{FILE}:{line}:{column}: {said}")
        })?;
        let share = policy.gate.new_line_coverage;
        if !(0.0..=100.0).contains(&share) {
            return Err(format!("{FILE}: new_line_coverage is {share}: give percent from 0 to 100"));
        }
        Ok(policy)
    }

    /// The entry of a test that is in quarantine on a day.
    #[must_use]
    pub fn quarantined(&self, test: &str, today: Date) -> Option<&Quarantine> {
        self.quarantine.iter().find(|entry| entry.test == test && today <= entry.until)
    }

    /// The entries whose day is over.
    pub fn expired(&self, today: Date) -> impl Iterator<Item = &Quarantine> {
        self.quarantine.iter().filter(move |entry| today > entry.until)
    }
}

/// The day of today in UTC.
#[must_use]
pub fn today() -> Date {
    jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::now()).date()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn what_is_left_out_has_its_usual_value() {
        assert_eq!(Policy::read("").unwrap(), Policy::default());
        let policy = Policy::read("[gate]\ncognitive = 20\n").unwrap();
        assert_eq!(policy.gate, Conditions { cognitive: 20, ..Conditions::default() });
    }

    #[test]
    fn quarantine_ends_with_its_day() {
        let text = "[[quarantine]]\ntest = 'a::b'\nuntil = '2026-12-31'\nreason = 'races'\n";
        let policy = Policy::read(text).unwrap();
        assert!(policy.quarantined("a::b", date(2026, 12, 31)).is_some());
        assert!(policy.quarantined("a::b", date(2027, 1, 1)).is_none());
        assert!(policy.quarantined("a", date(2026, 1, 1)).is_none());
        assert_eq!(policy.expired(date(2027, 1, 1)).count(), 1);
        assert_eq!(policy.expired(date(2026, 12, 31)).count(), 0);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, part) in [
            ("[gate]\nnew_line_coverage = 'x'\n", "quality.toml:2:21:"),
            ("[gate]\ncoverage = 3\n", "unknown field `coverage`"),
            ("[gate]\nnew_line_coverage = 180.0\n", "from 0 to 100"),
            ("[[quarantine]]\ntest = 'a'\nreason = 'b'\n", "missing field `until`"),
            ("[[quarantine]]\ntest = 'a'\nuntil = 'soon'\nreason = 'b'\n", "quality.toml:3:9:"),
            ("[gate\n", "quality.toml:1:"),
        ] {
            let error = Policy::read(text).unwrap_err();
            assert!(error.contains(part) && error.lines().count() == 1, "{text}: {error}");
        }
    }
}
