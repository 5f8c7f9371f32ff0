//! The pack that parsers are tried with: it names every file and gives every setting there can be.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use platform::pack::{Pack, PackFiles};

/// Its files, by the names that its `pack.json` has for them.
pub static FILES: LazyLock<PackFiles> = LazyLock::new(|| read().1);

/// The pack itself, as it lies in its folder.
pub static PACK: LazyLock<Arc<Pack>> = LazyLock::new(|| Arc::new(read().0));

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packs/whole")
}

fn read() -> (Pack, PackFiles) {
    Pack::load_to_publish(&folder(), None).unwrap_or_else(|fault| panic!("{fault}"))
}

/// The file of the base whose name ends so, by its name in `pack.json`.
pub fn file_called(name: &str) -> Option<&'static str> {
    FILES.read.keys().map(String::as_str).find(|known| known.rsplit('/').next() == Some(name))
}

/// The base with some of its files in other words.
///
/// # Errors
/// What is wrong with it.
pub fn with(changed: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Pack, platform::pack::PackFault> {
    let mut files = FILES.clone();
    files.read.extend(changed);
    Pack::of_published(files)
}
