//! What an operator asks of numbers, logs and histories, answered with error rates that were measured: anomalies with
//! a stated rate of false alarms, forecasts with intervals that cover what they say, change points, log templates,
//! the odds of a deployment. With the feature `server` also the host itself, its own history, and the server.
//!
//! Nothing here acts: what is suggested is text.

#[cfg(feature = "server")]
mod answers;
pub mod changes;
pub mod chart;
#[cfg(feature = "server")]
pub mod deployments;
pub mod detect;
pub mod forecast;
#[cfg(feature = "server")]
mod found;
#[cfg(feature = "server")]
pub mod host;
pub mod logs;
pub mod odds;
#[cfg(feature = "server")]
mod params;
pub mod readers;
#[cfg(feature = "server")]
pub mod remedies;
#[cfg(feature = "server")]
pub mod ring;
#[cfg(feature = "server")]
mod sampler;
pub mod season;
pub mod series;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
mod sources;
#[cfg(feature = "server")]
mod state;
mod stats;
#[cfg(feature = "server")]
mod tools;
