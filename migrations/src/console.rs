//! console's tables: the accounts, and tries to sign in. It takes no turns, so it has none of their tables but the
//! pack's.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    boolean, integer, string, text, timestamp_with_time_zone as time,
    timestamp_with_time_zone_null as time_null,
};

pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(First),
            Box::new(crate::turn::PackPublished { service: "console", name: "console_0002_pack_published" }),
        ]
    }

    fn migration_table_name() -> DynIden {
        Alias::new("console_migration").into_iden()
    }
}

struct First;

impl MigrationName for First {
    fn name(&self) -> &'static str {
        "console_0001_first"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for First {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::turn::pack(manager, "console").await?;
        crate::keyed::create(manager, accounts()).await?;
        crate::keyed::create(manager, attempts()).await?;
        // To forget what counts no more.
        manager
            .create_index(
                Index::create()
                    .name("console_attempt_by_last_at")
                    .table("console_attempt")
                    .if_not_exists()
                    .col("last_at")
                    .to_owned(),
            )
            .await
    }
}

fn accounts() -> TableCreateStatement {
    Table::create()
        .table("console_account")
        .if_not_exists()
        .col(string("person").primary_key())
        .col(text("phc"))
        .col(time("created_at"))
        .col(time("changed_at"))
        .col(boolean("disabled"))
        .to_owned()
}

fn attempts() -> TableCreateStatement {
    Table::create()
        .table("console_attempt")
        .if_not_exists()
        .col(string("key").primary_key())
        .col(integer("failures"))
        .col(time("last_at"))
        .col(time_null("succeeded_at"))
        .to_owned()
}
