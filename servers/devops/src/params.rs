//! What the tools take. The comments are the descriptions that a model reads, so they are short.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::deployments::Outcome;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Metric {
    /// host:METRIC, promql:QUERY or file:PATH#COLUMN; without one the metrics of this host are listed
    pub source: Option<String>,
    /// Time, or so long ago: -6h
    pub from: Option<String>,
    pub to: Option<String>,
    /// Also a drawing
    pub svg: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Detect {
    /// As of metric_query
    pub source: String,
    pub from: Option<String>,
    pub to: Option<String>,
    pub false_alarms_per_day: Option<f64>,
    /// How many such series are watched
    pub fleet: Option<f64>,
    pub svg: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Changes {
    /// As of metric_query
    pub source: String,
    pub from: Option<String>,
    pub to: Option<String>,
    pub svg: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Forecast {
    /// As of metric_query
    pub source: String,
    pub from: Option<String>,
    pub to: Option<String>,
    /// How far
    pub hours: Option<f64>,
    /// Confidence of intervals
    pub level: Option<f64>,
    /// Value that is full: when is it reached?
    pub limit: Option<f64>,
    pub svg: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Logs {
    /// Log file below a root
    pub file: String,
    /// Compare rates before and after this time
    pub split: Option<String>,
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<u16>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    pub service: Option<String>,
    pub environment: Option<String>,
    pub strategy: Option<String>,
    pub version: Option<String>,
    /// Of the change, such as lines
    pub size: Option<f64>,
    #[schemars(with = "Option<OutcomeName>")]
    pub outcome: Option<Outcome>,
    pub id: Option<u64>,
    pub forget: Option<bool>,
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<u16>,
}

/// [`Record`] where nothing may be changed.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordReading {
    pub service: Option<String>,
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<u16>,
}

impl From<RecordReading> for Record {
    fn from(RecordReading { service, limit }: RecordReading) -> Self {
        Self {
            service,
            limit,
            environment: None,
            strategy: None,
            version: None,
            size: None,
            outcome: None,
            id: None,
            forget: None,
        }
    }
}

#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "the names without their comments, for the schema")]
enum OutcomeName {
    Success,
    Failure,
    RolledBack,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    pub service: String,
    pub environment: Option<String>,
    pub strategy: Option<String>,
    pub size: Option<f64>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Remediation {
    /// What was seen; without any this host is looked at
    pub evidence: Option<Vec<String>>,
    /// Name of the service
    pub target: Option<String>,
}
