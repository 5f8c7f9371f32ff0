//! Areas by the names people write: `老坑社区`, `老坑社区居委会` and `老坑居委会` are one community. Pure.

use std::collections::BTreeMap;

use domain::area::{AreaPath, Areas, Level};
use domain::naming::plain;

/// The names of the areas of a pack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AreaNames {
    /// Other names that the pack lists, as they are written.
    aliases: BTreeMap<String, AreaPath>,
    exact: BTreeMap<(Level, String), Vec<AreaPath>>,
    plain: BTreeMap<(Level, String), Vec<AreaPath>>,
}

impl AreaNames {
    /// The names that the list of areas gives, in both languages.
    pub fn of(areas: &Areas) -> Self {
        let mut names = Self::default();
        for area in areas.iter() {
            for name in [area.name.zh.trim(), area.name.en.trim()] {
                keep(&mut names.exact, area.level, name.to_owned(), &area.path);
                keep(&mut names.plain, area.level, plain(area.level, name), &area.path);
            }
        }
        names
    }

    /// One more name of an area.
    pub fn call(&mut self, alias: &str, area: AreaPath) {
        self.aliases.insert(alias.trim().to_owned(), area);
    }

    /// The areas of `level` that are called so; none where the name is not known, several where it does not tell
    /// them apart. A name as the list has it goes before one that only means the same.
    pub fn find(&self, level: Level, name: &str) -> Vec<&AreaPath> {
        let name = name.trim();
        if let Some(area) = self.aliases.get(name) {
            return vec![area];
        }
        let exact = self.exact.get(&(level, name.to_owned()));
        let found = exact.or_else(|| self.plain.get(&(level, plain(level, name))));
        found.map(|areas| areas.iter().collect()).unwrap_or_default()
    }
}

fn keep(names: &mut BTreeMap<(Level, String), Vec<AreaPath>>, level: Level, name: String, area: &AreaPath) {
    let areas = names.entry((level, name)).or_default();
    if !areas.contains(area) {
        areas.push(area.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::area::CodeScheme;
    use domain::text::Text;

    fn names() -> AreaNames {
        let mut areas = Areas::default();
        let listed = [
            ("s", Level::Street, None, "东街道"),
            ("t", Level::Street, None, "西街道"),
            ("c1", Level::Community, Some("s"), "河边社区居民委员会"),
            ("c2", Level::Community, Some("s"), "山前村村委会"),
            ("c3", Level::Community, Some("s"), "中央社区"),
            ("c4", Level::Community, Some("t"), "中央社区"),
            ("c5", Level::Community, Some("t"), "桥头社区"),
            ("c6", Level::Community, Some("t"), "桥头居委会"),
        ];
        for (code, level, parent, zh) in listed {
            areas
                .add(CodeScheme::Opaque, code, level, parent, Text::new(zh, format!("Area {code}")))
                .unwrap();
        }
        let mut names = AreaNames::of(&areas);
        names.call("老河边", "s/c1".parse().unwrap());
        names
    }

    fn found(level: Level, name: &str) -> Vec<String> {
        names().find(level, name).into_iter().map(|area| area.code().to_owned()).collect()
    }

    #[test]
    fn a_community_is_known_by_its_own_name_and_by_its_office_s() {
        for name in [
            "河边社区",
            "河边社区居委会",
            "河边居委会",
            " 河边 社区\u{3000}",
            "河边社区居民委员会",
            "Area c1",
        ] {
            assert_eq!(found(Level::Community, name), ["c1"], "{name}");
        }
        for name in ["山前村", "山前村委会", "山前村村民委员会"] {
            assert_eq!(found(Level::Community, name), ["c2"], "{name}");
        }
        assert_eq!(found(Level::Street, "东街道办事处"), ["s"]);
    }

    #[test]
    fn a_name_is_of_its_level_and_another_one_is_not_known() {
        assert!(found(Level::Street, "河边社区").is_empty());
        assert!(found(Level::Community, "河边").is_empty());
        assert!(found(Level::Community, "居委会").is_empty());
    }

    #[test]
    fn a_name_of_two_areas_gives_both_and_one_as_the_list_has_it_only_that() {
        assert_eq!(found(Level::Community, "中央社区"), ["c3", "c4"]);
        assert_eq!(found(Level::Community, "桥头居委会"), ["c6"]);
        assert_eq!(found(Level::Community, "桥头社区居委会"), ["c5", "c6"]);
    }

    #[test]
    fn another_name_that_the_pack_lists_is_known() {
        assert_eq!(found(Level::Community, "老河边"), ["c1"]);
    }
}
