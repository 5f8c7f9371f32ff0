//! Opens a recorded file, plain or gzipped, and tells it from any other.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;
use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use super::encoding::SAMPLE;

/// Bytes as the city wrote them, unpacked as they are read.
pub type Unpacked = Box<dyn Read + Send>;

/// Reads bytes and counts them, so that progress can be shown while the length is known.
struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Opens `file`, unpacking it if it is gzipped; answers also how much of it has been read by then.
///
/// # Errors
/// When it cannot be opened.
pub fn unpack(file: &Path) -> anyhow::Result<(Unpacked, Arc<AtomicU64>)> {
    let mut magic = [0; 2];
    let gzipped = opened(file)?.read_exact(&mut magic).is_ok() && magic == [0x1f, 0x8b];
    let read = Arc::new(AtomicU64::new(0));
    let counted = Counted { inner: BufReader::new(opened(file)?), read: read.clone() };
    let unpacked: Unpacked = if gzipped { Box::new(MultiGzDecoder::new(counted)) } else { Box::new(counted) };
    Ok((unpacked, read))
}

/// The first bytes of `file`, unpacked: as many as [`SAMPLE`], or as there are before it ends or breaks off.
///
/// # Errors
/// When it cannot be opened.
pub fn sample(file: &Path) -> anyhow::Result<Vec<u8>> {
    let (unpacked, _) = unpack(file)?;
    let mut sample = Vec::new();
    // Whoever reads the file says where it breaks off.
    let _ = unpacked.take(SAMPLE as u64).read_to_end(&mut sample);
    Ok(sample)
}

/// The file's content in short, so that a later run knows that it goes on with the same.
///
/// # Errors
/// When it cannot be read.
pub fn digest(file: &Path) -> anyhow::Result<String> {
    let mut hasher = Sha256::new();
    std::io::copy(&mut opened(file)?, &mut hasher)
        .with_context(|| format!("cannot read {0} / 无法读取 {0}", file.display()))?;
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn opened(file: &Path) -> anyhow::Result<File> {
    File::open(file).with_context(|| format!("cannot open {0} / 无法打开 {0}", file.display()))
}
