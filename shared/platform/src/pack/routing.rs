//! The `routing` of `pack.json`: rules, the fallback, and spots that say nothing.

use domain::area::AreaPath;
use domain::holder::{Holder, Post};
use domain::place::{Datum, Place, to_wgs84};
use domain::routing::{By, Flag, Placeholder, Routing, Rule};
use domain::text::Text;

use super::areas::{AreaBook, Found, holder_at, unknown_area};
use super::categories::CategoryBook;
use super::fault::Fault;
use super::main_file::{MainFile, PlaceholderEntry, RuleEntry, datum, named};

/// What route writes down in the place of a rule's name where none fits.
const FALLBACK: &str = "fallback";

/// 15 decimals are all a double holds.
const MOST_DECIMALS: u32 = 15;

/// The lists that rules refer to.
pub(super) struct Lists<'a> {
    pub areas: &'a AreaBook,
    pub categories: &'a CategoryBook,
}

pub(super) fn read(main: &MainFile, lists: &Lists, faults: &mut Vec<Fault>) -> Option<Routing> {
    let entry = &main.file.routing;
    let fallback = main.keep("routing/fallback", fallback(&entry.fallback, lists.areas), faults).flatten();
    main.check("routing/rounded_decimals", decimals(entry.rounded_decimals), faults);
    let placeholders = entry.placeholders.iter().enumerate();
    let placeholders: Vec<_> =
        placeholders.filter_map(|(n, spot)| placeholder(main, n, spot, faults)).collect();
    let rules: Vec<(usize, Rule)> = entry
        .rules
        .iter()
        .enumerate()
        .filter_map(|(n, one)| Some((n, rule(main, n, one, lists, faults)?)))
        .collect();
    for (at, (n, rule)) in rules.iter().enumerate() {
        main.check(&format!("routing/rules/{n}"), reachable(rule, &rules[..at]), faults);
    }
    let rules = rules.into_iter().map(|(_, rule)| rule).collect();
    Some(Routing { rules, fallback: fallback?, placeholders, rounded_decimals: entry.rounded_decimals })
}

/// `street_desk:CODE`. Nothing where the area's own line is at fault and has said so.
fn fallback(text: &str, areas: &AreaBook) -> Result<Option<Holder>, Text> {
    let Some((post_text, code)) = text.split_once(':') else {
        return Err(Text::new(
            format!("“{text}”不是承办人；请写 street_desk:区域代码"),
            format!("`{text}` is not a holder: write street_desk:CODE with the code of a street"),
        ));
    };
    let post = post(post_text)?;
    if post != Post::StreetDesk {
        return Err(Text::new(
            format!(
                "兜底承办须是街道指挥室；{}可以退回，退回后又会派回给自己；请写 street_desk:街道代码",
                post.zh()
            ),
            format!(
                "the fallback is a street desk: a {} may give a case back, and would be given it again; write \
                 street_desk:CODE",
                post.as_str()
            ),
        ));
    }
    match areas.find(code) {
        Found::Area(area) => holder_at(post, area).map(Some),
        Found::Reported => Ok(None),
        Found::Unknown => Err(unknown_area(code)),
    }
}

fn post(text: &str) -> Result<Post, Text> {
    let known = Post::OF_AREAS.map(Post::as_str).join(", ");
    Post::OF_AREAS.into_iter().find(|post| post.as_str() == text).ok_or_else(|| {
        Text::new(
            format!("“{text}”不是承办岗位；请用 {known} 之一"),
            format!("`{text}` is not a post: use one of {known}"),
        )
    })
}

fn decimals(decimals: Option<u32>) -> Result<(), Text> {
    match decimals {
        Some(decimals) if decimals > MOST_DECIMALS => Err(Text::new(
            format!("小数位数 {decimals} 大于 {MOST_DECIMALS}"),
            format!("{decimals} decimals are more than {MOST_DECIMALS}"),
        )),
        _ => Ok(()),
    }
}

fn placeholder(
    main: &MainFile,
    n: usize,
    entry: &PlaceholderEntry,
    faults: &mut Vec<Fault>,
) -> Option<Placeholder> {
    let path = format!("routing/placeholders/{n}");
    main.check(&format!("{path}/name/zh"), named(&entry.name.zh), faults);
    main.check(&format!("{path}/name/en"), named(&entry.name.en), faults);
    let of = Text::new("占位点", "a placeholder");
    let datum = main.keep(&format!("{path}/datum"), datum(entry.datum.as_deref(), of), faults)?;
    check_point(main, &path, entry.lon, entry.lat, datum, faults);
    let (lon, lat) = to_wgs84(datum, entry.lon, entry.lat);
    Some(Placeholder { lon, lat, name: Text::new(&entry.name.zh, &entry.name.en) })
}

/// A point that `pack.json` gives at this path.
pub(super) fn check_point(
    main: &MainFile,
    path: &str,
    lon: f64,
    lat: f64,
    datum: Datum,
    faults: &mut Vec<Fault>,
) {
    let place = Place { lon, lat, datum, accuracy_m: None, source: None, captured_at: None, area: None };
    if let Err(fault) = place.check() {
        let field = format!("{path}/{}", fault.field());
        faults.push(main.fault(&field, Text::new(fault.zh(), fault.to_string())));
    }
}

fn rule(
    main: &MainFile,
    n: usize,
    entry: &RuleEntry,
    lists: &Lists,
    faults: &mut Vec<Fault>,
) -> Option<Rule> {
    let path = format!("routing/rules/{n}");
    let earlier = &main.file.routing.rules[..n];
    main.check(&format!("{path}/name"), rule_name(&entry.name, earlier), faults);
    main.check(&format!("{path}/flag"), flag(entry.flag.as_deref()), faults);
    let mut categories = Vec::new();
    if entry.categories.as_ref().is_some_and(Vec::is_empty) {
        faults.push(main.fault(
            &format!("{path}/categories"),
            Text::new(
                "空的类别清单不适用于任何事项；适用于全部类别时请删去此项",
                "an empty list fits no category: leave it out where the rule is for all",
            ),
        ));
    }
    for (k, code) in entry.categories.iter().flatten().enumerate() {
        categories.extend(main.keep(&format!("{path}/categories/{k}"), lists.categories.check(code), faults));
    }
    let by = main.keep(&format!("{path}/by"), by(entry), faults);
    let within = entry.within.as_deref().map(|code| within(code, lists.areas));
    let within = main.keep(&format!("{path}/within"), within.transpose(), faults)?;
    let to = main.keep(&format!("{path}/to"), post(&entry.to), faults)?;
    Some(Rule {
        name: entry.name.clone(),
        flag: entry.flag.clone(),
        categories,
        by: by?,
        within: within.flatten(),
        to,
    })
}

/// Which area the rule looks at. Where somebody is registered is asked for only where it is needed, so a rule that goes
/// by it says for which categories.
fn by(entry: &RuleEntry) -> Result<By, Text> {
    let Some(text) = &entry.by else { return Ok(By::Place) };
    let known = By::ALL.map(By::as_str).join(", ");
    let by = By::ALL.into_iter().find(|by| by.as_str() == text);
    let by = by.ok_or_else(|| {
        Text::new(
            format!("“{text}”不是派单依据；请用 {known} 之一"),
            format!("`{text}` is nothing to go by: use one of {known}"),
        )
    })?;
    if by == By::Registration && entry.categories.is_none() {
        return Err(Text::new(
            "按户籍地派单的规则须写明类别，否则每件上报都要填户籍地",
            "a rule that goes by registration names its categories: or every report would have to say where somebody \
             is registered",
        ));
    }
    Ok(by)
}

/// The name is written down with every incident the rule routes, so it must say which rule it was.
fn rule_name(name: &str, earlier: &[RuleEntry]) -> Result<(), Text> {
    named(name)?;
    if name == FALLBACK {
        return Err(Text::new(
            format!("规则名“{FALLBACK}”指没有规则适用时的兜底；请换一个名字"),
            format!("`{FALLBACK}` is what is written down where no rule fits: give the rule another name"),
        ));
    }
    if earlier.iter().any(|rule| rule.name == name) {
        return Err(Text::new(
            format!("规则名“{name}”出现两次"),
            format!("the name `{name}` is that of an earlier rule: give each rule its own"),
        ));
    }
    Ok(())
}

/// Whether anything can come to this rule: the street desk gives nothing back, and other posts are passed over only
/// for another post. A rule by place before one by registration would leave that only what was given back.
fn reachable(rule: &Rule, earlier: &[(usize, Rule)]) -> Result<(), Text> {
    let fits_all = |other: &Rule| {
        let flag = other.flag.is_none() || other.flag == rule.flag;
        let categories = other.categories.is_empty()
            || (!rule.categories.is_empty()
                && rule.categories.iter().all(|code| other.categories.contains(code)));
        let within = match (&other.within, &rule.within) {
            (None, _) => true,
            (Some(wide), Some(narrow)) => wide.contains(narrow),
            (Some(_), None) => false,
        };
        flag && categories && within
    };
    let takes_all = |other: &Rule| {
        let by_place_first = other.by == By::Place && rule.by == By::Registration;
        fits_all(other) && (other.to == Post::StreetDesk || other.to == rule.to || by_place_first)
    };
    match earlier.iter().find(|(_, other)| takes_all(other)) {
        None => Ok(()),
        Some((_, other)) => Err(Text::new(
            format!(
                "前面的规则“{}”已涵盖“{}”的全部情形，本规则永远用不到；请删去或移到前面",
                other.name, rule.name
            ),
            format!(
                "the earlier rule `{}` takes all that `{}` would: take this one out, or move it up",
                other.name, rule.name
            ),
        )),
    }
}

fn flag(text: Option<&str>) -> Result<(), Text> {
    let known = Flag::ALL.map(Flag::as_str).join(", ");
    match text {
        Some(text) if !Flag::ALL.iter().any(|flag| flag.as_str() == text) => Err(Text::new(
            format!("“{text}”不是位置标记；请用 {known} 之一"),
            format!("`{text}` is not a flag of a place: use one of {known}"),
        )),
        _ => Ok(()),
    }
}

/// Nothing where the area's own line is at fault and has said so.
fn within(code: &str, areas: &AreaBook) -> Result<Option<AreaPath>, Text> {
    match areas.find(code) {
        Found::Area(area) => Ok(Some(area.path.clone())),
        Found::Reported => Ok(None),
        Found::Unknown => Err(unknown_area(code)),
    }
}
