//! One command of the catalogue.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalogue::ParameterError;
use crate::catalogue::kind::Kind;
use crate::catalogue::quote::{inside_single_quotes, quoted, quoted_path};
use crate::catalogue::template::{Place, Segment, Template};

/// What a command can do to what is there.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Only reads.
    None,
    /// Makes something new, or changes what is easily changed back.
    Low,
    /// Changes or overwrites what it is given.
    Medium,
    /// Deletes, stops or reconfigures what others may depend on.
    High,
    /// Can cost a whole disk, system or history.
    Critical,
}

/// What a command cannot do without.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Needs {
    /// The rights of the system's administrator.
    pub root: bool,
    /// Another machine.
    pub network: bool,
    /// A service of this machine: docker, systemd, cron.
    pub service: bool,
    /// A terminal that a person sits at.
    pub terminal: bool,
    /// A device that not every machine has or shows.
    pub hardware: bool,
}

impl Needs {
    /// Whether the command runs anywhere, with no more than files.
    pub fn nothing(self) -> bool {
        self == Self::default()
    }
}

/// How the example of an entry ends on the fixture.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// With this status.
    Status(i32),
    /// Not by itself: it watches or waits.
    Endless,
}

/// One parameter of a template.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Which values it takes.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// A value that works on the fixture.
    pub example: String,
    /// The value if a task names none; without it, the example stands in.
    pub default: Option<String>,
    /// Words of a task that a value follows, besides those of the kind.
    #[serde(default)]
    pub cues: Vec<String>,
}

/// One command: a template with typed parameters and what is known about it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name: lower-case words with hyphens.
    pub id: String,
    /// The area that it belongs to.
    pub area: String,
    /// The command.
    pub template: Template,
    /// Its parameters by name.
    pub parameters: BTreeMap<String, Parameter>,
    /// What it does, as different people would say it.
    pub says: Vec<String>,
    /// What it can do to what is there.
    pub risk: Risk,
    /// What it cannot do without.
    pub needs: Needs,
    /// How its example ends on the fixture.
    pub exit: Exit,
    programs: Vec<String>,
}

/// An entry as it is written in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawEntry {
    id: String,
    template: String,
    says: Vec<String>,
    risk: Risk,
    #[serde(default)]
    needs: Vec<Need>,
    #[serde(default)]
    parameters: BTreeMap<String, Parameter>,
    /// The status that the example ends with, if it is not 0.
    #[serde(default)]
    exit: i32,
    #[serde(default)]
    endless: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Need {
    Root,
    Network,
    Service,
    Terminal,
    Hardware,
}

impl Entry {
    /// Checks an entry. The error is one sentence.
    pub(crate) fn new(area: &str, raw: RawEntry) -> Result<Self, String> {
        let about = |what: String| format!("`{}` {what}", raw.id);
        if raw.id.is_empty()
            || !raw.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        {
            return Err(about("is not an id: an id is lower-case words with hyphens".to_owned()));
        }
        if raw.says.is_empty() || raw.says.iter().any(|says| says.trim().is_empty()) {
            return Err(about("is not described".to_owned()));
        }
        let template = Template::parse(&raw.template).map_err(about)?;
        check_parameters(&template, &raw.parameters).map_err(about)?;
        let programs = template.programs();
        if programs.is_empty() {
            return Err(about("runs no program".to_owned()));
        }
        let mut needs = Needs::default();
        for need in &raw.needs {
            match need {
                Need::Root => needs.root = true,
                Need::Network => needs.network = true,
                Need::Service => needs.service = true,
                Need::Terminal => needs.terminal = true,
                Need::Hardware => needs.hardware = true,
            }
        }
        let entry = Self {
            id: raw.id,
            area: area.to_owned(),
            template,
            parameters: raw.parameters,
            says: raw.says,
            risk: raw.risk,
            needs,
            exit: if raw.endless { Exit::Endless } else { Exit::Status(raw.exit) },
            programs,
        };
        entry.check_values()?;
        Ok(entry)
    }

    fn check_values(&self) -> Result<(), String> {
        let refused = |error: &ParameterError, what: &str| {
            format!("`{}` has {what} for {{{}}} that it refuses: {}", self.id, error.parameter, error.what)
        };
        self.render(&self.examples()).map_err(|error| refused(&error, "an example"))?;
        self.render(&self.defaults()).map_err(|error| refused(&error, "a default"))?;
        Ok(())
    }

    /// The program that it runs first.
    pub fn program(&self) -> &str {
        &self.programs[0]
    }

    /// All programs that it runs.
    pub fn programs(&self) -> &[String] {
        &self.programs
    }

    fn examples(&self) -> BTreeMap<String, String> {
        self.parameters.iter().map(|(name, parameter)| (name.clone(), parameter.example.clone())).collect()
    }

    /// The values that stand in where a task names none.
    pub(crate) fn defaults(&self) -> BTreeMap<String, String> {
        let value = |parameter: &Parameter| parameter.default.as_ref().unwrap_or(&parameter.example).clone();
        self.parameters.iter().map(|(name, parameter)| (name.clone(), value(parameter))).collect()
    }

    /// The command with the examples of all parameters.
    pub fn example(&self) -> String {
        self.render(&self.examples()).expect("the examples were tried when the entry was read")
    }

    /// The command with `values`, each as one word of the shell.
    ///
    /// # Errors
    /// If a value is missing, is not of its parameter's type, holds NUL or a line break, or could be read
    /// as an option.
    pub fn render(&self, values: &BTreeMap<String, String>) -> Result<String, ParameterError> {
        let mut command = String::new();
        for segment in self.template.segments() {
            match segment {
                Segment::Text(text) => command.push_str(text),
                Segment::Placeholder { name, place, dash_safe } => {
                    let error = |what: String| ParameterError { parameter: name.clone(), what };
                    let value = values.get(name).ok_or_else(|| error("a value is needed".to_owned()))?;
                    let kind = self.parameters[name].kind;
                    let value = kind.accept(value).map_err(error)?;
                    if value.starts_with('-') && !dash_safe {
                        return Err(error(kind.option_like(&value)));
                    }
                    command.push_str(&match place {
                        Place::Quoted => inside_single_quotes(&kind.escaped(&value)),
                        Place::Bare if kind.is_path() => quoted_path(&value),
                        Place::Bare => quoted(&kind.escaped(&value)),
                    });
                }
            }
        }
        Ok(command)
    }
}

fn check_parameters(template: &Template, parameters: &BTreeMap<String, Parameter>) -> Result<(), String> {
    let used = template.names();
    if let Some(name) = used.iter().find(|name| !parameters.contains_key(**name)) {
        return Err(format!("uses {{{name}}}, which is not declared"));
    }
    if let Some(name) = parameters.keys().find(|name| !used.contains(&name.as_str())) {
        return Err(format!("declares {{{name}}}, which its template does not use"));
    }
    for segment in template.segments() {
        if let Segment::Placeholder { name, place: Place::Quoted, .. } = segment {
            let kind = parameters[name].kind;
            if !kind.fits_in_quotes() {
                let kind = kind.name();
                return Err(format!("has {{{name}}} inside quotes, where a {kind} would have to be escaped"));
            }
        }
    }
    Ok(())
}
