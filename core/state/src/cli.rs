//! The sub-commands of a server that remembers something.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;

use crate::file::Opened;
use crate::log::{Limits, Log, Record};

/// What a server does with what it remembers, besides serving.
#[derive(Clone, Debug, Subcommand)]
pub enum Transfer {
    /// Write what is remembered as lines of JSON, to a file or to stdout
    Export {
        /// The file; stdout where none is named
        file: Option<PathBuf>,
    },
    /// Add the records of an export to what is remembered, all or none
    Import {
        /// The file
        file: PathBuf,
    },
}

impl Transfer {
    /// Carries out a sub-command on the log in a state directory, which is absent for a server that remembers
    /// nothing. An export writes over no file.
    ///
    /// # Errors
    /// One sentence for the user.
    pub fn carry_out<R: Record>(self, directory: Option<&Path>, limits: Limits) -> Result<(), String> {
        let directory = directory.ok_or("nothing is remembered with --state none")?;
        // A copy of what is damaged, or of nothing, would pass for a copy of what was there.
        let there = || Log::<R>::open_existing(directory, limits).map_err(|error| error.to_string());
        match self {
            Self::Export { file: None } => export(&there()?, &mut io::stdout().lock()),
            Self::Export { file: Some(file) } => {
                let log = there()?;
                let made = File::create_new(&file);
                let mut out = made.map_err(|error| format!("{} cannot be made: {error}", file.display()))?;
                export(&log, &mut out)
            }
            Self::Import { file } => {
                let Opened { state: log, notice } =
                    Log::<R>::open(directory, limits).map_err(|error| error.to_string())?;
                if let Some(notice) = notice {
                    tracing::warn!("{notice}");
                }
                let opened = File::open(&file);
                let opened = opened.map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
                log.import(&mut BufReader::new(opened)).map(drop).map_err(|error| error.to_string())
            }
        }
    }
}

fn export<R: Record>(log: &Log<R>, out: &mut dyn Write) -> Result<(), String> {
    log.export(out).map_err(|error| error.to_string())?;
    out.flush().map_err(|error| format!("the export cannot be written: {error}"))
}
