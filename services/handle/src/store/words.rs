//! Table `handle_words`: what the reporter wrote, for whoever handles the case. Not in its row and in no fact of ours, so
//! that it can be erased by itself; none of sensitive categories.

use domain::id::IncidentId;
use platform::store::{Doing, StoreError, Tx, rows};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "handle_words")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub incident: Uuid,
    /// As they came; at most [`domain::report::LONGEST_WORDS`].
    pub words: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What the reporter of an incident wrote.
#[derive(Clone, Debug)]
pub struct Words {
    pub incident: IncidentId,
    pub words: String,
}

pub async fn save(tx: &Tx, words: Vec<Words>) -> Result<(), StoreError> {
    rows::replace(tx, words.into_iter().map(row).collect(), "saving the words of reports").await
}

/// What the reporter of `incident` wrote, if that came along with the report.
pub async fn of_case<C: ConnectionTrait>(
    connection: &C,
    incident: IncidentId,
) -> Result<Option<String>, StoreError> {
    let row = Entity::find_by_id(incident.0).one(connection).await.doing("loading the words of a report")?;
    Ok(row.map(|row| row.words))
}

fn row(words: Words) -> ActiveModel {
    ActiveModel { incident: Set(words.incident.0), words: Set(words.words) }
}
