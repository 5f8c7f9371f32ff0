//! `gridward pack sketch FOLDER`: grids for a street whose grids nobody has drawn, made up and labelled so.
//!
//! The communities of the street are read from the pack's areas; each gets its share of the cells of a rectangle, and
//! each cell becomes a grid, numbered within its community from west to east and from north to south (DB11, 15 digits).

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::{Context, bail, ensure};
use clap::Args;
use csv::StringRecord;

use super::super::say;
use super::tessellate::{Point, Rectangle, tessellate};

/// What the label of every sketched grid says.
const LABEL: &str = "示意网格，非法定界线";

/// What the name of a sketched grid ends with.
const MADE_UP: &str = "（示意）";

#[derive(Debug, Args)]
pub struct Sketch {
    /// The pack's folder: its areas.csv is read and written, and grids.geojson beside it is written.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// The code of the street.
    #[arg(long, value_name = "CODE")]
    street: String,
    /// How many grids.
    #[arg(long, value_name = "NUMBER")]
    grids: usize,
    /// The rectangle to draw in: west,south,east,north in degrees on CGCS2000, as in 121.80,29.875,121.885,29.933.
    #[arg(long = "box", value_name = "W,S,E,N", allow_hyphen_values = true)]
    rectangle: Degrees,
    /// The same number draws the same grids.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

/// A rectangle as it is typed.
#[derive(Clone, Copy, Debug)]
struct Degrees(Rectangle);

impl FromStr for Degrees {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Vec<f64> = text.split(',').filter_map(|one| one.trim().parse().ok()).collect();
        let [west, south, east, north] = numbers[..] else {
            return Err("write four numbers: west,south,east,north / 请写四个数：西,南,东,北".to_owned());
        };
        let fits = -180.0 <= west
            && west < east
            && east <= 180.0
            && -85.0 <= south
            && south < north
            && north <= 85.0;
        if !fits {
            return Err(
                "west must lie below east and south below north, in degrees / 西须小于东，南须小于北，单位为度".to_owned()
            );
        }
        Ok(Self(Rectangle { west, south, east, north }))
    }
}

impl Sketch {
    /// # Errors
    /// When the areas cannot be read or written, or the street has no community.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let file = self.folder.join("areas.csv");
        let areas = read(&file)?;
        let grids = draw(&areas, &self.street, self.grids, self.rectangle.0, self.seed)?;
        write_areas(&file, &areas, &self.street, &grids)?;
        let outlines = self.folder.join("grids.geojson");
        std::fs::write(&outlines, geojson(&grids))
            .with_context(|| format!("cannot write {0} / 无法写入 {0}", outlines.display()))?;
        say(format_args!(
            "{} grids in {} communities of {}: {} and {} ({LABEL})",
            grids.len(),
            communities(&areas, &self.street).len(),
            self.street,
            file.display(),
            outlines.display()
        ));
        Ok(ExitCode::SUCCESS)
    }
}

/// The columns of `areas.csv`.
const COLUMNS: [&str; 5] = ["code", "level", "parent", "name_zh", "name_en"];

/// One line of `areas.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Area {
    code: String,
    level: String,
    parent: String,
    name_zh: String,
    name_en: String,
}

/// One grid, and its outline.
#[derive(Clone, Debug)]
struct Grid {
    area: Area,
    ring: Vec<Point>,
}

fn read(file: &Path) -> anyhow::Result<Vec<Area>> {
    let doing = || format!("cannot read the areas {0} / 无法读取区域表 {0}", file.display());
    let mut reader = csv::ReaderBuilder::new().from_path(file).with_context(doing)?;
    let header = reader.headers().with_context(doing)?.clone();
    ensure!(
        header.iter().map(|name| name.trim_start_matches('\u{feff}')).eq(COLUMNS),
        "{0} must begin with the line {1} / {0} 的首行应为 {1}",
        file.display(),
        COLUMNS.join(",")
    );
    let area = |row: StringRecord| {
        let field = |n: usize| row.get(n).unwrap_or_default().trim().to_owned();
        Area { code: field(0), level: field(1), parent: field(2), name_zh: field(3), name_en: field(4) }
    };
    reader.records().map(|row| row.map(area).with_context(doing)).collect()
}

fn communities<'a>(areas: &'a [Area], street: &str) -> Vec<&'a Area> {
    areas.iter().filter(|area| area.level == "community" && area.parent == street).collect()
}

/// Shares the cells of the rectangle out among the communities of the street, in the order of the file.
fn draw(
    areas: &[Area],
    street: &str,
    grids: usize,
    rectangle: Rectangle,
    seed: u64,
) -> anyhow::Result<Vec<Grid>> {
    let communities = communities(areas, street);
    ensure!(
        !communities.is_empty(),
        "areas.csv has no community whose parent is {street} / areas.csv 中没有上级为 {street} 的社区"
    );
    let count = communities.len();
    if !(count..=count * 999).contains(&grids) {
        bail!(
            "{street} has {count} communities: draw between {count} and {} grids / \
             {street} 有 {count} 个社区：网格数应在 {count} 到 {} 之间",
            count * 999,
            count * 999
        );
    }
    let rings = tessellate(rectangle, grids, seed);
    let mut drawn = Vec::with_capacity(grids);
    for (n, community) in communities.into_iter().enumerate() {
        let mut own = rings[grids * n / count..grids * (n + 1) / count].to_vec();
        own.sort_by_key(|ring| numbering(ring));
        drawn.extend((1..).zip(own).map(|(number, ring)| Grid { area: grid(community, number), ring }));
    }
    Ok(drawn)
}

/// From west to east, and from north to south where two begin alike (DB11, DB6101/T 3185-2024).
fn numbering(ring: &[Point]) -> (i64, i64) {
    let west = ring.iter().map(|point| point.0).min().unwrap_or(0);
    let north = ring.iter().map(|point| point.1).max().unwrap_or(0);
    (west, -north)
}

fn grid(community: &Area, number: usize) -> Area {
    Area {
        code: format!("{}{number:03}", community.code),
        level: "grid".to_owned(),
        parent: community.code.clone(),
        name_zh: format!("{}第{number}网格{MADE_UP}", community.name_zh),
        name_en: format!("{} grid {number} (synthetic)", community.name_en),
    }
}

/// The grids of other streets stay; those of this one are replaced.
fn write_areas(file: &Path, areas: &[Area], street: &str, grids: &[Grid]) -> anyhow::Result<()> {
    let of_street: BTreeSet<&str> =
        communities(areas, street).into_iter().map(|area| area.code.as_str()).collect();
    let stays = |area: &&Area| area.level != "grid" || !of_street.contains(area.parent.as_str());
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for area in areas.iter().filter(stays).chain(grids.iter().map(|grid| &grid.area)) {
        writer.write_record([&area.code, &area.level, &area.parent, &area.name_zh, &area.name_en])?;
    }
    let text = writer.into_inner().context("cannot write the areas")?;
    std::fs::write(file, text).with_context(|| format!("cannot write {0} / 无法写入 {0}", file.display()))
}

/// One feature a line, so that a change shows as a change of lines.
fn geojson(grids: &[Grid]) -> String {
    let mut text = String::from("{\"type\":\"FeatureCollection\",\"features\":[\n");
    for (n, Grid { area, ring }) in grids.iter().enumerate() {
        let points: Vec<String> =
            ring.iter().map(|(lon, lat)| format!("[{},{}]", degrees(*lon), degrees(*lat))).collect();
        let name = serde_json::Value::from(format!("{} {LABEL}", area.name_zh.trim_end_matches(MADE_UP)));
        let comma = if n + 1 < grids.len() { "," } else { "" };
        let _ = writeln!(
            text,
            "{{\"type\":\"Feature\",\"properties\":{{\"code\":\"{}\",\"name\":{name}}},\"geometry\":{{\"type\":\"Polygon\",\
             \"coordinates\":[[{}]]}}}}{comma}",
            area.code,
            points.join(",")
        );
    }
    text.push_str("]}\n");
    text
}

/// Written as whole numbers are, so that the text is the same on every machine.
fn degrees(millionths: i64) -> String {
    let sign = if millionths < 0 { "-" } else { "" };
    format!("{sign}{}.{:06}", millionths.abs() / 1_000_000, millionths.abs() % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEILUN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/packs/beilun");

    fn degrees_of(text: &str) -> Result<Rectangle, String> {
        text.parse().map(|Degrees(rectangle)| rectangle)
    }

    #[test]
    fn the_grids_of_the_pack_beilun_are_drawn_again_as_its_page_says() {
        let areas = read(&Path::new(BEILUN).join("areas.csv")).unwrap();
        let rectangle = degrees_of("121.800,29.875,121.885,29.933").unwrap();
        let grids = draw(&areas, "330206002", 143, rectangle, 143).unwrap();
        assert_eq!(geojson(&grids), std::fs::read_to_string(format!("{BEILUN}/grids.geojson")).unwrap());
        for Grid { area, .. } in &grids {
            assert!(areas.contains(area), "{area:?} is not in areas.csv");
        }
    }

    #[test]
    fn drawing_again_replaces_the_grids_of_that_street_and_of_no_other() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("areas.csv");
        std::fs::write(
            &file,
            "code,level,parent,name_zh,name_en\n\
             c,county,,区,County\n\
             a,street,c,甲街道,Street A\nb,street,c,乙街道,Street B\n\
             a1,community,a,甲一社区,Community A1\na2,community,a,甲二社区,Community A2\n\
             b1,community,b,乙一社区,Community B1\nb1001,grid,b1,乙一网格,Grid B1\na1009,grid,a1,旧网格,Old grid\n",
        )
        .unwrap();
        let sketch = || Sketch {
            folder: folder.path().to_owned(),
            street: "a".to_owned(),
            grids: 5,
            rectangle: "121.8,29.8,121.9,29.9".parse().unwrap(),
            seed: 1,
        };
        sketch().run().unwrap();
        let once = std::fs::read_to_string(&file).unwrap();
        sketch().run().unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), once);
        let codes: Vec<String> = read(&file).unwrap().into_iter().map(|area| area.code).collect();
        assert_eq!(
            codes,
            ["c", "a", "b", "a1", "a2", "b1", "b1001", "a1001", "a1002", "a2001", "a2002", "a2003"]
        );
    }

    #[test]
    fn what_cannot_be_drawn_is_said() {
        let areas = read(&Path::new(BEILUN).join("areas.csv")).unwrap();
        let rectangle = degrees_of("121.8,29.8,121.9,29.9").unwrap();
        let said = |street: &str, grids| draw(&areas, street, grids, rectangle, 1).unwrap_err().to_string();
        assert!(said("330206", 5).contains("没有上级为 330206 的社区"));
        assert!(said("330206002", 34).contains("between 35 and"));
        for text in ["121.8,29.8,121.7,29.9", "121.8,29.8", "121.8,29.8,121.9,x", "0,0,NaN,1"] {
            assert!(degrees_of(text).is_err(), "{text}");
        }
    }
}
