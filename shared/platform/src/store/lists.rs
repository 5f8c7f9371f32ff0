//! A short list in one column, as JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The column's text.
pub fn write(list: &impl Serialize) -> String {
    serde_json::to_string(list).expect("a list of plain data")
}

/// The list in a column.
///
/// # Errors
/// Quotes the text when it is no such list.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, String> {
    serde_json::from_str(text).map_err(|error| format!("`{text}` is not a list: {error}"))
}
