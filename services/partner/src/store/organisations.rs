//! Table `partner_organisation`: the register. An organisation that was removed stays in it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::id::{PartnerId, PersonId};
use domain::partner::{Partner, Standing};
use domain::text::Text;
use platform::store::{Doing, Store, StoreError, Tx, lists, rows};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::{DbBackend, QueryOrder};

use super::wrong;

const TABLE: &str = "partner_organisation";

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "partner_organisation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub name_zh: String,
    pub name_en: String,
    pub class: String,
    pub status: String,
    pub office: String,
    pub members: i32,
    pub in_charge: bool,
    pub charter: bool,
    pub fixed_place: bool,
    /// JSON list of area paths.
    pub coverage: String,
    /// JSON list of category codes.
    pub categories: String,
    pub capacity: i32,
    pub standing: String,
    /// Why it stands so, in the words of whoever changed it.
    pub reason: Option<String>,
    pub changed_at: DateTime<Utc>,
    pub changed_by: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// An entry of the register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisation {
    pub partner: Partner,
    pub reason: Option<String>,
    pub changed_at: DateTime<Utc>,
    pub changed_by: PersonId,
}

impl Organisation {
    pub fn is_active(&self) -> bool {
        self.partner.standing == Standing::Active
    }
}

/// How a turn goes by the register until it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Beside others who do; nobody changes it.
    Together,
    /// Beside nobody.
    Alone,
}

/// Keeps others from what a turn goes by although it is of no incident of its own: who is in which standing, and how many
/// hands each organisation has free. Whoever only hears of cases does so together with others; whoever obeys people is
/// alone, as what they ask may change the standing or take the last hand. In a file turns come one after the other.
///
/// It is asked for before anything is loaded that goes by it. A lock of its own, not of rows: those who wait are let in
/// as they came, so that facts, however many, keep nobody waiting who acts for an organisation.
pub async fn hold<C: ConnectionTrait>(on: &C, held: Held) -> Result<(), StoreError> {
    if on.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    // The number is any that nobody else takes: "register" in ASCII.
    let lock = match held {
        Held::Together => "SELECT pg_advisory_xact_lock_shared(8243108395577795954)",
        Held::Alone => "SELECT pg_advisory_xact_lock(8243108395577795954)",
    };
    on.execute_unprepared(lock).await.doing("waiting for the register of organisations")?;
    Ok(())
}

/// All of the register.
pub async fn load<C: ConnectionTrait>(
    connection: &C,
) -> Result<BTreeMap<PartnerId, Organisation>, StoreError> {
    let select = Entity::find().order_by_asc(Column::Id);
    let rows = select.all(connection).await.doing("loading the register of organisations")?;
    rows.into_iter().map(|row| Ok((PartnerId(row.id.clone()), organisation(row)?))).collect()
}

pub async fn save(tx: &Tx, organisations: &[&Organisation]) -> Result<(), StoreError> {
    let all = organisations.iter().map(|organisation| row(organisation)).collect();
    rows::replace(tx, all, "saving organisations").await
}

/// Who changed an entry that is as the pack has it.
const PACK: &str = "pack";

/// Brings the register together with the organisations of the pack that comes into force. Those it does not know are
/// entered. An entry that is as an earlier pack had it follows the pack; one that a person has filed or changed is the
/// person's, and stays. Nobody's standing is changed, and nobody is taken out: that is done by people, and has effects.
///
/// # Errors
/// When the database fails.
pub async fn follow(store: &Store, partners: &[Partner], now: DateTime<Utc>) -> Result<(), StoreError> {
    if partners.is_empty() {
        return Ok(());
    }
    let tx = store.begin().await?;
    // Another instance may be at it too, or a person.
    hold(&tx, Held::Alone).await?;
    let known = load(&tx).await?;
    let changed: Vec<Organisation> =
        partners.iter().filter_map(|partner| followed(&known, partner, now)).collect();
    save(&tx, &changed.iter().collect::<Vec<_>>()).await?;
    tx.commit().await.doing("entering the organisations of the pack")
}

/// The entry of `partner`, if the pack's line makes another one.
fn followed(
    known: &BTreeMap<PartnerId, Organisation>,
    partner: &Partner,
    now: DateTime<Utc>,
) -> Option<Organisation> {
    let entry =
        |partner: Partner| Organisation { partner, reason: None, changed_at: now, changed_by: PACK.into() };
    match known.get(&partner.id) {
        None => Some(entry(partner.clone())),
        Some(known) if known.changed_by.0 != PACK => None,
        Some(known) => {
            let partner = Partner { standing: known.partner.standing, ..partner.clone() };
            (partner != known.partner).then(|| entry(partner))
        }
    }
}

fn row(organisation: &Organisation) -> ActiveModel {
    let partner = &organisation.partner;
    ActiveModel {
        id: Set(partner.id.0.clone()),
        name_zh: Set(partner.name.zh.clone()),
        name_en: Set(partner.name.en.clone()),
        class: Set(partner.class.as_str().to_owned()),
        status: Set(partner.status.as_str().to_owned()),
        office: Set(partner.office.as_str().to_owned()),
        members: Set(i32::try_from(partner.members).unwrap_or(i32::MAX)),
        in_charge: Set(partner.in_charge),
        charter: Set(partner.charter),
        fixed_place: Set(partner.fixed_place),
        coverage: Set(lists::write(&partner.coverage)),
        categories: Set(lists::write(&partner.categories)),
        capacity: Set(i32::try_from(partner.capacity).unwrap_or(i32::MAX)),
        standing: Set(partner.standing.as_str().to_owned()),
        reason: Set(organisation.reason.clone()),
        changed_at: Set(organisation.changed_at),
        changed_by: Set(organisation.changed_by.0.clone()),
    }
}

fn organisation(row: Model) -> Result<Organisation, StoreError> {
    let id = row.id.clone();
    let at_fault = |why: String| wrong(TABLE, &id, why);
    let partner = Partner {
        id: PartnerId(row.id),
        name: Text::new(row.name_zh, row.name_en),
        class: row.class.parse().map_err(at_fault)?,
        status: row.status.parse().map_err(at_fault)?,
        office: row.office.parse().map_err(|fault| wrong(TABLE, &id, fault))?,
        members: row.members.cast_unsigned(),
        in_charge: row.in_charge,
        charter: row.charter,
        fixed_place: row.fixed_place,
        coverage: lists::read(&row.coverage).map_err(at_fault)?,
        categories: lists::read(&row.categories).map_err(at_fault)?,
        capacity: row.capacity.cast_unsigned(),
        standing: row.standing.parse().map_err(at_fault)?,
    };
    Ok(Organisation {
        partner,
        reason: row.reason,
        changed_at: row.changed_at,
        changed_by: PersonId(row.changed_by),
    })
}
