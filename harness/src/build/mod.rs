//! Building variants with Cargo, and linking their layouts.

mod bundle;
mod cargo;
mod extension;
mod said;
mod settings;

pub use bundle::Bundle;
pub use cargo::{Artifact, BuildError, Builder, TimedBuild};
pub use extension::{Host, PythonHome};
pub use settings::{Foreign, foreign_settings};
