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

/// A holder as it is called in a sentence. A community is its own name where that says so: 博儒桥村委会, and not
/// 博儒桥村委会社区; Yingchun Community, and not the community of Yingchun Community.
pub fn holder(holder: &Holder, areas: &Areas) -> Text {
    let named = areas.by_path(&holder.area).map_or("", |area| area.name.zh.as_str());
    let plain = plain(Level::Community, named);
    let says_so = plain.ends_with("社区") || plain.ends_with('村');
    let Text { zh, en } = areas.shown(&holder.area);
    let post_zh = match holder.post {
        Post::Community if says_so => "",
        // 新碶街道指挥室, and not 新碶街道街道指挥室.
        Post::StreetDesk if zh.ends_with("街道") => "指挥室",
        post => post.zh(),
    };
    let kind = |word: &str| KINDS_OF_COMMUNITY.contains(&word.to_lowercase().as_str());
    let says_so_in_english = holder.post == Post::Community && en.split_whitespace().any(kind);
    Text::new(
        format!("{}{post_zh}", among_han(&zh)),
        if says_so_in_english {
            en
        } else {
            format!("the {} of {en}", holder.post.as_str().replace('_', " "))
        },
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
    use crate::area::CodeScheme;

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
    fn a_community_whose_name_says_so_is_called_by_it() {
        let mut areas = Areas::default();
        for (code, parent, zh, en) in [
            ("s", None, "新碶街道", "Xinqi Street"),
            ("c", Some("s"), "迎春社区", "Yingchun Community"),
            ("v", Some("s"), "博儒桥村委会", "Boruqiao Village"),
            ("w", Some("s"), "五区", "Ward 5"),
        ] {
            let level = if parent.is_none() { Level::Street } else { Level::Community };
            areas.add(CodeScheme::Opaque, code, level, parent, Text::new(zh, en)).unwrap();
        }
        let called = |text: &str| {
            let holder: Holder = text.parse().unwrap();
            let Text { zh, en } = super::holder(&holder, &areas);
            (zh, en)
        };
        let told = |zh: &str, en: &str| (zh.to_owned(), en.to_owned());
        assert_eq!(called("community:s/c"), told("迎春社区", "Yingchun Community"));
        assert_eq!(called("community:s/v"), told("博儒桥村委会", "Boruqiao Village"));
        assert_eq!(called("community:s/w"), told("五区社区", "the community of Ward 5"));
        assert_eq!(called("street_desk:s"), told("新碶街道指挥室", "the street desk of Xinqi Street"));
    }

    #[test]
    fn a_community_and_a_village_of_one_name_have_one_stem() {
        assert_eq!(stem(Level::Community, "红联社区"), stem(Level::Community, "红联村委会"));
        assert_eq!(stem(Level::Community, "Honglian Community"), stem(Level::Community, "Honglian Village"));
        assert_ne!(stem(Level::Community, "红联社区"), stem(Level::Community, "红梅社区"));
        assert_eq!(stem(Level::Community, "村"), "村");
    }
}
