//! How long the texts of a pack may be, in one place. They are shown on telephones, put into sentences, kept with cases and
//! sent with facts; what is longer is a slip, such as a column that was pasted into another.

use domain::text::Text;

/// The most characters of a name: of an area, a person, an organisation, a category, a rule …
pub const LONGEST_NAME: usize = 100;

/// The most characters of the code of a category or a pack, of the version of a policy, and the most bytes of a person's
/// id. The codes of areas and organisations have at most 32.
pub(super) const LONGEST_CODE: usize = 64;

/// The most characters of what is said in sentences: conditions, and where a pack comes from.
pub(super) const LONGEST_SENTENCE: usize = 1_000;

/// Whether a text has at most so many characters.
pub(super) fn within(most: usize, text: &str) -> Result<(), Text> {
    let count = text.chars().count();
    if count <= most {
        return Ok(());
    }
    Err(Text::new(
        format!("共 {count} 字，最多 {most} 字"),
        format!("{count} characters, and {most} are the most"),
    ))
}

/// The same of a column, which the fault names.
pub(super) fn column_within(most: usize, column: &str, text: &str) -> Result<(), Text> {
    within(most, text)
        .map_err(|Text { zh, en }| Text::new(format!("{column}：{zh}"), format!("{column}: {en}")))
}
