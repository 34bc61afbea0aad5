//! Reads Jinja2's expressions and notes the changes that give them Python's ways under minijinja.
//!
//! Operators become filters (`a + b` → `a|_add(b)`), which bind as tightly as their operands and so need no parentheses;
//! list and dict literals become mutable; slices, tuples and odd string escapes are spelled out.

use super::Fault;
use super::calls::StaticCall;
use super::edits::Edits;
use super::literal;
use super::token::{Kind, Token};

/// What an expression turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A call with nothing around it: what minijinja's `do` and `call` take.
    Call,
    /// No name, filter or call in it: Jinja2 folds it before it runs.
    Constant,
    Other,
}

/// Jinja2's implicit names that a macro's body mentions: it takes such arguments then.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mentions {
    pub varargs: bool,
    pub kwargs: bool,
    pub caller: bool,
}

/// What the text mentions.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub calls: Vec<StaticCall>,
    pub mentions: Mentions,
    /// The name `this` stands in it.
    pub this: bool,
    /// How deep in call blocks the reader is: their body has no caller of its own.
    pub call_depth: usize,
}

/// Reads the tokens of one tag.
pub(super) struct Reader<'r> {
    pub text: &'r str,
    pub tokens: &'r [Token],
    pub at: usize,
    /// The tag's end, for what is missing there.
    pub end: usize,
    pub edits: &'r mut Edits,
    pub facts: &'r mut Facts,
    constant: bool,
}

impl<'r> Reader<'r> {
    pub fn new(text: &'r str, tokens: &'r [Token], end: usize, edits: &'r mut Edits, facts: &'r mut Facts) -> Self {
        Self { text, tokens, at: 0, end, edits, facts, constant: true }
    }

    pub fn peek(&self) -> Option<Kind> {
        self.tokens.get(self.at).map(|token| token.kind)
    }

    pub fn is_name(&self, name: &str) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.kind == Kind::Name && token.text(self.text) == name)
    }

    pub fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).copied();
        self.at += usize::from(token.is_some());
        token
    }

    pub fn skip(&mut self, kind: Kind) -> Option<Token> {
        if self.peek() == Some(kind) { self.next() } else { None }
    }

    pub fn skip_name(&mut self, name: &str) -> bool {
        let found = self.is_name(name);
        self.at += usize::from(found);
        found
    }

    pub fn expect(&mut self, kind: Kind, what: &str) -> Result<Token, Fault> {
        self.skip(kind).ok_or_else(|| self.expected(what))
    }

    /// What Jinja2 says when something else stands where `what` should.
    pub fn expected(&self, what: &str) -> Fault {
        match self.tokens.get(self.at) {
            Some(token) => {
                let got = token.text(self.text);
                Fault::new(format!("expected token '{what}', got '{got}'"), token.start, token.end)
            }
            None => Fault::new(format!("expected token '{what}', got end of tag"), self.end, self.end),
        }
    }

    /// The end of the last token that was read.
    fn last_end(&self) -> usize {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(self.end, |token| token.end)
    }

    fn start(&self) -> usize {
        self.tokens.get(self.at).map_or(self.end, |token| token.start)
    }

    /// An expression that may be a tuple without parentheses; those are added.
    pub fn tuple(&mut self, conditional: bool) -> Result<Shape, Fault> {
        let start = self.start();
        let read = |reader: &mut Self| if conditional { reader.ternary() } else { reader.or() };
        let mut shape = read(self)?;
        if self.peek() != Some(Kind::Comma) {
            return Ok(shape);
        }
        while self.skip(Kind::Comma).is_some() {
            if self.at == self.tokens.len() || self.is_name("in") {
                break;
            }
            if read(self)? != Shape::Constant || shape != Shape::Constant {
                shape = Shape::Other;
            }
        }
        self.edits.before(start, "(");
        self.edits.after(self.last_end(), ")");
        Ok(if shape == Shape::Constant { shape } else { Shape::Other })
    }

    /// A whole expression; what remains of the tag stays unread.
    pub fn ternary(&mut self) -> Result<Shape, Fault> {
        let constant = std::mem::replace(&mut self.constant, true);
        let mut shape = self.or()?;
        while self.skip_name("if") {
            shape = Shape::Other;
            self.or()?;
            if self.skip_name("else") {
                self.ternary()?;
                break;
            }
        }
        if self.constant && shape != Shape::Call {
            shape = Shape::Constant;
        }
        self.constant &= constant;
        Ok(shape)
    }

    /// Any condition: what `if` and `for` take.
    pub fn or(&mut self) -> Result<Shape, Fault> {
        let mut shape = self.and()?;
        while self.skip_name("or") {
            self.and()?;
            shape = Shape::Other;
        }
        Ok(shape)
    }

    fn and(&mut self) -> Result<Shape, Fault> {
        let mut shape = self.not()?;
        while self.skip_name("and") {
            self.not()?;
            shape = Shape::Other;
        }
        Ok(shape)
    }

    fn not(&mut self) -> Result<Shape, Fault> {
        if self.skip_name("not") {
            self.not()?;
            return Ok(Shape::Other);
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Shape, Fault> {
        let shape = self.sum()?;
        let mut found: Vec<(Comparison, Token, Token)> = Vec::new();
        while let Some(operator) = self.comparison_operator() {
            found.push(operator);
            self.sum()?;
        }
        match found.as_slice() {
            [] => return Ok(shape),
            [(comparison, first, last)] => self.edits.replace(first.start, last.end, comparison.filter()),
            chain => {
                for (at, (comparison, first, last)) in chain.iter().enumerate() {
                    self.edits.replace(first.start, last.end, comparison.link(at == 0));
                }
            }
        }
        self.edits.after(self.last_end(), ")");
        Ok(Shape::Other)
    }

    fn comparison_operator(&mut self) -> Option<(Comparison, Token, Token)> {
        let token = *self.tokens.get(self.at)?;
        let comparison = match token.kind {
            Kind::Equal => Comparison::Equal,
            Kind::Unequal => Comparison::Unequal,
            Kind::Less => Comparison::Less,
            Kind::LessEqual => Comparison::LessEqual,
            Kind::Greater => Comparison::Greater,
            Kind::GreaterEqual => Comparison::GreaterEqual,
            Kind::Name if token.text(self.text) == "in" => Comparison::In,
            Kind::Name if token.text(self.text) == "not" => {
                let second = *self.tokens.get(self.at + 1)?;
                if second.kind != Kind::Name || second.text(self.text) != "in" {
                    return None;
                }
                self.at += 2;
                return Some((Comparison::NotIn, token, second));
            }
            _ => return None,
        };
        self.at += 1;
        Some((comparison, token, token))
    }

    /// Operators of one level, left to right, as a chain of filters.
    fn chain(
        &mut self,
        operand: fn(&mut Self) -> Result<Shape, Fault>,
        filter: fn(Kind) -> Option<&'static str>,
    ) -> Result<Shape, Fault> {
        let mut shape = operand(self)?;
        while let Some((token, name)) = self.tokens.get(self.at).and_then(|token| Some((*token, filter(token.kind)?))) {
            self.at += 1;
            self.edits.replace(token.start, token.end, name);
            operand(self)?;
            self.edits.after(self.last_end(), ")");
            shape = Shape::Other;
        }
        Ok(shape)
    }

    fn sum(&mut self) -> Result<Shape, Fault> {
        self.chain(Self::concatenation, |kind| match kind {
            Kind::Plus => Some("|_add("),
            Kind::Minus => Some("|_sub("),
            _ => None,
        })
    }

    fn concatenation(&mut self) -> Result<Shape, Fault> {
        let shape = self.product()?;
        let mut first = true;
        while let Some(token) = self.skip(Kind::Tilde) {
            self.edits.replace(token.start, token.end, if first { "|_cat(" } else { "," });
            first = false;
            self.product()?;
        }
        if first {
            return Ok(shape);
        }
        self.edits.after(self.last_end(), ")");
        Ok(Shape::Other)
    }

    fn product(&mut self) -> Result<Shape, Fault> {
        self.chain(Self::power, |kind| match kind {
            Kind::Star => Some("|_mul("),
            Kind::Slash => Some("|_div("),
            Kind::Floor => Some("|_floordiv("),
            Kind::Percent => Some("|_mod("),
            _ => None,
        })
    }

    fn power(&mut self) -> Result<Shape, Fault> {
        self.chain(|reader| reader.unary(true), |kind| (kind == Kind::Power).then_some("|_pow("))
    }

    fn unary(&mut self, filters: bool) -> Result<Shape, Fault> {
        let start = self.start();
        let mut shape = match self.peek() {
            Some(Kind::Minus) => {
                let literal = matches!(self.tokens.get(self.at + 1).map(|token| token.kind), Some(Kind::Number));
                let token = self.next().map_or((start, start), |token| (token.start, token.end));
                self.unary(false)?;
                if !literal {
                    self.edits.replace(token.0, token.1, "");
                    self.edits.after(self.last_end(), "|_neg");
                }
                Shape::Other
            }
            Some(Kind::Plus) => {
                let token = self.next().map_or((start, start), |token| (token.start, token.end));
                self.edits.replace(token.0, token.1, "");
                self.unary(false)?;
                Shape::Other
            }
            _ => {
                let shape = self.primary()?;
                self.postfix(start, shape)?
            }
        };
        if filters {
            shape = self.filters(start, shape)?;
        }
        Ok(shape)
    }

    fn primary(&mut self) -> Result<Shape, Fault> {
        let Some(token) = self.next() else {
            return Err(Fault::new("Expected an expression, got end of tag", self.end, self.end));
        };
        match token.kind {
            Kind::Name => self.name(token),
            Kind::Text => {
                self.string(token);
                while let Some(more) = self.skip(Kind::Text) {
                    self.string(more);
                }
            }
            Kind::Number => {}
            Kind::ParenOpen => {
                while self.peek() != Some(Kind::ParenClose) {
                    self.ternary()?;
                    if self.skip(Kind::Comma).is_none() {
                        break;
                    }
                }
                self.expect(Kind::ParenClose, ")")?;
            }
            Kind::BracketOpen => self.list(token)?,
            Kind::BraceOpen => self.dict(token)?,
            _ => {
                let got = token.text(self.text);
                return Err(Fault::new(format!("unexpected '{got}'"), token.start, token.end));
            }
        }
        Ok(Shape::Other)
    }

    fn name(&mut self, token: Token) {
        match token.text(self.text) {
            "true" | "True" | "false" | "False" | "none" | "None" => return,
            "varargs" => self.facts.mentions.varargs = true,
            "kwargs" => self.facts.mentions.kwargs = true,
            "this" => self.facts.this = true,
            "caller" if self.facts.call_depth > 0 => self.edits.replace(token.start, token.end, "_no_caller"),
            "caller" => self.facts.mentions.caller = true,
            _ => {}
        }
        self.constant = false;
    }

    fn string(&mut self, token: Token) {
        let text = token.text(self.text);
        if literal::is_peculiar(text) {
            self.edits.replace_with(token.start, token.end, literal::quote(&literal::unquote(text)));
        }
    }

    fn list(&mut self, open: Token) -> Result<(), Fault> {
        self.edits.replace(open.start, open.end, "([");
        while self.peek() != Some(Kind::BracketClose) {
            self.ternary()?;
            if self.skip(Kind::Comma).is_none() {
                break;
            }
        }
        let close = self.expect(Kind::BracketClose, "]")?;
        self.edits.replace(close.start, close.end, "]|_list)");
        Ok(())
    }

    fn dict(&mut self, open: Token) -> Result<(), Fault> {
        self.edits.replace(open.start, open.end, "([");
        while self.peek() != Some(Kind::BraceClose) {
            self.ternary()?;
            let colon = self.expect(Kind::Colon, ":")?;
            self.edits.replace(colon.start, colon.end, ",");
            self.ternary()?;
            if self.skip(Kind::Comma).is_none() {
                break;
            }
        }
        let close = self.expect(Kind::BraceClose, "}")?;
        self.edits.replace(close.start, close.end, "]|_dict)");
        Ok(())
    }

    fn postfix(&mut self, start: usize, shape: Shape) -> Result<Shape, Fault> {
        let (from, mut shape) = (self.at - 1, shape);
        loop {
            match self.peek() {
                Some(Kind::Dot) => {
                    self.at += 1;
                    if self.skip(Kind::Number).is_none() {
                        self.expect(Kind::Name, "name")?;
                    }
                    shape = Shape::Other;
                }
                Some(Kind::BracketOpen) => {
                    self.subscript(start)?;
                    shape = Shape::Other;
                }
                Some(Kind::ParenOpen) => {
                    let callee = &self.tokens[from..self.at];
                    let slot = self.facts.calls.len();
                    if let Some(call) = StaticCall::of(self.text, callee) {
                        self.facts.calls.push(call);
                    }
                    let open = self.at;
                    self.constant = false;
                    self.arguments()?;
                    if let Some(call) = self.facts.calls.get_mut(slot) {
                        call.read_dispatch(self.text, &self.tokens[open..self.at]);
                    }
                    shape = Shape::Call;
                }
                _ => return Ok(shape),
            }
        }
    }

    fn subscript(&mut self, start: usize) -> Result<(), Fault> {
        let open = self.expect(Kind::BracketOpen, "[")?;
        let first = self.at;
        let slice_start = self.peek() == Some(Kind::Colon);
        if !slice_start {
            self.ternary()?;
            if self.peek() == Some(Kind::Comma) {
                let place = self.tokens[first].start;
                while self.skip(Kind::Comma).is_some() && self.peek() != Some(Kind::BracketClose) {
                    self.ternary()?;
                }
                self.edits.before(place, "(");
                self.edits.after(self.last_end(), ")");
            }
        }
        if self.peek() == Some(Kind::Colon) {
            self.edits.before(start, "(");
            self.edits.replace(open.start, open.end, if slice_start { "|_slice(none" } else { "|_slice(" });
            while let Some(colon) = self.skip(Kind::Colon) {
                let missing = matches!(self.peek(), Some(Kind::Colon | Kind::BracketClose));
                self.edits.replace(colon.start, colon.end, if missing { ",none" } else { "," });
                if !missing {
                    self.ternary()?;
                }
            }
            let close = self.expect(Kind::BracketClose, "]")?;
            self.edits.replace(close.start, close.end, "))");
            return Ok(());
        }
        self.expect(Kind::BracketClose, "]")?;
        Ok(())
    }

    /// `(…)` of a call, a filter or a test.
    pub fn arguments(&mut self) -> Result<(), Fault> {
        self.expect(Kind::ParenOpen, "(")?;
        while self.peek() != Some(Kind::ParenClose) {
            if self.skip(Kind::Star).is_none() && self.skip(Kind::Power).is_none() {
                let named = self.tokens.get(self.at + 1).is_some_and(|next| next.kind == Kind::Assign);
                if self.peek() == Some(Kind::Name) && named {
                    self.at += 2;
                }
            }
            self.ternary()?;
            if self.skip(Kind::Comma).is_none() {
                break;
            }
        }
        self.expect(Kind::ParenClose, ")")?;
        Ok(())
    }

    fn filters(&mut self, start: usize, shape: Shape) -> Result<Shape, Fault> {
        let mut shape = shape;
        let first = self.at;
        loop {
            if self.skip(Kind::Pipe).is_some() {
                self.filter_name()?;
                self.constant = false;
                shape = Shape::Other;
            } else if self.is_name("is") {
                self.at += 1;
                self.test()?;
                shape = Shape::Other;
            } else if self.at > first && self.peek() == Some(Kind::ParenOpen) {
                // Jinja2 calls what a filter gives; minijinja needs parentheses for that.
                self.edits.before(start, "(");
                self.edits.after(self.last_end(), ")");
                self.arguments()?;
                shape = Shape::Call;
            } else {
                return Ok(shape);
            }
        }
    }

    /// `name(…)` of a filter, after its `|`.
    pub fn filter_name(&mut self) -> Result<(), Fault> {
        self.expect(Kind::Name, "name")?;
        while self.skip(Kind::Dot).is_some() {
            self.expect(Kind::Name, "name")?;
        }
        if self.peek() == Some(Kind::ParenOpen) { self.arguments() } else { Ok(()) }
    }

    fn test(&mut self) -> Result<(), Fault> {
        self.skip_name("not");
        self.expect(Kind::Name, "name")?;
        while self.skip(Kind::Dot).is_some() {
            self.expect(Kind::Name, "name")?;
        }
        self.constant = false;
        match self.peek() {
            Some(Kind::ParenOpen) => self.arguments(),
            Some(Kind::Name) if ["else", "or", "and", "is", "if", "not", "in"].iter().any(|word| self.is_name(word)) => Ok(()),
            Some(Kind::Name | Kind::Text | Kind::Number | Kind::BracketOpen | Kind::BraceOpen) => {
                let start = self.start();
                let shape = self.primary()?;
                self.postfix(start, shape)?;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    Unequal,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    NotIn,
}

impl Comparison {
    fn filter(self) -> &'static str {
        match self {
            Self::Equal => "|_eq(",
            Self::Unequal => "|_ne(",
            Self::Less => "|_lt(",
            Self::LessEqual => "|_le(",
            Self::Greater => "|_gt(",
            Self::GreaterEqual => "|_ge(",
            Self::In => "|_in(",
            Self::NotIn => "|_notin(",
        }
    }

    /// A part of `a < b < c`, which becomes `a|_chain('<', b, '<', c)`.
    fn link(self, first: bool) -> &'static str {
        match (self, first) {
            (Self::Equal, true) => "|_chain('==',",
            (Self::Equal, false) => ",'==',",
            (Self::Unequal, true) => "|_chain('!=',",
            (Self::Unequal, false) => ",'!=',",
            (Self::Less, true) => "|_chain('<',",
            (Self::Less, false) => ",'<',",
            (Self::LessEqual, true) => "|_chain('<=',",
            (Self::LessEqual, false) => ",'<=',",
            (Self::Greater, true) => "|_chain('>',",
            (Self::Greater, false) => ",'>',",
            (Self::GreaterEqual, true) => "|_chain('>=',",
            (Self::GreaterEqual, false) => ",'>=',",
            (Self::In, true) => "|_chain('in',",
            (Self::In, false) => ",'in',",
            (Self::NotIn, true) => "|_chain('not in',",
            (Self::NotIn, false) => ",'not in',",
        }
    }
}
