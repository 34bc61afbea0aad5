//! CSV files as dbt reads seeds: Python's `csv` dialect, then agate's types.

use std::borrow::Cow;

use super::Table;
use super::infer;
use super::table::unique_names;
use crate::diagnostic::{Diagnostic, SourceText, Span};

/// How a seed is read.
#[derive(Debug, Clone)]
pub struct CsvOptions {
    pub delimiter: char,
    /// Columns whose type the project sets (`column_types`): kept as text.
    pub text_columns: Vec<String>,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self { delimiter: ',', text_columns: Vec::new() }
    }
}

/// A file's bytes as text, without the mark that some programs put first. Err: E0206, with the line of the first bad byte.
pub fn decode_utf8(name: &str, bytes: Vec<u8>) -> Result<String, Box<Diagnostic>> {
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].split(|byte| *byte == b'\n').count();
        let fault = Diagnostic::error("E0206", format!("{name}: line {line} is not UTF-8 text"));
        Box::new(fault.help("Save the file as UTF-8; spreadsheet programs call it 'CSV UTF-8'."))
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// The names in the first line, as written.
pub fn header(text: &str, delimiter: char) -> Vec<String> {
    Reader::new(text.trim_start_matches('\u{feff}'), delimiter)
        .next()
        .into_iter()
        .flat_map(|record| record.fields)
        .map(Cow::into_owned)
        .collect()
}

/// Reads a seed. Short rows are filled with nulls; a row with too many values, or a quote that never ends, is an error
/// (E0207, one for each row, at most 20).
pub fn read_csv(source: &SourceText, options: &CsvOptions) -> Result<Table, Vec<Diagnostic>> {
    let bom = if source.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut reader = Reader::new(&source.text[bom..], options.delimiter);
    let Some(head) = reader.next() else {
        return Ok(Table::default());
    };
    let names = unique_names(head.fields.iter().map(|name| &**name));
    // Growing step by step would copy a large file's values many times.
    let expected = source.text.bytes().filter(|byte| *byte == b'\n').count();
    let mut values = Vec::with_capacity(expected * names.len());
    let mut lines = 0;
    let mut faults = Vec::new();
    for record in reader {
        let place = Span::new(bom + record.start, bom + record.end);
        if record.unclosed {
            faults.push(
                Diagnostic::error("E0207", "a quoted value is not closed before the end of the file")
                    .at(source, place)
                    .help("Close the quote, or double it (\"\") where it is part of the value."),
            );
        } else if record.fields.len() > names.len() {
            let message = format!("this row has {} values, but the header names {}", record.fields.len(), names.len());
            faults.push(
                Diagnostic::error("E0207", message)
                    .at(source, place)
                    .help("Quote values that contain the delimiter, or set the seed's `delimiter` config."),
            );
        }
        if faults.len() >= 20 {
            break;
        }
        lines += 1;
        values.extend(record.fields.into_iter().map(Some));
        values.resize_with(lines * names.len(), || None);
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let is_text = |index: usize| options.text_columns.iter().any(|name| **name == *names[index]);
    let (column_types, mut rows) = infer::rows(&values, names.len(), is_text);
    // Below a header without names there are rows without values.
    rows.resize_with(lines, Vec::new);
    Ok(Table { column_names: names, column_types, rows, path: None })
}

/// Reads a seed from a file's bytes; `name` is how faults call the file.
pub fn read_seed(name: &str, bytes: Vec<u8>, options: &CsvOptions) -> Result<Table, Vec<Diagnostic>> {
    let text = decode_utf8(name, bytes).map_err(|fault| vec![*fault])?;
    read_csv(&SourceText::new(name, text), options)
}

/// One record: its fields, and where it stands in the text.
struct Record<'a> {
    fields: Vec<Cow<'a, str>>,
    start: usize,
    end: usize,
    unclosed: bool,
}

/// Python's `csv.reader` with its default dialect: `"` quotes, doubled inside; text after a closing quote is kept; a line
/// without any text is a record without fields.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    delimiter: char,
    /// As many fields as a record had so far.
    width: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, delimiter: char) -> Self {
        Self { text, at: 0, delimiter, width: 1 }
    }

    /// Length of the line end at `at`, if there is one.
    fn line_end(&self, at: usize) -> Option<usize> {
        match self.text.as_bytes().get(at)? {
            b'\n' => Some(1),
            b'\r' => Some(if self.text.as_bytes().get(at + 1) == Some(&b'\n') { 2 } else { 1 }),
            _ => None,
        }
    }

    /// Where the unquoted part of a field ends.
    fn field_end(&self, rest: &str) -> usize {
        let end = match u8::try_from(self.delimiter) {
            Ok(delimiter) if delimiter.is_ascii() => {
                rest.bytes().position(|byte| byte == delimiter || byte == b'\n' || byte == b'\r')
            }
            _ => rest.find([self.delimiter, '\n', '\r']),
        };
        end.unwrap_or(rest.len())
    }

    /// Reads the quoted part that begins after a quote at `at`; gives the place after the closing quote, None if there is none.
    fn quoted(&self, mut at: usize, field: &mut String) -> Option<usize> {
        let bytes = self.text.as_bytes();
        loop {
            let stop = at + self.text[at..].find(['"', '\r'])?;
            field.push_str(&self.text[at..stop]);
            if bytes[stop] == b'\r' {
                field.push('\n');
                at = stop + self.line_end(stop).unwrap_or(1);
            } else if bytes.get(stop + 1) == Some(&b'"') {
                field.push('"');
                at = stop + 2;
            } else {
                return Some(stop + 1);
            }
        }
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let start = self.at;
        if start >= self.text.len() {
            return None;
        }
        if let Some(length) = self.line_end(start) {
            self.at = start + length;
            return Some(Record { fields: Vec::new(), start, end: start, unclosed: false });
        }
        let mut fields = Vec::with_capacity(self.width);
        let mut at = start;
        loop {
            let mut field = Cow::Borrowed("");
            if self.text[at..].starts_with('"') {
                let field = field.to_mut();
                let Some(after) = self.quoted(at + 1, field) else {
                    field.push_str(self.text[at + 1..].get(field.len()..).unwrap_or_default());
                    fields.push(Cow::Owned(std::mem::take(field)));
                    let first_line = self.text[start..].find('\n').map_or(self.text.len(), |length| start + length);
                    self.at = self.text.len();
                    return Some(Record { fields, start, end: first_line, unclosed: true });
                };
                at = after;
            }
            let rest: &'a str = &self.text[at..];
            let stop = self.field_end(rest);
            field += &rest[..stop];
            fields.push(field);
            at += stop;
            if let Some(length) = self.line_end(at) {
                self.at = at + length;
                return Some(Record { fields, start, end: at, unclosed: false });
            }
            if at >= self.text.len() {
                self.at = at;
                return Some(Record { fields, start, end: at, unclosed: false });
            }
            at += self.delimiter.len_utf8();
            self.width = self.width.max(fields.len() + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agate::{Cell, CellType};

    fn read(text: &str) -> Result<Table, Vec<Diagnostic>> {
        read_csv(&SourceText::new("seeds/a.csv", text), &CsvOptions::default())
    }

    #[test]
    fn a_plain_seed_gets_types_and_rows() {
        let table = read("\u{feff}id,name,at\r\n1,\"a \"\"b\"\", c\",2020-01-01\r\n2,,\r\n").expect("a good file");
        assert_eq!(table.column_types, [CellType::Number, CellType::Text, CellType::Date]);
        assert_eq!(table.rows.len(), 2);
        assert_eq!(table.rows[0][1], Cell::text("a \"b\", c"));
        assert_eq!(table.rows[1][1..], [Cell::Null, Cell::Null]);
    }

    #[test]
    fn lines_within_quotes_and_empty_lines_are_as_in_python() {
        let table = read("a,b\n\"x\ny\",1\n\n\"p\"q,2").expect("a good file");
        assert_eq!(table.rows.len(), 3);
        assert_eq!(table.rows[0][0], Cell::text("x\ny"));
        assert_eq!(table.rows[1], [Cell::Null, Cell::Null]);
        assert_eq!(table.rows[2][0], Cell::text("pq"));
    }

    #[test]
    fn rows_with_too_many_values_are_all_reported_with_their_line() {
        let faults = read("a,b\n1,2,3\n1,2\n1,2,3,4\n").expect_err("two bad rows");
        let places: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(places.len(), 2);
        assert!(places[0].starts_with("seeds/a.csv:2:1: E0207"), "{places:?}");
        assert!(places[1].starts_with("seeds/a.csv:4:1: E0207"), "{places:?}");
    }

    #[test]
    fn an_open_quote_is_reported_where_it_begins() {
        let faults = read("a,b\n1,\"2\n3,4\n").expect_err("an open quote");
        assert!(faults[0].to_string().starts_with("seeds/a.csv:2:1: E0207"), "{faults:?}");
    }

    #[test]
    fn names_are_made_unique_and_never_empty() {
        let table = read("a,a,,a\n1,2,3,4\n").expect("a good file");
        let names: Vec<&str> = table.column_names.iter().map(|name| &**name).collect();
        assert_eq!(names, ["a", "a_2", "c", "a_3"]);
    }

    #[test]
    fn bytes_that_are_not_utf8_name_their_line() {
        let fault = decode_utf8("seeds/a.csv", b"a\nb\n\xff\n".to_vec()).expect_err("not UTF-8");
        assert!(fault.message.contains("line 3"), "{fault}");
    }

    #[test]
    fn an_empty_file_is_an_empty_table() {
        assert_eq!(read("").expect("nothing"), Table::default());
        assert_eq!(read("a,b\n").expect("a header").column_types, [CellType::Integer, CellType::Integer]);
    }
}
