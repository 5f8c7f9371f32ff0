//! discover's tables: the reports, and the devices that links to the form were opened on.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    double, double_null, string, string_null, text, timestamp_with_time_zone as time,
    timestamp_with_time_zone_null as time_null, uuid,
};

pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(First),
            Box::new(FormLinks),
            Box::new(Registration),
            Box::new(crate::turn::PackPublished {
                service: "discover",
                name: "discover_0004_pack_published",
            }),
            Box::new(crate::outbox::Strays { service: "discover", name: "discover_0005_strays" }),
        ]
    }

    fn migration_table_name() -> DynIden {
        Alias::new("discover_migration").into_iden()
    }
}

struct First;

impl MigrationName for First {
    fn name(&self) -> &'static str {
        "discover_0001_first"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for First {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::turn::create(manager, "discover").await?;
        crate::outbox::create(manager, "discover").await?;
        manager
            .create_table(
                Table::create()
                    .table("discover_report")
                    .if_not_exists()
                    .col(uuid("incident").primary_key())
                    .col(string("reporter"))
                    .col(string("client_id"))
                    .col(string("digest"))
                    .col(string("category"))
                    .col(text("description"))
                    .col(double("lon"))
                    .col(double("lat"))
                    .col(string("datum"))
                    .col(double_null("accuracy_m"))
                    .col(string_null("source"))
                    .col(time_null("captured_at"))
                    .col(text("promise"))
                    .col(time("filed_at"))
                    .to_owned(),
            )
            .await?;
        // The same client id from the same person is the same incident, whatever happens at once.
        manager
            .create_index(
                Index::create()
                    .name("discover_report_by_client_id")
                    .table("discover_report")
                    .if_not_exists()
                    .unique()
                    .col("client_id")
                    .col("reporter")
                    .to_owned(),
            )
            .await
    }
}

struct FormLinks;

impl MigrationName for FormLinks {
    fn name(&self) -> &'static str {
        "discover_0002_form_links"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for FormLinks {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let links = Table::create()
            .table("discover_form_link")
            .if_not_exists()
            .col(string("link").primary_key())
            .col(string("person"))
            .col(string("device"))
            .col(time("bound_at"))
            .col(time("expires_at"))
            .to_owned();
        crate::keyed::create(manager, links).await?;
        // To forget those with which nothing can come any more.
        manager
            .create_index(
                Index::create()
                    .name("discover_form_link_by_expires_at")
                    .table("discover_form_link")
                    .if_not_exists()
                    .col("expires_at")
                    .to_owned(),
            )
            .await
    }
}

/// A report can say where the person it concerns is registered.
struct Registration;

impl MigrationName for Registration {
    fn name(&self) -> &'static str {
        "discover_0003_registration"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Registration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::registration::add(manager, "discover_report").await
    }
}
