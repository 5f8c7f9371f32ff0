//! What every service has beside its own tables: sequences, positions, parked facts, dead letters, the pack.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, boolean, integer, string, text, timestamp_with_time_zone as time,
    timestamp_with_time_zone_null as time_null, uuid,
};

/// Makes the tables of the turn for `service`.
pub async fn create(manager: &SchemaManager<'_>, service: &str) -> Result<(), DbErr> {
    let name = |table: &str| Alias::new(format!("{service}_{table}"));
    let sequences = Table::create()
        .table(name("sequence"))
        .if_not_exists()
        .col(string("topic"))
        .col(uuid("incident"))
        .col(big_integer("last"))
        .primary_key(Index::create().col("incident").col("topic"))
        .to_owned();
    crate::keyed::create(manager, sequences).await?;
    manager
        .create_table(
            Table::create()
                .table(name("position"))
                .if_not_exists()
                .col(string("topic"))
                .col(integer("partition"))
                .col(string("topic_id"))
                .col(big_integer("position"))
                .primary_key(Index::create().col("topic").col("partition"))
                .to_owned(),
        )
        .await?;
    manager.create_table(facts(name("parked")).to_owned()).await?;
    manager
        .create_table(
            facts(name("dead_letter"))
                .col(text("reason"))
                .col(time("dead_at"))
                .col(boolean("retry_asked"))
                .to_owned(),
        )
        .await?;
    pack(manager, service).await
}

/// Makes the table of the packs that `service` ran on.
pub async fn pack(manager: &SchemaManager<'_>, service: &str) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table(Alias::new(format!("{service}_pack")))
                .if_not_exists()
                .col(string("digest").primary_key())
                .col(string("code"))
                .col(time("loaded_at"))
                .to_owned(),
        )
        .await
}

/// The table of packs tells when one was published, where it did not lie in a folder.
pub struct PackPublished {
    pub service: &'static str,
    /// The migration's own.
    pub name: &'static str,
}

impl MigrationName for PackPublished {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for PackPublished {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = format!("{}_pack", self.service);
        if manager.has_column(&table, "published_at").await? {
            return Ok(());
        }
        let column = time_null("published_at");
        manager.alter_table(Table::alter().table(Alias::new(table)).add_column(column).to_owned()).await
    }
}

/// A table of facts as they were read.
fn facts(name: Alias) -> TableCreateStatement {
    Table::create()
        .table(name)
        .if_not_exists()
        .col(string("topic"))
        .col(integer("partition"))
        .col(big_integer("position"))
        .col(uuid("incident"))
        .col(big_integer("sequence"))
        .col(string("kind"))
        .col(time("at"))
        .col(time("noticed_at"))
        .col(text("cause"))
        .col(text("body"))
        .primary_key(Index::create().col("topic").col("incident").col("sequence"))
        .to_owned()
}
