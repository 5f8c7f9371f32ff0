//! Other cities' files, which lie in DATA and do not come with Gridward: every row of each is accounted for.

use std::path::Path;

use serde_json::Value;

use scenarios::marks::{Marks, audited, due_steps, number, pack, replay, say, sum};

/// A file of a city, and the pack that says how it is read.
struct City {
    part: &'static str,
    what: &'static str,
    file: &'static str,
    /// The marks that are this city's own.
    own: fn(&mut Marks, &Value),
}

const CITIES: [City; 4] = [
    City {
        part: "baltimore",
        what: "Baltimore 311, a sample of 2014 to 2019 (police districts as grids)",
        file: "dev/baltimore311_sample_2014_2019.csv.gz",
        own: baltimore,
    },
    City {
        part: "pingshan",
        what: "Pingshan 民生诉求, January to October 2018 (days and names of areas only)",
        file: "dev/pingshan_2018_to_oct.csv.gz",
        own: pingshan,
    },
    City {
        part: "taipei",
        what: "Taipei 1999, October to December 2025 (villages and districts by name)",
        file: "dev/taipei1999_2025Q4.csv.gz",
        own: taipei,
    },
    City {
        part: "tainan",
        what: "Tainan Open 1999, April 2015 (districts by name)",
        file: "dev/tainan_open1999_2015.csv",
        own: tainan,
    },
];

/// Replays what there is in `data` of the cities that are wanted.
///
/// # Errors
/// When a replay fails.
pub fn all(marks: &mut Marks, data: &Path, wanted: impl Fn(&str) -> bool) -> anyhow::Result<()> {
    for city in CITIES.iter().filter(|city| wanted(city.part)) {
        let file = data.join(city.file);
        if file.is_file() {
            say(&format!("\n{}", city.what));
            replayed(marks, city, &file)?;
        } else {
            say(&format!("\n{}: {} is not in DATA, left out", city.what, city.file));
        }
    }
    Ok(())
}

fn replayed(marks: &mut Marks, city: &City, file: &Path) -> anyhow::Result<()> {
    let folder = tempfile::TempDir::new()?;
    let data = folder.path().join("data").display().to_string();
    let said = replay(&[&file.display().to_string(), "--pack", &pack(city.part), "--data", &data])?;
    accounted(marks, &said);
    (city.own)(marks, &said);
    due_steps(marks, &said, said["due_steps"]["effected"].as_i64().unwrap_or(-1));
    audited(marks, &["--data", &data])
}

/// That every row was accepted or refused with a reason, and every accepted one is held somewhere.
fn accounted(marks: &mut Marks, said: &Value) {
    let count = |figure: &str| said[figure].as_i64().unwrap_or(-1);
    let (rows, accepted, refused) =
        (count("rows"), count("accepted"), sum(&said["refused"]).as_i64().unwrap_or(-1));
    let figure = format!("{rows} = {accepted} + {refused}");
    marks.check("rows = accepted + refused", figure, "", rows == accepted + refused);
    let (routed, named, fallback) = (count("routed"), count("named"), count("fallback"));
    let figure = format!("{accepted} = {routed} + {named} + {fallback}");
    marks.check("accepted = grid + named + fallback", figure, "", accepted == routed + named + fallback);
}

/// 892 points are rounded to whole degrees, outside the city: they become unrouted, not the nearest district's.
fn baltimore(marks: &mut Marks, said: &Value) {
    marks.equal("rows", &said["rows"], 10_000);
    marks.equal("refused, since they have no place", &said["refused"]["no_place"], 590);
    marks.share("district as recorded", &said["area_agreement"]["district"], 99.6);
    marks.equal("flagged rounded", &said["flagged"]["rounded"], 892);
    let unrouted = &said["fallback"];
    marks.check("in no district, the rounded among them", unrouted, "≥ 892", number(unrouted) >= 892.0);
}

/// Streets and communities by name; the seven rows that name neither are the district's, and fall to the desk.
fn pingshan(marks: &mut Marks, said: &Value) {
    marks.equal("rows", &said["rows"], 6_952);
    marks.equal("accepted", &said["accepted"], 6_952);
    marks.equal("held by the community they name", &said["named"], 6_945);
    marks.equal("fallback, since they name the district only", &said["fallback"], 7);
    marks.equal("without a due time", &said["without_due"], 6_952);
    let units = &said["unit_agreement"];
    let (compared, agreed) = (number(&units["compared"]), number(&units["agreed"]));
    let share = format!("{:.2} % of {compared}", agreed * 100.0 / compared);
    marks.check(
        "disposing unit as the table of 44 lines has it",
        share,
        "told, not promised",
        compared > 6_900.0,
    );
}

/// Villages by name, the district beside them as truth; two rows lie outside the city.
fn taipei(marks: &mut Marks, said: &Value) {
    marks.equal("rows", &said["rows"], 42_283);
    marks.equal("refused, since they name no place", &said["refused"]["no_place"], 2);
    marks.equal("held by the village or district they name", &said["named"], 42_281);
    marks.share("district of the village, as recorded", &said["area_agreement"]["district"], 99.5);
}

/// Districts by name; 55 promise a due time that is the very time they were opened.
fn tainan(marks: &mut Marks, said: &Value) {
    marks.equal("rows", &said["rows"], 1_405);
    marks.equal("accepted", &said["accepted"], 1_405);
    marks.equal("held by the district they name", &said["named"], 1_405);
    marks.equal("flagged due before opened", &said["flagged"]["due_before_opened"], 55);
}
