//! Areas and categories that a version lists no more, and what becomes of the cases that are open in them: where they lie
//! and what they were promised is on record, and there must be somebody who works on them, and somebody else who ends them.

use std::collections::BTreeMap;

use domain::area::{Area, AreaPath};
use domain::category::Category;
use domain::holder::{Holder, Post};
use domain::id::CategoryCode;
use domain::rights::{Action, Grant, Role, areas_for};
use domain::text::Text;

use super::Pack;
use super::succession::{of_category as named, with_code};

/// How many cases are open, by the area they lie in and their category.
pub type OpenCases = BTreeMap<(AreaPath, CategoryCode), u64>;

/// So many areas are told of one by one.
const NAMED: usize = 10;

impl Pack {
    /// Whether this version lists all areas and categories that `before` does.
    pub fn lists_all_of(&self, before: &Self) -> bool {
        self.areas_gone(before).next().is_none() && self.categories_gone(before).next().is_none()
    }

    /// Those of `before` that this version lists no more, or elsewhere.
    pub(super) fn areas_gone<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = &'a Area> {
        before.areas.iter().filter(|area| self.areas.by_path(&area.path).is_none())
    }

    pub(super) fn categories_gone<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = &'a Category> {
        before.categories.values().filter(|category| !self.categories.contains_key(&category.code))
    }

    /// Whether there may be cases in an area that is gone which nobody of this version could work on, or nobody else
    /// could end.
    pub(super) fn deserts(&self, area: &Area, open: Option<&OpenCases>) -> bool {
        open.is_none_or(|open| in_area(open, area) > 0) && !self.looks_after(area)
    }

    fn looks_after(&self, area: &Area) -> bool {
        let Some(acting) = self.acting_in(area) else { return false };
        let ends = |role: &Role| {
            let grant = Grant { role: *role, area: area.path.clone() };
            !areas_for(&[grant], Action::Close).is_empty()
        };
        let ending = Role::ALL.into_iter().filter(ends);
        let ending: Vec<_> =
            ending.flat_map(|role| self.people.with_role_over(role, &area.path)).map(|one| &one.id).collect();
        self.people.working_for(&acting).any(|worker| ending.iter().any(|other| **other != worker.id))
    }

    /// The post that works on what an area's own post holds.
    fn acting_in(&self, area: &Area) -> Option<Holder> {
        let post = Post::OF_AREAS.into_iter().find(|post| post.level() == area.level)?;
        self.people.acting_for(&Holder { post, area: area.path.clone() })
    }

    /// Who works there, in words.
    fn desk(&self, holder: &Holder) -> Text {
        let Text { zh, en } = self.areas.shown(&holder.area);
        match holder.post {
            Post::GridLeader => Text::new(format!("{zh}网格长"), format!("the leader of {en}")),
            Post::Community | Post::Partner => Text::new(zh, en),
            Post::StreetDesk => Text::new(format!("{zh}指挥室"), format!("the desk of {en}")),
        }
    }

    /// What becomes of the open cases of what is listed no more, a line for each that has some, or may have.
    pub fn what_becomes(&self, before: &Self, open: Option<&OpenCases>) -> Vec<Text> {
        let concerned = |area: &&Area| open.is_none_or(|open| in_area(open, area) > 0);
        let areas: Vec<&Area> = self.areas_gone(before).filter(concerned).collect();
        let more = areas.len().saturating_sub(NAMED);
        let named = areas.into_iter().take(NAMED);
        let of_areas = named.filter_map(|area| {
            let cases = cases(open.map(|open| in_area(open, area)));
            Some(of_area(area, &self.desk(&self.acting_in(area)?), &cases))
        });
        let and_more = (more > 0).then(|| {
            Text::new(
                format!("另有 {more} 个已去掉的区域同样处理"),
                format!("and so it is with {more} more areas that are gone"),
            )
        });
        let of_categories = self.categories_gone(before).filter_map(|category| {
            let count = open.map(|open| of_category(open, &category.code));
            (count != Some(0)).then(|| no_longer_reported(category, &cases(count)))
        });
        of_areas.chain(and_more).chain(of_categories).collect()
    }
}

fn in_area(open: &OpenCases, area: &Area) -> u64 {
    open.iter().filter(|((path, _), _)| *path == area.path).map(|(_, count)| count).sum()
}

fn of_category(open: &OpenCases, code: &CategoryCode) -> u64 {
    open.iter().filter(|((_, category), _)| category == code).map(|(_, count)| count).sum()
}

/// `None`: they could not be counted.
fn cases(count: Option<u64>) -> Text {
    match count {
        None => Text::new("未结案件（未能统计件数）", "its open cases, which could not be counted,"),
        Some(1) => Text::new("1 件未结案件", "its one open case"),
        Some(count) => Text::new(format!("{count} 件未结案件"), format!("its {count} open cases")),
    }
}

fn of_area(area: &Area, acting: &Text, cases: &Text) -> Text {
    let Text { zh, en } = with_code(&area.name, area.path.code());
    Text::new(
        format!("{zh}已不列出：{}由{}接续承办，核查、结案照旧", cases.zh, acting.zh),
        format!(
            "{en} is listed no more: {} can be worked on by {} from now on, and checked as before",
            cases.en, acting.en
        ),
    )
}

fn no_longer_reported(category: &Category, cases: &Text) -> Text {
    let Text { zh, en } = named(category);
    Text::new(
        format!("事项类别 {zh} 已不列出：{}按原时限办理，不能再上报", cases.zh),
        format!(
            "the category {en} is listed no more: {} will go on by the deadlines on record, and nobody can report it",
            cases.en
        ),
    )
}
