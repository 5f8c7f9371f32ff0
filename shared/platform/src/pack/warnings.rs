//! What is odd about a pack but no reason to refuse it.

use domain::area::{Area, Areas, Level};
use domain::holder::{Holder, Post};
use domain::text::Text;

use super::boundaries::BoundaryFile;
use super::people::People;

pub(super) fn list(areas: &Areas, people: &People, boundaries: &[BoundaryFile]) -> Vec<Text> {
    let vacant = areas.iter().filter_map(|area| vacant_post(area, people));
    no_grid_boundaries(boundaries).into_iter().chain(vacant).collect()
}

fn no_grid_boundaries(boundaries: &[BoundaryFile]) -> Option<Text> {
    if boundaries.iter().any(|file| file.level == Level::Grid) {
        return None;
    }
    Some(Text::new(
        "没有网格边界文件：所有事件都找不到网格",
        "no file has the boundaries of grids: no incident will find its grid",
    ))
}

fn vacant_post(area: &Area, people: &People) -> Option<Text> {
    let post = Post::ALL.into_iter().find(|post| post.level() == area.level)?;
    let holder = Holder { post, area: area.path.clone() };
    if people.working_for(&holder).next().is_some() {
        return None;
    }
    let code = area.path.code();
    Some(Text::new(
        format!("{}（{code}）没有{}人员", area.name.zh, post.zh()),
        format!("nobody works as {} of {} ({code})", post.as_str(), area.name.en),
    ))
}
