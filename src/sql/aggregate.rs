//! What an expression aggregates: `SUM(orders.amount)`, `COUNT(DISTINCT id)`, `(a) / (b)`.

use std::ops::ControlFlow;

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    CastKind, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectNamePart, UnaryOperator,
    Value, VisitMut, VisitorMut,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

/// One aggregation, with the semantic layer's name for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    pub kind: &'static str,
    /// What is aggregated, without the name of the data set before it; of a condition, the whole of it.
    pub column: String,
    pub percentile: Option<f64>,
    /// What stands between the parentheses; None where the columns come after `WITHIN GROUP`.
    pub inner: Option<String>,
}

/// An expression that is one aggregation and nothing else.
pub fn aggregate(text: &str) -> Option<Aggregate> {
    let Expr::Function(call) = parse(text)? else { return None };
    if call.over.is_some() || call.filter.is_some() {
        return None;
    }
    let name = call.name.0.last()?.as_ident()?.value.to_uppercase();
    if call.name.0.len() > 1 {
        return None;
    }
    if matches!(name.as_str(), "PERCENTILE_CONT" | "PERCENTILE_DISC") {
        return percentile(&name, &call);
    }
    let (distinct, argument) = argument(&call)?;
    let kind = match name.as_str() {
        "COUNT" if distinct => "count_distinct",
        "COUNT" => "count",
        "SUM" => "sum",
        "AVG" => "average",
        "MIN" => "min",
        "MAX" => "max",
        _ => return None,
    };
    let FunctionArgExpr::Expr(expr) = argument else {
        let inner = argument.to_string();
        return Some(Aggregate { kind, column: unqualified(&inner), percentile: None, inner: Some(inner) });
    };
    let inner = Some(expr.to_string());
    if let Expr::Case { conditions, else_result, .. } = expr
        && kind == "sum"
        && !distinct
    {
        let [only] = conditions.as_slice() else { return None };
        let yes_or_no = is_literal(&only.result, "1") && else_result.as_deref().is_some_and(|other| is_literal(other, "0"));
        let column = only.condition.to_string();
        return yes_or_no.then_some(Aggregate { kind: "sum_boolean", column, percentile: None, inner });
    }
    let column = if distinct && kind != "count_distinct" { unqualified(&format!("DISTINCT {expr}")) } else { column(expr) };
    Some(Aggregate { kind, column, percentile: None, inner })
}

/// `(a) / (b)`: both sides, without the parentheses around them.
pub fn ratio(text: &str) -> Option<(String, String)> {
    let Expr::BinaryOp { left, op: sqlparser::ast::BinaryOperator::Divide, right } = parse(text)? else { return None };
    let bare = |side: Expr| match side {
        Expr::Nested(inner) => inner.to_string(),
        other => other.to_string(),
    };
    Some((bare(*left), bare(*right)))
}

/// The text as one expression, written the same way however it was written.
fn parse(text: &str) -> Option<Expr> {
    let mut parser = Parser::new(&GenericDialect {}).try_with_sql(text.trim()).ok()?;
    let mut expr = parser.parse_expr().ok()?;
    if parser.peek_token().token != Token::EOF {
        return None;
    }
    let _ = expr.visit(&mut Uniform);
    Some(expr)
}

/// Names of functions in capitals, `x::type` as a cast, `x not in (…)` as `not x in (…)`.
struct Uniform;

impl VisitorMut for Uniform {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(call) => {
                for part in &mut call.name.0 {
                    if let ObjectNamePart::Identifier(name) = part
                        && name.quote_style.is_none()
                    {
                        name.value.make_ascii_uppercase();
                    }
                }
            }
            Expr::IsNotNull(inner) => {
                let inner = std::mem::replace(inner, Box::new(Expr::Wildcard(AttachedToken::empty())));
                *expr = Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(Expr::IsNull(inner)) };
            }
            Expr::InList { negated, .. } | Expr::Between { negated, .. } | Expr::Like { negated, .. } if *negated => {
                *negated = false;
                let positive = Box::new(expr.clone());
                *expr = Expr::UnaryOp { op: UnaryOperator::Not, expr: positive };
            }
            Expr::Cast { kind, .. } if *kind == CastKind::DoubleColon => *kind = CastKind::Cast,
            Expr::Value(value) => {
                if let Value::Boolean(_) = value.value {
                    let text = value.to_string().to_uppercase();
                    *expr = Expr::Identifier(text.as_str().into());
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// The first argument, and whether only distinct values of it count; of `COUNT(DISTINCT …)` there may be one only.
fn argument(call: &Function) -> Option<(bool, &FunctionArgExpr)> {
    let FunctionArguments::List(list) = &call.args else { return None };
    let distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
    if (distinct && list.args.len() > 1) || !call.within_group.is_empty() {
        return None;
    }
    match list.args.first()? {
        FunctionArg::Unnamed(argument) => Some((distinct, argument)),
        FunctionArg::Named { .. } | FunctionArg::ExprNamed { .. } => None,
    }
}

/// `PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY x)`.
fn percentile(name: &str, call: &Function) -> Option<Aggregate> {
    let FunctionArguments::List(list) = &call.args else { return None };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value)))] = list.args.as_slice() else { return None };
    let number = match &value.value {
        Value::Number(digits, _) => digits.parse::<f64>().ok()?,
        Value::SingleQuotedString(text) => text.parse().ok()?,
        _ => return None,
    };
    let column = column(&call.within_group.first()?.expr);
    if name == "PERCENTILE_CONT" && (number - 0.5).abs() < f64::EPSILON {
        return Some(Aggregate { kind: "median", column, percentile: None, inner: None });
    }
    Some(Aggregate { kind: "percentile", column, percentile: Some(number), inner: None })
}

fn is_literal(expr: &Expr, wanted: &str) -> bool {
    let Expr::Value(value) = expr else { return false };
    match &value.value {
        Value::Number(text, _) | Value::SingleQuotedString(text) => text == wanted,
        _ => false,
    }
}

fn column(expr: &Expr) -> String {
    match expr {
        Expr::Identifier(name) => name.value.clone(),
        Expr::CompoundIdentifier(parts) => parts.last().map(|name| name.value.clone()).unwrap_or_default(),
        other => unqualified(&other.to_string()),
    }
}

/// What follows the last dot.
fn unqualified(text: &str) -> String {
    text.rsplit('.').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{aggregate, ratio};

    #[test]
    fn single_aggregations_are_known() {
        let read = |text: &str| aggregate(text).map(|found| (found.kind, found.column, found.inner.unwrap_or_default()));
        let of = |kind, column: &str, inner: &str| Some((kind, column.to_owned(), inner.to_owned()));
        assert_eq!(read("sum(orders.amount)"), of("sum", "amount", "orders.amount"));
        assert_eq!(read(" COUNT( distinct Orders.\"Id\" ) "), of("count_distinct", "Id", "Orders.\"Id\""));
        assert_eq!(read("COUNT(*)"), of("count", "*", "*"));
        assert_eq!(read("avg(coalesce(a.x,0))"), of("average", "x, 0)", "COALESCE(a.x, 0)"));
        assert_eq!(
            read("SUM(case when status != 'x' then 1 else 0 end)"),
            of("sum_boolean", "status <> 'x'", "CASE WHEN status <> 'x' THEN 1 ELSE 0 END")
        );
        assert_eq!(read("percentile_cont(0.5) within group (order by t.amount)"), of("median", "amount", ""));
        let third = aggregate("PERCENTILE_DISC(0.75) WITHIN GROUP (ORDER BY amount DESC)").expect("an aggregation");
        assert_eq!((third.kind, third.percentile), ("percentile", Some(0.75)));
        for other in
            ["SUM(CASE WHEN a THEN b END)", "SUM(a) OVER ()", "SUM(a) + 1", "COUNT(DISTINCT a, b)", "a", "SUM(", "MEDIAN(a)"]
        {
            assert_eq!(aggregate(other), None, "{other}");
        }
    }

    #[test]
    fn ratios_have_two_sides() {
        let sides = |left: &str, right: &str| Some((left.to_owned(), right.to_owned()));
        assert_eq!(ratio("(sum(a)) / (count(b))"), sides("SUM(a)", "COUNT(b)"));
        assert_eq!(ratio("sum(a) / nullif(sum(b),0)"), sides("SUM(a)", "NULLIF(SUM(b), 0)"));
        assert_eq!(ratio("a / b * c"), None);
        assert_eq!(ratio("a - b"), None);
    }
}
