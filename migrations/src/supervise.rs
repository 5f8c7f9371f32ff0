//! supervise's tables: a mirror of the cases' deadlines and steps, and the tallies of figures.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, boolean, boolean_null, integer, string, string_null, timestamp_with_time_zone as time,
    timestamp_with_time_zone_null as time_null, uuid,
};

pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(First),
            Box::new(crate::turn::PackPublished {
                service: "supervise",
                name: "supervise_0002_pack_published",
            }),
            Box::new(Confidence),
            Box::new(crate::outbox::Strays { service: "supervise", name: "supervise_0004_strays" }),
            Box::new(DoneIn),
        ]
    }

    fn migration_table_name() -> DynIden {
        Alias::new("supervise_migration").into_iden()
    }
}

struct First;

impl MigrationName for First {
    fn name(&self) -> &'static str {
        "supervise_0001_first"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for First {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::turn::create(manager, "supervise").await?;
        crate::outbox::create(manager, "supervise").await?;
        crate::keyed::create(manager, cases()).await?;
        crate::keyed::create(manager, deadlines()).await?;
        crate::keyed::create(manager, steps()).await?;
        manager
            .create_index(
                Index::create()
                    .name("supervise_step_by_look_at")
                    .table("supervise_step")
                    .if_not_exists()
                    .col("look_at")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("supervise_step_by_done_at")
                    .table("supervise_step")
                    .if_not_exists()
                    .col("done_at")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("supervise_deadline_by_due_at")
                    .table("supervise_deadline")
                    .if_not_exists()
                    .col("open")
                    .col("due_at")
                    .to_owned(),
            )
            .await?;
        crate::keyed::create(manager, tallies()).await
    }
}

/// Whether a case is sensitive stays with it, whatever a later version of the pack lists. Empty for a case that nothing
/// was heard of since: what was counted of it before, was counted by the pack.
struct Confidence;

impl MigrationName for Confidence {
    fn name(&self) -> &'static str {
        "supervise_0003_confidence"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Confidence {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.has_column("supervise_case", "sensitive").await? {
            return Ok(());
        }
        let column = boolean_null("sensitive");
        manager.alter_table(Table::alter().table("supervise_case").add_column(column).to_owned()).await
    }
}

/// What a step brought about stays with the area where it happened, wherever the case is taken from there. Empty for what
/// took effect before that was kept: it is told of where the case lies.
struct DoneIn;

impl MigrationName for DoneIn {
    fn name(&self) -> &'static str {
        "supervise_0005_done_in"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for DoneIn {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.has_column("supervise_step", "done_in").await? {
            return Ok(());
        }
        let column = string_null("done_in");
        manager.alter_table(Table::alter().table("supervise_step").add_column(column).to_owned()).await
    }
}

fn cases() -> TableCreateStatement {
    Table::create()
        .table("supervise_case")
        .if_not_exists()
        .col(uuid("incident").primary_key())
        .col(string("area"))
        .col(string("category"))
        .col(string("holder"))
        .col(string("state"))
        .col(string("level"))
        .col(time("opened_at"))
        .col(time_null("closed_at"))
        .to_owned()
}

fn tallies() -> TableCreateStatement {
    Table::create()
        .table("supervise_tally")
        .if_not_exists()
        .col(string("area"))
        .col(string("measure"))
        .col(big_integer("count"))
        .primary_key(Index::create().col("area").col("measure"))
        .to_owned()
}

fn deadlines() -> TableCreateStatement {
    Table::create()
        .table("supervise_deadline")
        .if_not_exists()
        .col(uuid("incident"))
        .col(string("kind"))
        .col(integer("round"))
        .col(string("area"))
        .col(time("start_at"))
        .col(time("due_at"))
        .col(boolean("provisional"))
        .col(time_null("met_at"))
        .col(string_null("verdict"))
        .col(boolean("open"))
        .primary_key(Index::create().col("incident").col("kind").col("round"))
        .to_owned()
}

fn steps() -> TableCreateStatement {
    Table::create()
        .table("supervise_step")
        .if_not_exists()
        .col(uuid("incident"))
        .col(string("kind"))
        .col(integer("round"))
        .col(integer("step"))
        .col(string("does"))
        .col(time("due_at"))
        .col(time_null("done_at"))
        .col(time_null("noticed_at"))
        .col(time_null("look_at"))
        .primary_key(Index::create().col("incident").col("kind").col("round").col("step"))
        .to_owned()
}
