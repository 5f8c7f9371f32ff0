//! What a service has beside its own tables where facts go through Kafka: the outbox, the leases, and the facts on its
//! topic that it never wrote. In one file there is none of it: publishing is an INSERT into the log itself.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, integer, string, text, timestamp_with_time_zone as time,
    timestamp_with_time_zone_null as time_null, uuid,
};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

/// Makes the outbox and the leases of `service`; nothing on SQLite.
pub async fn create(manager: &SchemaManager<'_>, service: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let outbox = format!("{service}_outbox");
    manager
        .create_table(
            Table::create()
                .table(Alias::new(&outbox))
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
                .col(time_null("published_at"))
                .to_owned(),
        )
        .await?;
    // What waits is a handful of rows among millions; a partial index holds those only.
    let waiting =
        format!("CREATE INDEX IF NOT EXISTS {outbox}_waiting ON {outbox} (id) WHERE published_at IS NULL");
    manager.get_connection().execute_unprepared(&waiting).await?;
    // One sequence never has two contents.
    manager
        .create_index(
            Index::create()
                .name(format!("{outbox}_by_sequence"))
                .table(Alias::new(&outbox))
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
                .table(Alias::new(format!("{service}_lease")))
                .if_not_exists()
                .col(string("job").primary_key())
                .col(string("holder"))
                .col(time("until"))
                .to_owned(),
        )
        .await
}

/// A service keeps which facts on its own topic it never wrote, once somebody has taken note of them.
pub struct Strays {
    pub service: &'static str,
    /// The migration's own.
    pub name: &'static str,
}

impl MigrationName for Strays {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Strays {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let strays = Table::create()
            .table(Alias::new(format!("{}_stray", self.service)))
            .if_not_exists()
            .col(uuid("incident"))
            .col(big_integer("sequence"))
            .col(string("kind"))
            .col(integer("partition"))
            .col(big_integer("position"))
            .col(string("noted_by"))
            .col(text("why"))
            .col(time("noted_at"))
            .primary_key(Index::create().col("incident").col("sequence"))
            .to_owned();
        manager.create_table(strays).await
    }
}
