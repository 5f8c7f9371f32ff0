//! Table `route_incident`: the last attempt for each incident, and why.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::facts::Route;
use domain::holder::Holder;
use domain::id::{CategoryCode, IncidentId};
use domain::text::Text;
use platform::store::{StoreError, Tx, lists, rows};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "route_incident")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub incident: Uuid,
    pub attempt: i32,
    pub category: String,
    pub registered_area: Option<String>,
    pub lon: f64,
    pub lat: f64,
    pub area: String,
    pub grid: Option<String>,
    pub boundaries: String,
    pub rule: String,
    pub holder: String,
    /// JSON list of holders that gave it back.
    pub tried: String,
    /// JSON list of other grids that hold the place too.
    pub candidates: String,
    /// JSON list.
    pub flags: String,
    pub why_zh: String,
    pub why_en: String,
    pub routed_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Where an incident was routed, and what is needed to route it again.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    pub id: IncidentId,
    pub attempt: u32,
    pub category: CategoryCode,
    /// Code of the area in which the report says the person it concerns is registered.
    pub registered_area: Option<String>,
    pub route: Route,
    pub tried: Vec<Holder>,
    pub routed_at: DateTime<Utc>,
}

pub async fn load(tx: &Tx, incidents: &[IncidentId]) -> Result<BTreeMap<IncidentId, Incident>, StoreError> {
    let rows = rows::load::<Entity>(tx, Column::Incident, incidents, "loading routed incidents").await?;
    rows.into_iter().map(|row| Ok((IncidentId(row.incident), incident(row)?))).collect()
}

pub async fn save(tx: &Tx, incidents: &[&Incident]) -> Result<(), StoreError> {
    rows::replace(tx, incidents.iter().map(|incident| row(incident)).collect(), "saving routed incidents")
        .await
}

fn row(incident: &Incident) -> ActiveModel {
    let route = &incident.route;
    ActiveModel {
        incident: Set(incident.id.0),
        attempt: Set(incident.attempt.cast_signed()),
        category: Set(incident.category.0.clone()),
        registered_area: Set(incident.registered_area.clone()),
        lon: Set(route.lon),
        lat: Set(route.lat),
        area: Set(route.area.as_str().to_owned()),
        grid: Set(route.grid.clone()),
        boundaries: Set(route.boundaries.clone()),
        rule: Set(route.rule.clone()),
        holder: Set(route.holder.to_string()),
        tried: Set(lists::write(&incident.tried)),
        candidates: Set(lists::write(&route.candidates)),
        flags: Set(lists::write(&route.flags)),
        why_zh: Set(route.why.zh.clone()),
        why_en: Set(route.why.en.clone()),
        routed_at: Set(incident.routed_at),
    }
}

fn incident(row: Model) -> Result<Incident, StoreError> {
    let id = IncidentId(row.incident);
    let wrong = |why: String| StoreError::Inconsistent { table: "route_incident", id: id.to_string(), why };
    let route = Route {
        lon: row.lon,
        lat: row.lat,
        area: row.area.parse().map_err(|fault| wrong(format!("{fault}")))?,
        grid: row.grid,
        boundaries: row.boundaries,
        rule: row.rule,
        holder: row.holder.parse().map_err(wrong)?,
        candidates: lists::read(&row.candidates).map_err(wrong)?,
        why: Text::new(row.why_zh, row.why_en),
        flags: lists::read(&row.flags).map_err(wrong)?,
    };
    Ok(Incident {
        id,
        attempt: row.attempt.cast_unsigned(),
        category: CategoryCode(row.category),
        registered_area: row.registered_area,
        route,
        tried: lists::read(&row.tried).map_err(wrong)?,
        routed_at: row.routed_at,
    })
}
