//! Codes and paths of areas: a line `code,level,parent` after another, first as Chinese codes, then as any.

use domain::area::{AreaPath, Areas, CodeScheme, Level};
use domain::text::Text;

use super::{Read, text};

/// More are not compared with each other.
const MOST: usize = 40;

pub fn areas(bytes: &[u8]) -> Read {
    let Some(text) = text(bytes) else { return Read::Refused };
    let chinese = tree(text, CodeScheme::Chinese);
    let opaque = tree(text, CodeScheme::Opaque);
    for area in chinese.iter() {
        let digits = area.path.code().len();
        assert!([6, 9, 12, 15].contains(&digits), "{}", area.path);
        let above = area.path.parent();
        assert!(above.is_none_or(|above| area.path.code().starts_with(above.code())), "{}", area.path);
    }
    (!opaque.is_empty()).into()
}

fn tree(text: &str, scheme: CodeScheme) -> Areas {
    let mut areas = Areas::default();
    for line in text.lines().take(MOST) {
        let mut fields = line.split(',');
        let (code, level) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        let parent = fields.next().filter(|parent| !parent.is_empty());
        let Ok(level) = level.parse::<Level>() else { continue };
        let known = areas.iter().count();
        let added = areas.add(scheme, code, level, parent, Text::new(code, line));
        assert_eq!(areas.iter().count(), known + usize::from(added.is_ok()), "{line}");
    }
    look(&areas);
    areas
}

/// What holds of every tree.
fn look(areas: &Areas) {
    let paths: Vec<&AreaPath> = areas.iter().map(|area| &area.path).collect();
    for area in areas.iter() {
        let path = &area.path;
        assert_eq!(path.as_str().parse::<AreaPath>().as_ref(), Ok(path));
        assert_eq!(areas.by_path(path), Some(area));
        let above = path.parent().map(|above| areas.by_path(&above).expect("a parent is listed").level);
        assert!(above.is_none_or(|above| above > area.level), "{path} stands above its parent");
        for level in Level::ALL {
            let found = areas.at_level(path, level);
            assert!(found.is_none_or(|found| found.level >= level && found.path.contains(path)), "{path}");
        }
        let shown = areas.shown(path);
        assert!(!shown.zh.is_empty() && !shown.en.is_empty(), "{path}");
        // Whether one lies in the other is the same in memory and in SQL.
        let (from, until) = path.below();
        for other in &paths {
            let in_sql =
                *other == path || (from.as_str() <= other.as_str() && other.as_str() < until.as_str());
            assert_eq!(path.contains(other), in_sql, "{other} in {path}");
        }
    }
}
