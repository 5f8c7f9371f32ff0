//! The clock a data folder runs on: the host's, or one that runs faster from a first start on, and is kept in
//! the folder so that a restart does not set it back.

use std::io::ErrorKind;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use chrono::{DateTime, Datelike, Utc};
use platform::clock::{Clock, Skipping, host_now};
use platform::store::{Store, log};
use serde::{Deserialize, Serialize};

use crate::store::progress;

/// How many times faster than life a clock may run.
pub(crate) fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| format!("`{text}` is not a number / 不是数字"))?;
    if SPEEDS.contains(&speed) {
        Ok(speed)
    } else {
        Err("give 1 to 1000000 / 请给出 1 到 1000000".to_owned())
    }
}

/// Its file in the folder.
pub const FILE: &str = "clock.json";

/// Where a paced clock began, kept in the data folder so that a restart does not set it back.
#[derive(Debug, Serialize, Deserialize)]
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
    match read(&bytes, host_now()) {
        Ok(began) => Ok(Some(began)),
        Err(why) => bail!(
            "{0} is not a clock of ours: {why}. Restore it from a copy; without it the folder goes by the host's clock from \
             now on / {0} 不是可用的时钟文件：请从备份恢复；删除该文件后，该目录改用本机时钟",
            file.display()
        ),
    }
}

/// A clock as it was kept, that can show the time when the host's shows `now`. Whatever its file says: a hand may have
/// made it.
fn read(bytes: &[u8], now: DateTime<Utc>) -> Result<Began, String> {
    let began: Began = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let Began { speed, origin, ref gaps, .. } = began;
    if !SPEEDS.contains(&speed) {
        return Err(format!("its speed is {speed}, and must be {} to {}", SPEEDS.start(), SPEEDS.end()));
    }
    let mut last = origin;
    for (from, until) in gaps {
        if *from < last || *until <= *from {
            return Err(format!(
                "what it leaves out, from {from} until {until}, is not behind its origin and what it left out before"
            ));
        }
        last = *until;
    }
    let shown = began.clock().showed(now).unwrap_or(now);
    if !YEARS.contains(&shown.year()) {
        return Err(format!(
            "it shows {shown}, and can be gone by in the years {} to {}",
            YEARS.start(),
            YEARS.end()
        ));
    }
    Ok(began)
}

/// How many times faster than life a clock may run.
const SPEEDS: RangeInclusive<f64> = 1.0..=1_000_000.0;

/// What a clock may show: times that both databases keep.
const YEARS: RangeInclusive<i32> = 1970..=9999;

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
    use domain::facts::Topic;
    use domain::id::IncidentId;
    use platform::stream::Fact;

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

    #[test]
    fn a_clock_that_cannot_be_written_is_none_and_half_a_one_from_before_is_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let begun = folder.path().join("clock.json.new");
        // As a full disk does, this keeps it from being written.
        std::fs::create_dir(&begun).unwrap();
        let refused = format!("{:#}", paced(folder.path(), 60.0, None).unwrap_err());
        assert!(refused.contains(FILE) && refused.contains("无法写入"), "{refused}");
        assert!(!folder.path().join(FILE).exists());
        std::fs::remove_dir(&begun).unwrap();
        std::fs::write(&begun, "{\"host_ori").unwrap();
        paced(folder.path(), 60.0, None).unwrap();
        assert!(kept(folder.path()).unwrap().is_some() && !begun.exists());
    }

    #[test]
    fn a_clock_file_that_a_hand_has_made_is_refused_by_name_with_what_is_wrong_and_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), r#"{"host_origin": "noon"}"#).unwrap();
        let said = paced(folder.path(), 60.0, None).unwrap_err().to_string();
        for part in [FILE, "line 1 column", "Restore it from a copy", "请从备份恢复"] {
            assert!(said.contains(part), "`{part}` is not in {said}");
        }
    }

    #[test]
    fn no_clock_file_whatever_it_says_ends_a_process() {
        // An hour after the host's clock showed this.
        let (host, noon) = ("2026-07-22T04:00:00Z", "2026-03-02T04:00:00Z");
        let now = "2026-07-22T05:00:00Z".parse().unwrap();
        let clock = |host_origin: &str, origin: &str, speed: &str, gaps: &str| {
            format!(
                r#"{{"host_origin": "{host_origin}", "origin": "{origin}", "speed": {speed}, "gaps": [{gaps}]}}"#
            )
        };
        let gap = |from: &str, until: &str| format!(r#"["2026-03-{from}:00Z", "2026-03-{until}:00Z"]"#);
        let (first, second) = (gap("02T12:00", "03T00:00"), gap("03T12:00", "04T00:00"));
        let nights = clock(host, noon, "60", &format!("{first}, {second}"));
        assert!(read(nights.as_bytes(), now).is_ok());

        let mut wrong = vec![
            (String::new(), "EOF"),
            ("{}".to_owned(), "missing field"),
            ("60".to_owned(), "invalid type"),
            (clock(host, noon, "1e999", ""), "out of range"),
        ];
        wrong
            .extend(["0", "-60", "0.5", "1e300"].map(|speed| (clock(host, noon, speed, ""), "its speed is")));
        let ends = [
            ("-150000-01-01T00:00:00Z", noon),
            ("+262000-01-01T00:00:00Z", noon),
            (host, "+262000-01-01T00:00:00Z"),
            (host, "-262000-01-01T00:00:00Z"),
            (host, "1969-12-28T00:00:00Z"),
        ];
        wrong.extend(ends.map(|(host_origin, origin)| (clock(host_origin, origin, "60", ""), "it shows")));
        let disordered = [
            format!("{second}, {first}"),
            format!("{first}, {first}"),
            gap("03T00:00", "02T12:00"),
            gap("02T03:00", "02T12:00"),
        ];
        wrong.extend(disordered.map(|gaps| (clock(host, noon, "60", &gaps), "what it leaves out")));
        let for_ever = r#"["2026-03-02T12:00:00Z", "+262000-01-01T00:00:00Z"]"#;
        wrong.push((clock(host, noon, "60", for_ever), "it shows"));
        for (text, wanted) in wrong {
            let why = read(text.as_bytes(), now).unwrap_err();
            assert!(why.contains(wanted), "`{wanted}` is not in {why}, of {text}");
        }
    }

    #[tokio::test]
    async fn a_folder_has_so_far_run_on_the_clock_it_keeps_or_where_its_replay_stands_or_on_the_hosts() {
        let folder = tempfile::tempdir().unwrap();
        let store = crate::embedded::prepare(folder.path()).await.unwrap();
        assert!(matches!(so_far(folder.path(), &store).await.unwrap(), Clock::Host), "a new one");

        let stood: DateTime<Utc> = "2026-03-02T04:00:00.250Z".parse().unwrap();
        let tx = store.begin().await.unwrap();
        let fact = Fact {
            topic: Topic::Reported,
            incident: IncidentId::new(stood, [7; 10]),
            sequence: 1,
            kind: "report.submitted".to_owned(),
            at: stood,
            noticed_at: stood,
            cause: "act/report".to_owned(),
            body: "{}".to_owned(),
        };
        log::append(&tx, &[fact]).await.unwrap();
        platform::store::commit(tx, "publishing").await.unwrap();
        assert!(matches!(so_far(folder.path(), &store).await.unwrap(), Clock::Host), "nothing was replayed");
        let replayed =
            progress::Progress { settings: String::new(), windows_done: 1, counted: "{}".to_owned() };
        progress::save(&store, "digest", &replayed).await.unwrap();
        let clock = so_far(folder.path(), &store).await.unwrap();
        assert!(clock.is_driven() && clock.now() == stood, "{clock:?}");

        paced(folder.path(), 60.0, Some(stood)).unwrap();
        let kept = so_far(folder.path(), &store).await.unwrap();
        assert!(matches!(kept, Clock::Paced { origin, .. } if origin == stood), "{kept:?}");
        store.close().await.unwrap();
    }
}
