//! partner's tables: the register of organisations, and what they were offered.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    boolean, boolean_null, double, integer, string, string_null, text, text_null,
    timestamp_with_time_zone as time, timestamp_with_time_zone_null as time_null, uuid,
};

pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(First),
            Box::new(crate::turn::PackPublished { service: "partner", name: "partner_0002_pack_published" }),
            Box::new(crate::outbox::Strays { service: "partner", name: "partner_0003_strays" }),
            Box::new(ChosenArea),
        ]
    }

    fn migration_table_name() -> DynIden {
        Alias::new("partner_migration").into_iden()
    }
}

struct First;

impl MigrationName for First {
    fn name(&self) -> &'static str {
        "partner_0001_first"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for First {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::turn::create(manager, "partner").await?;
        crate::outbox::create(manager, "partner").await?;
        manager.create_table(organisations()).await?;
        manager.create_table(cases()).await?;
        crate::keyed::create(manager, offers()).await?;
        let indices: [(&str, &str, &[&str]); 4] = [
            ("partner_case_by_holder", "partner_case", &["holder", "state"]),
            ("partner_offer_by_partner", "partner_offer", &["partner", "offered_at"]),
            ("partner_offer_by_look_at", "partner_offer", &["look_at"]),
            // Every turn counts the acceptances that are on their way.
            ("partner_offer_by_state", "partner_offer", &["state", "partner"]),
        ];
        for (name, table, columns) in indices {
            let mut index = Index::create().name(name).table(Alias::new(table)).if_not_exists().to_owned();
            for column in columns {
                index.col(Alias::new(*column));
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

/// What was reported without a position is told from what was measured.
struct ChosenArea;

impl MigrationName for ChosenArea {
    fn name(&self) -> &'static str {
        "partner_0004_chosen_area"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for ChosenArea {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.has_column("partner_case", "chosen_area").await? {
            return Ok(());
        }
        let column = boolean_null("chosen_area");
        manager.alter_table(Table::alter().table("partner_case").add_column(column).to_owned()).await
    }
}

fn organisations() -> TableCreateStatement {
    Table::create()
        .table("partner_organisation")
        .if_not_exists()
        .col(string("id").primary_key())
        .col(string("name_zh"))
        .col(string("name_en"))
        .col(string("class"))
        .col(string("status"))
        .col(string("office"))
        .col(integer("members"))
        .col(boolean("in_charge"))
        .col(boolean("charter"))
        .col(boolean("fixed_place"))
        .col(text("coverage"))
        .col(text("categories"))
        .col(integer("capacity"))
        .col(string("standing"))
        .col(text_null("reason"))
        .col(time("changed_at"))
        .col(string("changed_by"))
        .to_owned()
}

fn cases() -> TableCreateStatement {
    Table::create()
        .table("partner_case")
        .if_not_exists()
        .col(uuid("incident").primary_key())
        .col(string("category"))
        .col(string("area"))
        .col(string("holder"))
        .col(double("lon"))
        .col(double("lat"))
        .col(string("state"))
        .col(integer("revision"))
        .col(time_null("due_at"))
        .col(time("opened_at"))
        .to_owned()
}

fn offers() -> TableCreateStatement {
    Table::create()
        .table("partner_offer")
        .if_not_exists()
        .col(uuid("incident"))
        .col(integer("round"))
        .col(string("partner"))
        .col(string("state"))
        .col(time("offered_at"))
        .col(time("due_at"))
        .col(time_null("answered_at"))
        .col(string_null("answered_by"))
        .col(time_null("look_at"))
        .primary_key(Index::create().col("incident").col("round").col("partner"))
        .to_owned()
}
