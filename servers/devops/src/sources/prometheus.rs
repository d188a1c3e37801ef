//! A Prometheus server over its HTTP API. Its address is the user's, given at the start: no caller can have another one
//! asked.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::Agent;

use crate::readers::{MOST_POINTS, exposition, shown};
use crate::series::Series;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// The longest answer that is read, in bytes.
const LONGEST: u64 = 64 << 20;
/// Prometheus refuses more points of one series than this.
pub(crate) const MOST_STEPS: usize = 11_000;
/// The most warnings that are passed on.
const MOST_WARNINGS: usize = 3;
/// The longest query that is sent, in bytes.
const LONGEST_QUERY: usize = 8_192;

/// A Prometheus server.
pub(crate) struct Prometheus {
    /// What is asked; it may hold a name and a password.
    asked: String,
    /// The same without them: what is said to callers.
    address: String,
    agent: Agent,
}

#[derive(Deserialize)]
struct Answer {
    status: String,
    #[serde(default)]
    error: String,
    /// That an answer may not be whole, such as where one of several stores is down.
    #[serde(default)]
    warnings: Vec<String>,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct BuildInfo {
    data: Build,
}

#[derive(Deserialize)]
struct Build {
    version: String,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "resultType")]
    kind: String,
    #[serde(default)]
    result: serde_json::Value,
}

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<(f64, Option<String>)>,
    /// Native histograms, which have no single value.
    #[serde(default)]
    histograms: Vec<serde::de::IgnoredAny>,
}

impl Prometheus {
    /// The server at an address such as `http://127.0.0.1:9090`.
    ///
    /// # Errors
    /// One sentence: the address is none that is asked.
    pub fn new(address: &str) -> Result<Self, String> {
        let address = address.trim_end_matches('/');
        if address.starts_with("https://") {
            return Err(format!(
                "{} needs TLS, which this program does not have: give http:// and an address of this host or network, such as a tunnel's",
                shown(&without_credentials(address))
            ));
        }
        let host = address.strip_prefix("http://").unwrap_or_default();
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(format!(
                "{} is not an address of Prometheus: give http://HOST:PORT",
                shown(&without_credentials(address))
            ));
        }
        let config = Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(concat!("devops-mcp/", env!("CARGO_PKG_VERSION")))
            .build();
        let asked = address.to_owned();
        Ok(Self { asked, address: without_credentials(address), agent: config.into() })
    }

    /// Its address, without a password.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its version, or a sentence.
    pub fn version(&self) -> Result<String, String> {
        let text = self.get("/api/v1/status/buildinfo", &[])?;
        let info: BuildInfo = self.read(&text)?;
        Ok(info.data.version)
    }

    /// The series of a query over a time, with at most so many points each, and no more than the server allows.
    pub fn range(
        &self,
        query: &str,
        from: i64,
        to: i64,
        points: usize,
    ) -> Result<(Vec<Series>, Vec<String>), String> {
        if query.len() > LONGEST_QUERY {
            return Err(format!("the query has more than {LONGEST_QUERY} bytes: shorten it"));
        }
        let step = step(to.saturating_sub(from), points);
        // The last of the steps is at the end: what is newest counts most.
        let from = to - to.saturating_sub(from) / (step * 1000) * (step * 1000);
        let seconds = |ms: i64| format!("{}.{:03}", ms.div_euclid(1000), ms.rem_euclid(1000));
        let text = self.get(
            "/api/v1/query_range",
            &[
                ("query", query),
                ("start", &seconds(from)),
                ("end", &seconds(to)),
                ("step", &step.to_string()),
            ],
        )?;
        let answer: Answer = self.read(&text)?;
        drop(text);
        if answer.status != "success" {
            return Err(format!("Prometheus refuses the query: {}", plain(&answer.error)));
        }
        let data = answer.data.ok_or("Prometheus answers without data: is it Prometheus 2 or later?")?;
        if data.kind != "matrix" {
            return Err(format!("the query is a {}, not a number over time: ask for one", shown(&data.kind)));
        }
        let rows: Vec<Row> = serde_json::from_value(data.result).map_err(|error| {
            format!("the answer of Prometheus is not a matrix ({})", plain(&error.to_string()))
        })?;
        if rows.iter().any(|row| row.values.is_empty() && !row.histograms.is_empty()) {
            return Err(
                "the query gives native histograms, not numbers: ask for a number of them, such as histogram_quantile(0.99, QUERY) or histogram_count(QUERY)"
                    .to_owned(),
            );
        }
        if rows.iter().map(|row| row.values.len()).sum::<usize>() > MOST_POINTS {
            return Err(
                "the answer has too many points: narrow the query, or ask for a shorter time".to_owned()
            );
        }
        let notes = answer.warnings.iter().take(MOST_WARNINGS);
        let notes = notes.map(|warning| format!("Prometheus warns: {}", plain(warning))).collect();
        Ok((rows.into_iter().map(series).collect(), notes))
    }

    fn read<T: DeserializeOwned>(&self, text: &str) -> Result<T, String> {
        if text.trim_start().starts_with('<') {
            return Err(format!(
                "{} answers with HTML: is it Prometheus, and not a page before it?",
                self.address
            ));
        }
        serde_json::from_str(text).map_err(|_| {
            format!("{} does not answer as Prometheus does: {}", self.address, shown(text.trim()))
        })
    }

    fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<String, String> {
        let request = self.agent.get(format!("{}{path}", self.asked)).query_pairs(query.iter().copied());
        let mut response = request.call().map_err(|error| self.failed(&error))?;
        let status = response.status().as_u16();
        let text = response
            .body_mut()
            .with_config()
            .limit(LONGEST)
            .read_to_string()
            .map_err(|error| self.failed(&error))?;
        match status {
            200..300 => Ok(text),
            // What is wrong with a query is said in the body.
            400 | 422 if text.trim_start().starts_with('{') => Ok(text),
            404 => Err(format!("{} does not know {path}: Prometheus 2 or later is needed", self.address)),
            401 | 403 => Err(format!(
                "{} wants other credentials: give them at the start, as --prometheus http://NAME:PASSWORD@HOST:PORT",
                self.address
            )),
            300..400 => Err(format!(
                "{} sends elsewhere (status {status}): give the address that answers itself",
                self.address
            )),
            status => Err(format!("{} answers with status {status}: {}", self.address, shown(text.trim()))),
        }
    }

    fn failed(&self, error: &ureq::Error) -> String {
        let address = &self.address;
        match error {
            ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                format!("{address} does not answer as Prometheus does ({error})")
            }
            ureq::Error::Timeout(_) => {
                format!(
                    "{address} did not answer within {} s: narrow the query, or look at the server",
                    PATIENCE.as_secs()
                )
            }
            ureq::Error::Io(error) => {
                format!("{address} cannot be reached ({error}): is Prometheus running there?")
            }
            ureq::Error::HostNotFound => format!("{address} is not found: is the name right?"),
            ureq::Error::BodyExceedsLimit(_) => {
                format!("the answer of {address} is longer than {} MiB: narrow the query", LONGEST >> 20)
            }
            error => format!("{address} cannot be asked ({error}): is Prometheus running there?"),
        }
    }
}

/// An address without the name and the password that may stand before its host.
fn without_credentials(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let end = rest.find('/').unwrap_or(rest.len());
    let host = rest[..end].rfind('@').map_or(0, |at| at + 1);
    format!("{scheme}://{}", &rest[host..])
}

/// A text of the server on one line and not too long.
fn plain(text: &str) -> String {
    text.chars().take(300).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The step in seconds that gives at most so many points, and never more than the server allows.
fn step(span_ms: i64, points: usize) -> i64 {
    let most = points.clamp(1, MOST_STEPS - 1) as i64;
    ((span_ms / 1000 + most - 1) / most).max(1)
}

fn series(row: Row) -> Series {
    let name = row.metric.get("__name__").cloned().unwrap_or_default();
    let labels: Vec<String> = row
        .metric
        .iter()
        .filter(|(key, _)| *key != "__name__")
        .map(|(key, value)| format!("{key}={value:?}"))
        .collect();
    let name = if labels.is_empty() { name } else { format!("{name}{{{}}}", labels.join(",")) };
    let points = row.values.into_iter().map(|(seconds, value)| {
        ((seconds * 1000.0).round() as i64, value.as_deref().and_then(exposition::number).unwrap_or(f64::NAN))
    });
    Series::new(name, points.collect(), None)
}

/// How many different values each label has, and a few of them: what a query has to be narrowed by.
pub(crate) fn cardinality(series: &[Series]) -> BTreeMap<String, Vec<String>> {
    let mut labels: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in series {
        let Some((_, rest)) = one.name().split_once('{') else { continue };
        for label in rest.trim_end_matches('}').split("\",") {
            let Some((key, value)) = label.split_once("=\"") else { continue };
            let values = labels.entry(key.to_owned()).or_default();
            let value = value.trim_end_matches('"').to_owned();
            if !values.contains(&value) {
                values.push(value);
            }
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    /// A server that gives one answer, and its address.
    fn answering(answer: String) -> Prometheus {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://me:secret@{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]);
            stream.write_all(answer.as_bytes()).unwrap();
        });
        Prometheus::new(&address).unwrap()
    }

    fn answer(status: &str, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    }

    #[test]
    fn steps_never_meet_the_servers_limit() {
        for (span, points) in [(1, 1), (86_400_000, 100_000), (i64::MAX / 4, 11_000), (3_600_000, 60)] {
            let step = step(span, points);
            assert!(span / 1000 / step < MOST_STEPS as i64, "{span} {points}: {step}");
        }
        assert_eq!(step(3_600_000, 60), 60);
    }

    #[test]
    fn whatever_is_answered_becomes_a_sentence() {
        let vector = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
        let histogram = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"histograms":[[1,{"count":"1"}]]}]}}"#;
        let error = r#"{"status":"error","errorType":"bad","error":"bad \u001bx"}"#;
        for (answer, part) in [
            (answer("200 OK", "<html>"), "HTML"),
            (answer("404 Not Found", "x"), "Prometheus 2 or later"),
            (answer("200 OK", "[]"), "does not answer as Prometheus does"),
            (answer("503 Busy", "busy"), "status 503"),
            (answer("401 No", ""), "credentials"),
            (answer("302 Found", ""), "status 302"),
            (answer("200 OK", histogram), "histogram_quantile"),
            (answer("400 Bad", "<h1>bad</h1>"), "status 400"),
            ("nonsense\r\n\r\n".to_owned(), "cannot be"),
            (answer("400 Bad", error), "refuses the query: bad"),
            (answer("200 OK", vector), "is a `vector`"),
        ] {
            let sentence = answering(answer.clone()).range("up", 0, 1000, 10).unwrap_err();
            assert!(sentence.contains(part), "{answer}: {sentence}");
            assert!(!sentence.contains('\u{1b}') && !sentence.contains("secret"), "{sentence:?}");
        }
        let gone = Prometheus::new("http://127.0.0.1:1").unwrap();
        assert!(gone.range("up", 0, 1000, 10).unwrap_err().contains("cannot be reached"));
    }

    #[test]
    fn series_are_read_with_their_labels() {
        let body = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"up","job":"a\"b"},"values":[[1.5,"1"],[2.5,"NaN"],[3.5,"+Inf"],[4.5,"2"]]}]}}"#;
        let found = answering(answer("200 OK", body)).range("up", 0, 5000, 10).unwrap().0;
        assert_eq!(found[0].name(), "up{job=\"a\\\"b\"}");
        assert_eq!((found[0].times(), found[0].values()), (&[1500, 4500][..], &[1.0, 2.0][..]));
        assert_eq!(found[0].faults().not_numbers, 2);
        let info = r#"{"status":"success","data":{"version":"2.42.0","revision":"x"}}"#;
        assert_eq!(answering(answer("200 OK", info)).version().unwrap(), "2.42.0");
    }

    #[test]
    fn warnings_are_passed_on_and_the_last_step_is_at_the_end() {
        let body = r#"{"status":"success","warnings":["store \u001b down"],"data":{"resultType":"matrix","result":[]}}"#;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let prometheus = Prometheus::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let asked = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let count = stream.read(&mut request).unwrap();
            stream.write_all(answer("200 OK", body).as_bytes()).unwrap();
            String::from_utf8_lossy(&request[..count]).into_owned()
        });
        let (_, notes) = prometheus.range("up", 0, 100_500, 10).unwrap();
        assert_eq!(notes, ["Prometheus warns: store   down"]);
        let asked = asked.join().unwrap();
        // Ten steps of ten seconds before the end.
        assert!(asked.contains("start=0.500&end=100.500&step=10"), "{asked}");
    }

    #[test]
    fn no_sentence_holds_a_password() {
        let gone = Prometheus::new("http://me:se@cret@127.0.0.1:1/x@y").unwrap();
        let sentence = gone.range("up", 0, 1000, 10).unwrap_err();
        assert!(sentence.starts_with("http://127.0.0.1:1/x@y cannot be reached"), "{sentence}");
        assert_eq!(gone.address(), "http://127.0.0.1:1/x@y");
        for address in ["https://me:secret@x", "http://me:secret@a b"] {
            let error = Prometheus::new(address).err().unwrap();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn addresses_that_are_none_are_refused() {
        for (address, part) in [
            ("https://x", "TLS"),
            ("localhost:9090", "http://HOST:PORT"),
            ("http://", "http://HOST"),
            ("http://a b", "HOST"),
        ] {
            let error = Prometheus::new(address).err().unwrap();
            assert!(error.contains(part), "{address}: {error}");
        }
    }

    #[test]
    fn labels_are_counted() {
        let named = |name: &str| Series::new(name, vec![(0, 1.0)], None);
        let found = cardinality(&[named("a{x=\"1\",y=\"2\"}"), named("a{x=\"3\",y=\"2\"}"), named("b")]);
        assert_eq!(found["x"], ["1", "3"]);
        assert_eq!(found["y"], ["2"]);
    }
}
