//! The start of a server's process: command line, log, state, and the face that was asked for.

use std::convert::Infallible;
use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Command, FromArgMatches, Subcommand};
use rmcp::service::{ServerInitializeError, serve_server};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Runtime;
use tracing_subscriber::filter::LevelFilter;

use crate::doctor::{self, Fact};
use crate::layers::{Audit, AuditError};
use crate::options::{Action, Options};
use crate::reference;
use crate::serve::handler::{Handler, Shared};
use crate::serve::http::{self, HttpError};
use crate::serve::pipes::{self, Direct};
use crate::serve::stdio::Stdio;
use crate::server::{About, Server, ServerBuilder, ServerError};

/// Hides the way in front of the protocol library, so that tests can compare the two.
const NO_FRONT: &str = "MCP_NO_FRONT";

/// What a server's `main` says about it: `F` are the options and `A` the sub-commands that it has beside those
/// of all servers.
pub struct Purpose<F: Args = (), A: Subcommand = Infallible> {
    /// Who it is.
    pub about: About,
    /// Adds its tools. An error is one sentence for the user.
    pub tools: fn(ServerBuilder, &Options, &F) -> Result<ServerBuilder, String>,
    /// What `doctor` finds out beside what concerns all servers.
    pub facts: fn(&Options, &F) -> Vec<Fact>,
    /// Carries out a sub-command of its own. An error is one sentence for the user.
    pub act: fn(A, &Options, &F) -> Result<(), String>,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The tools cannot be offered.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// HTTP cannot be served.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The audit log cannot be written.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The connection could not be opened.
    #[error("the connection could not be opened: {0}")]
    Connection(String),
    /// The server's own set-up, or a sub-command of its own, failed.
    #[error("{0}")]
    Own(String),
    /// The options are not those of the server.
    #[error("{0}")]
    Options(String),
    /// The system gives no event loop.
    #[error("the system gives no event loop: {0}")]
    Runtime(std::io::Error),
}

/// All of a server's `main`.
#[must_use]
pub fn main<F: Args, A: Subcommand>(purpose: &Purpose<F, A>) -> ExitCode {
    match start(purpose, std::env::args_os()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Whatever the level of the log is.
            writeln!(std::io::stderr(), "{}: {error}", purpose.about.name).ok();
            ExitCode::from(2)
        }
    }
}

fn start<F: Args, A: Subcommand>(
    purpose: &Purpose<F, A>,
    arguments: impl Iterator<Item = OsString>,
) -> Result<(), StartError> {
    let Line { options, flags, action, own } = read(purpose, arguments);
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        // A log that nobody reads any more is not a reason to break down.
        .log_internal_errors(false)
        .with_max_level(LevelFilter::from(options.log))
        .init();
    match (action, own) {
        (Some(Action::Doctor), _) => {
            let mut facts = doctor::facts(&purpose.about, &options);
            facts.extend((purpose.facts)(&options, &flags));
            // A reader that closed the pipe has read enough.
            std::io::stdout().write_all(doctor::table(&facts).as_bytes()).ok();
            Ok(())
        }
        (Some(Action::Pages { directory }), _) => {
            pages(whole::<F, A>(&purpose.about), &purpose.about, &directory)
        }
        (None, Some(own)) => (purpose.act)(own, &options, &flags).map_err(StartError::Own),
        (None, None) => serve(Arc::new(build(purpose, &options, &flags)?), &options),
    }
}

/// A command line, read.
struct Line<F, A> {
    options: Options,
    flags: F,
    action: Option<Action>,
    own: Option<A>,
}

fn read<F: Args, A: Subcommand>(
    purpose: &Purpose<F, A>,
    arguments: impl Iterator<Item = OsString>,
) -> Line<F, A> {
    let matches = whole::<F, A>(&purpose.about).get_matches_from(arguments);
    Line {
        options: Options::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()),
        flags: F::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()),
        action: Action::from_arg_matches(&matches).ok(),
        own: A::from_arg_matches(&matches).ok(),
    }
}

/// The command line of a program, with its sub-commands.
fn whole<F: Args, A: Subcommand>(about: &About) -> Command {
    let command = A::augment_subcommands(Action::augment_subcommands(command::<F>(about)));
    // What is added says what sub-commands are for, which is not what the server is.
    let command = command.about(about.title).subcommand_required(false);
    command.long_version(perflab_program::long_version(about.version))
}

fn pages(command: Command, about: &About, directory: &Path) -> Result<(), StartError> {
    let written = perflab_program::pages::write(command, about.name, directory);
    written.map_err(|error| StartError::Own(format!("cannot write into {}: {error}", directory.display())))
}

fn command<F: Args>(about: &About) -> Command {
    let command = Command::new(about.name).version(about.version).about(about.title);
    F::augment_args(Options::augment_args(command))
}

/// The server of a purpose, for calls in this process. `arguments` are those of its command line, without the
/// name of the program; they are read in the same way, and those that concern the other faces do nothing.
/// `supervisor` is what [`Options::supervisor`] says.
///
/// # Errors
///
/// When the command line has something else than such options, and when the server cannot be built.
pub fn in_process<F: Args, A: Subcommand>(
    purpose: &Purpose<F, A>,
    arguments: impl IntoIterator<Item = OsString>,
    supervisor: Vec<OsString>,
) -> Result<Server, StartError> {
    let command = command::<F>(&purpose.about).no_binary_name(true);
    let command = command.disable_help_flag(true).disable_version_flag(true);
    let refused = |error: clap::Error| StartError::Options(error.render().to_string());
    let matches = command.try_get_matches_from(arguments).map_err(refused)?;
    let flags = F::from_arg_matches(&matches).map_err(refused)?;
    let options = Options { supervisor, ..Options::from_arg_matches(&matches).map_err(refused)? };
    build(purpose, &options, &flags)
}

fn build<F: Args, A: Subcommand>(
    purpose: &Purpose<F, A>,
    options: &Options,
    flags: &F,
) -> Result<Server, StartError> {
    let builder = Server::builder(purpose.about.clone()).select(options.selection());
    if options.fixture {
        return Ok(builder.tools(&Arc::new(()), reference::tools()).build()?);
    }
    let builder = builder.audit(audit(&purpose.about, options)?);
    let builder = (purpose.tools)(builder, options, flags).map_err(StartError::Own)?;
    Ok(builder.build()?)
}

fn audit(about: &About, options: &Options) -> Result<Option<Audit>, StartError> {
    let state = options.state_dir(about.name);
    Ok(state.as_deref().map(Audit::open_in).transpose()?)
}

fn serve(server: Arc<Server>, options: &Options) -> Result<(), StartError> {
    // One thread: what takes long runs in threads of its own, and nothing is handed from thread to thread
    // on the way of a quick answer.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Runtime)?;
    let result = match options.http {
        Some(address) => {
            runtime.block_on(http::serve(server, address, options, way())).map_err(StartError::from)
        }
        None => serve_stdio(&runtime, server),
    };
    // Work in other threads is not waited for: nobody reads its answer any more.
    runtime.shutdown_background();
    result
}

fn serve_stdio(runtime: &Runtime, server: Arc<Server>) -> Result<(), StartError> {
    runtime.block_on(async {
        let (input, output, direct) = pipes::open();
        connected(server, input, output, direct, way()).await
    })
}

fn way() -> Way {
    if std::env::var_os(NO_FRONT).is_some() { Way::Library } else { Way::Front }
}

/// Which way a call of a tool takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It is answered in front of the protocol library, where that can be done.
    Front,
    /// The protocol library sees every message.
    Library,
}

/// Serves one client over a pair of streams, one message a line, until the input ends.
///
/// # Errors
///
/// When the client does not open the connection as the protocol says.
pub async fn connection<R, W>(server: Arc<Server>, input: R, output: W, way: Way) -> Result<(), StartError>
where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    connected(server, input, output, Direct { input: None, output: None }, way).await
}

async fn connected<R, W>(
    server: Arc<Server>,
    input: R,
    output: W,
    direct: Direct,
    way: Way,
) -> Result<(), StartError>
where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let shared = Shared::new(Arc::clone(&server));
    let stdio = Stdio::new(server, input, output, direct, way == Way::Front);
    let leftover = stdio.leftover();
    let handler = Handler::new(shared, Some(stdio.end()));
    let result = match serve_server(handler, stdio).await {
        Ok(running) => running.waiting().await.map(drop).map_err(|error| error.to_string()),
        // The client left before it said anything.
        Err(ServerInitializeError::ConnectionClosed(_)) => Ok(()),
        Err(error) => Err(error.to_string()),
    };
    leftover.gone().await;
    result.map_err(StartError::Connection)
}
