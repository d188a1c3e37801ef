//! Building variants with Cargo, and linking their layouts.

mod artifact;
mod bundle;
mod cargo;
mod command_line;
mod extension;
mod kept;
mod messages;
mod profile;
mod response;
mod said;
mod settings;
mod sources;
mod variant;
mod workspace;

pub use artifact::{Artifact, BuildError};
pub use bundle::Bundle;
pub use cargo::{Builder, TimedBuild};
pub use extension::{Host, PythonHome};
pub use settings::{Foreign, foreign_settings};
pub use workspace::{Workspace, WorkspaceError};
