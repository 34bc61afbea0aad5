//! Jinja expressions as trees, and the text that dbt makes of them for a node's unrendered configuration.

use std::fmt::{self, Write as _};

use crate::manifest::Json;

use super::python;

/// An expression, with the names that Jinja2 gives its kinds.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    Const(Json),
    Name(String),
    List(Vec<Expression>),
    Tuple(Vec<Expression>),
    Dict(Vec<(Expression, Expression)>),
    Call(Box<Expression>, Arguments),
    /// `Filter` or `Test`, what it is applied to, its name and arguments.
    Applied(&'static str, Option<Box<Expression>>, String, Arguments),
    Getattr(Box<Expression>, String),
    Getitem(Box<Expression>, Box<Expression>),
    Slice([Option<Box<Expression>>; 3]),
    Concat(Vec<Expression>),
    Compare(Box<Expression>, Vec<(&'static str, Expression)>),
    /// `And`, `Or`, `Add` …
    Binary(&'static str, Box<Expression>, Box<Expression>),
    /// `Not`, `Neg`, `Pos`.
    Unary(&'static str, Box<Expression>),
    /// test, then, otherwise.
    Conditional(Box<Expression>, Box<Expression>, Option<Box<Expression>>),
}

/// What stands between the parentheses of a call.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Arguments {
    pub positional: Vec<Expression>,
    pub keyword: Vec<(String, Expression)>,
    pub star: Option<Box<Expression>>,
    pub double_star: Option<Box<Expression>>,
}

/// Jinja2's names of comparisons, and how they are written.
const COMPARISONS: [(&str, &str); 8] =
    [("eq", "=="), ("ne", "!="), ("lt", "<"), ("lteq", "<="), ("gt", ">"), ("gteq", ">="), ("in", "in"), ("notin", "not in")];

impl Expression {
    /// The value of a keyword as dbt keeps it unrendered: a text without its quotes, anything else as source text.
    pub fn unrendered(&self) -> String {
        match self {
            Self::Const(Json::String(text)) => text.clone(),
            other => other.source(),
        }
    }

    /// As source text, where dbt has a form for that kind; else as Jinja2 prints the node.
    fn source(&self) -> String {
        let joined = |items: &[Self], separator: &str| items.iter().map(Self::source).collect::<Vec<_>>().join(separator);
        match self {
            Self::Const(value) => python::repr(value),
            Self::Name(name) => name.clone(),
            Self::List(items) => format!("[{}]", joined(items, ", ")),
            Self::Tuple(items) if items.len() == 1 => format!("({},)", joined(items, ", ")),
            Self::Tuple(items) => format!("({})", joined(items, ", ")),
            Self::Dict(pairs) => {
                let pairs = pairs.iter().map(|(key, value)| format!("{}: {}", key.source(), value.source()));
                format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
            }
            Self::Call(callee, arguments) => format!("{}({})", callee.source(), arguments.source()),
            Self::Getattr(of, name) => format!("{}.{name}", of.source()),
            Self::Getitem(of, key) => format!("{}[{}]", of.source(), key.source()),
            Self::Concat(parts) => joined(parts, " ~ "),
            Self::Compare(first, rest) => {
                let rest = rest.iter().map(|(name, operand)| format!("{} {}", written(name), operand.source()));
                format!("{} {}", first.source(), rest.collect::<Vec<_>>().join(" "))
            }
            Self::Unary("Not", operand) => format!("not {}", operand.source()),
            Self::Unary("Neg", operand) => format!("-{}", operand.source()),
            Self::Binary("And", left, right) => format!("{} and {}", left.source(), right.source()),
            Self::Binary("Or", left, right) => format!("{} or {}", left.source(), right.source()),
            other => other.to_string(),
        }
    }
}

impl Arguments {
    fn source(&self) -> String {
        let mut parts: Vec<String> = self.positional.iter().map(Expression::source).collect();
        parts.extend(self.keyword.iter().map(|(key, value)| format!("{key}={}", value.source())));
        parts.extend(self.star.iter().map(|value| format!("*{}", value.source())));
        parts.extend(self.double_star.iter().map(|value| format!("**{}", value.source())));
        parts.join(", ")
    }
}

fn written(comparison: &str) -> &str {
    COMPARISONS.iter().find(|(name, _)| *name == comparison).map_or(comparison, |(_, written)| written)
}

/// As Jinja2 prints the node: `Name(name='x', ctx='load')`.
impl fmt::Display for Expression {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Const(value) => write!(out, "Const(value={})", python::repr(value)),
            Self::Name(name) => write!(out, "Name(name={}, ctx='load')", quoted(name)),
            Self::List(items) => write!(out, "List(items=[{}])", list(items)),
            Self::Tuple(items) => write!(out, "Tuple(items=[{}], ctx='load')", list(items)),
            Self::Dict(pairs) => {
                let pairs = pairs.iter().map(|(key, value)| format!("Pair(key={key}, value={value})"));
                write!(out, "Dict(items=[{}])", pairs.collect::<Vec<_>>().join(", "))
            }
            Self::Call(callee, arguments) => write!(out, "Call(node={callee}, {arguments})"),
            Self::Applied(kind, of, name, arguments) => {
                write!(out, "{kind}(node={}, name={}, {arguments})", optional(of.as_deref()), quoted(name))
            }
            Self::Getattr(of, name) => write!(out, "Getattr(node={of}, attr={}, ctx='load')", quoted(name)),
            Self::Getitem(of, key) => write!(out, "Getitem(node={of}, arg={key}, ctx='load')"),
            Self::Slice([start, stop, step]) => {
                let [start, stop, step] = [start, stop, step].map(|part| optional(part.as_deref()));
                write!(out, "Slice(start={start}, stop={stop}, step={step})")
            }
            Self::Concat(parts) => write!(out, "Concat(nodes=[{}])", list(parts)),
            Self::Compare(first, rest) => {
                let rest = rest.iter().map(|(name, operand)| format!("Operand(op='{name}', expr={operand})"));
                write!(out, "Compare(expr={first}, ops=[{}])", rest.collect::<Vec<_>>().join(", "))
            }
            Self::Binary(kind, left, right) => write!(out, "{kind}(left={left}, right={right})"),
            Self::Unary(kind, operand) => write!(out, "{kind}(node={operand})"),
            Self::Conditional(test, then, otherwise) => {
                write!(out, "CondExpr(test={test}, expr1={then}, expr2={})", optional(otherwise.as_deref()))
            }
        }
    }
}

impl fmt::Display for Arguments {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut keywords = String::new();
        for (index, (key, value)) in self.keyword.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(keywords, "{separator}Keyword(key={}, value={value})", quoted(key))?;
        }
        let (star, double_star) = (optional(self.star.as_deref()), optional(self.double_star.as_deref()));
        write!(out, "args=[{}], kwargs=[{keywords}], dyn_args={star}, dyn_kwargs={double_star}", list(&self.positional))
    }
}

fn list(items: &[Expression]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn optional(value: Option<&Expression>) -> String {
    value.map_or_else(|| "None".to_owned(), ToString::to_string)
}

fn quoted(text: &str) -> String {
    python::repr(&Json::from(text))
}
