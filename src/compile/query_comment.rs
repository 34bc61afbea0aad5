//! The comment that every statement carries: who runs it (dbt's `query-comment`).

use std::sync::Arc;

use crate::diagnostic::SourceText;
use crate::jinja::{Engine, Error, Host};
use crate::manifest::Json;

/// `query-comment` of dbt_project.yml, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentSettings {
    pub template: Template,
    /// Behind the statement instead of before it.
    pub append: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Template {
    /// dbt's own: a JSON object with the program, its version, profile, target and node.
    Default,
    /// Jinja with `connection_name` and `node`, to be rendered for every node.
    Custom(String),
    None,
}

impl CommentSettings {
    /// Absent: the default. A text: a template (empty: none). A mapping: `comment`, `append`. Null: none.
    pub fn read(value: Option<&Json>) -> Self {
        let template = |value: &Json| match value.as_str() {
            Some(text) if !text.trim().is_empty() => Template::Custom(text.to_string()),
            _ => Template::None,
        };
        match value {
            None => Self { template: Template::Default, append: false },
            Some(Json::Object(fields)) => Self {
                template: fields.get("comment").map_or(Template::Default, template),
                append: fields.get("append").and_then(Json::as_bool).unwrap_or(false),
            },
            Some(other) => Self { template: template(other), append: false },
        }
    }
}

/// dbt's default comment: of a node, or of a connection that works for none.
pub fn default_comment(profile: &str, target: &str, dbt_version: &str, node_id: Option<&str>, connection: &str) -> String {
    let text = |text: &str| Json::from(text).to_string();
    let who = match node_id {
        Some(id) => format!("\"node_id\": {}", text(id)),
        None => format!("\"connection_name\": {}", text(connection)),
    };
    format!(
        "{{\"app\": \"dbt\", \"dbt_version\": {}, \"profile_name\": {}, \"target_name\": {}, {who}}}",
        text(dbt_version),
        text(profile),
        text(target)
    )
}

/// A template's text; what it gives to `return()` counts, as in the body of a macro.
pub fn render(engine: &Engine, template: &str, host: Arc<dyn Host>) -> Result<String, Error> {
    let source = SourceText::new("query-comment of dbt_project.yml", template);
    engine.render(&crate::jinja::Template::whole(source), host).or_else(|error| match error.returned() {
        Some(value) => Ok(crate::jinja::text(value)),
        None => Err(error),
    })
}

/// The statement with its comment; without one when that is empty.
///
/// # Errors
/// The comment would end itself (`*/`).
pub fn add(sql: &str, comment: &str, append: bool) -> Result<String, String> {
    let comment = comment.trim();
    if comment.is_empty() {
        return Ok(sql.to_string());
    }
    if comment.contains("*/") {
        return Err(format!("query comment contains illegal value \"*/\": {comment}"));
    }
    if !append {
        return Ok(format!("/* {comment} */\n{sql}"));
    }
    let sql = sql.trim_end();
    Ok(match sql.strip_suffix(';') {
        Some(sql) => format!("{sql}\n/* {comment} */;"),
        None => format!("{sql}\n/* {comment} */"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_have_three_forms() {
        let read = |value: Json| CommentSettings::read(Some(&value));
        assert_eq!(CommentSettings::read(None).template, Template::Default);
        assert_eq!(read(json!("run by me")).template, Template::Custom("run by me".to_string()));
        assert_eq!(read(json!(null)).template, Template::None);
        assert_eq!(read(json!("")).template, Template::None);
        assert_eq!(read(json!({"append": true})), CommentSettings { template: Template::Default, append: true });
    }

    #[test]
    fn comments_go_before_or_behind() {
        assert_eq!(add("select 1", "a", false).as_deref(), Ok("/* a */\nselect 1"));
        assert_eq!(add("select 1;\n", "a", true).as_deref(), Ok("select 1\n/* a */;"));
        assert_eq!(add("select 1", " ", true).as_deref(), Ok("select 1"));
        assert!(add("select 1", "a */ drop", false).is_err());
    }

    #[test]
    fn the_default_names_the_node() {
        assert_eq!(
            default_comment("p", "dev", "1.12.6", Some("model.p.m"), "master"),
            r#"{"app": "dbt", "dbt_version": "1.12.6", "profile_name": "p", "target_name": "dev", "node_id": "model.p.m"}"#
        );
        assert!(default_comment("p", "dev", "1", None, "master").contains(r#""connection_name": "master""#));
    }
}
