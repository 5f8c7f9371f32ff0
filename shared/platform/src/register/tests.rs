//! What becomes of records that are missing, wrong, late or out of order; and the register in a file.

use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;

use super::manifest::{Manifest, Parts};
use super::shelf::{Shelf, Unusable};
use super::{NotPublished, Record, Register, published_at};
use crate::pack::{Pack, PackFiles};
use crate::store::Store;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packs/twostreets")
}

fn noon() -> DateTime<Utc> {
    "2026-03-02T04:00:00Z".parse().unwrap()
}

/// The two streets, published so many minutes after noon; with another word in their source, another version.
fn version(minutes: i64, source: &str) -> (Manifest, Parts) {
    let (_, mut files) = Pack::load_to_publish(&folder(), None).unwrap();
    let main = String::from_utf8(files.read["pack.json"].clone()).unwrap().replace("Made up", source);
    files.read.insert("pack.json".to_owned(), main.into_bytes());
    let pack = Pack::of_published(files.clone()).unwrap();
    Manifest::of(&files, &pack.code, &pack.digest, noon() + TimeDelta::minutes(minutes), "anna")
}

fn records((manifest, parts): &(Manifest, Parts)) -> Vec<Record> {
    let parts = Shelf::default().lacking(parts);
    parts.into_iter().chain([manifest.record()]).collect()
}

fn shelf<'a>(records: impl IntoIterator<Item = &'a Record>) -> Shelf {
    let mut shelf = Shelf::default();
    records.into_iter().for_each(|record| shelf.take(&record.key, &record.value));
    shelf
}

fn newest(shelf: &Shelf) -> (Manifest, Result<String, String>) {
    let manifest = shelf.newest("twostreets").unwrap();
    let loaded = shelf.load(manifest).map(|pack| pack.source.clone());
    (manifest.clone(), loaded.map_err(|unusable| unusable.to_string()))
}

#[test]
fn a_pack_that_is_published_is_the_one_that_lay_in_the_folder() {
    let (pack, files) = Pack::load_to_publish(&folder(), None).unwrap();
    assert!(files.read.contains_key("../calendars/cn.json"), "also what lies beside the folder");
    let (manifest, parts) = Manifest::of(&files, &pack.code, &pack.digest, noon(), "anna");
    let shelf = shelf(&records(&(manifest.clone(), parts)));
    let published = shelf.load(&manifest).unwrap();
    assert_eq!((&published.digest, &published.code), (&pack.digest, &pack.code));
    assert_eq!(published.boundaries, pack.boundaries);
    assert_eq!(published.people.len(), pack.people.len());
    assert_eq!(published.folder, PathBuf::new());
    assert!(shelf.newest("boston").is_none());
}

#[test]
fn past_reports_belong_to_a_version_and_are_not_brought_along() {
    let boston = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packs/boston");
    let (pack, files) = Pack::load_to_publish(&boston, None).unwrap();
    let past = pack.recorded.as_ref().unwrap().file.as_ref().unwrap();
    let name = past.file_name().unwrap().to_str().unwrap();
    assert!(files.noted.contains_key(name) && !files.read.contains_key(name));
    let (manifest, parts) = Manifest::of(&files, &pack.code, &pack.digest, noon(), "anna");
    assert!(parts.values().all(|part| part.len() <= 900_000));
    let published = shelf(&records(&(manifest.clone(), parts))).load(&manifest).unwrap();
    assert_eq!(published.digest, pack.digest);
    assert_eq!(published.recorded.as_ref().unwrap().file, None);
}

#[test]
fn a_file_longer_than_a_record_may_be_comes_in_parts_and_is_put_together_in_order() {
    let long: Vec<u8> = (0..2_000_000_u32).map(|n| u8::try_from(n / 7 % 251).unwrap()).collect();
    let mut files = PackFiles::default();
    files.read.insert("long".to_owned(), long);
    files.read.insert("empty".to_owned(), Vec::new());
    let (manifest, parts) = Manifest::of(&files, "x", "1", noon(), "anna");
    assert_eq!(parts.values().map(Vec::len).sum::<usize>(), 2_000_000);
    let mut all = records(&(manifest.clone(), parts));
    assert_eq!(all.len(), 4);
    assert!(all.iter().all(|record| record.value.len() <= 900_000));
    // In whatever order they come, also with the manifest first.
    all.reverse();
    assert_eq!(shelf(&all).files(&manifest).unwrap(), files);
}

#[test]
fn a_version_of_which_a_part_is_missing_says_which_file_and_is_none_until_it_comes() {
    let all = records(&version(0, "Made up"));
    let (first, rest) = all.split_first().unwrap();
    let mut shelf = shelf(rest);
    let (manifest, said) = newest(&shelf);
    assert!(matches!(shelf.files(&manifest), Err(Unusable::Missing { .. })));
    assert!(said.unwrap_err().contains("publish the pack again / "));
    shelf.take(&first.key, &first.value);
    newest(&shelf).1.unwrap();
}

#[test]
fn a_part_that_is_not_what_its_name_says_is_left_aside() {
    let all = records(&version(0, "Made up"));
    let mut spoilt = all.clone();
    spoilt[1].value.push(b' ');
    let mut shelf = shelf(&spoilt);
    assert_eq!(shelf.odd().map(|(key, _)| key).collect::<Vec<_>>(), [&spoilt[1].key]);
    assert!(newest(&shelf).1.is_err());
    shelf.take(&all[1].key, &all[1].value);
    assert_eq!(shelf.odd().count(), 0);
    newest(&shelf).1.unwrap();
}

#[test]
fn files_that_make_another_version_than_the_manifest_says_are_not_used() {
    let (manifest, parts) = version(0, "Made up");
    let manifest = Manifest { version: "0".repeat(64), ..manifest };
    let said = newest(&shelf(&records(&(manifest, parts)))).1.unwrap_err();
    assert!(said.contains("it says it is twostreets 0000"), "{said}");
}

#[test]
fn a_version_that_this_program_would_refuse_says_file_and_line() {
    let (_, mut files) = Pack::load_to_publish(&folder(), None).unwrap();
    let people = String::from_utf8(files.read["people.csv"].clone()).unwrap();
    files.read.insert("people.csv".to_owned(), people.replace("checker,", "chequer,").into_bytes());
    let (manifest, parts) = Manifest::of(&files, "twostreets", "1", noon(), "anna");
    let said = newest(&shelf(&records(&(manifest, parts)))).1.unwrap_err();
    assert!(said.contains("people.csv:14: `chequer` is not a role"), "{said}");
}

#[test]
fn the_newest_version_counts_wherever_it_stands_and_the_rest_is_taken_out() {
    let (old, new) = (version(0, "Made up"), version(5, "Thought up"));
    let (late, ahead) = ([records(&old), records(&new)].concat(), [records(&new), records(&old)].concat());
    for all in [late, ahead] {
        let mut shelf = shelf(&all);
        let (manifest, source) = newest(&shelf);
        assert_eq!(manifest, new.0);
        assert!(source.unwrap().contains("Thought up"));
        let needless = shelf.needless();
        let keys: Vec<&str> = needless.iter().map(|record| record.key.as_str()).collect();
        assert_eq!(needless.len(), 2, "the old manifest, and the one file that differs: {keys:?}");
        assert!(
            keys.contains(&old.0.key().as_str()) && needless.iter().all(|record| record.value.is_empty())
        );
        needless.iter().for_each(|record| shelf.take(&record.key, &record.value));
        newest(&shelf).1.unwrap();
        assert!(shelf.needless().is_empty());
        assert_eq!(shelf.lacking(&new.1), []);
        assert_eq!(shelf.lacking(&old.1).len(), 1, "what did not change is not sent again");
    }
}

#[test]
fn what_nobody_understands_is_said_and_harms_nobody() {
    let all = records(&version(0, "Made up"));
    let mut shelf = shelf(&all);
    shelf.take("pack/twostreets/5", b"{}");
    shelf.take("pack/twostreets/6", &all.last().unwrap().value);
    shelf.take("unheard of", b"x");
    assert_eq!(shelf.odd().count(), 3);
    assert_eq!(shelf.keys().len(), all.len() + 3);
    newest(&shelf).1.unwrap();
    assert!(shelf.needless().is_empty(), "it may be a newer program's");
}

#[test]
fn a_version_is_later_than_the_one_before_it_also_by_a_clock_that_is_behind() {
    let (before, _) = version(0, "Made up");
    let second = TimeDelta::seconds(1);
    assert_eq!(published_at(noon() + second, Some(&before)), noon() + second);
    assert_eq!(published_at(noon() - second, Some(&before)), noon() + TimeDelta::milliseconds(1));
    assert_eq!(published_at(noon(), None), noon());
}

#[tokio::test]
async fn a_file_keeps_what_is_published_and_the_second_of_two_at_once_is_told() {
    let folder = TempDir::new().unwrap();
    let store = Store::open(folder.path()).await.unwrap();
    migrations::up(store.writer()).await.unwrap();
    let mut register = Register::in_file(store.clone());
    assert!(register.moved().await.unwrap().is_none(), "nothing was ever published");
    let empty = register.read().await.unwrap();
    let (first, parts) = version(0, "Made up");
    register.publish(&empty, &first, &parts).await.unwrap();
    let before = register.moved().await.unwrap().expect("something was published");
    assert!(register.moved().await.unwrap().is_none());
    assert_eq!(newest(&before).0, first);
    newest(&before).1.unwrap();

    let (next, parts) = version(5, "Thought up");
    let unaware = register.publish(&empty, &next, &parts).await;
    let Err(lost @ NotPublished::SomebodyElse { .. }) = unaware else { panic!("{unaware:?}") };
    let said = lost.to_string();
    let won = format!(
        "twostreets {} was published at the same moment, at {} by anna",
        &first.version[..12],
        noon()
    );
    assert!(said.starts_with(&won) && said.contains("yours is not published. Ask what it changes"), "{said}");
    assert!(register.moved().await.unwrap().is_none(), "nothing of it was written");
    assert_eq!(register.publish(&before, &next, &parts).await.unwrap(), None);
    let after = register.read().await.unwrap();
    assert_eq!(newest(&after).0, next);
    assert!(newest(&after).1.unwrap().contains("Thought up"));
    assert_eq!(after.keys().len(), parts.len() + 1, "what only the old one needed is gone");
    store.close().await.unwrap();
}
