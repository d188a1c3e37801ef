//! `deployment_record` and `deployment_risk`.

use mcp_server::context::Context;
use mcp_server::tool::ToolError;
use serde_json::json;

use crate::answers::{DeploymentsView, RiskView};
use crate::deployments::{self, Deployment, LEVEL};
use crate::params::{Plan, Record};
use crate::sampler::now_ms;
use crate::state::State;
use crate::tools::{bad, failed};

/// Records of a list where nobody says how many.
const USUAL: usize = 20;
/// Similar deployments that are named.
const SIMILAR: usize = 5;

pub(crate) fn record(
    state: &State,
    params: Record,
    _context: &Context,
) -> Result<DeploymentsView, ToolError> {
    let Record { service, environment, strategy, version, size, outcome, id, forget, limit } = params;
    let trimmed = |text: Option<String>| text.map(|text| text.trim().to_owned());
    let (service, environment) = (trimmed(service), trimmed(environment));
    let (strategy, version) = (trimmed(strategy), trimmed(version));
    if service.as_deref() == Some("") {
        return Err(bad("service is empty: name what was deployed".to_owned()));
    }
    let describes = environment.is_some() || strategy.is_some() || version.is_some() || size.is_some();
    let log = state.deployments.get().map_err(failed)?;
    let notice = state.deployments.notice();
    let answer = |records, changed| Ok(DeploymentsView { records, changed, notice });
    let newest = |limit: usize, service: Option<&str>| {
        let wanted =
            |record: &Deployment| service.is_none_or(|service| record.service.eq_ignore_ascii_case(service));
        log.newest(None, limit, wanted).map_err(|error| failed(error.to_string()))
    };
    let only = |id: u64| {
        log.newest(Some(id.saturating_add(1)), 1, |_| true).map_err(|error| failed(error.to_string()))
    };
    match (id, forget == Some(true), service) {
        (Some(id), true, None) if outcome.is_none() && !describes => {
            log.forget_one(id).map_err(|error| failed(error.to_string()))?;
            answer(Vec::new(), 1)
        }
        (_, true, _) => Err(bad("forget needs an id and nothing else: list the records for it".to_owned())),
        (Some(id), false, None) if outcome.is_some() && !describes => {
            log.update(id, |record| record.outcome = outcome).map_err(|error| failed(error.to_string()))?;
            answer(only(id)?, 1)
        }
        (Some(_), false, _) => Err(bad("id needs an outcome or forget, and nothing else".to_owned())),
        (None, false, Some(service)) if describes || outcome.is_some() => {
            let at_ms = u64::try_from(now_ms()).unwrap_or_default();
            let record = Deployment { at_ms, service, environment, strategy, version, size, outcome };
            let id = log.append(record).map_err(|error| failed(error.to_string()))?;
            answer(only(id)?, 1)
        }
        (None, false, None) if describes || outcome.is_some() => {
            Err(bad("service is missing: name what was deployed".to_owned()))
        }
        (None, false, service) => answer(newest(limit.map_or(USUAL, usize::from), service.as_deref())?, 0),
    }
}

pub(crate) fn risk(state: &State, params: Plan, _context: &Context) -> Result<RiskView, ToolError> {
    if params.service.trim().is_empty() {
        return Err(bad("service is empty: name what is to be deployed".to_owned()));
    }
    if params.size.is_some_and(|size| !(size.is_finite() && size >= 0.0)) {
        return Err(bad("size is not a size: give a number from 0 on".to_owned()));
    }
    let log = state.deployments.get().map_err(failed)?;
    let history = log.all().map_err(|error| failed(error.to_string()))?;
    let Plan { service, environment, strategy, size } = params;
    let service = service.trim().to_owned();
    let is_unknown = !history.iter().any(|past| past.entry.service.eq_ignore_ascii_case(&service));
    let plan = deployments::Plan { service, environment, strategy, size };
    let now = u64::try_from(now_ms()).unwrap_or_default();
    let found = deployments::risk(&plan, &history, now);
    let odds = found.odds;
    let percent = |share: f64| (share * 100.0).clamp(0.1, 99.9);
    let mut says = format!(
        "success in {:.0} % of such cases, {:.0} to {:.0} % ({:.0} % interval), from {:.1} cases like it among {} known",
        percent(odds.rate),
        percent(odds.low).floor().max(1.0),
        percent(odds.high).ceil().min(99.0),
        100.0 * LEVEL,
        odds.cases,
        found.known
    );
    if odds.cases < 5.0 {
        says.push_str("; that is little: the interval is wide because almost nothing is known");
    }
    if is_unknown {
        says.push_str("\nno deployment of this service is recorded: others stand in for it, each for little");
    }
    for factor in &found.factors {
        says.push_str(&format!(
            "\nworse than the rest: {} ({:.0} % against {:.0} %)",
            factor.what,
            percent(factor.with),
            percent(factor.without)
        ));
    }
    let similar = found.similar.iter().take(SIMILAR).filter_map(|(id, weight)| {
        let record = history.iter().find(|record| record.id == *id)?;
        Some(json!({"id": id, "weight": (weight * 1000.0).round() / 1000.0, "service": record.entry.service, "outcome": record.entry.outcome}))
    });
    let similar = similar.collect();
    if let Some(notice) = state.deployments.notice() {
        says.push_str(&format!("\nnote: {notice}"));
    }
    Ok(RiskView {
        rate: rounded(odds.rate),
        low: rounded(odds.low),
        high: rounded(odds.high),
        cases: rounded(odds.cases),
        factors: found.factors,
        similar,
        says,
    })
}

/// Four digits behind the point, and still neither 0 nor 1.
fn rounded(share: f64) -> f64 {
    let rounded = (share * 1e4).round() / 1e4;
    if share < 1.0 { rounded.clamp(1e-4, 1.0 - 1e-4) } else { rounded }
}
