//! route's tables: where each incident was routed, and why.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    double, integer, string, string_null, text, timestamp_with_time_zone as time, uuid,
};

pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(First),
            Box::new(Registration),
            Box::new(crate::turn::PackPublished { service: "route", name: "route_0003_pack_published" }),
            Box::new(crate::outbox::Strays { service: "route", name: "route_0004_strays" }),
        ]
    }

    fn migration_table_name() -> DynIden {
        Alias::new("route_migration").into_iden()
    }
}

struct First;

impl MigrationName for First {
    fn name(&self) -> &'static str {
        "route_0001_first"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for First {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::turn::create(manager, "route").await?;
        crate::outbox::create(manager, "route").await?;
        manager
            .create_table(
                Table::create()
                    .table("route_incident")
                    .if_not_exists()
                    .col(uuid("incident").primary_key())
                    .col(integer("attempt"))
                    .col(string("category"))
                    .col(double("lon"))
                    .col(double("lat"))
                    .col(string("area"))
                    .col(string_null("grid"))
                    .col(string("boundaries"))
                    .col(string("rule"))
                    .col(string("holder"))
                    .col(text("tried"))
                    .col(text("candidates"))
                    .col(text("flags"))
                    .col(text("why_zh"))
                    .col(text("why_en"))
                    .col(time("routed_at"))
                    .to_owned(),
            )
            .await
    }
}

/// A matter can go by where the person it concerns is registered.
struct Registration;

impl MigrationName for Registration {
    fn name(&self) -> &'static str {
        "route_0002_registration"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Registration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::registration::add(manager, "route_incident").await
    }
}
