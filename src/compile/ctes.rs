//! Ephemeral models as common table expressions of the SQL that reads them.

/// One CTE, as [`inject`] takes it and the manifest's `extra_ctes` shows it.
pub fn cte(name: &str, query: &str) -> String {
    format!(" {name} as (\n{query}\n)")
}

/// `sql` with the given CTEs put in front of its own. A leading `with` (or `with recursive`) of the statement is kept, and so
/// is the white space around it; without one, one is made.
pub fn inject(sql: &str, ctes: &[String]) -> String {
    if ctes.is_empty() {
        return sql.to_owned();
    }
    let joined = ctes.join(", ");
    let behind = after_with(sql);
    let rest = sql[behind.unwrap_or(0)..].trim_start();
    let before = &sql[..sql.len() - rest.len()];
    if behind.is_some() { format!("{before}{joined}, {rest}") } else { format!("{before}with{joined} {rest}") }
}

/// The place behind the statement's leading `with` or `with recursive`; None if it has none.
fn after_with(sql: &str) -> Option<usize> {
    let start = skip_blank(sql, 0);
    let with = keyword(sql, start, "with")?;
    let next = skip_blank(sql, with);
    Some(keyword(sql, next, "recursive").unwrap_or(with))
}

/// The place behind the keyword if it stands at `at` as a whole word.
fn keyword(sql: &str, at: usize, word: &str) -> Option<usize> {
    let end = at + word.len();
    let found = sql.get(at..end)?.eq_ignore_ascii_case(word);
    let whole = sql[end.min(sql.len())..].chars().next().is_none_or(|next| !(next.is_alphanumeric() || next == '_'));
    (found && whole).then_some(end)
}

/// Past white space and comments.
fn skip_blank(sql: &str, mut at: usize) -> usize {
    loop {
        let rest = &sql[at..];
        let trimmed = rest.trim_start();
        at += rest.len() - trimmed.len();
        if trimmed.starts_with("--") {
            at += trimmed.find('\n').map_or(trimmed.len(), |end| end + 1);
        } else if trimmed.starts_with("/*") {
            at += trimmed.find("*/").map_or(trimmed.len(), |end| end + 2);
        } else {
            return at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(sql: &str) -> String {
        inject(sql, &[cte("__dbt__cte__e", "select 1")])
    }

    #[test]
    fn a_with_is_made_or_extended() {
        assert_eq!(one("select * from x"), "with __dbt__cte__e as (\nselect 1\n) select * from x");
        assert_eq!(
            one("-- c\nWITH a as (select 2) select *"),
            "-- c\nWITH  __dbt__cte__e as (\nselect 1\n), a as (select 2) select *"
        );
        assert_eq!(one("\n with\n recursive a as (x) y"), "\n with\n recursive  __dbt__cte__e as (\nselect 1\n), a as (x) y");
        assert_eq!(one("\n\nselect 1\n"), "\n\nwith __dbt__cte__e as (\nselect 1\n) select 1\n");
    }

    #[test]
    fn a_word_that_begins_with_with_is_none() {
        assert_eq!(one("without x"), "with __dbt__cte__e as (\nselect 1\n) without x");
    }
}
