//! Handlers by name, for what answers requests: tools, methods, Python callables.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;

/// How alike a known name must be to be offered instead of an unknown one (`strsim::jaro_winkler`, 0 to 1).
const ALIKE: f64 = 0.8;

/// Named handlers that may be added, found and removed by several threads.
///
/// A handler that was found stays alive while it is used, and no lock is held meanwhile, so a handler may
/// itself use the router.
pub struct Router<H> {
    handlers: RwLock<BTreeMap<String, Arc<H>>>,
}

/// A name that is taken; the handler that has it stays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a handler named {0:?} exists: remove it first, or take another name")]
pub struct NameTaken(pub String);

/// A name that no handler has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no handler is named {name:?}{}", offer(self.nearest.as_deref()))]
pub struct UnknownName {
    /// The name that was asked for.
    pub name: String,
    /// The registered name that is most alike, if one is.
    pub nearest: Option<String>,
}

fn offer(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; did you mean {nearest:?}?"))
}

impl<H> Default for Router<H> {
    fn default() -> Self {
        Self { handlers: RwLock::default() }
    }
}

impl<H> Router<H> {
    /// No handlers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a handler.
    ///
    /// # Errors
    /// [`NameTaken`].
    pub fn register(&self, name: &str, handler: H) -> Result<(), NameTaken> {
        let mut handlers = self.handlers.write();
        if handlers.contains_key(name) {
            return Err(NameTaken(name.to_owned()));
        }
        handlers.insert(name.to_owned(), Arc::new(handler));
        Ok(())
    }

    /// The handler of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<H>> {
        self.handlers.read().get(name).cloned()
    }

    /// The handler of this name, or what to tell who asked for it.
    ///
    /// # Errors
    /// [`UnknownName`], with the nearest one.
    pub fn find(&self, name: &str) -> Result<Arc<H>, UnknownName> {
        self.get(name).ok_or_else(|| UnknownName { name: name.to_owned(), nearest: self.nearest(name) })
    }

    /// Removes a handler and returns it; calls that are under way keep it until they end.
    pub fn remove(&self, name: &str) -> Option<Arc<H>> {
        self.handlers.write().remove(name)
    }

    /// The names in alphabetical order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.handlers.read().keys().cloned().collect()
    }

    fn nearest(&self, name: &str) -> Option<String> {
        // Comparing takes time in proportion to the product of the lengths, and the name comes from outside.
        let name: String = name.chars().take(100).collect();
        let handlers = self.handlers.read();
        let likeness = |known: &String| strsim::jaro_winkler(known, &name);
        let likely =
            handlers.keys().map(|known| (likeness(known), known)).filter(|(alike, _)| *alike >= ALIKE);
        likely.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handlers_are_found_and_removed_by_name() {
        let router = Router::new();
        router.register("sum", 1).unwrap();
        router.register("mean", 2).unwrap();
        assert_eq!(router.register("sum", 3), Err(NameTaken("sum".to_owned())));
        assert_eq!(router.names(), ["mean", "sum"]);
        let held = router.get("sum").unwrap();
        assert_eq!((*held, *router.remove("sum").unwrap()), (1, 1), "the first one stayed");
        assert_eq!((router.get("sum"), router.remove("sum")), (None, None));
        router.register("sum", 4).unwrap();
        assert_eq!((*held, *router.get("sum").unwrap()), (1, 4));
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let router = Router::new();
        for name in ["command_run", "command_suggest", "history"] {
            router.register(name, ()).unwrap();
        }
        let error = router.find("comand_run").unwrap_err();
        assert_eq!(error.to_string(), "no handler is named \"comand_run\"; did you mean \"command_run\"?");
        assert_eq!(router.find("zzz").unwrap_err().to_string(), "no handler is named \"zzz\"");
        assert!(router.find("history").is_ok());
    }

    #[test]
    fn a_handler_may_use_the_router() {
        type Handler = Box<dyn Fn(&Router<Handler2>) -> usize>;
        struct Handler2(Handler);
        let router = Router::new();
        let add = |router: &Router<Handler2>| {
            router.register("new", Handler2(Box::new(|_| 0))).unwrap();
            router.names().len()
        };
        router.register("add", Handler2(Box::new(add))).unwrap();
        let handler = router.find("add").unwrap();
        assert_eq!(handler.0(&router), 2);
    }
}
