//! Reads statements, `{% … %}`, and notes the changes they need.

use super::Fault;
use super::expression::{Reader, Shape};
use super::signature;
use super::token::{Kind, Token};
use crate::diagnostic::nearest;

/// The blocks that are open while a body is read.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// Their keywords.
    blocks: Vec<Token>,
}

impl Open {
    /// Takes note of a tag that begins, divides or ends a block.
    fn tag(&mut self, text: &str, keyword: Token, begins: bool) -> Result<(), Fault> {
        let name = keyword.text(text);
        let innermost = self.blocks.last().map(|open| open.text(text));
        if let Some(ended) = name.strip_prefix("end") {
            if innermost != Some(ended) {
                return Err(misplaced(name, innermost, keyword));
            }
            self.blocks.pop();
        } else if matches!(name, "else" | "elif") {
            let divides = innermost == Some("if") || (name == "else" && innermost == Some("for"));
            if !divides {
                return Err(misplaced(name, innermost, keyword));
            }
        } else if begins {
            self.blocks.push(keyword);
        }
        Ok(())
    }

    /// At the end of a text: what is still open is a fault.
    pub fn end(&self, text: &str) -> Result<(), Fault> {
        match self.blocks.last() {
            Some(keyword) => {
                let message = format!("Unexpected end of template: 'end{}' is missing.", keyword.text(text));
                let help = format!("close this block with {{% end{} %}}", keyword.text(text));
                Err(Fault::new(message, keyword.start, keyword.end).help(help))
            }
            None => Ok(()),
        }
    }
}

fn misplaced(name: &str, innermost: Option<&str>, keyword: Token) -> Fault {
    let hint = match innermost {
        Some(open) => format!(" The innermost block that needs to be closed is '{open}'."),
        None => String::new(),
    };
    let fault = Fault::new(format!("Encountered unknown tag '{name}'.{hint}"), keyword.start, keyword.end);
    match nearest(name, TAGS) {
        Some(near) if near != name => fault.help(format!("did you mean '{near}'?")),
        _ => fault,
    }
}

/// The tags of a template's body.
const TAGS: [&str; 20] = [
    "if",
    "elif",
    "else",
    "endif",
    "for",
    "endfor",
    "break",
    "continue",
    "set",
    "endset",
    "do",
    "call",
    "endcall",
    "macro",
    "endmacro",
    "filter",
    "endfilter",
    "with",
    "endwith",
    "raw",
];

/// Reads one tag of a body. Block tags of macro files are not for here.
pub(super) fn statement(reader: &mut Reader<'_>, open: &mut Open) -> Result<(), Fault> {
    let (keyword, begins) = tag(reader)?;
    if reader.at < reader.tokens.len() {
        return Err(reader.expected("end of statement block"));
    }
    open.tag(reader.text, keyword, begins)
}

/// Reads what one tag holds, wherever it stands: its keyword, and whether it begins a block.
pub(super) fn tag(reader: &mut Reader<'_>) -> Result<(Token, bool), Fault> {
    let keyword = reader.expect(Kind::Name, "block tag")?;
    let name = keyword.text(reader.text);
    let mut begins = matches!(name, "if" | "for" | "call" | "macro" | "filter" | "with" | "block" | "autoescape");
    match name {
        "if" | "elif" => {
            reader.tuple(false)?;
            colon(reader);
        }
        "for" => for_loop(reader)?,
        "set" => begins = set(reader)?,
        "do" => {
            let start = reader.tokens.get(reader.at).map_or(reader.end, |token| token.start);
            if reader.tuple(true)? != Shape::Call {
                reader.edits.before(start, "_do(");
                reader.edits.after(reader.tokens[reader.at - 1].end, ")");
            }
        }
        "call" => {
            call(reader)?;
            reader.facts.call_depth += 1;
        }
        "endcall" => reader.facts.call_depth = reader.facts.call_depth.saturating_sub(1),
        "macro" => local_macro(reader)?,
        "filter" => {
            filter_chain(reader)?;
            colon(reader);
        }
        "with" => with(reader)?,
        "else" => colon(reader),
        "endif" | "endfor" | "endset" | "endmacro" | "endfilter" | "endwith" | "break" | "continue" | "endblock"
        | "endautoescape" => {}
        // Rare, and left to minijinja as they stand.
        "autoescape" | "include" | "import" | "from" | "extends" | "block" => reader.at = reader.tokens.len(),
        other => return Err(misplaced(other, None, keyword)),
    }
    Ok((keyword, begins))
}

/// Jinja2 lets a colon end what begins a block.
pub(super) fn colon(reader: &mut Reader<'_>) {
    if let Some(colon) = reader.skip(Kind::Colon) {
        reader.edits.replace(colon.start, colon.end, "");
    }
}

fn for_loop(reader: &mut Reader<'_>) -> Result<(), Fault> {
    while reader.at < reader.tokens.len() && !reader.is_name("in") {
        reader.at += 1;
    }
    if !reader.skip_name("in") {
        return Err(reader.expected("in"));
    }
    reader.tuple(false)?;
    if reader.skip_name("if") {
        reader.ternary()?;
    }
    reader.skip_name("recursive");
    colon(reader);
    Ok(())
}

/// Gives true for the form that has a body.
fn set(reader: &mut Reader<'_>) -> Result<bool, Fault> {
    let mut depth = 0_usize;
    loop {
        match reader.peek() {
            Some(Kind::Assign | Kind::Pipe) if depth == 0 => break,
            Some(Kind::ParenOpen) => depth += 1,
            Some(Kind::ParenClose) => depth = depth.saturating_sub(1),
            Some(Kind::Name | Kind::Comma | Kind::Dot) => {}
            Some(_) => return Err(reader.expected("end of statement block")),
            None => return Ok(true),
        }
        reader.at += 1;
    }
    if reader.skip(Kind::Assign).is_some() {
        reader.tuple(true)?;
        return Ok(false);
    }
    reader.at += 1;
    filter_chain(reader)?;
    Ok(true)
}

fn filter_chain(reader: &mut Reader<'_>) -> Result<(), Fault> {
    reader.filter_name()?;
    while reader.skip(Kind::Pipe).is_some() {
        reader.filter_name()?;
    }
    Ok(())
}

fn call(reader: &mut Reader<'_>) -> Result<(), Fault> {
    if reader.peek() == Some(Kind::ParenOpen) {
        let places = signature::read(reader)?.places;
        for place in places {
            reader.edits.replace(place.name_end, place.annotation_end, "");
        }
    }
    let place = reader.tokens.get(reader.at).map_or((reader.end, reader.end), |token| (token.start, token.end));
    if reader.ternary()? != Shape::Call {
        return Err(Fault::new("expected call", place.0, place.1));
    }
    colon(reader);
    Ok(())
}

/// A macro within a rendered text. dbt renames it, so that its plain name stays undefined.
fn local_macro(reader: &mut Reader<'_>) -> Result<(), Fault> {
    let name = reader.expect(Kind::Name, "name")?;
    reader.edits.before(name.start, "dbt_macro__");
    let places = signature::read(reader)?.places;
    for place in places {
        reader.edits.replace(place.name_end, place.annotation_end, "");
    }
    colon(reader);
    Ok(())
}

fn with(reader: &mut Reader<'_>) -> Result<(), Fault> {
    while reader.peek() == Some(Kind::Name) {
        reader.at += 1;
        reader.expect(Kind::Assign, "=")?;
        reader.ternary()?;
        if reader.skip(Kind::Comma).is_none() {
            break;
        }
    }
    colon(reader);
    Ok(())
}
