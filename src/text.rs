//! What several modules do to texts.

/// Replaces `what` wherever `bounded` says so of the text before and behind it.
pub fn replace_bounded(text: &str, what: &str, with: &str, bounded: impl Fn(&str, &str) -> bool) -> String {
    if what.is_empty() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, _) in text.match_indices(what) {
        let end = at + what.len();
        if bounded(&text[..at], &text[end..]) {
            out.push_str(&text[done..at]);
            out.push_str(with);
            done = end;
        }
    }
    out.push_str(&text[done..]);
    out
}

/// Secrets as `*****`.
pub fn without_secrets(mut text: String, secrets: &[String]) -> String {
    for secret in secrets.iter().filter(|secret| !secret.trim().is_empty()) {
        if text.contains(secret.as_str()) {
            text = text.replace(secret.as_str(), "*****");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::replace_bounded;

    #[test]
    fn what_is_not_bounded_stays() {
        let apart = |before: &str, after: &str| !before.ends_with('x') && !after.starts_with('x');
        assert_eq!(replace_bounded("a xa ax aa é", "a", "é", apart), "é xa ax éé é");
        assert_eq!(replace_bounded("text", "", "X", apart), "text");
    }
}
