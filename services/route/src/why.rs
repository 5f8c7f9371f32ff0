//! Why an incident is with its holder, in the words people read: where it lies, what it goes by, who was passed over. Pure.

use domain::area::{AreaPath, Areas, Level};
use domain::holder::Holder;
use domain::naming::{self, among_han};
use domain::routing::{By, Flag};
use domain::text::Text;

use crate::choose::{Asking, ByBorder, Ground, Located};

/// What was chosen.
pub(crate) struct Chosen<'a> {
    pub rule: &'a str,
    pub holder: &'a Holder,
    pub ground: &'a Ground,
    /// Posts nobody works for now, so that the next level has it.
    pub vacant: &'a [Holder],
}

pub(crate) fn why(asking: &Asking<'_>, chosen: &Chosen<'_>, areas: &Areas) -> Text {
    let Chosen { rule, holder, ground, vacant } = chosen;
    let place = where_it_lies(asking, areas);
    let registered = what_it_goes_by(asking, ground, areas);
    let again = match asking.tried.len() {
        0 => Text::new("", ""),
        times => Text::new(
            format!("已被退回 {times} 次，不再派给原承办；"),
            format!("It was given back before ({times}), so earlier holders are passed over. "),
        ),
    };
    let nobody = no_one_there(vacant, areas);
    let named = naming::holder(holder, areas);
    Text::new(
        format!(
            "{}；{}{}{}按规则「{}」由{}承办。",
            place.zh,
            registered.zh,
            again.zh,
            nobody.zh,
            rule_in_chinese(rule),
            named.zh
        ),
        format!(
            "{}. {}{}{}Rule “{rule}” gives it to {}.",
            place.en, registered.en, again.en, nobody.en, named.en
        ),
    )
}

/// A pack names its rules as it likes: one named after a level is said as people say it, and so are the fallback and the
/// one for what is sensitive.
fn rule_in_chinese(rule: &str) -> &str {
    match rule.parse::<Level>() {
        Ok(level) => level.zh(),
        Err(_) if rule == "fallback" => "兜底",
        Err(_) if rule == "sensitive" => "敏感事项",
        Err(_) => rule,
    }
}

/// 户人分离: why it is not, or not yet, the area's in which it was seen.
fn what_it_goes_by(asking: &Asking<'_>, ground: &Ground, areas: &Areas) -> Text {
    if ground.by == By::Place {
        return Text::new("", "");
    }
    let Text { zh, en } = asking.matter;
    let Some(area) = asking.registered_area.map(|area| areas.shown(area)) else {
        return Text::new(
            format!("「{zh}」按户籍地派单，而上报未写明户籍地，先由事发地核实；"),
            format!(
                "“{en}” goes by where the person it concerns is registered, which the report does not say, so it is \
                 looked into where it was reported. "
            ),
        );
    };
    Text::new(
        format!("「{zh}」按户籍地派单，不按事发地，登记在{}；", among_han(&area.zh).trim_end()),
        format!(
            "“{en}” goes by where the person it concerns is registered and not by the place: in {}. ",
            area.en
        ),
    )
}

/// A vacancy goes to the next level at once, and says so.
fn no_one_there(vacant: &[Holder], areas: &Areas) -> Text {
    if vacant.is_empty() {
        return Text::new("", "");
    }
    let zh: Vec<String> = vacant.iter().map(|holder| naming::holder(holder, areas).zh).collect();
    let en = vacant.iter().map(|holder| {
        format!("{} ({})", areas.shown(&holder.area).en, holder.post.as_str().replace('_', " "))
    });
    let en: Vec<String> = en.collect();
    Text::new(
        format!("{}无人在岗，由上一级承办；", zh.join("、")),
        format!("Nobody is on duty at {}, so the next level has it. ", en.join(" and ")),
    )
}

fn where_it_lies(asking: &Asking<'_>, areas: &Areas) -> Text {
    if asking.flags.contains(&Flag::Placeholder) {
        return Text::new(
            "坐标是定位失败时的占位点，不能说明地点",
            "The point is where failed geocodes are put, so it says nothing about the place",
        );
    }
    let Some(located) = &asking.located else {
        return Text::new("地点不在任何网格内", "The place lies in no known area");
    };
    if let Some(by_border) = &located.by_border {
        return on_a_border(&located.area, by_border, areas);
    }
    match located.border_m {
        Some(border_m) => inside(located, border_m, areas),
        None => {
            let area = areas.shown(&located.area);
            Text::new(
                format!("上报写明在{}，未给坐标", among_han(&area.zh).trim_end()),
                format!("The report names {} and gives no point", area.en),
            )
        }
    }
}

fn inside(located: &Located, border_m: f64, areas: &Areas) -> Text {
    let area = areas.shown(&located.area);
    let metres = border_m.round();
    let shared = match located.others.as_slice() {
        [] => Text::new("", ""),
        others => {
            // 专属网格 come first; among others the lowest code does.
            let lowest = others.iter().all(|other| located.area.code() < other.as_str());
            let (zh, en) = match lowest {
                true => ("取最小编码", "the lowest code is taken"),
                false => ("专属网格优先", "an exclusive grid comes first"),
            };
            Text::new(
                format!("，同时也在 {} 内，{zh}", others.join("、")),
                format!(
                    "; {} {} it too, and {en}",
                    others.join(", "),
                    if others.len() == 1 { "holds" } else { "hold" }
                ),
            )
        }
    };
    Text::new(
        format!("地点在{}内，距其边界 {metres} 米{}", among_han(&area.zh), shared.zh),
        format!("The place lies in {}, {metres} m inside its border{}", area.en, shared.en),
    )
}

/// The table of borders decided: which border, how near, and whose it is by the table.
fn on_a_border(taken_by: &AreaPath, ByBorder { name, from, metres }: &ByBorder, areas: &Areas) -> Text {
    let (area, from) = (areas.shown(taken_by), areas.shown(from));
    let (area_zh, from_zh) = (among_han(&area.zh), among_han(&from.zh));
    // A border is a line; what is nearer than half a metre lies on it for everybody who looks.
    if *metres < 0.5 {
        return Text::new(
            format!(
                "地点在{from_zh}与{area_zh}的界线（{}）上，按界线归属表归{}",
                name.zh,
                area_zh.trim_end()
            ),
            format!(
                "The place lies on the border of {} and {} ({}), which the table of borders gives to {}",
                from.en, area.en, name.en, area.en
            ),
        );
    }
    let metres = metres.round();
    Text::new(
        format!(
            "地点在{from_zh}内，距其与{area_zh}的界线（{}）{metres} 米，按界线归属表归{}",
            name.zh,
            area_zh.trim_end()
        ),
        format!(
            "The place lies in {}, {metres} m from its border with {} ({}), which the table of borders gives to {}",
            from.en, area.en, name.en, area.en
        ),
    )
}
