//! The largest processes, by processor time and by memory.

use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::host::Source;

/// The most processes that are looked at: a host may have very many.
const MOST: usize = 4_096;

/// A process. Its name is of other hands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// The name of its program, at most 15 bytes.
    pub name: String,
    /// Processors that it used, over the time since the snapshot before or, without one, over its life.
    pub cpus: f64,
    /// The main memory that it holds, in bytes.
    pub rss_bytes: u64,
    /// The kernel's letter for its state.
    pub state: char,
}

/// The times of processes at two moments, to know what they used since.
#[derive(Clone, Debug, Default)]
pub struct Processes {
    before: Moment,
    earlier: Option<Moment>,
}

/// The times of all processes, by number and start, at one moment.
#[derive(Clone, Debug, Default)]
struct Moment {
    ticks: FxHashMap<(u32, u64), u64>,
    uptime: f64,
}

/// One line of `/proc/PID/stat`.
#[derive(Debug, PartialEq)]
struct Stat<'a> {
    name: &'a str,
    state: char,
    ticks: u64,
    started: u64,
    pages: u64,
}

impl Processes {
    /// Remembers the times of this moment.
    pub fn count(&mut self, source: &Source, uptime: f64) {
        self.before = Moment { uptime, ..Moment::default() };
        each(source, |_, pid, stat| {
            self.before.ticks.insert((pid, stat.started), stat.ticks);
        });
    }

    /// The `most` largest processes by processor time, then those by memory, and how many there are: over the time since the
    /// moment before, which is this one from now on where `is_next`. Without one before, over their lives.
    pub fn largest(
        &mut self,
        source: &Source,
        uptime: f64,
        is_next: bool,
        most: usize,
    ) -> (Vec<Process>, usize) {
        let per_second = rustix::param::clock_ticks_per_second() as f64;
        let page = rustix::param::page_size() as u64;
        if is_next {
            let before = std::mem::take(&mut self.before);
            self.earlier = Some(before).filter(|before| !before.ticks.is_empty());
        }
        let earlier = self.earlier.as_ref();
        let (mut all, mut now) = (Vec::new(), Moment { uptime, ..Moment::default() });
        let count = each(source, |buffer_name, pid, stat| {
            let life = uptime - stat.started as f64 / per_second;
            let (since, seconds) = match earlier {
                Some(earlier) => {
                    let known = earlier.ticks.get(&(pid, stat.started)).copied().unwrap_or_default();
                    (known, uptime - earlier.uptime)
                }
                None => (0, life.max(1.0)),
            };
            let cpus = stat.ticks.saturating_sub(since) as f64 / per_second / seconds.max(0.01);
            if is_next {
                now.ticks.insert((pid, stat.started), stat.ticks);
            }
            let name = buffer_name.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
            all.push(Process { pid, name, cpus, rss_bytes: stat.pages * page, state: stat.state });
        });
        if is_next {
            self.before = now;
        }
        (largest(all, most), count)
    }
}

/// Looks at each process, with its name; how many there are.
fn each(source: &Source, mut look: impl FnMut(&str, u32, &Stat<'_>)) -> usize {
    let Ok(entries) = std::fs::read_dir(&source.proc) else { return 0 };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let (mut count, mut buffer) = (0, String::new());
    for pid in pids {
        count += 1;
        if count > MOST {
            continue;
        }
        // A process may end between its name and its file.
        let Some(stat) = text(source, pid, &mut buffer).and_then(stat) else { continue };
        look(stat.name, pid, &stat);
    }
    count
}

fn largest(mut all: Vec<Process>, most: usize) -> Vec<Process> {
    all.sort_by(|a, b| b.cpus.total_cmp(&a.cpus));
    let mut rest = all.split_off(most.min(all.len()));
    rest.sort_by_key(|process| std::cmp::Reverse(process.rss_bytes));
    rest.truncate(most);
    all.extend(rest);
    all
}

fn text<'a>(source: &Source, pid: u32, buffer: &'a mut String) -> Option<&'a str> {
    use std::io::Read;
    buffer.clear();
    let path = source.proc.join(pid.to_string()).join("stat");
    std::fs::File::open(path).ok()?.read_to_string(buffer).ok()?;
    Some(buffer)
}

fn stat(text: &str) -> Option<Stat<'_>> {
    // The name may hold blanks and parentheses: it ends at the last one.
    let (start, end) = (text.find('(')?, text.rfind(')')?);
    let name = text.get(start + 1..end)?;
    let fields: Vec<&str> = text.get(end + 1..)?.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Stat {
        name,
        state: fields.first()?.chars().next()?,
        ticks: number(11)? + number(12)?,
        started: number(19)?,
        pages: number(21)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_does_not_move_the_fields() {
        let text = "42 (a) R (b)) S 1 1 1 0 -1 0 0 0 0 0 7 5 0 0 20 0 1 0 900 1000 30 0";
        let known = Stat { name: "a) R (b)", state: 'S', ticks: 12, started: 900, pages: 30 };
        assert_eq!(stat(text), Some(known));
        for text in ["", "42", "42 (a", "42 )a(", "42 (a) S 1"] {
            assert_eq!(stat(text), None, "{text}");
        }
    }

    #[test]
    fn this_process_is_among_all_and_what_it_did_since_is_known() {
        let mut processes = Processes::default();
        let source = Source::default();
        let uptime = || {
            let text = source.text("uptime").unwrap();
            text.split_whitespace().next().unwrap().parse::<f64>().unwrap()
        };
        let own = |found: &[Process]| found.iter().any(|process| process.pid == std::process::id());
        let (found, count) = processes.largest(&source, uptime(), true, MOST);
        assert!(own(&found) && found.len() <= count);
        let (found, _) = processes.largest(&source, uptime() + 1.0, true, 3);
        assert!(found.len() <= 6 && found.iter().all(|process| process.cpus >= 0.0));
    }
}
