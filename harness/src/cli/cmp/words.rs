//! Commands for people who think of a shell, cut without one.

use std::path::{Path, PathBuf};

/// What a shell does with signs that it finds outside of quotes.
const META: [(&str, &str); 8] = [
    ("|&;", "joins commands"),
    ("<>", "redirects"),
    ("()", "starts another shell"),
    ("$`", "puts something else in"),
    ("*?[]", "names files by a pattern"),
    ("{}", "makes several words of one"),
    ("~", "stands for a home directory"),
    ("#!", "is read as a comment or as history"),
];

/// The words of a command. No shell takes part, so that what a shell would do is refused instead of left out.
///
/// # Errors
/// A sentence: the sign, what a shell would do with it, and how to write the command.
pub(crate) fn command_words(text: &str) -> Result<Vec<String>, String> {
    if let Some((sign, does)) = shell_sign(text) {
        return Err(format!(
            "`{sign}` {does} in a shell, and perflab starts programs without one: put '{sign}' between single quotes where it is meant as it is, or measure the shell too with sh -c '…'"
        ));
    }
    let words = crate::cli::values::words(text)?;
    match words.first().and_then(|first| first.split_once('=')) {
        Some((name, _))
            if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') =>
        {
            Err(format!("`{}` sets a variable in a shell: write env {} …", words[0], words[0]))
        }
        _ => Ok(words),
    }
}

/// The first sign that a shell would not take as it is.
fn shell_sign(text: &str) -> Option<(char, &'static str)> {
    let (mut quote, mut previous) = (None, ' ');
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        let begins = previous.is_whitespace();
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (None, '\'' | '"') => quote = Some(letter),
            (None | Some('"'), '\\') => {
                letters.next();
            }
            (Some('\''), _) => {}
            // These two mean something at the beginning of a word only.
            (_, '~' | '#') if !begins => {}
            (Some(_), letter) if !"$`".contains(letter) => {}
            // `find -exec … {}`: an empty pair is a word like others.
            (None, '{') if letters.as_str().starts_with('}') => {
                letters.next();
            }
            (_, letter) => {
                if let Some((_, does)) = META.iter().find(|(signs, _)| signs.contains(letter)) {
                    return Some((letter, does));
                }
            }
        }
        previous = letter;
    }
    None
}

/// The program of a command, by its path or on `PATH`.
///
/// # Errors
/// A sentence that names it.
pub(crate) fn program(name: &str) -> Result<PathBuf, String> {
    let is_program = |path: &Path| {
        let mode = |path: &Path| {
            std::fs::metadata(path)
                .ok()
                .filter(std::fs::Metadata::is_file)
                .map(|file| std::os::unix::fs::PermissionsExt::mode(&file.permissions()))
        };
        mode(path).is_some_and(|mode| mode & 0o111 != 0)
    };
    if name.contains('/') {
        let path = PathBuf::from(name);
        return match (path.exists(), is_program(&path)) {
            (_, true) => Ok(path),
            (true, false) => Err(format!(
                "{name} cannot be executed: give it the right with chmod +x, or name another program"
            )),
            (false, false) => Err(format!("there is no {name}: check the path")),
        };
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| is_program(path));
    found.ok_or_else(|| format!("no program \"{name}\" on PATH: check the spelling, or give its path"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_and_quoted_words_pass_as_they_are() {
        let cut = |text: &str| command_words(text).unwrap();
        assert_eq!(cut("grep -c 'a|b' file.txt"), ["grep", "-c", "a|b", "file.txt"]);
        assert_eq!(cut(r#"awk '{ print $1 }' "x y""#), ["awk", "{ print $1 }", "x y"]);
        assert_eq!(cut(r"echo a\;b \*"), ["echo", "a;b", "*"]);
        assert_eq!(
            cut("find . -name x -exec cat {} +"),
            ["find", ".", "-name", "x", "-exec", "cat", "{}", "+"]
        );
        assert_eq!(cut("cc -DX=1 a~b a#b"), ["cc", "-DX=1", "a~b", "a#b"]);
        assert_eq!(cut("sh -c 'a | b'"), ["sh", "-c", "a | b"]);
    }

    #[test]
    fn what_a_shell_would_do_is_refused_with_the_way_to_write_it() {
        for (text, sign, does) in [
            ("cat a | wc", '|', "joins"),
            ("sleep 1 &", '&', "joins"),
            ("a; b", ';', "joins"),
            ("cat > f", '>', "redirects"),
            ("echo $HOME", '$', "puts"),
            ("echo \"$HOME\"", '$', "puts"),
            ("echo `date`", '`', "puts"),
            ("ls *.rs", '*', "names files"),
            ("ls ~/x", '~', "home directory"),
            ("echo {a,b}", '{', "several words"),
            ("(true)", '(', "another shell"),
            ("true # done", '#', "comment"),
        ] {
            let said = command_words(text).unwrap_err();
            assert!(said.starts_with(&format!("`{sign}` ")) && said.contains(does), "{text}: {said}");
            assert!(said.contains("sh -c '…'"), "{said}");
        }
        assert_eq!(
            command_words("A=1 make").unwrap_err(),
            "`A=1` sets a variable in a shell: write env A=1 …"
        );
        assert!(command_words("echo 'a").unwrap_err().contains("not closed"));
        assert!(command_words("  ").unwrap_err().contains("empty"));
    }

    #[test]
    fn programs_are_found_or_named() {
        assert!(program("sh").unwrap().ends_with("sh"));
        assert!(
            program("no-such-program").unwrap_err().starts_with("no program \"no-such-program\" on PATH")
        );
        assert!(program("./no/such").unwrap_err().starts_with("there is no ./no/such"));
        assert!(program("/etc/passwd").unwrap_err().contains("cannot be executed"));
    }
}
