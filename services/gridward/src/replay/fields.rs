//! One field of a recorded row: where it is, its text, and what is wrong with it. Pure.

use csv::ByteRecord;
use domain::text::Text;
use platform::pack::Encoding;

/// Why a row cannot be used: in short, and in words that begin with the column.
pub type Fault = (&'static str, Text);

/// A column of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    pub index: usize,
    /// As the file calls it.
    pub name: String,
}

impl At {
    /// The column of this name, with or without a byte order mark before it.
    pub fn find(header: &ByteRecord, name: &str) -> Option<Self> {
        let is = |field: &[u8]| {
            field.strip_prefix(b"\xef\xbb\xbf").unwrap_or(field).trim_ascii() == name.trim().as_bytes()
        };
        let index = header.iter().position(is)?;
        Some(Self { index, name: name.to_owned() })
    }

    /// The text of this field, without blanks around it.
    ///
    /// # Errors
    /// Bytes that mean nothing in the encoding the file is read in.
    pub fn text<'a>(&self, record: &'a ByteRecord, encoding: Encoding) -> Result<&'a str, Fault> {
        let bytes = record.get(self.index).unwrap_or_default();
        std::str::from_utf8(bytes).map(str::trim).map_err(|_| self.not_text(encoding))
    }

    fn not_text(&self, encoding: Encoding) -> Fault {
        let name = &self.name;
        if encoding == Encoding::Utf8 {
            let text = Text::new(
                format!(
                    "{name} 不是有效的 UTF-8，请将文件另存为 UTF-8 编码，或在 pack.json 的 recorded.encoding 中写明编码"
                ),
                format!(
                    "{name} is not valid UTF-8: save the file as UTF-8, or say recorded.encoding in pack.json"
                ),
            );
            return ("invalid_utf8", text);
        }
        let said = encoding.as_str();
        let text = Text::new(
            format!(
                "{name} 含有 {said} 中没有的字节（pack.json 的 recorded.encoding 写明 {said}），请更正该处"
            ),
            format!(
                "{name} has bytes that are none in {said}, which recorded.encoding in pack.json says: correct them"
            ),
        );
        ("invalid_encoding", text)
    }

    pub fn empty(&self, reason: &'static str, en: &str, zh: &str) -> Fault {
        let name = &self.name;
        (reason, Text::new(format!("{name} 为空：{zh}"), format!("{name} is empty: {en}")))
    }
}

/// As much of what was given as a message needs.
pub fn shown(given: &str) -> String {
    given.chars().take(60).collect()
}
