//! The log of the embedded setting, and its register of packs: on servers both are topics.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, blob, string, string_uniq, text, timestamp_with_time_zone as time, uuid,
};

pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(First), Box::new(Packs)]
    }

    fn migration_table_name() -> DynIden {
        Alias::new("stream_migration").into_iden()
    }
}

struct First;

impl MigrationName for First {
    fn name(&self) -> &'static str {
        "stream_0001_first"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for First {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("log")
                    .if_not_exists()
                    .col(big_integer("id").primary_key().auto_increment())
                    .col(string("topic"))
                    .col(uuid("incident"))
                    .col(big_integer("sequence"))
                    .col(string("kind"))
                    .col(time("at"))
                    .col(time("noticed_at"))
                    .col(text("cause"))
                    .col(text("body"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("log_by_topic")
                    .table("log")
                    .if_not_exists()
                    .col("topic")
                    .col("id")
                    .to_owned(),
            )
            .await?;
        // One sequence never has two contents.
        manager
            .create_index(
                Index::create()
                    .name("log_by_sequence")
                    .table("log")
                    .if_not_exists()
                    .unique()
                    .col("incident")
                    .col("topic")
                    .col("sequence")
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("log_identity")
                    .if_not_exists()
                    .col(string("topic_id").primary_key())
                    .to_owned(),
            )
            .await
    }
}

/// Packs can be published.
struct Packs;

impl MigrationName for Packs {
    fn name(&self) -> &'static str {
        "stream_0002_packs"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Packs {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("pack_record")
                    .if_not_exists()
                    // No number is given a second time, so that the last one tells of every change.
                    .col(big_integer("id").primary_key().auto_increment())
                    .col(string_uniq("key"))
                    .col(blob("value"))
                    .to_owned(),
            )
            .await
    }
}
