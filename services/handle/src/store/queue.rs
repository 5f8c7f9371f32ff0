//! Queues: the cases a person may see, most urgent first, a page at a time by key.

use chrono::{DateTime, Utc};
use domain::area::{AreaPath, Level};
use domain::case::Case;
use domain::holder::Holder;
use domain::id::IncidentId;
use platform::store::{Doing, StoreError, within};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Cond, NullOrdering};
use sea_orm::{Order, QueryOrder, QuerySelect};

use super::cases::{Column, Entity, case};

/// What to list. Only `scope` is about rights; an empty one lists nothing.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Subtrees the asker may see.
    pub scope: Vec<AreaPath>,
    pub area: Option<AreaPath>,
    pub holder: Option<Holder>,
    pub state: Option<String>,
    pub level: Option<Level>,
    pub after: Option<Key>,
    pub limit: u64,
}

/// Where a page ended: cases without a deadline come last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    pub due_at: Option<DateTime<Utc>>,
    pub incident: IncidentId,
}

/// A page of the queue, open cases only unless a state is asked for.
pub async fn page<C: ConnectionTrait>(connection: &C, wanted: &Wanted) -> Result<Vec<Case>, StoreError> {
    if wanted.scope.is_empty() {
        return Ok(Vec::new());
    }
    let mut select = Entity::find().filter(any_of(&wanted.scope));
    if let Some(area) = &wanted.area {
        select = select.filter(within(Column::Area, area));
    }
    if let Some(holder) = &wanted.holder {
        select = select.filter(Column::Holder.eq(holder.to_string()));
    }
    if let Some(level) = wanted.level {
        select = select.filter(Column::Level.eq(level.as_str()));
    }
    select = match &wanted.state {
        Some(state) => select.filter(Column::State.eq(state.as_str())),
        None => select.filter(Column::State.is_in(["DISPATCHED", "OFFERED", "HANDLING", "CHECKING"])),
    };
    if let Some(after) = wanted.after {
        select = select.filter(behind(after));
    }
    let rows = select
        .order_by_with_nulls(Column::DueAt, Order::Asc, NullOrdering::Last)
        .order_by_asc(Column::Incident)
        .limit(wanted.limit)
        .all(connection)
        .await
        .doing("listing a queue")?;
    rows.into_iter().map(case).collect()
}

fn any_of(scope: &[AreaPath]) -> Cond {
    scope.iter().fold(Cond::any(), |any, area| any.add(within(Column::Area, area)))
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
