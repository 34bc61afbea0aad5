//! Reads Jinja expressions into trees, by Jinja2's precedence.

use crate::manifest::Json;

use super::expression::{Arguments, Expression};

/// One token of a tag.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    Name(String),
    Text(String),
    Number(Json),
    /// An operator or bracket: `==`, `(`, `~` …
    Mark(&'static str),
}

const MARKS: [&str; 26] = [
    "**", "//", "==", "!=", "<=", ">=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|",
    ",", ";",
];

/// Splits the text between a tag's delimiters; None where it holds what Jinja2 does not know.
pub fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if letter.is_whitespace() {
            rest = &rest[letter.len_utf8()..];
        } else if letter == '\'' || letter == '"' {
            let end = string_end(rest, letter)?;
            found.push(Token::Text(unescaped(&rest[1..end - 1])));
            rest = &rest[end..];
        } else if letter.is_ascii_digit() {
            let end = number_end(rest);
            found.push(Token::Number(number(&rest[..end])?));
            rest = &rest[end..];
        } else if letter.is_alphabetic() || letter == '_' {
            let end = rest.find(|next: char| !next.is_alphanumeric() && next != '_').unwrap_or(rest.len());
            found.push(Token::Name(rest[..end].to_owned()));
            rest = &rest[end..];
        } else {
            let mark = MARKS.into_iter().find(|mark| rest.starts_with(mark))?;
            found.push(Token::Mark(mark));
            rest = &rest[mark.len()..];
        }
    }
    Some(found)
}

/// Where a text literal ends, its closing quote included.
pub fn string_end(text: &str, quote: char) -> Option<usize> {
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => {
                letters.next();
            }
            letter if letter == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn number_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let next_is_digit = bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
        let exponent_sign = matches!(byte, b'+' | b'-') && matches!(bytes[at - 1], b'e' | b'E') && next_is_digit;
        if !(byte.is_ascii_alphanumeric() || *byte == b'_' || (*byte == b'.' && next_is_digit) || exponent_sign) {
            break;
        }
        at += 1;
    }
    at
}

fn number(text: &str) -> Option<Json> {
    let plain = text.replace('_', "");
    plain.parse::<i64>().map(Json::from).ok().or_else(|| plain.parse::<f64>().map(Json::from).ok())
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (letter, if letter == '\\' { letters.next() } else { None }) {
            ('\\', Some('n')) => out.push('\n'),
            ('\\', Some('t')) => out.push('\t'),
            ('\\', Some('r')) => out.push('\r'),
            ('\\', Some(quoted @ ('\\' | '\'' | '"'))) => out.push(quoted),
            ('\\', Some('\n')) => {}
            ('\\', Some(other)) => out.extend(['\\', other]),
            (letter, _) => out.push(letter),
        }
    }
    out
}

/// Reads expressions off a list of tokens. Every reader gives None where Jinja2 would see a syntax error.
pub struct Reader<'t> {
    tokens: &'t [Token],
    at: usize,
}

impl<'t> Reader<'t> {
    pub fn new(tokens: &'t [Token]) -> Self {
        Self { tokens, at: 0 }
    }

    pub fn is_done(&self) -> bool {
        self.at >= self.tokens.len()
    }

    fn peek(&self) -> Option<&'t Token> {
        self.tokens.get(self.at)
    }

    fn skip(&mut self, mark: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Mark(next)) if *next == mark);
        self.at += usize::from(found);
        found
    }

    fn skip_name(&mut self, name: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Name(next)) if next == name);
        self.at += usize::from(found);
        found
    }

    /// A whole expression, `a if b else c` included.
    pub fn expression(&mut self) -> Option<Expression> {
        let mut value = self.or()?;
        while self.skip_name("if") {
            let test = self.or()?;
            let otherwise = if self.skip_name("else") { Some(Box::new(self.expression()?)) } else { None };
            value = Expression::Conditional(Box::new(test), Box::new(value), otherwise);
        }
        Some(value)
    }

    fn or(&mut self) -> Option<Expression> {
        let mut left = self.and()?;
        while self.skip_name("or") {
            left = binary("Or", left, self.and()?);
        }
        Some(left)
    }

    fn and(&mut self) -> Option<Expression> {
        let mut left = self.not()?;
        while self.skip_name("and") {
            left = binary("And", left, self.not()?);
        }
        Some(left)
    }

    fn not(&mut self) -> Option<Expression> {
        if self.skip_name("not") {
            return Some(Expression::Unary("Not", Box::new(self.not()?)));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Option<Expression> {
        const MARKED: [(&str, &str); 6] = [("==", "eq"), ("!=", "ne"), ("<=", "lteq"), ("<", "lt"), (">=", "gteq"), (">", "gt")];
        let first = self.sum()?;
        let mut rest = Vec::new();
        loop {
            let not_in = matches!(self.tokens.get(self.at..self.at + 2), Some([Token::Name(not), Token::Name(within)])
                if not == "not" && within == "in");
            let name = if let Some((_, name)) = MARKED.into_iter().find(|(mark, _)| self.skip(mark)) {
                name
            } else if self.skip_name("in") {
                "in"
            } else if not_in {
                self.at += 2;
                "notin"
            } else {
                break;
            };
            rest.push((name, self.sum()?));
        }
        Some(if rest.is_empty() { first } else { Expression::Compare(Box::new(first), rest) })
    }

    fn sum(&mut self) -> Option<Expression> {
        self.left_to_right(&[("+", "Add"), ("-", "Sub")], Self::concat)
    }

    fn concat(&mut self) -> Option<Expression> {
        let first = self.product()?;
        let mut parts = vec![first];
        while self.skip("~") {
            parts.push(self.product()?);
        }
        Some(if parts.len() == 1 { parts.remove(0) } else { Expression::Concat(parts) })
    }

    fn product(&mut self) -> Option<Expression> {
        self.left_to_right(&[("*", "Mul"), ("/", "Div"), ("//", "FloorDiv"), ("%", "Mod")], Self::unary_with_filters)
    }

    fn left_to_right(
        &mut self,
        operators: &[(&'static str, &'static str)],
        operand: fn(&mut Self) -> Option<Expression>,
    ) -> Option<Expression> {
        let mut left = operand(self)?;
        while let Some((_, name)) = operators.iter().find(|(mark, _)| self.skip(mark)) {
            left = binary(name, left, operand(self)?);
        }
        Some(left)
    }

    fn unary_with_filters(&mut self) -> Option<Expression> {
        let value = self.unary()?;
        self.filters(value)
    }

    fn unary(&mut self) -> Option<Expression> {
        let mut value = if self.skip("-") {
            Expression::Unary("Neg", Box::new(self.unary()?))
        } else if self.skip("+") {
            Expression::Unary("Pos", Box::new(self.unary()?))
        } else {
            let primary = self.primary()?;
            self.postfix(primary)?
        };
        while self.skip("**") {
            value = binary("Pow", value, self.unary()?);
        }
        Some(value)
    }

    fn primary(&mut self) -> Option<Expression> {
        let token = self.peek()?;
        self.at += 1;
        Some(match token {
            Token::Name(name) => match name.as_str() {
                "true" | "True" => Expression::Const(true.into()),
                "false" | "False" => Expression::Const(false.into()),
                "none" | "None" => Expression::Const(Json::Null),
                _ => Expression::Name(name.clone()),
            },
            Token::Number(number) => Expression::Const(number.clone()),
            Token::Text(text) => {
                let mut whole = text.clone();
                while let Some(Token::Text(more)) = self.peek() {
                    whole.push_str(more);
                    self.at += 1;
                }
                Expression::Const(whole.into())
            }
            Token::Mark("(") => {
                let (mut items, comma) = self.items(")")?;
                if items.len() == 1 && !comma { items.remove(0) } else { Expression::Tuple(items) }
            }
            Token::Mark("[") => Expression::List(self.items("]")?.0),
            Token::Mark("{") => self.dict()?,
            Token::Mark(_) => return None,
        })
    }

    fn items(&mut self, close: &str) -> Option<(Vec<Expression>, bool)> {
        let (mut items, mut comma) = (Vec::new(), false);
        while !self.skip(close) {
            if !items.is_empty() && !comma {
                return None;
            }
            items.push(self.expression()?);
            comma = self.skip(",");
        }
        Some((items, comma))
    }

    fn dict(&mut self) -> Option<Expression> {
        let mut pairs = Vec::new();
        while !self.skip("}") {
            if !pairs.is_empty() && !self.skip(",") {
                return None;
            }
            if self.skip("}") {
                break;
            }
            let key = self.expression()?;
            if !self.skip(":") {
                return None;
            }
            pairs.push((key, self.expression()?));
        }
        Some(Expression::Dict(pairs))
    }

    fn postfix(&mut self, mut value: Expression) -> Option<Expression> {
        loop {
            if self.skip(".") {
                value = match self.peek()? {
                    Token::Name(name) => Expression::Getattr(Box::new(value), name.clone()),
                    Token::Number(number) => Expression::Getitem(Box::new(value), Box::new(Expression::Const(number.clone()))),
                    _ => return None,
                };
                self.at += 1;
            } else if self.skip("[") {
                value = Expression::Getitem(Box::new(value), Box::new(self.subscript()?));
            } else if self.skip("(") {
                value = Expression::Call(Box::new(value), self.arguments()?);
            } else {
                return Some(value);
            }
        }
    }

    fn subscript(&mut self) -> Option<Expression> {
        let mut parts = [None, None, None];
        let mut index = 0;
        loop {
            if self.skip("]") {
                break;
            }
            if self.skip(":") {
                index += 1;
                continue;
            }
            *parts.get_mut(index)? = Some(Box::new(self.expression()?));
        }
        if index > 0 { Some(Expression::Slice(parts)) } else { parts[0].take().map(|only| *only) }
    }

    /// The arguments of a call whose parenthesis was just read.
    pub fn arguments(&mut self) -> Option<Arguments> {
        let mut arguments = Arguments::default();
        let mut first = true;
        while !self.skip(")") {
            if !first && !self.skip(",") {
                return None;
            }
            first = false;
            if self.skip(")") {
                break;
            }
            if self.skip("**") {
                arguments.double_star = Some(Box::new(self.expression()?));
            } else if self.skip("*") {
                arguments.star = Some(Box::new(self.expression()?));
            } else if let Some([Token::Name(name), Token::Mark("=")]) = self.tokens.get(self.at..self.at + 2) {
                self.at += 2;
                arguments.keyword.push((name.clone(), self.expression()?));
            } else {
                arguments.positional.push(self.expression()?);
            }
        }
        Some(arguments)
    }

    /// `|filter(…)` and `is test …`.
    fn filters(&mut self, mut value: Expression) -> Option<Expression> {
        loop {
            if self.skip("|") {
                let name = self.dotted_name()?;
                let arguments = if self.skip("(") { self.arguments()? } else { Arguments::default() };
                value = Expression::Applied("Filter", Some(Box::new(value)), name, arguments);
            } else if self.skip_name("is") {
                let negated = self.skip_name("not");
                let name = self.dotted_name()?;
                let arguments = self.test_arguments()?;
                value = Expression::Applied("Test", Some(Box::new(value)), name, arguments);
                if negated {
                    value = Expression::Unary("Not", Box::new(value));
                }
            } else if self.skip("(") {
                value = Expression::Call(Box::new(value), self.arguments()?);
            } else {
                return Some(value);
            }
        }
    }

    /// A test's arguments may stand without parentheses when there is one.
    fn test_arguments(&mut self) -> Option<Arguments> {
        if self.skip("(") {
            return self.arguments();
        }
        let takes_one = match self.peek() {
            Some(Token::Name(name)) => !["else", "or", "and", "is", "if", "not", "in"].contains(&name.as_str()),
            Some(Token::Mark(mark)) => ["(", "[", "{"].contains(mark),
            Some(Token::Text(_) | Token::Number(_)) => true,
            None => false,
        };
        if !takes_one {
            return Some(Arguments::default());
        }
        let primary = self.primary()?;
        Some(Arguments { positional: vec![self.postfix(primary)?], ..Arguments::default() })
    }

    fn dotted_name(&mut self) -> Option<String> {
        let Some(Token::Name(first)) = self.peek() else { return None };
        self.at += 1;
        let mut name = first.clone();
        while self.skip(".") {
            let Some(Token::Name(next)) = self.peek() else { return None };
            self.at += 1;
            name.push('.');
            name.push_str(next);
        }
        Some(name)
    }
}

fn binary(kind: &'static str, left: Expression, right: Expression) -> Expression {
    Expression::Binary(kind, Box::new(left), Box::new(right))
}
