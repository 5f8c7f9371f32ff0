//! Table `supervise_tally`: counts per area and measure, moved in the turn that moves what they count and
//! summed on read. Areas are the smallest known, so no row is shared by a whole street. What is sensitive is counted
//! under measures of its own, so that it can be left out.

use std::collections::BTreeMap;

use domain::area::AreaPath;
use platform::store::{StoreError, Tx, rows};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "supervise_tally")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub area: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub measure: String,
    pub count: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Before a measure that counts sensitive cases: `sensitive_opened`.
pub const SENSITIVE: &str = "sensitive_";

/// What one turn adds.
#[derive(Debug, Default)]
pub struct Tallies(BTreeMap<(AreaPath, String), i64>);

impl Tallies {
    pub fn add(&mut self, area: &AreaPath, measure: &str, sensitive: bool) {
        let measure = if sensitive { format!("{SENSITIVE}{measure}") } else { measure.to_owned() };
        *self.0.entry((area.clone(), measure)).or_default() += 1;
    }
}

pub async fn add(tx: &Tx, tallies: &Tallies) -> Result<(), StoreError> {
    let row = |((area, measure), count): (&(AreaPath, String), &i64)| ActiveModel {
        area: Set(area.as_str().to_owned()),
        measure: Set(measure.clone()),
        count: Set(*count),
    };
    rows::add(tx, tallies.0.iter().map(row).collect(), Column::Count, "adding to tallies").await
}
