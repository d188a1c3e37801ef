//! Pressure stall information: the share of time in which tasks waited for a resource (Linux, "PSI - Pressure Stall
//! Information").

use serde::Serialize;

use crate::host::Source;

/// The share of time in which something waited, in percent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Stall {
    /// Over the last ten seconds.
    pub avg10: f64,
    /// Over the last minute.
    pub avg60: f64,
    /// Over the last five minutes.
    pub avg300: f64,
}

/// What tasks wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Pressure {
    /// Some task waited for a processor.
    pub cpu_some: Option<Stall>,
    /// Some task waited for memory.
    pub memory_some: Option<Stall>,
    /// All tasks waited for memory.
    pub memory_full: Option<Stall>,
    /// Some task waited for a disk.
    pub io_some: Option<Stall>,
    /// All tasks waited for a disk.
    pub io_full: Option<Stall>,
}

impl Pressure {
    /// The pressure of the host; `None` where the kernel does not tell it.
    #[must_use]
    pub fn of(source: &Source) -> Option<Self> {
        let read = |name: &str| source.text(&format!("pressure/{name}"));
        Self::new(read("cpu").as_deref(), read("memory").as_deref(), read("io").as_deref())
    }

    /// From the texts of the three files.
    #[must_use]
    pub fn new(cpu: Option<&str>, memory: Option<&str>, io: Option<&str>) -> Option<Self> {
        let stall = |text: Option<&str>, kind: &str| text.and_then(|text| stall(text, kind));
        let found = Self {
            cpu_some: stall(cpu, "some"),
            memory_some: stall(memory, "some"),
            memory_full: stall(memory, "full"),
            io_some: stall(io, "some"),
            io_full: stall(io, "full"),
        };
        (found != Self::default()).then_some(found)
    }
}

fn stall(text: &str, kind: &str) -> Option<Stall> {
    let line = text.lines().find(|line| line.starts_with(kind))?;
    let value = |key: &str| {
        line.split_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix('=')?.parse().ok())
    };
    Some(Stall { avg10: value("avg10")?, avg60: value("avg60")?, avg300: value("avg300")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_the_kernel_are_read() {
        let text = "some avg10=1.50 avg60=0.25 avg300=0.00 total=1\nfull avg10=0.10 avg60=0.00 avg300=0.00 total=2\n";
        let found = Pressure::new(None, Some(text), Some("some avg10=x")).unwrap();
        assert_eq!(found.memory_some, Some(Stall { avg10: 1.5, avg60: 0.25, avg300: 0.0 }));
        assert_eq!(found.memory_full.unwrap().avg10, 0.1);
        assert_eq!((found.cpu_some, found.io_some), (None, None));
        assert_eq!(Pressure::new(None, None, None), None);
    }
}
