//! What is too large to be analysed. Every limit ends in a refusal, never in a wrong answer.

use crate::analysis::syntax::word::Refusal;
use brush_parser::Token;

/// The longest input, in bytes.
pub const MAX_INPUT: usize = 64 * 1024;
/// How deep commands may stand inside each other: groups, branches, substitutions and `sh -c` together.
pub const MAX_DEPTH: usize = 64;
/// How deep round brackets may nest outside of words. The second parser tries every opening bracket as
/// arithmetic and as a subshell, which doubles its work with each level.
pub(crate) const MAX_BRACKETS: usize = 10;
/// The most commands that an answer holds; a loop over more values is analysed once, its variable unknown.
pub(crate) const MAX_COMMANDS: usize = 512;
/// The most words that braces expand to.
pub(crate) const MAX_BRACES: usize = 64;
/// The most values of a loop that are followed one by one.
pub(crate) const MAX_VALUES: usize = 16;

/// Refuses text that is too long or holds characters that no shell passes on.
pub(crate) fn check_text(command: &str) -> Result<(), Refusal> {
    if command.len() > MAX_INPUT {
        return Err(Refusal(format!(
            "The command has {} bytes; at most {MAX_INPUT} are analysed.",
            command.len()
        )));
    }
    if command.contains('\0') {
        return Err(Refusal::new("The command contains a NUL byte, which no shell accepts."));
    }
    // Both parsers descend once for each of these, before anything else can be counted.
    let openings =
        command.matches("$(").count() + command.matches("${").count() + command.matches("`").count() / 2;
    if openings > 4 * MAX_DEPTH {
        return Err(Refusal(format!(
            "The command has {openings} substitutions; at most {} are analysed.",
            4 * MAX_DEPTH
        )));
    }
    Ok(())
}

/// Refuses token sequences on which the second parser would run away or fall over.
pub(crate) fn check_tokens(tokens: &[Token]) -> Result<(), Refusal> {
    let (mut brackets, mut compounds) = (0_usize, 0_usize);
    for token in tokens {
        match token {
            Token::Operator(text, _) => match text.as_str() {
                "(" => brackets += 1,
                ")" => brackets = brackets.saturating_sub(1),
                _ => {}
            },
            Token::Word(text, _) => {
                match text.as_str() {
                    "{" | "if" | "while" | "until" | "for" | "case" | "select" => compounds += 1,
                    "}" | "fi" | "done" | "esac" => compounds = compounds.saturating_sub(1),
                    _ => {}
                }
                if text.len() > 9 && has_long_number(text) {
                    return Err(Refusal::new(
                        "A number in front of a redirection or after a tilde is too large.",
                    ));
                }
            }
        }
        if brackets > MAX_BRACKETS || compounds > MAX_DEPTH {
            return Err(Refusal(format!(
                "Commands are nested too deeply: at most {MAX_BRACKETS} round brackets and {MAX_DEPTH} groups are analysed."
            )));
        }
    }
    Ok(())
}

/// Whether a word is a number, or has one after a tilde, that does not fit a descriptor or a stack entry.
fn has_long_number(text: &str) -> bool {
    let long = |digits: &str| digits.len() > 9 && digits.bytes().all(|b| b.is_ascii_digit());
    long(text)
        || text.match_indices('~').any(|(at, _)| {
            let rest = text[at + 1..].trim_start_matches(['+', '-']);
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            long(&rest[..end])
        })
}
