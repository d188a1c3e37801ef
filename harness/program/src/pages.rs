//! Manual pages and shell completions, as clap makes them of a command line.

use std::fs;
use std::io;
use std::path::Path;

use clap::Command;
use clap_complete::Shell;

/// Where manual pages go, below the directory that is named.
pub const MANUAL: &str = "man";

/// Where completions go, below the directory that is named.
pub const COMPLETIONS: &str = "completions";

/// The shells that completions are made for.
const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Fish, Shell::Zsh];

/// Writes the manual page of a program and of each of its verbs, and its completions for bash, fish and zsh, below
/// `directory`. Hidden verbs have no page.
///
/// # Errors
/// When a file cannot be written.
pub fn write(command: Command, name: &str, directory: &Path) -> io::Result<()> {
    let completions = directory.join(COMPLETIONS);
    fs::create_dir_all(&completions)?;
    let mut visible = command.clone();
    for shell in SHELLS {
        clap_complete::generate_to(shell, &mut visible, name, &completions)?;
    }
    let manual = directory.join(MANUAL);
    fs::create_dir_all(&manual)?;
    clap_mangen::generate_to(command, manual)
}

#[cfg(test)]
mod tests {
    use std::fs::read_to_string;

    use clap::{Arg, Command};

    #[test]
    fn each_verb_has_a_page_and_each_shell_its_completions() {
        let place = tempfile::tempdir().expect("a directory");
        let verb = Command::new("polish").about("Makes it shine").arg(Arg::new("cloth").long("cloth"));
        let hidden = Command::new("__hidden").hide(true);
        let command = Command::new("lamp").version("1.0").about("Gives light").subcommands([verb, hidden]);
        super::write(command, "lamp", place.path()).expect("written");
        let file = |name: &str| read_to_string(place.path().join(name)).unwrap_or_default();
        assert!(file("man/lamp.1").contains("Gives light") && file("man/lamp.1").contains("lamp 1.0"));
        assert!(file("man/lamp-polish.1").contains("cloth"));
        assert!(!place.path().join("man/lamp-__hidden.1").exists());
        for name in ["lamp.bash", "lamp.fish", "_lamp"] {
            assert!(file(&format!("completions/{name}")).contains("polish"), "{name}");
        }
    }
}
