//! Where in a JSON text a value stands, so that a fault found after parsing still names line and column.

/// Line and column, from 1, of the value at `path`, such as `boundaries/0/datum`; of the nearest value
/// above it where the path ends early, as it does for a field that is missing.
///
/// `text` must have been parsed before: it is walked here, not checked.
pub(super) fn locate(text: &str, path: &str) -> (usize, usize) {
    let mut walk = Walk { text: text.as_bytes(), at: 0 };
    walk.skip_space();
    for step in path.split('/') {
        let before = walk.at;
        if !walk.enter(step) {
            walk.at = before;
            break;
        }
    }
    line_and_column(text, walk.at)
}

/// Where the value ends whose name ends before the byte `at`, in bytes; and where the comma behind it stands, if there is
/// one.
pub(super) fn behind_entry(text: &str, at: usize) -> (usize, Option<usize>) {
    let mut walk = Walk { text: text.as_bytes(), at };
    walk.skip_space();
    walk.at += 1;
    walk.skip_space();
    walk.skip_value();
    let end = walk.at.min(text.len());
    walk.skip_space();
    (end, (walk.here() == Some(b',')).then_some(walk.at))
}

/// The path of the object or list that ends with the byte `at`, such as `policy/sign`; empty for the whole.
pub(super) fn path_of(text: &str, at: usize) -> Option<String> {
    let mut walk = Walk { text: text.as_bytes(), at: 0 };
    // What is being read of each that is open: the name of a field, or a place in a list.
    let mut open: Vec<String> = Vec::new();
    while let Some(byte) = walk.here() {
        match byte {
            b'"' => {
                let begin = walk.at + 1;
                walk.skip_string();
                let end = walk.at.checked_sub(1)?;
                walk.skip_space();
                if walk.here() == Some(b':')
                    && let Some(step) = open.last_mut()
                {
                    text.get(begin..end)?.clone_into(step);
                }
                continue;
            }
            b'{' => open.push(String::new()),
            b'[' => open.push("0".to_owned()),
            b',' => {
                let next = open.last().and_then(|step| step.parse::<usize>().ok()).map(|n| n + 1);
                if let (Some(step), Some(next)) = (open.last_mut(), next) {
                    *step = next.to_string();
                }
            }
            b'}' | b']' => {
                open.pop();
                if walk.at == at {
                    return Some(open.join("/"));
                }
            }
            _ => {}
        }
        walk.at += 1;
    }
    None
}

/// Line and column, from 1 and in characters, of the byte at `at`.
fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let start_of_line = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[start_of_line..].chars().count() + 1)
}

struct Walk<'a> {
    text: &'a [u8],
    at: usize,
}

impl Walk<'_> {
    fn here(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.here().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Goes from the start of an object or array to the start of one value in it.
    fn enter(&mut self, step: &str) -> bool {
        match self.here() {
            Some(b'{') => self.enter_object(step),
            Some(b'[') => self.enter_array(step),
            _ => false,
        }
    }

    fn enter_object(&mut self, wanted: &str) -> bool {
        while self.next_entry() {
            let quoted = self.at;
            self.skip_string();
            let key = &self.text[quoted + 1..self.at - 1];
            self.skip_space();
            self.at += 1;
            self.skip_space();
            if key == wanted.as_bytes() {
                return true;
            }
            self.skip_value();
        }
        false
    }

    fn enter_array(&mut self, wanted: &str) -> bool {
        let Ok(index) = wanted.parse::<usize>() else { return false };
        let mut passed = 0;
        while self.next_entry() {
            if passed == index {
                return true;
            }
            self.skip_value();
            passed += 1;
        }
        false
    }

    /// Steps over the bracket or comma before the next entry; false at the end of the container.
    fn next_entry(&mut self) -> bool {
        self.skip_space();
        if !matches!(self.here(), Some(b'{' | b'[' | b',')) {
            return false;
        }
        self.at += 1;
        self.skip_space();
        !matches!(self.here(), Some(b'}' | b']') | None)
    }

    fn skip_value(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.here() {
            match byte {
                b'"' => {
                    self.skip_string();
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' | b',' if depth == 0 => return,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
        }
    }

    /// From an opening quotation mark to just behind the closing one.
    fn skip_string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.here() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "{\n  \"名\": \"a \\\" } b\",\n  \"list\": [1, [2, \"],\"],\n    {\"x\": {}, \"y\": 5}],\n  \"z\": null\n}\n";

    #[test]
    fn a_value_is_found_by_its_path_past_strings_that_hold_brackets() {
        assert_eq!(locate(TEXT, "名"), (2, 8));
        assert_eq!(locate(TEXT, "list/1/1"), (3, 19));
        assert_eq!(locate(TEXT, "list/2/y"), (4, 20));
        assert_eq!(locate(TEXT, "z"), (5, 8));
    }

    #[test]
    fn a_missing_value_is_placed_at_what_should_hold_it() {
        assert_eq!(locate(TEXT, "list/2/datum"), (4, 5));
        assert_eq!(locate(TEXT, "list/9"), (3, 11));
        assert_eq!(locate(TEXT, "nothing/at/all"), (1, 1));
        assert_eq!(locate("", "a"), (1, 1));
        assert_eq!(locate("{}", "a"), (1, 1));
    }

    #[test]
    fn what_ends_somewhere_has_a_path() {
        let at = |end: &str| path_of(TEXT, TEXT.find(end).unwrap());
        assert_eq!(at("],\n    {").as_deref(), Some("list/1"));
        assert_eq!(at("}, \"y\"").as_deref(), Some("list/2/x"));
        assert_eq!(at("}],\n  \"z\"").as_deref(), Some("list/2"));
        assert_eq!(at("],\n  \"z\"").as_deref(), Some("list"));
        assert_eq!(path_of("{}", 1).as_deref(), Some(""));
        assert_eq!((at("名"), path_of("{\"a", 3)), (None, None));
    }

    #[test]
    fn a_value_ends_before_the_comma_behind_it() {
        let text = "{\"a\" : [1, {}] , \"b\": 5}";
        assert_eq!(behind_entry(text, 4), (15, Some(15)));
        assert_eq!(behind_entry(text, 20), (23, None));
    }
}
