//! The column that says where the person a report concerns is registered (户籍地、登记地).

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::string_null;

/// Adds it to a table that has it not.
pub async fn add(manager: &SchemaManager<'_>, table: &'static str) -> Result<(), DbErr> {
    if manager.has_column(table, "registered_area").await? {
        return Ok(());
    }
    let column = string_null("registered_area");
    manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await
}
