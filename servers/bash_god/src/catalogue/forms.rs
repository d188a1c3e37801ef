//! What a value looks like: a size, an age, a path, a pattern of names, a host.

use crate::catalogue::facts::Token;
use crate::catalogue::kind::Kind;

/// The value of a token by its form, and how many tokens it takes.
pub fn formed(token: &Token, next: Option<&str>, kind: Kind) -> Option<(String, usize)> {
    let text = token.text.as_str();
    let number = !token.quoted && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let one = |fits: bool| fits.then(|| (text.to_owned(), 1));
    match kind {
        Kind::Size => sized(text, next, number),
        Kind::Duration => timed(text, next, number),
        Kind::Days => aged(text, next, number, 1.0),
        Kind::Minutes => aged(text, next, number, 1440.0),
        Kind::Integer => one(number && next.is_none_or(|unit| !is_unit(unit))),
        Kind::Decimal => one(number || text.parse::<f64>().is_ok_and(|n| n >= 0.0)),
        Kind::Port | Kind::Pid => one(number),
        Kind::Mode => {
            one(number && (3..=4).contains(&text.len())
                || text.contains(['+', '=']) && kind.accept(text).is_ok())
        }
        Kind::Fields => one(text.starts_with(|c: char| c.is_ascii_digit())),
        Kind::Url => one(text.contains("://")),
        Kind::Address => one(text.contains('@') || looks_like_host(text)),
        Kind::Host => one(looks_like_host(text)),
        Kind::Glob => as_glob(token, next),
        Kind::Extension => ending(text).map(|ending| (ending, 1)),
        Kind::File => one(!text.contains("://") && looks_like_file(text)),
        Kind::Folder => one(!text.contains("://") && looks_like_path(text) && !looks_like_file(text)),
        Kind::Path | Kind::Output => one(!text.contains("://") && looks_like_path(text)),
        Kind::Signal => one(!number && text.len() > 2 && text.chars().all(|c| c.is_ascii_uppercase())),
        Kind::Date => {
            one(text.len() == 10 && text.bytes().filter(|b| *b == b'-').count() == 2 || text == "yesterday")
        }
        Kind::Commit => {
            one(text.starts_with("HEAD") || text.len() >= 7 && text.bytes().all(|b| b.is_ascii_hexdigit()))
        }
        Kind::Interface => {
            one(["eth", "wlan", "enp", "wlp", "lo", "docker"].iter().any(|p| text.starts_with(p))
                && text.len() < 8)
        }
        Kind::Key => one(text.starts_with('.') && text.len() > 1 && !text.contains('/')),
        Kind::Delimiter => one(text.chars().count() == 1 && !text.chars().all(char::is_alphanumeric)),
        Kind::Variable => one(text.len() > 2 && text.chars().all(|c| c.is_ascii_uppercase() || c == '_')),
        Kind::Image => one(text.contains(':') && !text.contains("://")),
        Kind::Text | Kind::Regex | Kind::SedPattern | Kind::SedReplacement => one(token.quoted),
        Kind::Name | Kind::Branch | Kind::Package | Kind::Program => one(token.quoted),
        Kind::User | Kind::Group | Kind::Service | Kind::Container => one(token.quoted),
    }
}

fn is_unit(word: &str) -> bool {
    days_of(word).is_some()
        || matches!(
            word,
            "kb" | "mb" | "gb" | "tb" | "kib" | "mib" | "gib" | "megabytes" | "gigabytes" | "kilobytes"
        )
}

fn sized(text: &str, next: Option<&str>, number: bool) -> Option<(String, usize)> {
    if !number {
        return text.starts_with(|c: char| c.is_ascii_digit()).then(|| (text.to_owned(), 1));
    }
    let unit = match next? {
        "kb" | "kib" | "k" | "kilobytes" | "kilobyte" => "k",
        "mb" | "mib" | "m" | "megabytes" | "megabyte" | "megs" => "M",
        "gb" | "gib" | "g" | "gigabytes" | "gigabyte" | "gigs" => "G",
        "tb" | "tib" | "t" | "terabytes" | "terabyte" => "T",
        _ => return None,
    };
    Some((format!("{text}{unit}"), 2))
}

fn timed(text: &str, next: Option<&str>, number: bool) -> Option<(String, usize)> {
    if !number {
        return text.starts_with(|c: char| c.is_ascii_digit()).then(|| (text.to_owned(), 1));
    }
    let unit = next.filter(|unit| days_of(unit).is_some())?;
    Some((format!("{text}{}", unit.trim_end_matches('s').chars().next()?), 2))
}

/// How many days a unit of time has.
fn days_of(unit: &str) -> Option<f64> {
    Some(match unit {
        "second" | "seconds" | "secs" | "sec" => 1.0 / 86_400.0,
        "minute" | "minutes" | "mins" | "min" => 1.0 / 1_440.0,
        "hour" | "hours" => 1.0 / 24.0,
        "day" | "days" => 1.0,
        "week" | "weeks" => 7.0,
        "month" | "months" => 30.0,
        "year" | "years" => 365.0,
        _ => return None,
    })
}

/// An age in days times `per_day`; "last week" is one week.
fn aged(text: &str, next: Option<&str>, number: bool, per_day: f64) -> Option<(String, usize)> {
    let lower = text.to_lowercase();
    let count: f64 = if number {
        text.parse().ok()?
    } else if matches!(lower.as_str(), "last" | "past" | "a" | "an" | "this" | "one") {
        1.0
    } else if lower == "today" || lower == "yesterday" {
        return Some((format!("{per_day:.0}"), 1));
    } else {
        return None;
    };
    let value = count * days_of(next?)? * per_day;
    // Less than one of the unit cannot be said in it.
    (0.99..1e9).contains(&value).then(|| (format!("{value:.0}"), 2))
}

/// A pattern as it stands, or one for an ending: `.log`, "log files".
fn as_glob(token: &Token, next: Option<&str>) -> Option<(String, usize)> {
    let text = token.text.as_str();
    if text.contains('*') || token.quoted {
        return Some((text.to_owned(), 1));
    }
    if let Some(ending) = ending(text) {
        return Some((format!("*.{ending}"), 1));
    }
    if !text.contains('/') && looks_like_file(text) {
        return Some((text.to_owned(), 1));
    }
    let kind = KINDS_OF_FILES.iter().find(|(name, _)| text.eq_ignore_ascii_case(name))?;
    next.filter(|next| next.starts_with("file") || next.starts_with("script") || next.starts_with("image"))?;
    Some((format!("*.{}", kind.1), 1))
}

/// What people call kinds of files, with their endings.
const KINDS_OF_FILES: &[(&str, &str)] = &[
    ("text", "txt"),
    ("txt", "txt"),
    ("log", "log"),
    ("python", "py"),
    ("py", "py"),
    ("rust", "rs"),
    ("c", "c"),
    ("java", "java"),
    ("javascript", "js"),
    ("js", "js"),
    ("typescript", "ts"),
    ("json", "json"),
    ("yaml", "yaml"),
    ("xml", "xml"),
    ("csv", "csv"),
    ("html", "html"),
    ("css", "css"),
    ("php", "php"),
    ("pdf", "pdf"),
    ("mp3", "mp3"),
    ("jpg", "jpg"),
    ("jpeg", "jpeg"),
    ("png", "png"),
    ("gif", "gif"),
    ("zip", "zip"),
    ("shell", "sh"),
    ("markdown", "md"),
    ("backup", "bak"),
    ("config", "conf"),
    ("toml", "toml"),
    ("sql", "sql"),
];

/// The ending that `.log` or `*.log` stands for.
fn ending(text: &str) -> Option<String> {
    let ending = text.strip_prefix("*.").or_else(|| text.strip_prefix('.'))?;
    let fits = (1..=6).contains(&ending.len()) && ending.bytes().all(|b| b.is_ascii_alphanumeric());
    fits.then(|| ending.to_owned())
}

/// Whether a piece of a task can only be a path, or has an ending as files do.
pub fn looks_like_path(text: &str) -> bool {
    text == "."
        || text == ".."
        || text == "~"
        || text.contains('/') && !text.contains('*')
        || looks_like_file(text)
}

/// Whether the last part of a path has an ending.
fn looks_like_file(text: &str) -> bool {
    let name = text.rsplit('/').next().unwrap_or(text);
    let Some((stem, ending)) = name.rsplit_once('.') else { return false };
    let fits = (1..=6).contains(&ending.len()) && ending.bytes().all(|b| b.is_ascii_alphanumeric());
    !stem.is_empty() && fits && ending.bytes().any(|b| b.is_ascii_alphabetic()) && !text.contains(['*', '@'])
}

fn looks_like_host(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let name = parts
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
    text == "localhost" || name && (parts.len() == 4 || parts.len() > 1 && parts[parts.len() - 1].len() < 7)
}
