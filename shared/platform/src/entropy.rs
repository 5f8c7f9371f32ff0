//! The source of randomness, passed in wherever an id or a key is made.

/// Ten random bytes for an incident id, or thirty-two for a key.
///
/// # Panics
/// When the operating system has no randomness to give; nothing safe can be made then.
#[expect(clippy::disallowed_methods, reason = "the one place that draws randomness")]
pub fn draw<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}
