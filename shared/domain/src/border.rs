//! Shared borders (界线归属): who takes what lies on the border of two areas or near it, where a river or a road runs along
//! it and one side looks after all of it. A table of the pack; where it says nothing, the lowest code has the border.

use crate::area::AreaPath;
use crate::id::CategoryCode;
use crate::text::Text;

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BorderRule {
    /// Where the pack says so, as in `borders.csv:3`.
    pub stands_at: String,
    /// What runs along the border: 富春江路.
    pub name: Text,
    pub taken_by: AreaPath,
    /// The area on the other side; of the same level.
    pub taken_from: AreaPath,
    /// How far into the other side, in metres; 0: only what lies on the border itself.
    pub within_m: u32,
    /// Only these categories; empty: all.
    pub categories: Vec<CategoryCode>,
}

impl BorderRule {
    pub fn is_for(&self, category: &CategoryCode) -> bool {
        self.categories.is_empty() || self.categories.contains(category)
    }

    /// Whether both give some of one border, and not to the same side.
    pub fn contradicts(&self, other: &Self) -> bool {
        let turned_round = self.taken_by == other.taken_from && self.taken_from == other.taken_by;
        let in_both = self.categories.is_empty()
            || other.categories.is_empty()
            || self.categories.iter().any(|code| other.categories.contains(code));
        turned_round && in_both
    }

    /// Whether nothing is left for `later`, which stands behind it.
    pub fn takes_all_of(&self, later: &Self) -> bool {
        let same_side = self.taken_by == later.taken_by && self.taken_from == later.taken_from;
        let categories = self.categories.is_empty()
            || (!later.categories.is_empty() && later.categories.iter().all(|code| self.is_for(code)));
        same_side && categories && self.within_m >= later.within_m
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(taken_by: &str, taken_from: &str, within_m: u32, categories: &[&str]) -> BorderRule {
        BorderRule {
            stands_at: "borders.csv:2".to_owned(),
            name: Text::new("富春江路", "Fuchunjiang Road"),
            taken_by: taken_by.parse().unwrap(),
            taken_from: taken_from.parse().unwrap(),
            within_m,
            categories: categories.iter().map(|code| (*code).into()).collect(),
        }
    }

    #[test]
    fn a_border_is_one_side_s_for_a_category_and_may_be_the_other_s_for_another() {
        let road = rule("s/a", "s/b", 10, &["road"]);
        assert!(road.is_for(&"road".into()) && !road.is_for(&"water".into()));
        assert!(!road.contradicts(&rule("s/b", "s/a", 10, &["water"])));
        assert!(road.contradicts(&rule("s/b", "s/a", 0, &["water", "road"])));
        assert!(road.contradicts(&rule("s/b", "s/a", 0, &[])), "all categories are these too");
        assert!(!road.contradicts(&rule("s/c", "s/a", 0, &[])), "another border");
    }

    #[test]
    fn a_rule_behind_a_wider_one_for_the_same_side_is_never_asked() {
        let all = rule("s/a", "s/b", 10, &[]);
        assert!(all.takes_all_of(&rule("s/a", "s/b", 10, &["road"])));
        assert!(!all.takes_all_of(&rule("s/a", "s/b", 20, &["road"])), "it reaches farther");
        assert!(!rule("s/a", "s/b", 10, &["road"]).takes_all_of(&all));
        assert!(!all.takes_all_of(&rule("s/a", "s/c", 10, &[])));
    }
}
