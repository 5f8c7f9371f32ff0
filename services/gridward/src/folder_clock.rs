//! The clock a data folder runs on: the host's, or one that runs faster from a first start on, and is kept in
//! the folder so that a restart does not set it back.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use platform::clock::{Clock, Skipping, host_now};
use platform::store::{Store, log};
use serde::{Deserialize, Serialize};

use crate::store::progress;

/// How many times faster than life a clock may run.
pub(crate) fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| format!("`{text}` is not a number / 不是数字"))?;
    if (1.0..=1_000_000.0).contains(&speed) {
        Ok(speed)
    } else {
        Err("give 1 to 1000000 / 请给出 1 到 1000000".to_owned())
    }
}

/// Its file in the folder.
pub const FILE: &str = "clock.json";

/// Where a paced clock began, kept in the data folder so that a restart does not set it back.
#[derive(Serialize, Deserialize)]
struct Began {
    host_origin: DateTime<Utc>,
    origin: DateTime<Utc>,
    speed: f64,
    /// What it leaves out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    gaps: Vec<(DateTime<Utc>, DateTime<Utc>)>,
}

/// The clock of `folder`: the host's at speed 1; otherwise one that runs `speed` times as fast since the
/// first start, from `origin` or the host's time then.
///
/// # Errors
/// When the folder keeps a clock of another speed, or its file cannot be read or written.
pub fn paced(folder: &Path, speed: f64, origin: Option<DateTime<Utc>>) -> anyhow::Result<Clock> {
    skipping(folder, speed, origin, Vec::new())
}

/// As [`paced`], and a clock that begins now leaves out `gaps`, each from when until when.
///
/// # Errors
/// As [`paced`].
pub fn skipping(
    folder: &Path,
    speed: f64,
    origin: Option<DateTime<Utc>>,
    gaps: Vec<(DateTime<Utc>, DateTime<Utc>)>,
) -> anyhow::Result<Clock> {
    if let Some(began) = kept(folder)? {
        #[expect(clippy::float_cmp, reason = "the speed is kept as it was given")]
        let same = began.speed == speed;
        if !same {
            let (here, runs) = (folder.display(), began.speed);
            bail!(
                "{here} runs on a clock of speed {runs}: give --speed {runs}, or another --data / \
                 {here} 的时钟为 {runs} 倍速：请用 --speed {runs}，或换一个 --data"
            );
        }
        return Ok(began.clock());
    }
    #[expect(clippy::float_cmp, reason = "exactly 1 means the host's own clock")]
    if speed == 1.0 && origin.is_none() {
        return Ok(Clock::Host);
    }
    let host_origin = host_now();
    let began = Began { host_origin, origin: origin.unwrap_or(host_origin), speed, gaps };
    let file = folder.join(FILE);
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {} / 无法创建该目录", folder.display()))?;
    // Whole or not at all: a disk that is full leaves no half a clock.
    let begun = folder.join(format!("{FILE}.new"));
    std::fs::write(&begun, serde_json::to_vec(&began)?)
        .and_then(|()| std::fs::rename(&begun, &file))
        .with_context(|| format!("cannot write {} / 无法写入该文件", file.display()))?;
    Ok(began.clock())
}

/// The clock that `folder` has run on so far: its own, where a replay stands still, or the host's.
///
/// # Errors
/// When the folder's clock or database cannot be read.
pub async fn so_far(folder: &Path, store: &Store) -> anyhow::Result<Clock> {
    if let Some(began) = kept(folder)? {
        return Ok(began.clock());
    }
    if progress::any(store).await?
        && let Some(last) = log::last_at(store.readers()).await?
    {
        return Ok(Clock::driven(last));
    }
    Ok(Clock::Host)
}

fn kept(folder: &Path) -> anyhow::Result<Option<Began>> {
    let file = folder.join(FILE);
    let bytes = match std::fs::read(&file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read {} / 无法读取该文件", file.display()));
        }
    };
    let began = serde_json::from_slice(&bytes)
        .with_context(|| format!("{} is not a clock of ours / 该文件不是可用的时钟文件", file.display()))?;
    Ok(Some(began))
}

impl Began {
    fn clock(&self) -> Clock {
        let Self { host_origin, origin, speed, ref gaps } = *self;
        if gaps.is_empty() {
            return Clock::Paced { host_origin, origin, speed };
        }
        Clock::Skipping(Arc::new(Skipping { host_origin, origin, speed, gaps: gaps.clone() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_runs_between_as_fast_as_life_and_a_million_times_as_fast() {
        for fits in ["1", "1.5", "1200", "1000000"] {
            assert_eq!(speed(fits).map(|speed| speed.to_string()).as_deref(), Ok(fits));
        }
        for wrong in ["0", "0.5", "-1", "1000001", "inf", "nan", "", "fast"] {
            assert!(speed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_folder_keeps_what_its_clock_leaves_out() {
        let folder = tempfile::tempdir().unwrap();
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let night = (at("2026-07-22T12:00:00Z"), at("2026-07-23T00:00:00Z"));
        let origin = Some(at("2026-07-22T02:00:00Z"));
        let gaps = |clock| match clock {
            Clock::Skipping(clock) => clock.gaps.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(gaps(skipping(folder.path(), 180.0, origin, vec![night]).unwrap()), [night]);
        assert_eq!(gaps(paced(folder.path(), 180.0, None).unwrap()), [night]);
    }

    #[test]
    fn a_folder_keeps_the_clock_it_began_with() {
        let folder = tempfile::tempdir().unwrap();
        let origin = "2026-03-02T01:00:00Z".parse().unwrap();
        let began = |clock| match clock {
            Clock::Paced { host_origin, origin, .. } => (host_origin, origin),
            other => panic!("{other:?}"),
        };
        let first = began(paced(folder.path(), 60.0, Some(origin)).unwrap());
        assert_eq!(first.1, origin);
        assert_eq!(began(paced(folder.path(), 60.0, None).unwrap()), first);
        let kept = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
        assert!(!kept.contains("gaps"), "as it was written before clocks left anything out: {kept}");
        let refused = paced(folder.path(), 1.0, None).unwrap_err().to_string();
        assert!(refused.contains("give --speed 60") && refused.contains("请用 --speed 60"), "{refused}");
    }
}
