//! The shape of a command: its program, and what is left when names and numbers are taken out.

/// The longest command whose shape is read; what follows is ignored.
pub const LONGEST: usize = 8_192;

/// One piece of a command line.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Piece {
    /// A word, quotes removed; `bare` if none of it was quoted.
    Word { text: String, bare: bool },
    /// What separates simple commands or redirects one: `|`, `&&`, `;`, `>` …
    Operator(String),
}

/// The program that a command line runs first, by its bare name: assignments before it and `sudo`, `time`
/// and the like are passed over, and the inside of `$(…)` counts as a command. None for a line that runs
/// nothing.
pub fn program(command: &str) -> Option<String> {
    simple_commands(command).into_iter().find_map(|words| main_word(&words).map(|at| bare_name(&words[at].0)))
}

/// The programs of all simple commands of a line, in their order, each once; also those that `find` runs.
pub fn programs(command: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for words in simple_commands(command) {
        let run_by_find =
            words.windows(2).filter(|pair| is_exec(&pair[0].0, pair[0].1)).map(|pair| bare_name(&pair[1].0));
        let main = main_word(&words).map(|at| bare_name(&words[at].0));
        for name in main.into_iter().chain(run_by_find) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// Whether a word is the option of `find` that a command follows.
fn is_exec(word: &str, bare: bool) -> bool {
    bare && matches!(word, "-exec" | "-execdir" | "-ok" | "-okdir")
}

/// The command line without its names and numbers: `find . -name '*.c' | head -5` becomes
/// `find _ -name _ | head -#`. Two lines of one shape do the same to different things.
pub fn template(command: &str) -> String {
    let mut shape: Vec<String> = Vec::new();
    let mut at_start = true;
    for piece in pieces(command) {
        match piece {
            Piece::Operator(operator) => {
                at_start = !operator.contains(['<', '>']);
                shape.push(operator);
            }
            Piece::Word { text, bare } if at_start && bare && !is_assignment(&text) => {
                at_start = WRAPPERS.contains(&text.as_str());
                shape.push(bare_name(&text));
            }
            Piece::Word { text, bare } => {
                at_start = is_exec(&text, bare);
                shape.push(argument_shape(&text, bare));
            }
        }
    }
    // One name or several are one shape.
    shape.dedup_by(|a, b| a == "_" && b == "_");
    shape.join(" ")
}

fn argument_shape(text: &str, bare: bool) -> String {
    if !text.starts_with('-') || text.len() == 1 || !bare {
        return "_".to_owned();
    }
    let option = text.split_once('=').map_or(text, |(option, _)| option);
    let digit = |at: usize| option.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    // "-print0" is a name, and so are "-0" of xargs and "-1" of ls; "-10" and "-k2" hold a number.
    if matches!(option, "-0" | "-1") || !(digit(1) || digit(2)) {
        return option.to_owned();
    }
    let mut shape = String::new();
    for c in option.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }) {
        if c != '#' || !shape.ends_with('#') {
            shape.push(c);
        }
    }
    shape
}

/// Words that run the command that follows them.
const WRAPPERS: &[&str] = &[
    "sudo", "time", "nohup", "exec", "command", "builtin", "!", "then", "do", "else", "if", "while", "until",
];

/// Where the program stands in the words of a simple command.
fn main_word(words: &[(String, bool)]) -> Option<usize> {
    let mut wrapper = None;
    for (at, (text, bare)) in words.iter().enumerate() {
        if *bare && WRAPPERS.contains(&text.as_str()) {
            wrapper = Some(at);
        } else if !(is_assignment(text) || wrapper.is_some() && text.starts_with('-')) {
            return (!text.is_empty()).then_some(at);
        }
    }
    // "sudo -l" runs nothing but itself.
    wrapper
}

/// Whether a word is `NAME=value`, which sets a variable for the command that follows.
fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        let name = name.strip_suffix('+').unwrap_or(name);
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

fn bare_name(word: &str) -> String {
    let word = word.trim_start_matches('\\');
    let name = word.rsplit('/').find(|part| !part.is_empty()).unwrap_or(word);
    name.to_owned()
}

/// The words of each simple command, and whether each is free of quotes.
fn simple_commands(command: &str) -> Vec<Vec<(String, bool)>> {
    let mut commands = vec![Vec::new()];
    let mut target = false;
    for piece in pieces(command) {
        match piece {
            Piece::Operator(operator) if operator.contains(['<', '>']) => target = true,
            Piece::Operator(_) => commands.push(Vec::new()),
            // The name after a redirection is not a word of the command.
            Piece::Word { .. } if target => target = false,
            Piece::Word { text, bare } => {
                if let Some(words) = commands.last_mut() {
                    words.push((text, bare));
                }
            }
        }
    }
    commands
}

/// Splits a command line as a shell would, roughly: no expansion, and substitutions (also after `NAME=`)
/// are read as commands of their own.
fn pieces(command: &str) -> Vec<Piece> {
    let mut end = command.len().min(LONGEST);
    while !command.is_char_boundary(end) {
        end -= 1;
    }
    let mut reader = Reader::default();
    let mut rest = command[..end].chars().peekable();
    while let Some(c) = rest.next() {
        match (reader.quote, c) {
            (Some('\''), '\'') | (Some('"'), '"') => reader.quote = None,
            (Some('\''), _) => reader.push(c),
            (_, '\\') => {
                if let Some(next) = rest.next() {
                    reader.escape(next);
                }
            }
            (Some(_), _) => reader.push(c),
            (None, '\'' | '"') => reader.open(c),
            (None, '$') if rest.peek() == Some(&'(') => {
                rest.next();
                reader.operator('(');
            }
            (None, '#') if reader.word.is_empty() && !reader.quoted => break,
            (None, ' ' | '\t') => reader.finish_word(),
            (None, '\n') => reader.operator(';'),
            (None, '|' | '&' | ';' | '(' | ')' | '<' | '>' | '`') => reader.operator(c),
            (None, _) => reader.push(c),
        }
    }
    reader.finish_word();
    reader.pieces
}

#[derive(Default)]
struct Reader {
    pieces: Vec<Piece>,
    word: String,
    quote: Option<char>,
    quoted: bool,
    /// Whether the last piece is an operator that the next character may extend.
    open_operator: bool,
}

impl Reader {
    fn push(&mut self, c: char) {
        self.open_operator = false;
        self.word.push(c);
    }

    fn open(&mut self, quote: char) {
        self.open_operator = false;
        self.quote = Some(quote);
        self.quoted = true;
    }

    /// A character after a backslash; a line break there joins two lines.
    fn escape(&mut self, c: char) {
        if c != '\n' {
            self.quoted |= self.quote.is_none();
            self.push(c);
        }
    }

    fn finish_word(&mut self) {
        self.open_operator = false;
        if !self.word.is_empty() || self.quoted {
            let text = std::mem::take(&mut self.word);
            self.pieces.push(Piece::Word { text, bare: !self.quoted });
        }
        self.quoted = false;
    }

    fn operator(&mut self, c: char) {
        let extends = self.open_operator && self.word.is_empty();
        // The number of a stream before a redirection belongs to it.
        if c == '<' || c == '>' {
            let descriptor = self.word.bytes().all(|b| b.is_ascii_digit());
            if descriptor {
                self.word.clear();
            }
        }
        if !self.word.is_empty() || self.quoted {
            self.finish_word();
        }
        match self.pieces.last_mut() {
            Some(Piece::Operator(operator)) if extends => operator.push(c),
            Some(_) | None => self.pieces.push(Piece::Operator(c.to_string())),
        }
        self.open_operator = true;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn programs_are_found() {
        for (command, expected) in [
            ("find . -name x", Some("find")),
            ("sudo -E apt install x", Some("apt")),
            ("LANG=C sort a", Some("sort")),
            ("x=`date +%a | tr A-Z a-z`", Some("date")),
            ("NP=$(cat /proc/cpuinfo | wc -l)", Some("cat")),
            ("/usr/bin/env ls", Some("env")),
            ("\\ls", Some("ls")),
            ("( find . ; ls )", Some("find")),
            (">out.txt ls", Some("ls")),
            ("2>/dev/null ls", Some("ls")),
            ("time -p ls", Some("ls")),
            ("sudo", Some("sudo")),
            ("sudo -l", Some("sudo")),
            ("x=1", None),
            ("", None),
            ("# nothing", None),
        ] {
            assert_eq!(program(command).as_deref(), expected, "{command}");
        }
        assert_eq!(programs("ls | sort | ls > x && wc -l"), ["ls", "sort", "wc"]);
        assert_eq!(programs("find . -exec /bin/grep x {} +"), ["find", "grep"]);
    }

    #[test]
    fn shapes_leave_names_out() {
        for (command, expected) in [
            ("find . -name '*.c' | head -5", "find _ -name _ | head -#"),
            ("find /a /b -name \"*.h\" |head -n 10", "find _ -name _ | head -n _"),
            ("find . -print0 | xargs -0 rm -f", "find _ -print0 | xargs -0 _ -f"),
            ("ls -1", "ls -1"),
            ("find . -exec /bin/rm -f {} +", "find _ -exec rm -f _"),
            ("grep --include=*.c x 2>/dev/null", "grep --include _ > _"),
            ("sudo -u root ls", "sudo -u _"),
            ("sort -k2,2n a", "sort -k#,#n _"),
        ] {
            assert_eq!(template(command), expected, "{command}");
        }
        assert_eq!(template("cat 'a b' c"), template("cat x"));
        assert_ne!(template("cat -n x"), template("cat x"));
    }

    proptest! {
        #[test]
        fn any_line_has_a_shape(line in "[ -~éß\n\t]{0,60}") {
            template(&line);
            programs(&line);
        }
    }
}
