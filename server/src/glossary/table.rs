//! A glossary as CSV (RFC 4180): a line of names, then a line for each term.
//!
//! ```text
//! term,preferred,avoid
//! col,col de l'utérus,
//! pré-éclampsie,prééclampsie,toxémie; toxicose
//! ```
//!
//! Invariant: all or nothing. What comes out of [`read`] is sound as a whole, and what [`write`](fn@write) makes of it is read
//! equal.

use std::{collections::BTreeMap, fmt};

use csv::{ByteRecord, ReaderBuilder};

use crate::{
    storage::{GLOSSARY_TERMS_MAX, GlossaryTerm},
    words,
};

/// The names in the first line.
pub const COLUMNS: [&str; 3] = ["term", "preferred", "avoid"];

/// Longest term, in characters.
pub const TERM_CHARACTERS_MAX: usize = 60;

/// Most words of a term.
pub const TERM_WORDS_MAX: usize = 6;

/// Longest wording, preferred or to be avoided, in characters.
pub const WORDING_CHARACTERS_MAX: usize = 120;

/// Most wordings to be avoided for one term.
pub const AVOIDED_MAX: usize = 10;

/// Most lines that are told to be wrong; further ones are not looked at.
pub const PROBLEMS_MAX: usize = 20;

/// Parts wordings to be avoided.
const BETWEEN: char = ';';

/// A table that is not taken, with its first [`PROBLEMS_MAX`] wrong lines.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", told(.0))]
pub struct BadTable(pub Vec<LineProblem>);

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineProblem {
    /// Its number in the file, from 1.
    pub line: u64,
    /// What is wrong, and what would be right.
    pub problem: String,
}

impl fmt::Display for LineProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

fn told(problems: &[LineProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Reads a table. A mark of byte order before it, as spreadsheets write one, is skipped.
pub fn read(table: &[u8]) -> Result<Vec<GlossaryTerm>, BadTable> {
    let table = table.strip_prefix("\u{feff}".as_bytes()).unwrap_or(table);
    let reader =
        ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(table);
    let (mut terms, mut problems, mut lines) = (Vec::new(), Vec::new(), BTreeMap::new());
    let mut records = reader.into_byte_records();
    let first = records.next().and_then(Result::ok).unwrap_or_default();
    if first != COLUMNS[..] {
        return Err(BadTable(vec![LineProblem { line: 1, problem: names_wanted() }]));
    }
    for record in records {
        let line = record.as_ref().ok().and_then(ByteRecord::position).map_or(0, |at| line_of(table, at));
        let term = record.map_err(|error| error.to_string()).and_then(|record| term(&record));
        let term = term.and_then(|term| match lines.insert(term.folded.clone(), line) {
            Some(earlier) => {
                Err(format!("`{}` stands in line {earlier} already; leave one of them out", term.term))
            }
            None if terms.len() == GLOSSARY_TERMS_MAX as usize => {
                Err(format!("a glossary has at most {GLOSSARY_TERMS_MAX} terms; leave some out"))
            }
            None => Ok(term),
        });
        match term {
            Ok(term) => terms.push(term),
            Err(problem) => problems.push(LineProblem { line, problem }),
        }
        if problems.len() == PROBLEMS_MAX {
            break;
        }
    }
    if problems.is_empty() { Ok(terms) } else { Err(BadTable(problems)) }
}

/// Writes a table that [`read`] takes.
pub fn write(terms: &[GlossaryTerm]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let avoided = |term: &GlossaryTerm| term.avoid.join(&format!("{BETWEEN} "));
    let rows = terms.iter().map(|term| [term.term.clone(), term.preferred.clone(), avoided(term)]);
    let names = COLUMNS.map(str::to_owned);
    for row in [names].into_iter().chain(rows) {
        // A vector takes whatever is written to it.
        let _ = writer.write_record(&row);
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// Returns the line of what is read from a position on: empty lines before it are skipped.
fn line_of(table: &[u8], position: &csv::Position) -> u64 {
    let from = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = table.get(from..).unwrap_or_default().iter();
    let skipped = rest.take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| **byte == b'\n');
    position.line() + skipped.count() as u64
}

fn names_wanted() -> String {
    format!("the first line must be `{}`, parted by commas", COLUMNS.join(","))
}

/// Reads a line; says the first thing that is wrong with it.
fn term(record: &ByteRecord) -> Result<GlossaryTerm, String> {
    let fields = record.iter().map(std::str::from_utf8).collect::<Result<Vec<_>, _>>();
    let fields = fields.map_err(|_| "is not UTF-8; save the table as UTF-8".to_owned())?;
    let [term, preferred, avoid] = fields[..] else {
        let found = fields.len();
        return Err(format!(
            "needs 3 fields and has {found}: {}; put what holds a comma in quotes",
            COLUMNS.join(", ")
        ));
    };
    check("term", term, TERM_CHARACTERS_MAX)?;
    check("preferred", preferred, WORDING_CHARACTERS_MAX)?;
    // Before it is parted: a line break beside a mark means that a quote was not closed, and lines were swallowed.
    check_signs("avoid", avoid)?;
    let avoid: Vec<_> = avoid.split(BETWEEN).map(str::trim).filter(|wording| !wording.is_empty()).collect();
    if avoid.len() > AVOIDED_MAX {
        return Err(format!(
            "`avoid` has {} wordings and may have {AVOIDED_MAX}; leave some out",
            avoid.len()
        ));
    }
    avoid.iter().try_for_each(|wording| check("avoid", wording, WORDING_CHARACTERS_MAX))?;
    let folded = words::folded(term);
    match folded.split_whitespace().count() {
        0 => Err("`term` has neither letter nor digit; write what users say".to_owned()),
        words if words > TERM_WORDS_MAX => {
            Err(format!("`term` has {words} words and may have {TERM_WORDS_MAX}; write the term alone"))
        }
        _ => Ok(GlossaryTerm {
            folded,
            term: term.to_owned(),
            preferred: preferred.to_owned(),
            avoid: avoid.into_iter().map(str::to_owned).collect(),
        }),
    }
}

/// Checks a field that goes into prompts, and into spreadsheets.
fn check(column: &str, field: &str, most: usize) -> Result<(), String> {
    let characters = field.chars().count();
    if characters == 0 {
        return Err(format!("`{column}` is empty; write it, or leave the line out"));
    }
    if characters > most {
        return Err(format!("`{column}` has {characters} characters and may have {most}; shorten it"));
    }
    check_signs(column, field)?;
    match field.chars().next() {
        Some(first @ ('=' | '+' | '-' | '@')) => Err(format!(
            "`{column}` begins with `{first}`, which spreadsheets take for a formula; begin with a word"
        )),
        _ => Ok(()),
    }
}

/// Checks that a field is one line of signs that can be read.
fn check_signs(column: &str, field: &str) -> Result<(), String> {
    match field.chars().find(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        Some(found) => {
            let number = u32::from(found);
            Err(format!("`{column}` holds the control character U+{number:04X}; leave it out"))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn problems(table: &str) -> String {
        let BadTable(problems) = read(table.as_bytes()).unwrap_err();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_table_is_read_as_spreadsheets_write_it_f63() {
        let table = "\u{feff}term,preferred,avoid\r\n\
            \"Pré-éclampsie\", prééclampsie ,\"toxémie; « crise », rare;\"\r\n\r\ncol,\"col de l'\"\"utérus\"\"\",\r\n";

        let terms = read(table.as_bytes()).unwrap();

        assert_eq!(terms.len(), 2);
        assert_eq!((terms[0].folded.as_str(), terms[0].term.as_str()), ("pre eclampsie", "Pré-éclampsie"));
        assert_eq!(terms[0].avoid, ["toxémie", "« crise », rare"]);
        assert_eq!((terms[1].preferred.as_str(), terms[1].avoid.len()), ("col de l'\"utérus\"", 0));
        assert_eq!(read(write(&terms).as_bytes()), Ok(terms));
        assert_eq!(read(b"term,preferred,avoid\n"), Ok(Vec::new()));
    }

    #[test]
    fn a_quote_that_is_not_closed_swallows_no_line_f63() {
        let told = problems("term,preferred,avoid\ncol,x,\"tox;\npre,y,z;\n");

        assert!(told.contains("line 2: `avoid` holds the control character U+000A"), "{told}");
    }

    #[test]
    fn each_wrong_line_is_named_with_what_is_wrong_f63() {
        let long = "x".repeat(WORDING_CHARACTERS_MAX + 1);
        let many = "a; ".repeat(AVOIDED_MAX + 1);
        let table = format!(
            "term,preferred,avoid\nfine,fine,\ntwo,fields\n,empty,\nlong,{long},\nFINE,again,\n?!,marks,\n\
             a b c d e f g,words,\n=1+1,sum,\nx,\"two\nlines\",\ny,z,{many}\ngood,\"comma, quoted\",\n"
        );

        insta::assert_snapshot!(problems(&table), @"
        line 3: needs 3 fields and has 2: term, preferred, avoid; put what holds a comma in quotes
        line 4: `term` is empty; write it, or leave the line out
        line 5: `preferred` has 121 characters and may have 120; shorten it
        line 6: `FINE` stands in line 2 already; leave one of them out
        line 7: `term` has neither letter nor digit; write what users say
        line 8: `term` has 7 words and may have 6; write the term alone
        line 9: `term` begins with `=`, which spreadsheets take for a formula; begin with a word
        line 10: `preferred` holds the control character U+000A; leave it out
        line 12: `avoid` has 11 wordings and may have 10; leave some out
        ");
        insta::assert_snapshot!(problems(""), @"line 1: the first line must be `term,preferred,avoid`, parted by commas");
        insta::assert_snapshot!(problems("term;preferred;avoid\na;b;c\n"), @"line 1: the first line must be `term,preferred,avoid`, parted by commas");
        insta::assert_snapshot!(problems("term,preferred,avoid\r\n\r\n\r\na\r\n\n\n\"b\nb\",c,\r\nd"), @"
        line 4: needs 3 fields and has 1: term, preferred, avoid; put what holds a comma in quotes
        line 7: `term` holds the control character U+000A; leave it out
        line 9: needs 3 fields and has 1: term, preferred, avoid; put what holds a comma in quotes
        ");
        let BadTable(problems) = read(b"term,preferred,avoid\na,b,c\nb,\xff,\n").unwrap_err();
        insta::assert_snapshot!(problems[0], @"line 3: is not UTF-8; save the table as UTF-8");
    }

    #[test]
    fn there_is_an_end_to_lines_and_to_what_is_told_of_them_f63() {
        let line = |n: usize| format!("t{n},w,\n");
        let rows = |count: u32| (0..count as usize).map(line).collect::<String>();
        let full = format!("term,preferred,avoid\n{}", rows(GLOSSARY_TERMS_MAX));
        let beyond = format!("term,preferred,avoid\n{}", rows(GLOSSARY_TERMS_MAX + 1));

        assert_eq!(read(full.as_bytes()).unwrap().len(), GLOSSARY_TERMS_MAX as usize);
        insta::assert_snapshot!(problems(&beyond), @"line 302: a glossary has at most 300 terms; leave some out");
        let wrong = format!("term,preferred,avoid\n{}", "x\n".repeat(PROBLEMS_MAX + 9));
        assert_eq!(read(wrong.as_bytes()).unwrap_err().0.len(), PROBLEMS_MAX);
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_written_and_read_equal_f63(
            rows in prop::collection::vec(("\\PC{0,9}|[a-zé ,\"']{1,20}", "\\PC{1,9}|[a-z,\"; ]{1,20}", "[a-z,\";é ]{0,30}"), 0..6),
            noise in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let mut table = csv::Writer::from_writer(Vec::new());
            table.write_record(COLUMNS).unwrap();
            for (term, preferred, avoid) in &rows {
                table.write_record([term, preferred, avoid]).unwrap();
            }
            if let Ok(terms) = read(&table.into_inner().unwrap()) {
                prop_assert_eq!(read(write(&terms).as_bytes()), Ok(terms));
            }
            if let Ok(terms) = read(&[b"term,preferred,avoid\n".as_slice(), &noise].concat()) {
                prop_assert_eq!(read(write(&terms).as_bytes()), Ok(terms));
            }
        }
    }
}
