//! Shared borders: which of two areas takes a place on their border or near it, by the pack's table. Pure.

use domain::area::AreaPath;
use domain::border::BorderRule;
use domain::id::CategoryCode;

/// An outlined area a place lies in or near.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Near {
    pub area: AreaPath,
    /// How far it is to it; 0 for one that holds the place.
    pub metres: f64,
}

/// What the table says of a place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settled<'a> {
    pub rule: &'a BorderRule,
    /// The area that has the place now: the nearest one on the side that takes it.
    pub area: AreaPath,
    /// The area on the other side that holds it.
    pub from: AreaPath,
    /// How far into the other side the place lies; 0 on the border itself.
    pub metres: f64,
}

/// The first rule about a border that the place lies on, or near enough to. `holds`: the areas that hold the place,
/// several where it lies on a border. `near`: those within so many metres of it, of the same level.
pub(crate) fn settle<'a>(
    rules: &'a [BorderRule],
    category: &CategoryCode,
    holds: &[AreaPath],
    near: impl Fn(f64) -> Vec<Near>,
) -> Option<Settled<'a>> {
    rules.iter().filter(|rule| rule.is_for(category)).find_map(|rule| {
        let from = holds.iter().find(|area| rule.taken_from.contains(area))?;
        let taking =
            near(f64::from(rule.within_m)).into_iter().filter(|one| rule.taken_by.contains(&one.area));
        let nearest = taking.min_by(|one, other| {
            one.metres.total_cmp(&other.metres).then_with(|| one.area.cmp(&other.area))
        })?;
        Some(Settled { rule, area: nearest.area, from: from.clone(), metres: nearest.metres })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::text::Text;

    fn path(text: &str) -> AreaPath {
        text.parse().unwrap()
    }

    fn rule(taken_by: &str, taken_from: &str, within_m: u32, categories: &[&str]) -> BorderRule {
        BorderRule {
            stands_at: "borders.csv:2".to_owned(),
            name: Text::new("富春江路", "Fuchunjiang Road"),
            taken_by: path(taken_by),
            taken_from: path(taken_from),
            within_m,
            categories: categories.iter().map(|code| (*code).into()).collect(),
        }
    }

    /// A place in grid `s/b/g`, 8 m from `s/a/h` and 12 m from `s/a/g`; or on the border of the three.
    fn settled(rules: &[BorderRule], on_border: bool) -> Option<(String, f64)> {
        let away = |metres: f64| if on_border { 0.0 } else { metres };
        let all = [("s/b/g", 0.0), ("s/a/h", away(8.0)), ("s/a/g", away(12.0))];
        let near = |reach: f64| -> Vec<Near> {
            let reached = all.iter().filter(|(_, metres)| *metres <= reach);
            reached.map(|(area, metres)| Near { area: path(area), metres: *metres }).collect()
        };
        let holds: Vec<AreaPath> = near(0.0).into_iter().map(|one| one.area).collect();
        let settled = settle(rules, &"road".into(), &holds, near)?;
        Some((settled.area.to_string(), settled.metres))
    }

    #[test]
    fn what_lies_within_its_metres_of_a_border_goes_to_the_nearest_area_of_the_side_that_takes_it() {
        assert_eq!(settled(&[rule("s/a", "s/b", 10, &[])], false), Some(("s/a/h".to_owned(), 8.0)));
        assert_eq!(settled(&[rule("s/a", "s/b", 5, &[])], false), None, "too far in");
        assert_eq!(settled(&[rule("s/a/g", "s/b/g", 20, &[])], false), Some(("s/a/g".to_owned(), 12.0)));
    }

    #[test]
    fn what_lies_on_a_border_goes_to_the_side_that_takes_it_and_of_two_grids_there_to_the_lower_code() {
        assert_eq!(settled(&[rule("s/a", "s/b", 0, &[])], true), Some(("s/a/g".to_owned(), 0.0)));
        assert_eq!(settled(&[rule("s/b", "s/a", 0, &[])], true), Some(("s/b/g".to_owned(), 0.0)));
        assert_eq!(settled(&[], true), None, "without a rule the lowest code has it");
    }

    #[test]
    fn a_rule_is_asked_only_for_its_categories_its_border_and_from_the_side_it_takes_from() {
        assert_eq!(settled(&[rule("s/a", "s/b", 10, &["water"])], false), None);
        assert_eq!(settled(&[rule("s/a", "s/c", 10, &[])], false), None);
        assert_eq!(settled(&[rule("s/b", "s/a", 10, &[])], false), None, "it lies in s/b already");
        let first = [rule("s/a/g", "s/b", 20, &["road"]), rule("s/a", "s/b", 20, &[])];
        assert_eq!(settled(&first, false), Some(("s/a/g".to_owned(), 12.0)), "the first that fits");
    }
}
