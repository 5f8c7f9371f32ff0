//! Queues: the cases a person may see, most urgent first, or what they reported themselves, newest first; a page at a
//! time by key.

use chrono::{DateTime, Utc};
use domain::area::{AreaPath, Level};
use domain::case::{Case, SENSITIVE};
use domain::holder::Holder;
use domain::id::{IncidentId, PersonId};
use platform::store::{Doing, StoreError, held_within, within};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Cond, NullOrdering};
use sea_orm::{Order, QueryOrder, QuerySelect, Select};

use super::cases::{Column, Entity, case};

/// What to list. Only `of` is about rights.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub of: Of,
    pub area: Option<AreaPath>,
    pub holder: Option<Holder>,
    pub state: Option<String>,
    pub level: Option<Level>,
    pub after: Option<Key>,
    pub limit: u64,
}

/// Whose cases are listed.
#[derive(Clone, Debug)]
pub enum Of {
    /// Those in the subtrees that the asker may see, most urgent first; without any, none.
    Areas(Vec<AreaPath>),
    /// Those that the asker reported, wherever they lie, newest first: a case is its reporter's to see.
    Reporter(PersonId),
}

impl Default for Of {
    fn default() -> Self {
        Self::Areas(Vec::new())
    }
}

/// Where a page ended: in a queue cases without a deadline come last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    pub due_at: Option<DateTime<Utc>>,
    pub incident: IncidentId,
}

/// A page of a queue, open cases only unless a state is asked for; or of what somebody reported, in any state.
pub async fn page<C: ConnectionTrait>(connection: &C, wanted: &Wanted) -> Result<Vec<Case>, StoreError> {
    let select = match &wanted.of {
        Of::Areas(scope) if scope.is_empty() => return Ok(Vec::new()),
        Of::Areas(scope) => most_urgent_first(Entity::find().filter(any_of(scope)), wanted),
        Of::Reporter(person) => {
            newest_first(Entity::find().filter(Column::Reporter.eq(person.0.as_str())), wanted.after)
        }
    };
    let rows = narrowed(select, wanted).limit(wanted.limit).all(connection).await.doing("listing a queue")?;
    rows.into_iter().map(case).collect()
}

fn most_urgent_first(mut select: Select<Entity>, wanted: &Wanted) -> Select<Entity> {
    if wanted.state.is_none() {
        select = select.filter(Column::State.is_in(["DISPATCHED", "OFFERED", "HANDLING", "CHECKING"]));
    }
    if let Some(after) = wanted.after {
        select = select.filter(behind(after));
    }
    select.order_by_with_nulls(Column::DueAt, Order::Asc, NullOrdering::Last).order_by_asc(Column::Incident)
}

/// The time in an incident's id sorts it as it came in.
fn newest_first(mut select: Select<Entity>, after: Option<Key>) -> Select<Entity> {
    if let Some(after) = after {
        select = select.filter(Column::Incident.lt(after.incident.0));
    }
    select.order_by_desc(Column::Incident)
}

fn narrowed(mut select: Select<Entity>, wanted: &Wanted) -> Select<Entity> {
    if let Some(area) = &wanted.area {
        select = select.filter(within(Column::Area, area));
    }
    if let Some(holder) = &wanted.holder {
        select = select.filter(Column::Holder.eq(holder.to_string()));
    }
    if let Some(level) = wanted.level {
        select = select.filter(Column::Level.eq(level.as_str()));
    }
    if let Some(state) = &wanted.state {
        select = select.filter(Column::State.eq(state.as_str()));
    }
    select
}

fn any_of(scope: &[AreaPath]) -> Cond {
    scope.iter().fold(Cond::any(), |any, area| {
        // What is sensitive is listed for nobody below those who hold it.
        let plain = Column::Flags.not_like(format!("%\"{SENSITIVE}\"%"));
        let theirs = Cond::any().add(plain).add(held_within(Column::Holder, area));
        any.add(Cond::all().add(within(Column::Area, area)).add(theirs))
    })
}

fn behind(key: Key) -> Cond {
    let same = Column::Incident.gt(key.incident.0);
    match key.due_at {
        Some(due_at) => Cond::any()
            .add(Column::DueAt.gt(due_at))
            .add(Cond::all().add(Column::DueAt.eq(due_at)).add(same))
            .add(Column::DueAt.is_null()),
        None => Cond::all().add(Column::DueAt.is_null()).add(same),
    }
}
