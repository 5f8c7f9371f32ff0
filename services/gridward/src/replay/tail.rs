//! What was just read of a file, kept as long as the row it belongs to is being read, so that a row that
//! was misread can be read again from another place. Gzipped files cannot be sought in; this can, a little.

use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom};

use super::unpack::Unpacked;

/// No row is longer, or a quote that is never closed would take the whole file into memory.
pub const LONGEST_ROW: u64 = 1 << 20;

/// So much of what lies before the row may stay, so that not every row moves the rest.
const SLACK: usize = 64 * 1024;

/// A file and its last row or two.
pub struct Tail {
    inner: Unpacked,
    /// What was read since `from`.
    kept: Vec<u8>,
    from: u64,
    /// Where the next byte comes from; within `kept` after a seek, at its end otherwise.
    at: u64,
    /// Where the row being read begins.
    row: u64,
    too_long: bool,
    /// The first failure. A stream that failed may say later that it is at its end; it is not.
    failed: Option<(ErrorKind, String)>,
}

impl Tail {
    pub fn new(inner: Unpacked) -> Self {
        Self { inner, kept: Vec::new(), from: 0, at: 0, row: 0, too_long: false, failed: None }
    }

    /// A row begins at `row`; nothing before it is asked for again.
    pub fn begin_row(&mut self, row: u64) {
        self.row = row;
        self.too_long = false;
        let past = self.index(row);
        if past >= SLACK {
            self.kept.drain(..past);
            self.from += past as u64;
        }
    }

    /// The bytes from `from` to `to`, which are of the row being read.
    pub fn kept(&self, from: u64, to: u64) -> &[u8] {
        let (from, to) = (self.index(from), self.index(to));
        &self.kept[from..to.max(from)]
    }

    /// Whether reading failed because the row has no end in sight.
    pub fn is_too_long(&self) -> bool {
        self.too_long
    }

    fn index(&self, at: u64) -> usize {
        let index = usize::try_from(at.saturating_sub(self.from)).unwrap_or(usize::MAX);
        index.min(self.kept.len())
    }
}

impl Read for Tail {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.at.saturating_sub(self.row) > LONGEST_ROW {
            self.too_long = true;
            return Err(Error::other("a row of more than 1 MB"));
        }
        let again = &self.kept[self.index(self.at)..];
        if !again.is_empty() {
            let read = again.len().min(buffer.len());
            buffer[..read].copy_from_slice(&again[..read]);
            self.at += read as u64;
            return Ok(read);
        }
        if let Some((kind, said)) = &self.failed {
            return Err(Error::new(*kind, said.clone()));
        }
        loop {
            match self.inner.read(buffer) {
                Ok(read) => {
                    self.kept.extend_from_slice(&buffer[..read]);
                    self.at += read as u64;
                    return Ok(read);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failed = Some((error.kind(), error.to_string()));
                    return Err(error);
                }
            }
        }
    }
}

impl Seek for Tail {
    /// Goes back to a byte that is still kept.
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let kept = self.from..=self.from + self.kept.len() as u64;
        match to {
            SeekFrom::Start(at) if kept.contains(&at) => {
                self.at = at;
                Ok(at)
            }
            _ => Err(Error::new(ErrorKind::InvalidInput, "this part of the file is not kept")),
        }
    }
}
