//! CSV files as dbt reads seeds: Python's `csv` dialect, then agate's types.

use std::borrow::Cow;

use super::infer::{Guess, Numbers, Reading, Written};
use super::table::unique_names;
use super::{Cell, Table};
use crate::diagnostic::{Diagnostic, SourceText, Span};

/// More are not told.
const MOST_FAULTS: usize = 20;

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

/// Reads a seed; `name` is how faults call the file. Short rows are filled with nulls; a row with too many values, or a quote
/// that never ends, is an error (E0207, one for each row, at most 20).
pub fn read_csv(name: &str, text: String, options: &CsvOptions) -> Result<Table, Vec<Diagnostic>> {
    let bom = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut reader = Reader { text: &text, at: bom, delimiter: options.delimiter };
    let mut record = Record::default();
    if !reader.read(&mut record) {
        return Ok(Table::default());
    }
    let first_row = reader.at;
    let names = unique_names(record.fields.iter().map(|name| &**name));
    let is_text: Vec<bool> = names.iter().map(|name| options.text_columns.iter().any(|column| **column == **name)).collect();
    let Survey { guesses, rows, mut faults } = survey_all(reader, &is_text);
    if !faults.is_empty() {
        faults.truncate(MOST_FAULTS);
        let source = SourceText::new(name, text);
        return Err(faults.into_iter().map(|(fault, place)| fault.at(&source, place)).collect());
    }
    let columns: Vec<_> = guesses.into_iter().map(Guess::end).collect();
    let column_types = columns.iter().map(|(reading, _)| reading.kind).collect();
    let file = CsvRows { text, first_row, delimiter: options.delimiter, columns, rows };
    Ok(Table { column_names: names, column_types, rows: file.into(), path: None })
}

/// What a look at all rows finds.
struct Survey {
    guesses: Vec<Guess>,
    rows: usize,
    faults: Vec<(Diagnostic, Span)>,
}

/// Looks at all rows; at the halves of a large file at once, if no quotes hide where lines end.
fn survey_all(reader: Reader<'_>, is_text: &[bool]) -> Survey {
    let Reader { text, at, .. } = reader;
    let large = text.len() - at > 1 << 20 && !text.contains('"');
    let middle = at + (text.len() - at) / 2;
    let line_end = if large { text.bytes().skip(middle).position(|byte| byte == b'\n') } else { None };
    let Some(line_end) = line_end else { return survey(reader, is_text) };
    let half = middle + line_end + 1;
    let (first, second) = (Reader { text: &text[..half], ..reader }, Reader { at: half, ..reader });
    std::thread::scope(|threads| {
        let second = threads.spawn(|| survey(second, is_text));
        let first = survey(first, is_text);
        first.and(second.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

fn survey(mut reader: Reader<'_>, is_text: &[bool]) -> Survey {
    let mut record = Record::default();
    let mut found = Survey { guesses: is_text.iter().copied().map(Guess::new).collect(), rows: 0, faults: Vec::new() };
    while found.faults.len() < MOST_FAULTS && reader.read(&mut record) {
        found.faults.extend(fault(&record, is_text.len()).map(|fault| (fault, Span::new(record.start, record.end))));
        found.guesses.iter_mut().zip(&record.fields).for_each(|(guess, value)| guess.see(value));
        found.rows += 1;
    }
    found
}

impl Survey {
    fn and(mut self, other: Self) -> Self {
        self.guesses.iter_mut().zip(other.guesses).for_each(|(guess, other)| guess.join(other));
        self.rows += other.rows;
        self.faults.extend(other.faults);
        self
    }
}

/// What is wrong with a row below a header of so many names.
fn fault(record: &Record<'_>, names: usize) -> Option<Diagnostic> {
    let (message, help) = if record.unclosed {
        let message = "a quoted value is not closed before the end of the file".to_owned();
        (message, "Close the quote, or double it (\"\") where it is part of the value.")
    } else if record.fields.len() > names {
        let message = format!("this row has {} values, but the header names {names}", record.fields.len());
        (message, "Quote values that contain the delimiter, or set the seed's `delimiter` config.")
    } else {
        return None;
    };
    Some(Diagnostic::error("E0207", message).help(help))
}

/// The rows of a seed's file: read from its text each time, as cells would take many times its room.
#[derive(Debug)]
pub struct CsvRows {
    text: String,
    first_row: usize,
    delimiter: char,
    columns: Vec<(Reading, Numbers)>,
    rows: usize,
}

impl CsvRows {
    pub fn len(&self) -> usize {
        self.rows
    }

    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Has one of a column's numbers places after the point?
    pub fn has_fractions(&self, index: usize) -> bool {
        self.columns.get(index).is_some_and(|(_, numbers)| numbers.fraction)
    }

    /// Is one of a column's numbers written with a point, be it `76.0`?
    pub fn has_points(&self, index: usize) -> bool {
        self.columns.get(index).is_some_and(|(_, numbers)| numbers.point)
    }

    /// From the first row on.
    pub fn reader(&self) -> RowReader<'_> {
        let reader = Reader { text: &self.text, at: self.first_row, delimiter: self.delimiter };
        RowReader { reader, record: Record::default(), columns: &self.columns }
    }

    pub(super) fn cells(&self) -> Vec<Vec<Cell>> {
        let mut reader = self.reader();
        let mut rows = Vec::with_capacity(self.rows);
        while let Some(row) = reader.next_row() {
            rows.push((0..row.len()).map(|index| row.cell(index)).collect());
        }
        rows
    }
}

/// Gives one row after another.
#[derive(Debug)]
pub struct RowReader<'a> {
    reader: Reader<'a>,
    record: Record<'a>,
    columns: &'a [(Reading, Numbers)],
}

impl RowReader<'_> {
    pub fn next_row(&mut self) -> Option<Row<'_>> {
        self.reader.read(&mut self.record).then_some(Row { fields: &self.record.fields, columns: self.columns })
    }
}

/// A row of a file; it has as many values as the header has names.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    fields: &'a [Cow<'a, str>],
    columns: &'a [(Reading, Numbers)],
}

impl<'a> Row<'a> {
    pub fn len(self) -> usize {
        self.columns.len()
    }

    pub fn is_empty(self) -> bool {
        self.columns.is_empty()
    }

    fn value(self, index: usize) -> Option<&'a str> {
        self.fields.get(index).map(|value| &**value)
    }

    pub fn cell(self, index: usize) -> Cell {
        self.columns.get(index).map_or(Cell::Null, |(reading, _)| reading.cell(self.value(index)))
    }

    /// The same without making a cell where the text says all.
    pub fn written(self, index: usize) -> Written<'a> {
        self.columns.get(index).map_or(Written::Null, |(reading, _)| reading.written(self.value(index)))
    }
}

/// One record: its fields, and where it stands in the text.
#[derive(Debug, Default)]
struct Record<'a> {
    fields: Vec<Cow<'a, str>>,
    start: usize,
    end: usize,
    unclosed: bool,
}

/// Python's `csv.reader` with its default dialect: `"` quotes, doubled inside; text after a closing quote is kept; a line
/// without any text is a record without fields.
#[derive(Debug, Clone, Copy)]
struct Reader<'a> {
    text: &'a str,
    at: usize,
    delimiter: char,
}

impl<'a> Reader<'a> {
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
    fn quoted(&self, mut at: usize, field: &mut Cow<'a, str>) -> Option<usize> {
        let bytes = self.text.as_bytes();
        loop {
            let stop = at + bytes[at..].iter().position(|byte| matches!(byte, b'"' | b'\r'))?;
            *field += &self.text[at..stop];
            if bytes[stop] == b'\r' {
                *field += "\n";
                at = stop + self.line_end(stop).unwrap_or(1);
            } else if bytes.get(stop + 1) == Some(&b'"') {
                *field += "\"";
                at = stop + 2;
            } else {
                return Some(stop + 1);
            }
        }
    }

    /// Reads the next record; false after the last.
    fn read(&mut self, record: &mut Record<'a>) -> bool {
        let start = self.at;
        record.fields.clear();
        (record.start, record.end, record.unclosed) = (start, start, false);
        if let Some(length) = self.line_end(start) {
            self.at = start + length;
            return true;
        }
        if start >= self.text.len() {
            return false;
        }
        let mut at = start;
        loop {
            let mut quoted = None;
            if self.text.as_bytes().get(at) == Some(&b'"') {
                let field = quoted.insert(Cow::Borrowed(""));
                let Some(after) = self.quoted(at + 1, field) else {
                    record.end = self.text[start..].find('\n').map_or(self.text.len(), |length| start + length);
                    record.unclosed = true;
                    self.at = self.text.len();
                    return true;
                };
                at = after;
            }
            let rest: &'a str = &self.text[at..];
            let stop = self.field_end(rest);
            record.fields.push(match quoted {
                Some(field) => field + &rest[..stop],
                None => Cow::Borrowed(&rest[..stop]),
            });
            at += stop;
            if at >= self.text.len() || self.line_end(at).is_some() {
                record.end = at;
                self.at = at + self.line_end(at).unwrap_or(0);
                return true;
            }
            at += self.delimiter.len_utf8();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agate::{CellType, convert_type};

    fn read(text: &str) -> Result<Table, Vec<Diagnostic>> {
        read_csv("seeds/a.csv", text.to_owned(), &CsvOptions::default())
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
    fn halves_of_a_large_file_are_read_as_one() {
        let rows = |count: i32| (0..count).map(|number| format!("{number},2024-01-05,{number}\n")).collect::<Vec<_>>().concat();
        let plain = format!("a,b,c\n{}", rows(60_000));
        let late = format!("{plain}1.5,x\r\n");
        let types = |table: &Table| (table.column_types.clone(), convert_type(table, 0), table.len());
        let (number, date, text) = (CellType::Number, CellType::Date, CellType::Text);
        assert_eq!(types(&read(&plain).expect("good")), (vec![number, date, number], Some("integer"), 60_000));
        assert_eq!(types(&read(&late).expect("good")), (vec![number, text, number], Some("float8"), 60_001));
        let wrong = read(&format!("{plain}1,2,3,4\n")).expect_err("a bad row");
        assert!(wrong[0].to_string().starts_with("seeds/a.csv:60002:1: E0207"), "{wrong:?}");
        assert_eq!(read(&plain).expect("good").rows.last(), read("a,b,c\n59999,2024-01-05,59999").expect("good").rows.last());
    }

    #[test]
    fn an_empty_file_is_an_empty_table() {
        assert_eq!(read("").expect("nothing"), Table::default());
        assert_eq!(read("a,b\n").expect("a header").column_types, [CellType::Integer, CellType::Integer]);
    }
}
