//! The index of a root: what each file defines, imports and names; kept in a file that servers share, and brought up to
//! date before each answer.

mod build;
mod entry;
mod live;
mod snapshot;
mod store;
mod watch;
mod write;

pub use build::{LIMITS, MOST_BYTES};
pub use entry::{Def, Entry, last_part};
pub use live::{Index, Live, Settings};
pub use snapshot::{Bytes, Snapshot, Unreadable};
pub use watch::MOST_WATCHES;
