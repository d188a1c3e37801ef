//! The other names under which files know a definition: `import { a as b }`, `from x import y as z`, `pub use x as y`,
//! `export default a`. A name that is passed on is known to whoever imports the file, under that name or a further one.

use std::collections::BTreeSet;

use super::Target;
use crate::facts::{Form, Import};
use crate::resolve::{FileId, Meaning, Resolution, Resolver};

/// How many names one definition may be passed on under, one after the other.
const MOST_STEPS: usize = 8;

/// The other names of some targets.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Aliases {
    /// Names that one file alone uses.
    own: BTreeSet<(FileId, String)>,
    /// Names that files pass on, so that any file may have them.
    passed_on: BTreeSet<String>,
}

impl Aliases {
    /// Those that a file may hold.
    pub fn in_file(&self, file: FileId, holds: impl Fn(&str) -> bool) -> Vec<&str> {
        let own = self.own.iter().filter(|(of, _)| *of == file).map(|(_, name)| name.as_str());
        let mut names: Vec<&str> = own.chain(self.passed_on.iter().map(String::as_str)).collect();
        names.sort_unstable();
        names.dedup();
        names.retain(|name| holds(name));
        names
    }
}

/// The other names of targets that have one name. Members are reached through their types, under their own name.
pub(super) fn of(resolver: &Resolver<'_>, targets: &[Target]) -> Aliases {
    let mut found = Aliases::default();
    let Some(name) = targets.iter().find(|target| !target.is_member).map(|target| target.name.clone()) else {
        return found;
    };
    let mut names = BTreeSet::from([name]);
    for _ in 0..MOST_STEPS {
        let before = (found.own.len(), found.passed_on.len());
        let mut further = BTreeSet::new();
        for file in resolver.modules.files() {
            let renamed = resolver.modules.imports(file).iter().filter(|import| {
                import.form == Form::Item
                    && !import.local.is_empty()
                    && import.local != import.item
                    && names.contains(&import.item)
            });
            for import in renamed.filter(|import| leads_to(resolver, targets, file, import)) {
                if import.is_reexport {
                    found.passed_on.insert(import.local.clone());
                    further.insert(import.local.clone());
                } else {
                    found.own.insert((file, import.local.clone()));
                }
            }
        }
        names.extend(further);
        if (found.own.len(), found.passed_on.len()) == before {
            break;
        }
    }
    found
}

fn leads_to(resolver: &Resolver<'_>, targets: &[Target], file: FileId, import: &Import) -> bool {
    let is_meant = |meaning: &Meaning| {
        targets
            .iter()
            .any(|target| !target.is_member && target.file == meaning.file && target.name == meaning.name)
    };
    if import.module == "." && import.is_reexport && resolver.is_script(file) {
        // `export { a as b }` of the file's own name.
        return resolver.member(file, &import.local).iter().any(is_meant);
    }
    matches!(resolver.import(file, import), Resolution::Known(meanings) if meanings.iter().any(is_meant))
}
