//! `pack.json` against its form: fields that nobody knows and fields that are missing are all told, and hide nothing else
//! that is wrong.
//!
//! What the parser stumbles on is mended, and it reads again. A field that nobody knows is blanked, so that all the others
//! stay where they stand; for one that is missing something stands in that is of its form, and is not judged.

use super::fault::Fault;
use super::locate::{behind_entry, path_of};
use super::main_file::{PackFile, form_fault};

/// So many faults of the form are told at once.
const MOST: usize = 20;

/// What may stand in for a field: of each kind that one may have to have. The parser says which fits.
const STAND_INS: [&str; 8] = [
    "\"\"",
    "[]",
    "0",
    "\"opaque\"",
    r#"{"zh":"","en":""}"#,
    r#"{"escalate":[]}"#,
    r#"{"version":"","sign":{"escalate":[]},"handle":{"escalate":[]},"check":{"escalate":[]}}"#,
    r#"{"fallback":"","rules":[]}"#,
];

/// What became of the text.
pub(super) struct Formed {
    /// As far as it could be read; its faults are told in any case.
    pub file: Option<PackFile>,
    pub faults: Vec<Fault>,
    /// The paths of fields that are missing.
    pub missing: Vec<String>,
}

pub(super) fn read(text: &str) -> Formed {
    let mut mended = Mended { text: text.to_owned(), missing: Vec::new(), insertions: Vec::new() };
    let mut faults = Vec::new();
    loop {
        let error = match serde_json::from_str(&mended.text) {
            Ok(file) => return Formed { file: Some(file), faults, missing: mended.missing },
            Err(error) => error,
        };
        faults.push(form_fault(&error, mended.as_written(error.line(), error.column())));
        if faults.len() == MOST || mended.mend(&error).is_none() {
            return Formed { file: None, faults, missing: mended.missing };
        }
    }
}

/// The text as it has been mended so far.
struct Mended {
    text: String,
    missing: Vec<String>,
    /// Line, column from 0 and length of what stands in, in bytes, in the order in which it was put in.
    insertions: Vec<(usize, usize, usize)>,
}

impl Mended {
    /// Where something stands in the text as it was written.
    fn as_written(&self, line: usize, column: usize) -> (usize, usize) {
        let back = |column: usize, (of_line, at, length): &(usize, usize, usize)| {
            if *of_line == line && column > *at { column.saturating_sub(*length) } else { column }
        };
        (line, self.insertions.iter().rev().fold(column, back))
    }

    /// Nothing, where what is wrong is of another kind.
    fn mend(&mut self, error: &serde_json::Error) -> Option<()> {
        let said = error.to_string();
        let at = self.last_read(error)?;
        if let Some(field) = said.strip_prefix("missing field `").and_then(|rest| rest.split_once('`')) {
            return self.stand_in(field.0, (error.line(), error.column()), at);
        }
        let superfluous =
            ["unknown field `", "duplicate field `"].iter().any(|words| said.starts_with(words));
        if superfluous { self.blank(at) } else { None }
    }

    /// The last byte that the parser had read.
    fn last_read(&self, error: &serde_json::Error) -> Option<usize> {
        let lines_before = self.text.split_inclusive('\n').take(error.line().checked_sub(1)?);
        let begin: usize = lines_before.map(str::len).sum();
        Some(begin + error.column().checked_sub(1)?)
    }

    /// Takes out the field whose name ends at the byte `at`, with its value and one of the commas around it.
    fn blank(&mut self, at: usize) -> Option<()> {
        if self.text.as_bytes().get(at) != Some(&b'"') {
            return None;
        }
        let mut begin = self.text.get(..at)?.rfind('"')?;
        let (mut end, comma) = behind_entry(&self.text, at + 1);
        if let Some(comma) = comma {
            end = comma + 1;
        } else {
            let before = self.text.get(..begin)?.trim_end();
            begin = before.strip_suffix(',').map_or(begin, str::len);
        }
        let spaces: String =
            self.text.get(begin..end)?.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
        self.text.replace_range(begin..end, &spaces);
        Some(())
    }

    /// Puts something in the place of `field`, which is missing in the object that ends at the byte `at`.
    fn stand_in(&mut self, field: &str, (line, column): (usize, usize), at: usize) -> Option<()> {
        if self.text.as_bytes().get(at) != Some(&b'}') {
            return None;
        }
        let of = path_of(&self.text, at)?;
        let comma = if self.text.get(..at)?.trim_end().ends_with('{') { "" } else { "," };
        for stand_in in STAND_INS {
            let entry = format!("{comma}\"{field}\":{stand_in}");
            let mut text = self.text.clone();
            text.insert_str(at, &entry);
            let tried = Self { text, missing: Vec::new(), insertions: Vec::new() };
            let fits = match serde_json::from_str::<PackFile>(&tried.text) {
                Ok(_) => true,
                Err(error) => tried.last_read(&error).is_some_and(|read| read >= at + entry.len()),
            };
            if fits {
                self.text = tried.text;
                self.insertions.push((line, column - 1, entry.len()));
                self.missing.push(if of.is_empty() { field.to_owned() } else { format!("{of}/{field}") });
                return Some(());
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"{
  "code": "x", "name": { "zh": "甲", "en": "A" }, "source": "s", "codes": "opaque", "zone": "UTC",
  "areas": "a.csv", "categories": "c.csv", "people": "p.csv", "calendar": "k.json", "boundaries": [],
  "policy": { "version": "1", "sign": { "escalate": [] }, "handle": { "escalate": [] }, "check": { "escalate": [] } },
  "routing": { "fallback": "street_desk:1", "rules": [ { "name": "all", "to": "street" } ] }
}"#;

    /// Place and beginning of each fault of the form, and what is missing.
    fn said(text: &str) -> (Vec<String>, Vec<String>) {
        let formed = read(text);
        assert!(formed.file.is_some(), "it is read all the same");
        let told = |fault: &Fault| fault.to_string().split([',', ';']).next().unwrap().to_owned();
        (formed.faults.iter().map(told).collect(), formed.missing)
    }

    fn without(field: &str) -> String {
        let mut value: serde_json::Value = WHOLE.parse().unwrap();
        value.as_object_mut().unwrap().remove(field).unwrap();
        value.to_string()
    }

    #[test]
    fn what_is_of_the_form_is_read_as_it_stands() {
        assert_eq!(said(WHOLE), (vec![], vec![]));
    }

    #[test]
    fn something_can_stand_in_for_every_field_that_has_to_be_there() {
        let value: serde_json::Value = WHOLE.parse().unwrap();
        for field in value.as_object().unwrap().keys() {
            let (faults, missing) = said(&without(field));
            assert_eq!(missing, [field.as_str()]);
            assert_eq!(faults.len(), 1, "{faults:?}");
            assert!(faults[0].ends_with(&format!("missing field `{field}`")), "{faults:?}");
        }
    }

    #[test]
    fn all_that_is_unknown_or_missing_is_told_where_it_was_written() {
        let text = WHOLE
            .replace("\"zone\"", "\"zonne\"")
            .replace("\"version\": \"1\", \"sign\": { \"escalate\": [] },", "\"vers\": {\"a\": [\"},\"]},")
            .replace("\"to\": \"street\"", "\"too\": \"street\"");
        let (faults, missing) = said(&text);
        let expected = [
            "pack.json:2:92: unknown field `zonne`",
            "pack.json:4:20: unknown field `vers`",
            "pack.json:4:96: missing field `version`",
            "pack.json:4:96: missing field `sign`",
            "pack.json:5:77: unknown field `too`",
            "pack.json:5:89: missing field `to`",
            "pack.json:6:1: missing field `zone`",
        ];
        assert_eq!(faults, expected, "{text}");
        assert_eq!(missing, ["policy/version", "policy/sign", "routing/rules/0/to", "zone"]);
    }

    #[test]
    fn a_field_that_stands_twice_hides_nothing_either() {
        let (faults, missing) = said(&WHOLE.replace("\"areas\"", "\"zone\": \"x\", \"areas\""));
        assert_eq!((faults, missing), (vec!["pack.json:3:8: duplicate field `zone`".to_owned()], vec![]));
    }

    #[test]
    fn what_is_no_json_or_of_another_kind_ends_the_reading() {
        for text in ["", "{", "[]", &WHOLE.replace("\"x\"", "5"), &WHOLE.replace("\"UTC\",", "\"UTC\"")] {
            let formed = read(text);
            assert!(formed.file.is_none() && formed.faults.len() == 1, "{text}");
        }
        let unknown: String = (0..30).map(|n| format!("\"f{n}\": 1, ")).collect();
        assert_eq!(read(&WHOLE.replace("\"code\"", &format!("{unknown}\"code\""))).faults.len(), MOST);
    }
}
