//! The paths that arguments name.

use mcp_workspace::pattern::{PathPattern, absolute};
pub(crate) use mcp_workspace::pattern::{escape, has_wildcard, literal};

use crate::analysis::expand::{Arg, Form};

/// The pattern for an argument that names a file.
pub(crate) fn pattern(arg: &Arg, directory: Option<&str>) -> PathPattern {
    match arg.form {
        Form::Literal => absolute(&escape(&arg.text), directory),
        Form::Glob => absolute(&arg.text, directory),
        Form::Dynamic => PathPattern::anything(),
    }
}
