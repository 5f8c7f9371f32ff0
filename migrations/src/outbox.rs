//! What a service has beside its own tables where facts go through Kafka: the outbox and the leases. In one
//! file there is neither: publishing is an INSERT into the log itself.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, string, text, timestamp_with_time_zone as time, timestamp_with_time_zone_null as time_null,
    uuid,
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
