//! Constraints of a contract as DDL: `render_raw_columns_constraints` and `render_raw_model_constraints`.

use super::super::{Error, Value, to_json};
use crate::manifest::{Json, JsonMap};

const KINDS: [&str; 6] = ["check", "not_null", "unique", "primary_key", "foreign_key", "custom"];

/// One constraint, checked.
struct Constraint<'a> {
    fields: &'a JsonMap,
}

impl<'a> Constraint<'a> {
    fn read(raw: &'a Json) -> Result<Self, Error> {
        let wrong = || Error::compilation(format!("Could not parse constraint: {raw}"));
        let fields = raw.as_object().ok_or_else(wrong)?;
        let kind = fields.get("type").and_then(Json::as_str).ok_or_else(wrong)?;
        if KINDS.contains(&kind) { Ok(Self { fields }) } else { Err(wrong()) }
    }

    fn text(&self, key: &str) -> &str {
        self.fields.get(key).and_then(Json::as_str).unwrap_or_default()
    }

    fn list(&self, key: &str) -> String {
        let items = self.fields.get(key).and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
        items.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(", ")
    }

    /// What a foreign key points at: `to` and `to_columns`, else the expression. DuckDB takes no database in it.
    fn target(&self) -> Option<String> {
        let (to, columns) = (self.text("to"), self.list("to_columns"));
        if !to.is_empty() && !columns.is_empty() {
            let pieces: Vec<&str> = to.split('.').collect();
            let to = if pieces.len() > 2 { pieces[1..].join(".") } else { to.to_string() };
            return Some(format!("{to} ({columns})"));
        }
        Some(self.text("expression")).filter(|text| !text.is_empty()).map(ToString::to_string)
    }

    /// As part of a column's definition; None where there is nothing to say.
    fn of_column(&self) -> Option<String> {
        let expression = self.text("expression");
        let with = |words: &str| Some(format!("{words} {expression}").trim().to_string());
        match self.text("type") {
            "check" if !expression.is_empty() => Some(format!("check ({expression})")),
            "not_null" => with("not null"),
            "unique" => with("unique"),
            "primary_key" => with("primary key"),
            "foreign_key" => self.target().map(|target| format!("references {target}")),
            "custom" if !expression.is_empty() => Some(expression.trim().to_string()),
            _ => None,
        }
    }

    /// As a line of its own below the columns.
    fn of_model(&self) -> Option<String> {
        let (expression, columns) = (self.text("expression"), self.list("columns"));
        let extra = if expression.is_empty() { String::new() } else { format!(" {expression}") };
        let body = match self.text("type") {
            "check" if !expression.is_empty() => format!("check ({expression})"),
            "unique" => format!("unique{extra} ({columns})"),
            "primary_key" => format!("primary key{extra} ({columns})"),
            "foreign_key" => format!("foreign key ({columns}) references {}", self.target()?),
            "custom" if !expression.is_empty() => expression.to_string(),
            _ => return None,
        };
        Some(match self.text("name") {
            "" => body,
            name => format!("constraint {name} {body}"),
        })
    }
}

/// `{name: {name, data_type, quote, constraints}}` → `name type not null …` for each column.
pub(super) fn columns(raw: &Value) -> Result<Vec<String>, Error> {
    let raw = to_json(raw)?;
    let columns = raw.as_object().ok_or_else(|| Error::compilation("the columns of a contract have to be a dict"))?;
    let render = |column: &Json| {
        let text = |key: &str| column.get(key).and_then(Json::as_str).unwrap_or_default();
        let quoted = column.get("quote").and_then(Json::as_bool).unwrap_or(false);
        let name = if quoted { format!("\"{}\"", text("name")) } else { text("name").to_string() };
        let mut parts = vec![format!("{name} {}", text("data_type"))];
        for raw in column.get("constraints").and_then(Json::as_array).into_iter().flatten() {
            parts.extend(Constraint::read(raw)?.of_column());
        }
        Ok(parts.join(" "))
    };
    columns.values().map(render).collect()
}

/// Constraints of a whole model.
pub(super) fn model(raw: &Value) -> Result<Vec<String>, Error> {
    let raw = to_json(raw)?;
    let constraints = raw.as_array().map_or(&[][..], Vec::as_slice);
    let rendered: Result<Vec<Option<String>>, Error> =
        constraints.iter().map(|raw| Ok(Constraint::read(raw)?.of_model())).collect();
    Ok(rendered?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::from_json;
    use super::*;

    #[test]
    fn columns_carry_their_constraints() {
        let raw = json!({
            "id": {"name": "id", "data_type": "integer", "quote": true, "constraints": [
                {"type": "not_null"}, {"type": "check", "expression": "id > 0"}, {"type": "primary_key"}]},
            "other": {"name": "other", "data_type": "text", "constraints": [
                {"type": "foreign_key", "to": "\"db\".\"main\".\"t\"", "to_columns": ["id"]}, {"type": "custom", "expression": "x"}]},
        });
        let rendered = columns(&from_json(&raw)).expect("good columns");
        assert_eq!(
            rendered,
            ["\"id\" integer not null check (id > 0) primary key", "other text references \"main\".\"t\" (id) x",]
        );
    }

    #[test]
    fn models_carry_named_constraints() {
        let raw = json!([
            {"type": "primary_key", "columns": ["a", "b"], "name": "pk"},
            {"type": "not_null", "columns": ["a"]},
            {"type": "foreign_key", "columns": ["a"], "expression": "t (a)"},
            {"type": "unique", "columns": ["a"], "expression": "nulls not distinct"},
        ]);
        let rendered = model(&from_json(&raw)).expect("good constraints");
        assert_eq!(
            rendered,
            ["constraint pk primary key (a, b)", "foreign key (a) references t (a)", "unique nulls not distinct (a)",]
        );
        assert!(model(&from_json(&json!([{"type": "odd"}]))).is_err());
    }
}
