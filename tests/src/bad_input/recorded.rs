//! What can be wrong with a recorded file: a bad row is refused with its line and its reason, and the rest
//! goes on; a file that is none says so.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use gridward::audit::{Options, audit};
use gridward::replay::drive::Counted;
use gridward::replay::summary::Summary;
use gridward::replay::{Asked, Ended, replay};
use platform::pack::Pack;
use platform::store::Store;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use tempfile::TempDir;

use crate::world::packs;

const HEADER: &str = "id,opened,closed,due,status,category,lon,lat";

/// A replay that ended, and its folder.
pub(super) struct Replayed {
    pub summary: Summary,
    pub counted: Counted,
    folder: TempDir,
}

async fn run(folder: &Path) -> anyhow::Result<Ended> {
    run_with(Pack::load(&packs().join("twostreets")).unwrap(), folder).await
}

async fn run_with(pack: Pack, folder: &Path) -> anyhow::Result<Ended> {
    let pack = Arc::new(pack);
    let file = folder.join("recorded.csv");
    let data = folder.join("data");
    let asked = Asked { file, pack, data, servers: None, until: None, window: 3 };
    replay(&asked, &indicatif::ProgressBar::hidden(), &mut || false).await
}

/// Replays the bytes of a file on the two streets.
pub(super) async fn replayed(bytes: &[u8]) -> anyhow::Result<Replayed> {
    replayed_with(Pack::load(&packs().join("twostreets")).unwrap(), bytes).await
}

/// Replays the bytes of a file as `pack` says it is read.
pub(super) async fn replayed_with(pack: Pack, bytes: &[u8]) -> anyhow::Result<Replayed> {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("recorded.csv"), bytes).unwrap();
    let ended = run_with(pack, folder.path()).await?;
    let Ended::Done(summary, counted) = ended else { panic!("nobody asked it to stop") };
    let replayed = Replayed { summary: *summary, counted, folder };
    replayed.adds_up().await;
    Ok(replayed)
}

/// Replays the same file once more into the same folder, as if nothing of it had been counted yet: every
/// window is then one that was interrupted after its last event.
async fn again(first: &Replayed) -> Summary {
    let data = first.folder.path().join("data");
    let store = Store::open(&data).await.unwrap();
    let nothing = serde_json::to_string(&Counted::default()).unwrap();
    let begun = format!("UPDATE gridward_replay SET windows_done = 0, counted = '{nothing}'");
    store.writer().execute_unprepared(&begun).await.unwrap();
    store.close().await.unwrap();
    let Ended::Done(summary, _) = run(first.folder.path()).await.unwrap() else {
        panic!("nobody asked it to stop")
    };
    first.adds_up().await;
    *summary
}

#[tokio::test]
async fn a_replay_into_an_offices_folder_is_refused_for_its_clock_would_jump() {
    let mut world = crate::world::World::start().await;
    world.case_of("road").await;
    let crate::world::World { all, folder, .. } = world;
    let pack = all.pack.clone();
    all.around.store.clone().close().await.unwrap();
    drop(all);
    let file = folder.path().join("recorded.csv");
    std::fs::write(&file, self::file(&[])).unwrap();
    let data = folder.path().to_owned();
    let asked = Asked { file, pack, data, servers: None, until: None, window: 3 };
    let Err(said) = replay(&asked, &indicatif::ProgressBar::hidden(), &mut || false).await else {
        panic!("an office's deadlines would have been swept")
    };
    assert!(said.to_string().contains("not a replay's"), "{said}");
    assert!(said.to_string().contains("请为回放换一个 --data"), "{said}");
}

#[tokio::test]
async fn a_folder_with_cases_of_one_pack_is_refused_to_another() {
    let folder = TempDir::new().unwrap();
    let open = async |name: &str| {
        let pack = Arc::new(Pack::load(&packs().join(name)).unwrap());
        gridward::embedded::Embedded::open(folder.path(), pack, platform::clock::Clock::Host).await
    };
    let first = open("twostreets").await.unwrap();
    first.around.store.clone().close().await.unwrap();
    drop(first);
    let Err(said) = open("boston").await else {
        panic!("cases of one city would be routed by another's rules")
    };
    assert!(said.to_string().contains("give the right --pack"), "{said}");
    assert!(said.to_string().contains("请改用正确的 --pack"), "{said}");
    open("twostreets").await.unwrap();
}

/// The lines of a good file, with `odd` ones among them.
pub(super) fn file(odd: &[&str]) -> Vec<u8> {
    let mut lines = vec![HEADER.to_owned(), row("good-1"), row("good-2")];
    lines.extend(odd.iter().map(|line| (*line).to_owned()));
    lines.extend([row("good-3"), row("good-4")]);
    lines.join("\n").into_bytes()
}

/// A good row: opened, closed in time, in grid 111.
pub(super) fn row(id: &str) -> String {
    format!("{id},2026-03-02T09:00:00,2026-03-02T10:00:00,2026-03-02T12:00:00,closed,road,121.805,29.905")
}

/// How many good rows [`file`] has.
const GOOD: u64 = 4;

impl Replayed {
    async fn adds_up(&self) {
        let Summary { rows, accepted, refused, routed, named, fallback, due_steps, .. } = &self.summary;
        assert_eq!(*rows, accepted + refused.values().sum::<u64>(), "{:?}", self.counted);
        assert_eq!(i64::try_from(*accepted).unwrap(), routed + named + fallback, "{:?}", self.summary);
        assert_eq!((due_steps.early, due_steps.doubled, due_steps.missed), (0, 0, 0));
        let report = audit(&self.folder.path().join("data"), Options::default()).await.unwrap();
        assert!(report.is_clean(), "{report}");
    }

    pub fn refused(&self) -> BTreeMap<&str, u64> {
        self.summary.refused.iter().map(|(reason, count)| (reason.as_str(), *count)).collect()
    }

    /// What one query answers, as text.
    pub async fn one(&self, sql: &str) -> String {
        let store = Store::look(&self.folder.path().join("data")).await.unwrap();
        let statement = Statement::from_string(DbBackend::Sqlite, sql);
        let row = store.readers().query_one_raw(statement).await.unwrap().unwrap();
        row.try_get_by_index(0).unwrap()
    }
}

/// The odd lines are refused for this reason, the first as said; the good rows are all taken.
async fn refuses(odd: &[&str], reason: &str, said: &[&str]) {
    let replayed = replayed(&file(odd)).await.unwrap();
    assert_eq!(replayed.refused(), BTreeMap::from([(reason, odd.len() as u64)]), "{:?}", replayed.counted);
    assert_eq!(replayed.summary.accepted, GOOD);
    let example = &replayed.counted.examples[0];
    assert!(said.iter().all(|said| example.contains(said)), "wanted {said:?} in {example:?}");
}

async fn fails(bytes: &[u8]) -> String {
    match replayed(bytes).await {
        Ok(replayed) => panic!("replayed {:?}", replayed.summary),
        Err(error) => format!("{error:#}"),
    }
}

#[tokio::test]
async fn a_good_file_is_taken_whole() {
    let replayed = replayed(&file(&[])).await.unwrap();
    assert_eq!((replayed.summary.rows, replayed.summary.accepted), (GOOD, GOOD));
    assert_eq!(replayed.one("SELECT DISTINCT state FROM handle_case").await, "CLOSED");
}

#[tokio::test]
async fn a_row_that_is_not_utf8_is_refused_with_its_line_and_the_rest_goes_on() {
    let mut bytes = file(&["ODD,2026-03-02T09:00:00,,,open,road,121.805,29.905"]);
    let at = bytes.windows(3).position(|three| three == b"ODD").unwrap();
    bytes[at + 1] = 0xff;
    let replayed = replayed(&bytes).await.unwrap();
    assert_eq!(replayed.refused(), BTreeMap::from([("invalid_utf8", 1)]));
    assert_eq!(replayed.summary.accepted, GOOD);
    assert_eq!(
        replayed.counted.examples,
        [
            "line 4: id is not valid UTF-8: save the file as UTF-8, or say recorded.encoding in pack.json / 第 4 行：id 不是有效的 UTF-8，请将文件另存为 UTF-8 编码，或在 pack.json 的 recorded.encoding 中写明编码"
        ]
    );
}

#[tokio::test]
async fn a_time_that_is_none_is_refused_by_its_column() {
    refuses(
        &["a,2nd of March,,,open,road,121.805,29.905", "b,2026-02-30T09:00:00,,,open,road,121.805,29.905"],
        "wrong_time",
        &["line 4: opened `2nd of March` is not a time as in 2011-07-01T08:30:00"],
    )
    .await;
    refuses(&["a,,,,open,road,121.805,29.905"], "wrong_time", &["line 4: opened is empty"]).await;
    refuses(&["a,2026-03-02T09:00:00,soon,,,road,121.805,29.905"], "wrong_time", &["closed `soon`"]).await;
    refuses(
        &["a,2026-03-02T09:00:00,,99999-01-01T00:00:00,,road,121.805,29.905"],
        "wrong_time",
        &["due `99999"],
    )
    .await;
}

#[tokio::test]
async fn a_row_without_a_place_is_refused() {
    refuses(&["a,2026-03-02T09:00:00,,,open,road,,29.905"], "no_place", &["line 4: lon is empty"]).await;
    refuses(&["a,2026-03-02T09:00:00,,,open,road,121.805,"], "no_place", &["line 4: lat is empty"]).await;
}

#[tokio::test]
async fn a_place_that_cannot_be_is_refused_by_its_coordinate() {
    let swapped = "a,2026-03-02T09:00:00,,,open,road,29.905,121.805";
    let said = ["line 4: lat: ", "longitude and latitude look swapped", "第 4 行：lat：", "经纬度可能填反了"];
    refuses(&[swapped], "wrong_place", &said).await;
    let words = "a,2026-03-02T09:00:00,,,open,road,east,29.905";
    refuses(&[words], "wrong_place", &["line 4: lon `east` is not a number of degrees"]).await;
    for number in ["NaN", "inf", "-1e400"] {
        let row = format!("a,2026-03-02T09:00:00,,,open,road,{number},29.905");
        refuses(&[&row], "wrong_place", &["line 4: lon: ", "is not a number of degrees"]).await;
    }
}

#[tokio::test]
async fn an_id_that_came_before_is_refused_and_the_first_row_stays() {
    let again = row("good-1").replace("road", "rubbish");
    refuses(&[&again, &row("good-2")], "duplicate_id", &["line 4: id good-1 came before in this file"]).await;
    refuses(&[",2026-03-02T09:00:00,,,open,road,121.805,29.905"], "missing_id", &["line 4: id is empty"])
        .await;
    let spaces = "a b,2026-03-02T09:00:00,,,open,road,121.805,29.905";
    refuses(&[spaces], "wrong_client_id", &["line 4: id: client_id must be 1 to 64 letters"]).await;
}

#[tokio::test]
async fn an_id_that_came_before_with_another_time_is_refused_too() {
    let later = row("good-1").replace("T09:00:00", "T09:30:00");
    refuses(&[&later], "duplicate_id", &["line 4: id good-1 came before in this file"]).await;
}

#[tokio::test]
async fn a_row_with_another_number_of_columns_is_refused() {
    let few = "a,2026-03-02T09:00:00,road,121.805,29.905";
    let many = "a,2026-03-02T09:00:00,,,open,road,121.805,29.905,,";
    refuses(&[few, many], "wrong_columns", &["line 4: 5 columns where the header has 8"]).await;
}

#[tokio::test]
async fn a_category_the_pack_does_not_list_is_refused() {
    let row = "a,2026-03-02T09:00:00,,,open,volcano,121.805,29.905";
    refuses(
        &[row],
        "unknown_category",
        &[
            "line 4: category: category `volcano` is not on this jurisdiction's list",
            "第 4 行：category：事项类别「volcano」",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_missing_column_is_named() {
    for column in ["id", "opened", "category", "lon", "lat"] {
        let bytes = format!("{}\n{}", HEADER.replacen(column, "other", 1), row("a"));
        let said = fails(bytes.as_bytes()).await;
        assert!(said.contains(&format!("the header has no column `{column}`")), "{said}");
        assert!(said.contains(&format!("表头缺少 {column} 列")) && said.contains("recorded.csv"), "{said}");
    }
}

#[tokio::test]
async fn a_file_that_is_empty_or_no_csv_is_said_to_be() {
    let said = fails(b"").await;
    assert!(said.contains("recorded.csv is empty"), "{said}");
    let said = fails(&[0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]).await;
    assert!(said.contains("the header has no column `id`"), "{said}");
    let said = fails(&[0x1f, 0x8b, 7, 7, 7, 7]).await;
    assert!(said.contains("cannot read the header of") && said.contains("recorded.csv"), "{said}");
    let said = fails(br#"{"rows": [{"id": 1}]}"#).await;
    assert!(said.contains("the header has no column `id`"), "{said}");
}

#[tokio::test]
async fn a_file_with_a_header_and_nothing_else_is_a_replay_of_nothing() {
    let plain = ["", "\n", "\r\n\r\n"].map(|end| format!("{HEADER}{end}").into_bytes());
    let marked = format!("\u{feff}{HEADER}\n").into_bytes();
    for bytes in plain.into_iter().chain([marked, gzipped(0)]) {
        let replayed = replayed(&bytes).await.unwrap();
        assert_eq!((replayed.summary.rows, replayed.summary.accepted), (0, 0));
        assert_eq!(replayed.summary.broken_off, None);
    }
}

/// Gzipped rows of such sizes that a cut in the middle leaves some of them.
fn gzipped(rows: usize) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    writeln!(packed, "{HEADER}").unwrap();
    for number in 0..rows {
        let minute = number % 60;
        let lon = 121.801 + (number * 7_919 % 1_000) as f64 * 1e-5;
        writeln!(packed, "row-{number},2026-03-02T09:{minute:02}:00,,,open,road,{lon},29.905").unwrap();
    }
    packed.finish().unwrap()
}

#[tokio::test]
async fn a_file_that_breaks_off_is_replayed_up_to_there_and_says_so() {
    let whole = gzipped(400);
    let replayed = replayed(&whole[..whole.len() / 2]).await.unwrap();
    let rows = replayed.summary.rows;
    assert!((1..400).contains(&rows), "{rows} rows");
    assert_eq!(replayed.summary.accepted, rows);
    let said = replayed.summary.broken_off.as_deref().unwrap();
    assert!(said.contains("the file breaks off after line"), "{said}");
    assert!(said.contains("之前的各行已读取"), "{said}");
}

#[tokio::test]
async fn a_file_that_breaks_off_says_after_which_line() {
    let whole = gzipped(400);
    let replayed = replayed(&whole[..whole.len() / 2]).await.unwrap();
    let said = replayed.summary.broken_off.as_deref().unwrap();
    assert!(said.contains(&format!("after line {}", replayed.summary.rows + 1)), "{said}");
}

#[tokio::test]
async fn a_gzipped_file_is_taken_whole_also_in_several_parts() {
    let parts = [b"id,opened,category,lon,lat\na,2026-03-02T09".as_slice(), b":00:00,road,121.805,29.905\n"];
    let packed: Vec<u8> = parts
        .into_iter()
        .flat_map(|part| {
            let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
            packed.write_all(part).unwrap();
            packed.finish().unwrap()
        })
        .collect();
    let replayed = replayed(&packed).await.unwrap();
    assert_eq!((replayed.summary.rows, replayed.summary.accepted), (1, 1));
    assert_eq!(replayed.summary.broken_off, None);
}

#[tokio::test]
async fn what_comes_after_the_end_of_a_gzipped_file_is_said_and_loses_no_row() {
    for garbage in [b"not gzip".as_slice(), &[0; 512]] {
        let replayed = replayed(&[gzipped(40).as_slice(), garbage].concat()).await.unwrap();
        assert_eq!((replayed.summary.rows, replayed.summary.accepted), (40, 40));
        let said = replayed.summary.broken_off.as_deref().unwrap();
        assert!(said.contains("after line 41: ") && said.contains("第 41 行之后"), "{said}");
    }
}

const STRAY: &str = "a,2026-03-02T09:00:00,,,open,\"road,121.805,29.905";

#[tokio::test]
async fn a_quote_that_is_never_closed_costs_its_own_line_only() {
    let replayed = replayed(&file(&[STRAY])).await.unwrap();
    assert_eq!(replayed.refused(), BTreeMap::from([("unclosed_quote", 1)]));
    assert_eq!((replayed.summary.rows, replayed.summary.accepted), (5, 4));
    let said = &replayed.counted.examples[0];
    assert!(said.starts_with("line 4: the quote that begins column category is not closed"), "{said}");
    assert!(said.contains("第 4 行：category 列开头的引号"), "{said}");
    assert_eq!(replayed.summary.broken_off, None);
    assert_eq!(replayed.summary.refused_examples, replayed.counted.examples);
}

#[tokio::test]
async fn a_quote_that_closes_rows_later_costs_its_own_line_only() {
    // As CSV has it, each of these is one row of several lines, and the first even as wide as the header.
    for closing in
        ["b,2026-03-02T09:00:00,,,open,road\",121.805,29.905", "b,2026-03-02T09:00:00,,,open,\"road\",1,"]
    {
        let replayed = replayed(&file(&[STRAY, &row("c"), closing])).await.unwrap();
        assert_eq!(replayed.summary.accepted, 5, "{:?}", replayed.counted);
        assert_eq!(replayed.refused()["unclosed_quote"], 1);
        assert_eq!(replayed.summary.rows, 7);
    }
}

#[tokio::test]
async fn a_quote_that_is_never_closed_on_the_last_line_is_named() {
    for end in ["", "\n", "\r\n"] {
        let bytes = format!("{HEADER}\n{}\n{STRAY}{end}", row("good"));
        let replayed = replayed(bytes.as_bytes()).await.unwrap();
        assert_eq!(replayed.refused(), BTreeMap::from([("unclosed_quote", 1)]));
        assert!(replayed.counted.examples[0].starts_with("line 3: "), "{:?}", replayed.counted);
    }
}

#[tokio::test]
async fn quoted_text_over_several_lines_is_one_row() {
    for lines in ["still\nopen", "still,\r\n\"\"open\"\"\r\n", "\n\n\n"] {
        let long = format!("a,2026-03-02T09:00:00,,,\"{lines}\",road,121.805,29.905");
        let bad = "b,2026-03-02T09:00:00,,,open,road,,29.905";
        let replayed = replayed(&file(&[&long, bad])).await.unwrap();
        assert_eq!(replayed.refused(), BTreeMap::from([("no_place", 1)]));
        assert_eq!(replayed.summary.accepted, 5);
        let line = format!("line {}: lon is empty", 5 + lines.matches('\n').count());
        assert!(replayed.counted.examples[0].starts_with(&line), "{:?}", replayed.counted);
    }
}

#[tokio::test]
async fn a_row_of_several_lines_with_too_few_columns_is_one_refused_row() {
    let replayed = replayed(&file(&["a,2026-03-02T09:00:00,\"still\nopen\",road"])).await.unwrap();
    assert_eq!(replayed.refused(), BTreeMap::from([("wrong_columns", 1)]));
    assert_eq!(replayed.summary.accepted, 4);
}

#[tokio::test]
async fn a_quote_before_a_megabyte_of_text_costs_no_row() {
    let text = "text that is no row of this file\n".repeat(40_000);
    let replayed = replayed(&file(&[STRAY, text.trim_end()])).await.unwrap();
    let expected = BTreeMap::from([("unclosed_quote", 1), ("wrong_columns", 40_000)]);
    assert_eq!(replayed.refused(), expected);
    assert_eq!(replayed.summary.accepted, 4);
}

#[tokio::test]
async fn a_line_without_end_breaks_the_file_off_there() {
    for begin in ["", "\""] {
        let endless = format!("{begin}{}", "x".repeat(3 << 20));
        let replayed = replayed(&file(&[&endless])).await.unwrap();
        assert_eq!((replayed.summary.rows, replayed.summary.accepted), (2, 2));
        let said = replayed.summary.broken_off.as_deref().unwrap();
        assert!(said.contains("after line 3: the next line has no end within 1 MB"), "{said}");
        assert!(said.contains("第 3 行之后中断"), "{said}");
    }
}

#[tokio::test]
async fn a_file_made_of_quotes_is_given_up() {
    let bytes = format!("{HEADER}\n{}", "a\"b,\"\n".repeat(500_000));
    let replayed = replayed(bytes.as_bytes()).await.unwrap();
    let said = replayed.summary.broken_off.as_deref().unwrap();
    assert!(said.contains("too many quotes are never closed"), "{said}");
    assert!(replayed.summary.rows > 50, "{}", replayed.summary.rows);
}

#[tokio::test]
async fn lines_are_counted_whatever_ends_them() {
    let text = String::from_utf8(file(&["b,2026-03-02T09:00:00,,,open,road,,29.905"])).unwrap();
    for (text, line) in [
        (text.replace('\n', "\r\n"), 4),
        (format!("\u{feff}{text}"), 4),
        (text.replace('\n', "\n\n"), 7),
        (text.replace('\n', "\r\n\r\n"), 7),
        (format!("{text}\n\n\r\n\n"), 4),
    ] {
        let replayed = replayed(text.as_bytes()).await.unwrap();
        assert_eq!((replayed.summary.rows, replayed.summary.accepted), (5, 4), "{:?}", replayed.counted);
        let begin = format!("line {line}: lon is empty");
        assert!(replayed.counted.examples[0].starts_with(&begin), "{:?}", replayed.counted);
    }
}

#[tokio::test]
async fn rows_in_any_order_are_replayed_in_the_order_they_were_opened() {
    let at = |id: &str, hour: u32| {
        let hours = [hour, hour + 1, hour + 2].map(|hour| format!("2026-03-02T{hour:02}:00:00"));
        format!("{id},{},closed,road,121.805,29.905", hours.join(","))
    };
    let no_place = "odd,2026-03-02T09:00:00,,,open,road,,29.905".to_owned();
    let lines =
        [at("g", 14), at("f", 13), no_place, at("e", 12), at("d", 11), at("c", 10), at("e", 9), at("a", 8)];
    for end in ["\n", "\r\n", "\n\n"] {
        let replayed = replayed([HEADER, &lines.join(end)].join(end).as_bytes()).await.unwrap();
        assert_eq!(replayed.refused(), BTreeMap::from([("duplicate_id", 1), ("no_place", 1)]));
        assert_eq!((replayed.summary.rows, replayed.summary.accepted), (8, 6));
        let line = if end == "\n\n" { 5 } else { 3 };
        assert_eq!(replayed.summary.out_of_order_from_line, Some(line));
        assert_eq!(replayed.summary.escalations.community, 0, "each was closed in time");
        assert_eq!(replayed.one("SELECT group_concat(client_id, '') FROM (SELECT client_id FROM discover_report ORDER BY filed_at)").await, "acdefg");
    }
}

#[tokio::test]
async fn what_an_interrupted_window_had_filed_counts_once() {
    let first = replayed(&file(&[&row("good-1")])).await.unwrap();
    let second = again(&first).await;
    assert_eq!((second.rows, second.accepted), (5, 4));
    assert_eq!(second.refused, first.summary.refused);
    assert_eq!((second.routed, second.escalations.community), (first.summary.routed, 0));
}
