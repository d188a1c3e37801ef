//! Identifiers and numbers in source text: what the text kernels count, hash and look up.

/// The maximal runs of ASCII letters, digits and `_` in `text`, in order.
pub fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(|symbol: char| !symbol.is_ascii_alphanumeric() && symbol != '_')
        .filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_and_other_alphabets_separate_tokens() {
        let found: Vec<_> = tokens("fn lane_dot(a: &[f32]) -> größe;").collect();
        assert_eq!(found, ["fn", "lane_dot", "a", "f32", "gr", "e"]);
        assert_eq!(tokens(" ;\n").next(), None);
    }
}
