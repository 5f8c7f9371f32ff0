//! The tables of the program itself: how far a file has been replayed.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, string, text};

pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(First)]
    }

    fn migration_table_name() -> DynIden {
        Alias::new("gridward_migration").into_iden()
    }
}

struct First;

impl MigrationName for First {
    fn name(&self) -> &'static str {
        "gridward_0001_first"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for First {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("gridward_replay")
                    .if_not_exists()
                    .col(string("file_digest").primary_key())
                    .col(string("settings"))
                    .col(big_integer("windows_done"))
                    .col(text("counted"))
                    .to_owned(),
            )
            .await
    }
}
