//! Table `handle_case`: the one row of each case. The enum of its state is spread over nullable columns;
//! a row that fits no state is an error that names it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::case::{Case, Mark, State};
use domain::id::{CategoryCode, IncidentId, PartnerId, PersonId};
use platform::store::{StoreError, Tx, lists, rows};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "handle_case")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub incident: Uuid,
    pub reporter: String,
    pub category: String,
    pub lon: f64,
    pub lat: f64,
    pub area: String,
    pub holder: String,
    /// Whose it is again when a partner organisation gives it up.
    pub home: Option<String>,
    pub state: String,
    /// JSON list of the organisations that are asked, while it is offered.
    pub offered_to: Option<String>,
    pub signed_by: Option<String>,
    pub signed_at: Option<DateTime<Utc>>,
    pub answered_by: Option<String>,
    pub answered_at: Option<DateTime<Utc>>,
    pub passed_by: Option<String>,
    pub passed_at: Option<DateTime<Utc>>,
    pub closed_by: Option<String>,
    pub closed_at: Option<DateTime<Utc>>,
    pub level: String,
    pub attempt: i32,
    pub returns: i32,
    pub reworks: i32,
    /// JSON list of everybody who handled it.
    pub handlers: String,
    /// JSON list.
    pub flags: String,
    /// JSON list, the latest round of each kind.
    pub deadlines: String,
    pub recorded: bool,
    pub opened_at: DateTime<Utc>,
    pub last_at: DateTime<Utc>,
    /// The earliest deadline not met; queues sort by it.
    pub due_at: Option<DateTime<Utc>>,
    pub revision: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

pub async fn load<C: ConnectionTrait>(
    connection: &C,
    incidents: &[IncidentId],
) -> Result<BTreeMap<IncidentId, Case>, StoreError> {
    let rows = rows::load::<Entity>(connection, Column::Incident, incidents, "loading cases").await?;
    rows.into_iter().map(|row| Ok((IncidentId(row.incident), case(row)?))).collect()
}

pub async fn save(tx: &Tx, cases: &[&Case]) -> Result<(), StoreError> {
    rows::replace(tx, cases.iter().map(|case| row(case)).collect(), "saving cases").await
}

fn row(case: &Case) -> ActiveModel {
    let (signed, answered, passed, closed) = marks(&case.state);
    let by = |mark: Option<&Mark>| Set(mark.map(|mark| mark.by.0.clone()));
    let at = |mark: Option<&Mark>| Set(mark.map(|mark| mark.at));
    ActiveModel {
        incident: Set(case.incident.0),
        reporter: Set(case.reporter.0.clone()),
        category: Set(case.category.0.clone()),
        lon: Set(case.lon),
        lat: Set(case.lat),
        area: Set(case.area.as_str().to_owned()),
        holder: Set(case.holder.to_string()),
        home: Set(case.home.as_ref().map(ToString::to_string)),
        state: Set(case.state.name().to_owned()),
        offered_to: Set(match &case.state {
            State::Offered { partners } => Some(lists::write(partners)),
            _ => None,
        }),
        signed_by: by(signed),
        signed_at: at(signed),
        answered_by: by(answered),
        answered_at: at(answered),
        passed_by: by(passed),
        passed_at: at(passed),
        closed_by: by(closed),
        closed_at: at(closed),
        level: Set(case.level.as_str().to_owned()),
        attempt: Set(case.attempt.cast_signed()),
        returns: Set(case.returns.cast_signed()),
        reworks: Set(case.reworks.cast_signed()),
        handlers: Set(lists::write(&case.handlers)),
        flags: Set(lists::write(&case.flags)),
        deadlines: Set(lists::write(&case.deadlines)),
        recorded: Set(case.recorded),
        opened_at: Set(case.opened_at),
        last_at: Set(case.last_at),
        due_at: Set(case.due_at()),
        revision: Set(case.revision.cast_signed()),
    }
}

type Marks<'a> = (Option<&'a Mark>, Option<&'a Mark>, Option<&'a Mark>, Option<&'a Mark>);

fn marks(state: &State) -> Marks<'_> {
    match state {
        State::Dispatched | State::Offered { .. } => (None, None, None, None),
        State::Handling { signed } => (Some(signed), None, None, None),
        State::Checking { signed, answered, passed } => (Some(signed), Some(answered), passed.as_ref(), None),
        State::Closed { signed, answered, passed, closed } => {
            (Some(signed), Some(answered), Some(passed), Some(closed))
        }
    }
}

pub(super) fn case(row: Model) -> Result<Case, StoreError> {
    let id = IncidentId(row.incident);
    let wrong = |why: String| StoreError::Inconsistent { table: "handle_case", id: id.to_string(), why };
    let offered_to = row.offered_to.as_deref().map(lists::read).transpose().map_err(wrong)?;
    let state =
        state(&row, offered_to).ok_or_else(|| wrong(format!("its columns fit no state `{}`", row.state)))?;
    Ok(Case {
        incident: id,
        reporter: PersonId(row.reporter),
        category: CategoryCode(row.category),
        lon: row.lon,
        lat: row.lat,
        area: row.area.parse().map_err(|fault| wrong(format!("{fault}")))?,
        holder: row.holder.parse().map_err(wrong)?,
        home: row.home.map(|home| home.parse()).transpose().map_err(wrong)?,
        state,
        level: row.level.parse().map_err(wrong)?,
        attempt: row.attempt.cast_unsigned(),
        returns: row.returns.cast_unsigned(),
        reworks: row.reworks.cast_unsigned(),
        handlers: lists::read(&row.handlers).map_err(wrong)?,
        flags: lists::read(&row.flags).map_err(wrong)?,
        deadlines: lists::read(&row.deadlines).map_err(wrong)?,
        recorded: row.recorded,
        opened_at: row.opened_at,
        last_at: row.last_at,
        revision: row.revision.cast_unsigned(),
    })
}

fn state(row: &Model, offered_to: Option<Vec<PartnerId>>) -> Option<State> {
    let signed = mark(row.signed_by.as_ref(), row.signed_at);
    let answered = mark(row.answered_by.as_ref(), row.answered_at);
    let passed = mark(row.passed_by.as_ref(), row.passed_at);
    let closed = mark(row.closed_by.as_ref(), row.closed_at);
    if (row.state == "OFFERED") != offered_to.is_some() {
        return None;
    }
    match (row.state.as_str(), signed, answered, passed, closed) {
        ("OFFERED", None, None, None, None) => offered_to.map(|partners| State::Offered { partners }),
        ("DISPATCHED", None, None, None, None) => Some(State::Dispatched),
        ("HANDLING", Some(signed), None, None, None) => Some(State::Handling { signed }),
        ("CHECKING", Some(signed), Some(answered), passed, None) => {
            Some(State::Checking { signed, answered, passed })
        }
        ("CLOSED", Some(signed), Some(answered), Some(passed), Some(closed)) => {
            Some(State::Closed { signed, answered, passed, closed })
        }
        _ => None,
    }
}

fn mark(by: Option<&String>, at: Option<DateTime<Utc>>) -> Option<Mark> {
    Some(Mark { by: PersonId(by?.clone()), at: at? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> Model {
        let at = DateTime::from_timestamp(0, 0).unwrap();
        Model {
            incident: Uuid::nil(),
            reporter: "worker".to_owned(),
            category: "litter".to_owned(),
            lon: 121.8,
            lat: 29.9,
            area: "s/c/g".to_owned(),
            holder: "grid_leader:s/c/g".to_owned(),
            home: None,
            state: "DISPATCHED".to_owned(),
            offered_to: None,
            signed_by: None,
            signed_at: None,
            answered_by: None,
            answered_at: None,
            passed_by: None,
            passed_at: None,
            closed_by: None,
            closed_at: None,
            level: "grid".to_owned(),
            attempt: 1,
            returns: 0,
            reworks: 0,
            handlers: "[]".to_owned(),
            flags: "[]".to_owned(),
            deadlines: "[]".to_owned(),
            recorded: false,
            opened_at: at,
            last_at: at,
            due_at: None,
            revision: 1,
        }
    }

    #[test]
    fn a_row_that_fits_no_state_is_an_error_that_names_table_and_id() {
        let row = Model { state: "HANDLING".to_owned(), ..model() };
        let error = case(row).unwrap_err().to_string();
        assert!(error.contains("handle_case") && error.contains("HANDLING"), "{error}");
        let half = Model { signed_by: Some("leader".to_owned()), ..model() };
        // A mark without its time counts as no mark, and DISPATCHED has none.
        assert!(case(half).is_ok());
        for wrong in [
            Model { state: "OFFERED".to_owned(), ..model() },
            Model { offered_to: Some("[\"lark\"]".to_owned()), ..model() },
        ] {
            assert!(case(wrong).is_err());
        }
        let offered =
            Model { state: "OFFERED".to_owned(), offered_to: Some("[\"lark\"]".to_owned()), ..model() };
        assert_eq!(case(offered).unwrap().state, State::Offered { partners: vec!["lark".into()] });
        let closed = Model { closed_by: Some("x".to_owned()), closed_at: Some(model().opened_at), ..model() };
        assert!(case(closed).is_err());
    }
}
