//! Reading the files of a pack, and the digest over all of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use domain::text::Text;
use sha2::{Digest, Sha256};

use super::fault::Fault;

/// A text file, without the byte order mark that spreadsheets put before it.
pub(super) struct Source {
    /// As `pack.json` names it.
    pub name: String,
    pub text: String,
}

/// The files of a pack, as they are published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackFiles {
    /// What a pack is read from, by the names in `pack.json`.
    pub read: BTreeMap<String, Vec<u8>>,
    /// SHA-256 in hex of what belongs to a pack and nothing that runs reads: past reports, which stay where they are.
    pub noted: BTreeMap<String, String>,
}

/// Where the files of a pack are.
enum Place {
    In {
        folder: PathBuf,
        /// Where files lie that the pack may not bring along.
        data: Option<PathBuf>,
    },
    Published(PackFiles),
}

/// The files of a pack read so far.
pub(super) struct Files {
    place: Place,
    /// SHA-256 of each file's bytes, by its name.
    sums: BTreeMap<String, String>,
    /// What was read, where it is to be published.
    kept: Option<PackFiles>,
}

impl Files {
    pub fn new(folder: &Path, data: Option<&Path>) -> Self {
        let place = Place::In { folder: folder.to_owned(), data: data.map(Path::to_owned) };
        Self { place, sums: BTreeMap::new(), kept: None }
    }

    /// The same, and keeps what it reads.
    pub fn keeping(folder: &Path, data: Option<&Path>) -> Self {
        Self { kept: Some(PackFiles::default()), ..Self::new(folder, data) }
    }

    pub fn published(files: PackFiles) -> Self {
        Self { place: Place::Published(files), sums: BTreeMap::new(), kept: None }
    }

    /// What was read.
    pub fn into_kept(self) -> PackFiles {
        self.kept.unwrap_or_default()
    }

    /// Reads a file and takes it into the digest. `named` is where `pack.json` names it; the fault goes
    /// there, since that is the line to correct.
    pub fn bytes(&mut self, name: &str, named: impl FnOnce(Text) -> Fault) -> Result<Vec<u8>, Fault> {
        let bytes = self.load(name).map_err(named)?;
        self.sums.insert(name.to_owned(), sha256(&bytes));
        if let Some(kept) = &mut self.kept {
            kept.read.insert(name.to_owned(), bytes.clone());
        }
        Ok(bytes)
    }

    /// Takes a file into the digest that nothing which runs reads; see [`bytes`](Self::bytes).
    pub fn note(&mut self, name: &str, named: impl FnOnce(Text) -> Fault) -> Result<(), Fault> {
        let sum = match &self.place {
            Place::In { .. } => self.load(name).map(|bytes| sha256(&bytes)),
            Place::Published(files) => files.noted.get(name).cloned().ok_or_else(|| not_published(name)),
        };
        let sum = sum.map_err(named)?;
        if let Some(kept) = &mut self.kept {
            kept.noted.insert(name.to_owned(), sum.clone());
        }
        self.sums.insert(name.to_owned(), sum);
        Ok(())
    }

    fn load(&self, name: &str) -> Result<Vec<u8>, Text> {
        // An absolute name would give the same pack another digest on each machine.
        if name.is_empty() || Path::new(name).is_absolute() {
            return Err(Text::new(
                format!("文件名“{name}”无效；请写相对于包目录的路径"),
                format!("`{name}` is not the name of a file: write a path relative to the pack's folder"),
            ));
        }
        if let Place::Published(files) = &self.place {
            return files.read.get(name).cloned().ok_or_else(|| not_published(name));
        }
        let Some(path) = self.path(name) else { return Err(no_data(name)) };
        std::fs::read(&path).map_err(|error| {
            // What lies in the pack is found by its name; anything else by where it was looked for.
            let shown = if name.starts_with(DATA) { path.display().to_string() } else { name.to_owned() };
            Text::new(
                format!("无法读取文件 {shown}：{error}"),
                format!("the file {shown} cannot be read: {error}"),
            )
        })
    }

    /// Where a file lies; nowhere, if there is no folder of data and it should be there, or if it was published.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        let Place::In { folder, data } = &self.place else { return None };
        match name.strip_prefix(DATA) {
            None => Some(folder.join(name)),
            Some(beside) => Some(data.as_ref()?.join(beside)),
        }
    }

    /// Reads a text file; see [`bytes`](Self::bytes).
    pub fn text(&mut self, name: &str, named: impl FnOnce(Text) -> Fault) -> Result<Source, Fault> {
        let bytes = self.bytes(name, named)?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
            Fault::at_line(
                name,
                line,
                Text::new(
                    "不是 UTF-8 编码；请另存为 UTF-8",
                    "this line is not UTF-8: save the file as UTF-8",
                ),
            )
        })?;
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        };
        Ok(Source { name: name.to_owned(), text })
    }

    /// One digest over names and contents, whatever the order they were read in.
    pub fn digest(&self) -> String {
        let mut all = Sha256::new();
        for (name, sum) in &self.sums {
            all.update(format!("{sum}  {name}\n"));
        }
        hex(&all.finalize())
    }
}

/// A name that begins so is looked for in the folder of data, and not in the pack's.
const DATA: &str = "$DATA/";

fn no_data(name: &str) -> Text {
    Text::new(
        format!(
            "文件 {name} 未随程序发布（许可不允许），须另行取得；请用环境变量 DATA 或 --pack-data 指出它所在的目录"
        ),
        format!(
            "the file {name} does not come with the pack, since its licence does not allow it: say where it lies, with \
             --pack-data FOLDER or DATA=FOLDER in the environment"
        ),
    )
}

fn not_published(name: &str) -> Text {
    Text::new(
        format!("文件 {name} 不在已发布的包中；请重新发布"),
        format!("the file {name} is not in the published pack: publish it again"),
    )
}

/// In hex.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
