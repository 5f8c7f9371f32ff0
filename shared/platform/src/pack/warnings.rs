//! What is odd about a pack but no reason to refuse it.

use domain::area::{Area, Areas, Level};
use domain::district::Districts;
use domain::holder::{Holder, Post};
use domain::text::Text;

use super::boundaries::BoundaryFile;
use super::people::People;

pub(super) fn list(
    areas: &Areas,
    districts: &Districts,
    people: &People,
    boundaries: &[BoundaryFile],
) -> Vec<Text> {
    let vacant = Post::OF_AREAS.into_iter().flat_map(|post| vacant_posts(post, areas, people));
    no_grid_boundaries(boundaries).into_iter().chain(in_no_district(areas, districts)).chain(vacant).collect()
}

/// Communities that the figures by district leave out, though their street has districts.
fn in_no_district(areas: &Areas, districts: &Districts) -> Vec<Text> {
    let has_districts = |area: &Area| {
        area.path.parent().is_some_and(|street| districts.iter().any(|district| district.street == street))
    };
    let left_out = areas.iter().filter(|area| area.level == Level::Community && has_districts(area));
    let left_out = left_out.filter(|area| districts.of(&area.path).is_none());
    let one = |area: &Area| {
        let code = area.path.code();
        Text::new(
            format!("{}（{code}）不在任何片区内，而所在街道分了片区", area.name.zh),
            format!("{} ({code}) is in no district, though its street has some", area.name.en),
        )
    };
    left_out.map(one).collect()
}

/// So many vacant posts of a kind are named one by one.
const NAMED: usize = 10;

fn no_grid_boundaries(boundaries: &[BoundaryFile]) -> Option<Text> {
    if boundaries.iter().any(|file| file.level == Level::Grid) {
        return None;
    }
    Some(Text::new(
        "没有网格边界文件：所有事件都找不到网格",
        "no file has the boundaries of grids: no incident will find its grid",
    ))
}

/// Each by itself, or all in one line where they are many: a county lists streets that do not use it yet.
fn vacant_posts(post: Post, areas: &Areas, people: &People) -> Vec<Text> {
    let is_vacant = |area: &&Area| {
        let holder = Holder { post, area: area.path.clone() };
        area.level == post.level() && people.working_for(&holder).next().is_none()
    };
    let vacant: Vec<&Area> = areas.iter().filter(is_vacant).collect();
    if vacant.len() <= NAMED {
        return vacant.into_iter().map(|area| vacant_post(post, area)).collect();
    }
    let (first, count) = (vacant[0], vacant.len());
    vec![Text::new(
        format!("{count} 处没有{}人员，如{}（{}）", post.zh(), first.name.zh, first.path.code()),
        format!(
            "nobody works as {} of {count} areas, such as {} ({})",
            post.en(),
            first.name.en,
            first.path.code()
        ),
    )]
}

fn vacant_post(post: Post, area: &Area) -> Text {
    let code = area.path.code();
    Text::new(
        format!("{}（{code}）没有{}人员", area.name.zh, post.zh()),
        format!("nobody works as {} of {} ({code})", post.en(), area.name.en),
    )
}
