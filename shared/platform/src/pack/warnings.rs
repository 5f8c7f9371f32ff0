//! What is odd about a pack but no reason to refuse it.

use domain::area::{Area, Areas, Level};
use domain::holder::{Holder, Post};
use domain::text::Text;

use super::boundaries::BoundaryFile;
use super::people::People;

pub(super) fn list(areas: &Areas, people: &People, boundaries: &[BoundaryFile]) -> Vec<Text> {
    let vacant = Post::OF_AREAS.into_iter().flat_map(|post| vacant_posts(post, areas, people));
    no_grid_boundaries(boundaries).into_iter().chain(vacant).collect()
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
            post.as_str(),
            first.name.en,
            first.path.code()
        ),
    )]
}

fn vacant_post(post: Post, area: &Area) -> Text {
    let code = area.path.code();
    Text::new(
        format!("{}（{code}）没有{}人员", area.name.zh, post.zh()),
        format!("nobody works as {} of {} ({code})", post.as_str(), area.name.en),
    )
}
