//! Every case has one holder, and the holder's area is the case's own or lies above it: promise 3.

use super::ledger::{Ledger, Name};
use super::seen::Seen;

const POSTS: [&str; 3] = ["grid_leader", "community", "street_desk"];

pub(super) fn check(seen: &Seen<'_>, ledger: &mut Ledger) {
    let life = seen.life;
    ledger.looked(Name::Holder, life.cases.len());
    for row in &life.cases {
        if let Err(why) = fits(&row.holder, &row.area) {
            ledger.fault(Name::Holder, life.id, format!("handle_case: {why}"));
        }
    }
    for row in &life.mirrors {
        if let Err(why) = fits(&row.holder, &row.area) {
            ledger.fault(Name::Holder, life.id, format!("supervise_case: {why}"));
        }
    }
    // At every moment, so after every fact.
    for fact in &seen.told {
        let text = |name: &str| fact.case[name].as_str().unwrap_or_default();
        if let Err(why) = fits(text("holder"), text("area")) {
            ledger.fault(Name::Holder, life.id, format!("handled/{}: {why}", fact.sequence));
        }
    }
}

fn fits(holder: &str, area: &str) -> Result<(), String> {
    if holder.is_empty() {
        return Err("nobody holds it".to_owned());
    }
    let (post, held) = holder.split_once(':').ok_or_else(|| format!("`{holder}` is no holder"))?;
    // An organisation lies in no area: its path is its own.
    if post == "partner" {
        let own = held
            .split_once('/')
            .is_some_and(|(root, id)| root == "org" && !id.is_empty() && !id.contains('/'));
        return if own { Ok(()) } else { Err(format!("`{held}` is no path of an organisation")) };
    }
    if !POSTS.contains(&post) {
        return Err(format!("`{post}` is no post"));
    }
    if is_path(area) && is_path(held) && contains(held, area) {
        return Ok(());
    }
    Err(format!("the holder's area `{held}` is not the case's own `{area}` and does not contain it"))
}

fn is_path(path: &str) -> bool {
    path.split('/').all(|code| !code.is_empty())
}

/// Whether `inner` is `outer` or lies below it.
pub(super) fn contains(outer: &str, inner: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
