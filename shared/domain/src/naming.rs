//! Names of areas as people write them: `老坑社区`, `老坑社区居委会` and `老坑居委会` are one community, and `红联社区` is
//! easily taken for `红联村委会`. Pure.

use crate::area::{Areas, Level};
use crate::holder::{Holder, Post};
use crate::text::Text;

/// Offices of a level, by which people name the area: the longest ending first.
const COMMUNITY: [(&str, &str); 8] = [
    ("社区居民委员会", "社区"),
    ("社区居委会", "社区"),
    ("居民委员会", "社区"),
    ("居委会", "社区"),
    ("村村民委员会", "村"),
    ("村村委会", "村"),
    ("村民委员会", "村"),
    ("村委会", "村"),
];
const STREET: [(&str, &str); 5] = [
    ("街道办事处", "街道"),
    ("街道办", "街道"),
    ("镇人民政府", "镇"),
    ("镇政府", "镇"),
    ("乡人民政府", "乡"),
];
/// What the last word of a name says of an area's kind, in both languages.
const KINDS_OF_COMMUNITY: [&str; 4] = ["社区", "村", "community", "village"];
const KINDS_OF_STREET: [&str; 5] = ["街道", "镇", "乡", "street", "town"];

/// A name without blanks, and the area instead of its office.
pub fn plain(level: Level, name: &str) -> String {
    let name: String = name.chars().filter(|c| !c.is_whitespace()).collect();
    let endings: &[(&str, &str)] = match level {
        Level::Community => &COMMUNITY,
        Level::Street => &STREET,
        Level::Grid | Level::County => &[],
    };
    let ending = endings.iter().find_map(|(office, area)| Some((name.strip_suffix(office)?, area)));
    match ending {
        Some((stem, area)) if !stem.is_empty() => format!("{stem}{area}"),
        _ => name,
    }
}

/// What people call it for short: areas of one level with the same are taken for one another.
pub fn stem(level: Level, name: &str) -> String {
    let plain = plain(level, name).to_lowercase();
    let kinds: &[&str] = match level {
        Level::Community => &KINDS_OF_COMMUNITY,
        Level::Street => &KINDS_OF_STREET,
        Level::Grid | Level::County => &[],
    };
    let stem = kinds.iter().find_map(|kind| plain.strip_suffix(kind)).filter(|stem| !stem.is_empty());
    stem.map_or_else(|| plain.clone(), str::to_owned)
}

/// A holder as it is called in a sentence. A community is its own name in Chinese: 博儒桥村委会, and not 博儒桥村委会社区.
pub fn holder(holder: &Holder, areas: &Areas) -> Text {
    let named = areas.by_path(&holder.area).map_or("", |area| area.name.zh.as_str());
    let plain = plain(Level::Community, named);
    let says_so = holder.post == Post::Community && (plain.ends_with("社区") || plain.ends_with('村'));
    let Text { zh, en } = areas.shown(&holder.area);
    Text::new(
        format!("{}{}", among_han(&zh), if says_so { "" } else { holder.post.zh() }),
        format!("the {} of {en}", holder.post.as_str().replace('_', " ")),
    )
}

/// A name in a Chinese sentence: where a Latin letter or a digit meets a Han one, there is a space.
pub fn among_han(name: &str) -> String {
    let gap =
        |edge: Option<char>| if edge.is_some_and(|edge| edge.is_ascii_alphanumeric()) { " " } else { "" };
    format!("{}{name}{}", gap(name.chars().next()), gap(name.chars().last()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_has_one_plain_name_whatever_office_it_is_called_by() {
        for name in ["桐溪社区", "桐溪社区居委会", " 桐溪 居委会", "桐溪社区居民委员会"]
        {
            assert_eq!(plain(Level::Community, name), "桐溪社区", "{name}");
        }
        for name in ["博儒桥村", "博儒桥村委会", "博儒桥村村民委员会"] {
            assert_eq!(plain(Level::Community, name), "博儒桥村", "{name}");
        }
        assert_eq!(plain(Level::Street, "新碶街道办事处"), "新碶街道");
        assert_eq!(plain(Level::Community, "居委会"), "居委会", "an office of nowhere");
    }

    #[test]
    fn a_community_and_a_village_of_one_name_have_one_stem() {
        assert_eq!(stem(Level::Community, "红联社区"), stem(Level::Community, "红联村委会"));
        assert_eq!(stem(Level::Community, "Honglian Community"), stem(Level::Community, "Honglian Village"));
        assert_ne!(stem(Level::Community, "红联社区"), stem(Level::Community, "红梅社区"));
        assert_eq!(stem(Level::Community, "村"), "村");
    }
}
