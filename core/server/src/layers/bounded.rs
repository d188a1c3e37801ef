//! Work that ends: with its answer, when its time is up, or when the caller loses interest.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use crate::content::Reply;
use crate::context::{Boxed, Call};
use crate::tool::{Failure, ToolError, broken};

/// Work whose panic is an error of the tool, not the end of the server.
pub(crate) struct Unbroken(pub Boxed<'static, Result<Reply, ToolError>>);

impl Unbroken {
    /// The answer, or why there is none.
    pub async fn bounded(self, tool: &str, timeout: Duration, call: &Call) -> Result<Reply, ToolError> {
        let time_is_up = async {
            match call.deadline {
                Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
                None => std::future::pending().await,
            }
        };
        let lost = call.cancel.cancelled();
        match first(self, lost, time_is_up).await {
            First::Answer(result) => result,
            First::Lost => Err(ToolError::cancelled()),
            First::TimeIsUp => {
                // Work in a thread of its own is still running, and looks at this.
                call.cancel.cancel();
                let sentence = format!("{tool} took longer than {timeout:?}: ask for less");
                Err(ToolError::new(Failure::TimedOut, sentence))
            }
        }
    }
}

impl Future for Unbroken {
    type Output = Result<Reply, ToolError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let work = self.0.as_mut();
        std::panic::catch_unwind(AssertUnwindSafe(|| work.poll(context)))
            .unwrap_or_else(|_| Poll::Ready(Err(broken())))
    }
}

enum First {
    Answer(Result<Reply, ToolError>),
    Lost,
    TimeIsUp,
}

/// Whichever is ready first. Work that is done at once is done, whatever else happened; later on, an answer
/// is not wanted any more when the caller is gone.
async fn first(
    mut work: Unbroken,
    lost: impl Future<Output = ()>,
    time_is_up: impl Future<Output = ()>,
) -> First {
    let mut lost = std::pin::pin!(lost);
    let mut time_is_up = std::pin::pin!(time_is_up);
    let mut has_begun = false;
    std::future::poll_fn(move |context| {
        if has_begun && lost.as_mut().poll(context).is_ready() {
            return Poll::Ready(First::Lost);
        }
        if let Poll::Ready(result) = Pin::new(&mut work).poll(context) {
            return Poll::Ready(First::Answer(result));
        }
        if !std::mem::replace(&mut has_begun, true) && lost.as_mut().poll(context).is_ready() {
            return Poll::Ready(First::Lost);
        }
        time_is_up.as_mut().poll(context).map(|()| First::TimeIsUp)
    })
    .await
}
