//! The server: who it is, and what it is started with.

use std::sync::Arc;

use clap::{Args, Subcommand};
use mcp_server::serve::Purpose;
use mcp_server::server::About;
use mcp_state::cli::Transfer;

use crate::deployments::{Deployment, LIMITS};
use crate::ring::Limits;
use crate::state::State;
use crate::{found, sampler, tools};

/// Who it is.
pub const ABOUT: About = About {
    name: "devops-mcp",
    title: "DevOps",
    version: env!("CARGO_PKG_VERSION"),
    instructions: "Judges hosts, metrics, logs and deployments, and says how sure it is. It never acts. Begin with \
                   host_snapshot or metric_query.",
};

/// The options beside those of all servers.
#[derive(Clone, Debug, Default, Args)]
pub struct Flags {
    /// Prometheus server to query, such as `http://127.0.0.1:9090`
    #[arg(long, value_name = "URL")]
    pub prometheus: Option<String>,
    /// Sample this host for the own history, each so many seconds
    #[arg(long, value_name = "SECONDS")]
    pub sample: Option<f64>,
    /// Most MiB of the own history
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=65_536))]
    pub history: u64,
}

impl Flags {
    pub(crate) fn limits(&self) -> Limits {
        Limits { bytes: self.history << 20, ..Limits::default() }
    }
}

/// What the program does besides serving.
#[derive(Clone, Debug, Subcommand)]
pub enum Action {
    /// Sample this host for the own history until it is ended: a background service
    Sample {
        /// Seconds between two samples
        #[arg(long, default_value_t = 1.0)]
        every: f64,
        /// End after so many
        #[arg(long)]
        count: Option<u64>,
    },
    /// Deployments out of and into the state
    #[command(flatten)]
    Transfer(Transfer),
}

/// What the server is for: what its program and its Python module are made of.
#[must_use]
pub fn purpose() -> Purpose<Flags, Action> {
    Purpose {
        about: ABOUT,
        tools: |builder, options, flags| {
            let state = Arc::new(State::new(options, flags)?);
            let all = tools::all(state.read_only);
            Ok(builder.tools(&state, all))
        },
        facts: found::facts,
        act: |action, options, flags| {
            let state = options.state_dir(ABOUT.name);
            match action {
                Action::Transfer(transfer) => transfer.carry_out::<Deployment>(state.as_deref(), LIMITS),
                Action::Sample { every, count } => {
                    let state = state.ok_or("sample needs a state directory: leave out --state none")?;
                    sampler::run(&state, every, flags.limits(), count)
                }
            }
        },
    }
}
