//! What the figures are read from: tallies summed over a subtree, open deadlines past due, and the steps
//! that escalated last.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::area::AreaPath;
use domain::id::CategoryCode;
use platform::store::{Doing, Readers, StoreError, get, get_incident, get_time, held_within, within};
use sea_orm::ConnectionTrait;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Alias, Cond, ExprTrait, Order, Query};

use super::tallies;

/// Counts by measure, for each area that has any.
pub async fn tallies_below(
    readers: &Readers,
    area: &AreaPath,
) -> Result<BTreeMap<String, BTreeMap<String, i64>>, StoreError> {
    let rows = tallies::Entity::find()
        .filter(within(tallies::Column::Area, area))
        .all(readers)
        .await
        .doing("reading tallies")?;
    let mut by_area: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for row in rows {
        by_area.entry(row.area).or_default().insert(row.measure, row.count);
    }
    Ok(by_area)
}

/// Open handling deadlines past due at `now`, by area; without the sensitive cases. One of which that is not kept yet is
/// none of them only if its category is among those that are `plain`.
pub async fn open_overdue(
    readers: &Readers,
    area: &AreaPath,
    plain: &[&CategoryCode],
    now: DateTime<Utc>,
) -> Result<BTreeMap<String, i64>, StoreError> {
    let (deadline, case) = (Alias::new("supervise_deadline"), Alias::new("supervise_case"));
    let of_deadline = |name: &'static str| (deadline.clone(), Alias::new(name));
    let of_case = |name: &'static str| (case.clone(), Alias::new(name));
    let codes = plain.iter().map(|code| code.0.clone());
    let undecided = Cond::all()
        .add(Expr::col(of_case("sensitive")).is_null())
        .add(Expr::col(of_case("category")).is_in(codes));
    let select = Query::select()
        .column(of_deadline("area"))
        .expr_as(Expr::col(of_deadline("incident")).count(), "overdue")
        .from(deadline.clone())
        .inner_join(case.clone(), Expr::col(of_deadline("incident")).equals(of_case("incident")))
        .and_where(Expr::col(of_deadline("open")).eq(true))
        .and_where(Expr::col(of_deadline("kind")).eq("handle"))
        .and_where(Expr::col(of_deadline("due_at")).lt(now))
        .cond_where(within(of_deadline("area"), area))
        .cond_where(Cond::any().add(Expr::col(of_case("sensitive")).eq(false)).add(undecided))
        .group_by_col(of_deadline("area"))
        .to_owned();
    let rows = readers.query_all(&select).await.doing("counting open overdue cases")?;
    rows.iter().map(|row| Ok((get(row, "area")?, get(row, "overdue")?))).collect()
}

/// An escalation that took effect.
#[derive(Clone, Debug)]
pub struct Escalated {
    pub incident: domain::id::IncidentId,
    pub kind: String,
    pub to: String,
    pub due_at: DateTime<Utc>,
    pub done_at: DateTime<Utc>,
    /// Where the case lay then.
    pub area: AreaPath,
    /// Where it lies now.
    pub lies_in: AreaPath,
    pub category: String,
    pub holder: String,
    pub state: String,
}

/// The latest escalations in any of `scope`, newest first: of what happened there, and of the cases that lie there now,
/// wherever they did then.
pub async fn escalated(
    readers: &Readers,
    scope: &[AreaPath],
    limit: u64,
) -> Result<Vec<Escalated>, StoreError> {
    let (step, case) = (Alias::new("supervise_step"), Alias::new("supervise_case"));
    let of_step = |name: &'static str| (step.clone(), Alias::new(name));
    let of_case = |name: &'static str| (case.clone(), Alias::new(name));
    let inside = scope.iter().fold(Cond::any(), |any, area| {
        let there = Cond::any().add(within(of_step("done_in"), area)).add(within(of_case("area"), area));
        // What is sensitive is told to nobody below those who hold it.
        let plain = Cond::any()
            .add(Expr::col(of_case("sensitive")).is_null())
            .add(Expr::col(of_case("sensitive")).eq(false));
        let theirs = plain.add(held_within(of_case("holder"), area));
        any.add(Cond::all().add(there).add(theirs))
    });
    let select = Query::select()
        .columns(["incident", "kind", "does", "due_at", "done_at", "done_in"].map(of_step))
        .columns(["area", "category", "holder", "state"].map(of_case))
        .from(step.clone())
        .inner_join(case.clone(), Expr::col(of_step("incident")).equals(of_case("incident")))
        .and_where(Expr::col(of_step("done_at")).is_not_null())
        // A reminder makes nobody answerable, and an offer that lapsed goes back to who held the case before.
        .and_where(Expr::col(of_step("does")).is_not_in(["remind", "lapse"]))
        .cond_where(inside)
        .order_by(of_step("done_at"), Order::Desc)
        .limit(limit)
        .to_owned();
    let rows = readers.query_all(&select).await.doing("listing escalations")?;
    rows.iter()
        .map(|row| {
            let incident = get_incident(row, "incident")?;
            let path = |table, text: String| {
                text.parse::<AreaPath>().map_err(|why| super::wrong(table, &incident, why))
            };
            let lies_in = path("supervise_case", get(row, "area")?)?;
            let done_in: Option<String> = get(row, "done_in")?;
            let done_in = done_in.map(|text| path("supervise_step", text)).transpose()?;
            Ok(Escalated {
                incident,
                kind: get(row, "kind")?,
                to: get(row, "does")?,
                due_at: get_time(row, "due_at")?,
                done_at: get_time(row, "done_at")?,
                area: done_in.unwrap_or_else(|| lies_in.clone()),
                lies_in,
                category: get(row, "category")?,
                holder: get(row, "holder")?,
                state: get(row, "state")?,
            })
        })
        .collect()
}
