//! handle's tables: the cases, what happened to each, and what their reporters wrote.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, boolean, double, integer, string, string_len, string_null, text, text_null,
    timestamp_with_time_zone as time, timestamp_with_time_zone_null as time_null, uuid,
};

pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(First),
            Box::new(Offers),
            Box::new(Words),
            Box::new(crate::turn::PackPublished { service: "handle", name: "handle_0004_pack_published" }),
            Box::new(crate::outbox::Strays { service: "handle", name: "handle_0005_strays" }),
            Box::new(ByReporter),
        ]
    }

    fn migration_table_name() -> DynIden {
        Alias::new("handle_migration").into_iden()
    }
}

struct First;

impl MigrationName for First {
    fn name(&self) -> &'static str {
        "handle_0001_first"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for First {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::turn::create(manager, "handle").await?;
        crate::outbox::create(manager, "handle").await?;
        manager.create_table(cases()).await?;
        for (name, column) in [("handle_case_by_holder", "holder"), ("handle_case_by_area", "area")] {
            let index = Index::create()
                .name(name)
                .table("handle_case")
                .if_not_exists()
                .col(column)
                .col("state")
                .col("due_at")
                .col("incident")
                .to_owned();
            manager.create_index(index).await?;
        }
        crate::keyed::create(manager, history()).await
    }
}

/// Cases can be offered to partner organisations, and held by them.
struct Offers;

impl MigrationName for Offers {
    fn name(&self) -> &'static str {
        "handle_0002_offers"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Offers {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [string_null("home"), text_null("offered_to")] {
            let name = column.get_column_name();
            if !manager.has_column("handle_case", &name).await? {
                let table = Table::alter().table("handle_case").add_column(column).to_owned();
                manager.alter_table(table).await?;
            }
        }
        Ok(())
    }
}

/// The words of a report reach whoever handles it.
struct Words;

impl MigrationName for Words {
    fn name(&self) -> &'static str {
        "handle_0003_words"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Words {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(words()).await
    }
}

/// Reporters list what they reported, the newest first, wherever it lies.
struct ByReporter;

impl MigrationName for ByReporter {
    fn name(&self) -> &'static str {
        "handle_0006_by_reporter"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for ByReporter {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::create()
            .name("handle_case_by_reporter")
            .table("handle_case")
            .if_not_exists()
            .col("reporter")
            .col("incident")
            .to_owned();
        manager.create_index(index).await
    }
}

/// The most characters a report has; SQLite counts none.
const LONGEST_WORDS: u32 = 2_000;

fn words() -> TableCreateStatement {
    Table::create()
        .table("handle_words")
        .if_not_exists()
        .col(uuid("incident").primary_key())
        .col(string_len("words", LONGEST_WORDS))
        .to_owned()
}

fn history() -> TableCreateStatement {
    Table::create()
        .table("handle_history")
        .if_not_exists()
        .col(uuid("incident"))
        .col(big_integer("sequence"))
        .col(string("kind"))
        .col(time("at"))
        .col(time("noticed_at"))
        .col(string_null("person"))
        .col(text("happened"))
        .col(text_null("note"))
        .primary_key(Index::create().col("incident").col("sequence"))
        .to_owned()
}

fn cases() -> TableCreateStatement {
    let mut table = Table::create();
    table
        .table("handle_case")
        .if_not_exists()
        .col(uuid("incident").primary_key())
        .col(string("reporter"))
        .col(string("category"))
        .col(double("lon"))
        .col(double("lat"))
        .col(string("area"))
        .col(string("holder"))
        .col(string("state"));
    for mark in ["signed", "answered", "passed", "closed"] {
        table.col(string_null(format!("{mark}_by"))).col(time_null(format!("{mark}_at")));
    }
    table
        .col(string("level"))
        .col(integer("attempt"))
        .col(integer("returns"))
        .col(integer("reworks"))
        .col(text("handlers"))
        .col(text("flags"))
        .col(text("deadlines"))
        .col(boolean("recorded"))
        .col(time("opened_at"))
        .col(time("last_at"))
        .col(time_null("due_at"))
        .col(integer("revision"))
        .to_owned()
}
