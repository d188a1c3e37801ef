//! `history`.

use mcp_server::answer::{cursor, fitting, length, place};
use mcp_server::context::Context;
use mcp_server::tool::ToolError;
use mcp_state::StateError;

use crate::answers::HistoryView;
use crate::history::{Feedback, Forget, Query};
use crate::params::{History, HistoryAction};
use crate::state::BashGod;
use crate::tools::{ENVELOPE, bad};

/// How many records are shown where nobody says.
const USUAL: u8 = 20;

/// What cursors of the history begin with: the next page is before a record.
const LIST: &str = "before";

pub(crate) fn history(state: &BashGod, params: History, context: &Context) -> Result<HistoryView, ToolError> {
    let action = params.action.unwrap_or_default();
    let history = state.memory.history().map_err(ToolError::failed)?;
    let failed = |error: StateError| ToolError::failed(error.to_string());
    let done = |changed| HistoryView {
        records: Vec::new(),
        changed,
        next_cursor: None,
        notice: state.memory.notice(),
    };
    match action {
        HistoryAction::Query => {
            let limit = usize::from(params.limit.unwrap_or(USUAL));
            let before = params.cursor.as_deref().map(before).transpose()?;
            // One more than is shown tells whether there are more.
            let query = Query { contains: params.contains, before, limit: limit + 1, ..Query::default() };
            let mut records = history.query(&query).map_err(failed)?;
            let room = context.budget().max_bytes().saturating_sub(ENVELOPE);
            // The text repeats number and command.
            let shown = fitting(records.iter().take(limit), room, |record| {
                length(*record) + record.entry.command.len() + 22
            });
            if shown == 0 && !records.is_empty() {
                return Err(ToolError::failed("the next record is longer than max_tokens allows: raise it"));
            }
            let is_more = records.len() > shown;
            records.truncate(shown);
            let next_cursor = records.last().filter(|_| is_more).map(|record| cursor(LIST, record.id));
            Ok(HistoryView { records, changed: 0, next_cursor, notice: state.memory.notice() })
        }
        HistoryAction::Feedback => {
            let (Some(id), Some(good)) = (params.id, params.good) else {
                return Err(
                    bad("feedback needs id, the record's number, and good: true or false".to_owned()),
                );
            };
            let feedback = if good { Feedback::Good } else { Feedback::Bad };
            history.feedback(id, feedback).map_err(failed)?;
            state.memory.changed();
            Ok(done(1))
        }
        HistoryAction::Forget => {
            let which = match (params.id, params.contains, params.all == Some(true)) {
                (Some(id), None, false) => Forget::One(id),
                (None, Some(text), false) if !text.is_empty() => Forget::Containing(text),
                (None, None, true) => Forget::All,
                _ => return Err(bad("forget needs just one of id, contains and all: true".to_owned())),
            };
            let gone = history.forget(&which).map_err(failed)?;
            state.memory.changed();
            Ok(done(gone))
        }
    }
}

fn before(cursor: &str) -> Result<u64, ToolError> {
    let id = place(LIST, cursor);
    id.ok_or_else(|| bad("the cursor is not one of the history: leave it out to begin".to_owned()))
}
