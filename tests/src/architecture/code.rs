//! What of a source is code, and what is only said in it.

use super::find::in_word;

/// `text` with comments and literals blanked, so that only code is left; its lines stay as they are.
pub(super) fn code(text: &str) -> String {
    let mut left = String::with_capacity(text.len());
    let mut rest = text;
    let mut previous = ' ';
    while let Some(mark) = rest.chars().next() {
        let blank = not_code(rest, previous);
        let taken = if blank == 0 { mark.len_utf8() } else { blank };
        let (here, after) = rest.split_at(taken);
        if blank == 0 {
            left.push(mark);
        } else {
            left.extend(here.chars().map(|mark| if mark == '\n' { '\n' } else { ' ' }));
        }
        previous = here.chars().next_back().unwrap_or(' ');
        rest = after;
    }
    left
}

/// The length of the comment or literal that `rest` begins with; 0 when it begins with code.
fn not_code(rest: &str, previous: char) -> usize {
    let up_to =
        |end: &str, from: usize| rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len());
    match rest.as_bytes() {
        [b'/', b'/', ..] => rest.find('\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => up_to("*/", 2),
        [b'"', ..] => string(rest),
        [b'\'', b'\\', ..] => up_to("'", 3.min(rest.len())),
        [b'\'', ..] => match rest[1..].char_indices().nth(1) {
            Some((at, '\'')) => at + 2,
            _ => 0,
        },
        [b'r' | b'b' | b'c', ..] if !in_word(previous) => {
            let marks = rest.trim_start_matches(['b', 'c']);
            let Some(marks) = marks.strip_prefix('r') else { return 0 };
            let quote = marks.trim_start_matches('#');
            let hashes = marks.len() - quote.len();
            let begin = rest.len() - quote.len() + 1;
            if quote.starts_with('"') { up_to(&format!("\"{}", "#".repeat(hashes)), begin) } else { 0 }
        }
        _ => 0,
    }
}

fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (at, mark) in rest.char_indices().skip(1) {
        match mark {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[test]
fn code_is_what_is_left_without_comments_and_literals() {
    for (text, left) in [
        ("a // b\nc", "a     \nc"),
        ("a /* b\n */ c", "a     \n    c"),
        (r#"a("b \" c", d)"#, "a(        , d)"),
        ("a(r#\"b \" c\"#, d)", "a(          , d)"),
        ("a(br\"\\\", d)", "a(     , d)"),
        (r"a('\'', '/', d)", "a(    ,    , d)"),
        ("fn a<'a>(b: &'a str) // '", "fn a<'a>(b: &'a str)     "),
        ("r#type", "r#type"),
    ] {
        assert_eq!(code(text), left, "{text}");
    }
}
