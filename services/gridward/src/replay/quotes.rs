//! Where the quotes of a row open and whether they close, as CSV has it: a quote counts at the beginning
//! of a field, and two within one are one that is written. Pure.

/// A quote that opens a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Its place in the row's bytes.
    pub at: usize,
    /// The field it opens, from 0.
    pub column: usize,
}

/// What the quotes of a row do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quotes {
    /// The first that opens on one line and does not close there.
    pub beyond_its_line: Option<Quote>,
    /// The last one is never closed.
    pub open: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Within {
    /// Before the first character of a field.
    Beginning,
    Plain,
    Quoted,
    /// After a quote in a quoted field: its end, or the first of two.
    QuotedQuote,
}

/// Whether a byte ends a line.
pub fn is_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// Follows the quotes of one row, given as it is in the file.
pub fn quotes(row: &[u8]) -> Quotes {
    let mut within = Within::Beginning;
    let mut opened = Quote { at: 0, column: 0 };
    let mut beyond_its_line = None;
    let mut column = 0;
    for (at, &byte) in row.iter().enumerate() {
        within = match (within, byte) {
            (Within::Quoted, b'"') => Within::QuotedQuote,
            (Within::Quoted, _) => {
                if is_break(byte) {
                    beyond_its_line = beyond_its_line.or(Some(opened));
                }
                Within::Quoted
            }
            (Within::QuotedQuote, b'"') => Within::Quoted,
            (Within::Beginning, b'"') => {
                opened = Quote { at, column };
                Within::Quoted
            }
            (_, b',') => {
                column += 1;
                Within::Beginning
            }
            // Outside quotes a line ends before the row begins, or where it ends.
            (_, b'\n' | b'\r') => Within::Beginning,
            _ => Within::Plain,
        };
    }
    let open = within == Within::Quoted;
    if open {
        beyond_its_line = beyond_its_line.or(Some(opened));
    }
    Quotes { beyond_its_line, open }
}

/// Where the line after the one that holds `at` begins, if the row goes on so far.
pub fn next_line(row: &[u8], at: usize) -> Option<usize> {
    let end = at + row.get(at..)?.iter().position(|byte| is_break(*byte))?;
    let length = if row[end..].starts_with(b"\r\n") { 2 } else { 1 };
    Some(end + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beyond(row: &str) -> Option<(usize, usize)> {
        quotes(row.as_bytes()).beyond_its_line.map(|quote| (quote.at, quote.column))
    }

    #[test]
    fn quotes_that_close_on_their_line_are_no_matter() {
        for row in
            ["", "a,b", "a,\"b\"\n", "\"a, \"\"b\"\"\",c\r\n", "a,b \" c\n", "\n\r\n\"a\"", "\"\",\"\""]
        {
            assert_eq!(quotes(row.as_bytes()), Quotes::default(), "{row:?}");
        }
    }

    #[test]
    fn the_first_quote_that_goes_beyond_its_line_is_found() {
        assert_eq!(beyond("a,\"b\nc\",\"d\ne\""), Some((2, 1)));
        assert_eq!(beyond("\"a\",\"b\r\n\",c"), Some((4, 1)));
        assert_eq!(beyond("\na,b,\"c"), Some((5, 2)));
        assert_eq!(beyond("a\"b,\"c\nd\"e,\"f"), Some((4, 1)));
    }

    #[test]
    fn a_quote_is_open_when_the_row_ends_within_it() {
        for (row, open) in [("a,\"b\nc", true), ("a,\"b\nc\"", false), ("\"a\"\"", true), ("\"a\"b", false)] {
            assert_eq!(quotes(row.as_bytes()).open, open, "{row:?}");
        }
    }

    #[test]
    fn the_next_line_begins_after_any_line_end() {
        assert_eq!(next_line(b"ab\ncd", 1), Some(3));
        assert_eq!(next_line(b"ab\r\ncd", 0), Some(4));
        assert_eq!(next_line(b"ab\rcd", 0), Some(3));
        assert_eq!(next_line(b"ab", 0), None);
        assert_eq!(next_line(b"ab", 2), None);
    }
}
