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
}
