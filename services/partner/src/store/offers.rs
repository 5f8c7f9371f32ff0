//! Table `partner_offer`: who was asked, in which round, and what came of it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::id::{IncidentId, PartnerId, PersonId};
use domain::text::Text;
use platform::store::{Doing, Readers, StoreError, Tx, rows};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder, QuerySelect};

use super::wrong_case;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "partner_offer")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub incident: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub round: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    pub partner: String,
    pub state: String,
    pub offered_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
    pub answered_at: Option<DateTime<Utc>>,
    pub answered_by: Option<String>,
    /// When the sweep should look: the organisation is not in good standing any more.
    pub look_at: Option<DateTime<Utc>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Where an offer to one organisation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferState {
    /// 待接单.
    Open,
    /// It has accepted, and what comes of it is not known yet.
    Accepting,
    Declining,
    /// 已接单: it holds the case.
    Won,
    /// Somebody else has it.
    Lost,
    Declined,
    /// 超时: nobody answered in time.
    Lapsed,
    /// Taken back: the organisation was suspended or removed.
    Withdrawn,
    /// 已交回: it had the case and gave it back.
    Released,
    /// 已收回: it had the case, and the office has taken that back: the organisation was suspended or removed, or whoever
    /// is answerable has given the case to somebody else.
    TakenBack,
    /// It had the case, and that is closed.
    Done,
}

impl OfferState {
    pub const ALL: [Self; 11] = [
        Self::Open,
        Self::Accepting,
        Self::Declining,
        Self::Won,
        Self::Lost,
        Self::Declined,
        Self::Lapsed,
        Self::Withdrawn,
        Self::Released,
        Self::TakenBack,
        Self::Done,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepting => "accepting",
            Self::Declining => "declining",
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Declined => "declined",
            Self::Lapsed => "lapsed",
            Self::Withdrawn => "withdrawn",
            Self::Released => "released",
            Self::TakenBack => "taken_back",
            Self::Done => "done",
        }
    }

    /// Whether a change of standing would still mean something to the case.
    pub fn concerns_the_case(self) -> bool {
        matches!(self, Self::Open | Self::Accepting | Self::Declining | Self::Won)
    }

    /// For whoever looks at it.
    pub fn text(self) -> Text {
        let (zh, en) = match self {
            Self::Open => ("待接单", "waiting for an answer"),
            Self::Accepting => ("已申请接单，等待确认", "accepted, waiting to be confirmed"),
            Self::Declining => ("已婉拒，等待确认", "declined, waiting to be confirmed"),
            Self::Won => ("已接单", "you have taken this case"),
            Self::Lost => ("已由他人承办，此单不再需要应答", "somebody else has taken this case"),
            Self::Declined => ("已婉拒", "you have declined it"),
            Self::Lapsed => {
                ("已超过接单时限，回流网格", "the time to answer has passed; it went back to the grid")
            }
            Self::Withdrawn => ("已撤回", "the offer was taken back"),
            Self::Released => ("已交回", "you had this case and gave it back"),
            Self::TakenBack => ("已收回", "you had this case, and the office has taken it back"),
            Self::Done => ("已结案", "the case is closed"),
        };
        Text::new(zh, en)
    }
}

impl std::str::FromStr for OfferState {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|state| state.as_str() == text);
        known.ok_or_else(|| format!("`{text}` is no state of an offer"))
    }
}

/// Names one offer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OfferKey {
    pub incident: IncidentId,
    pub round: u32,
    pub partner: PartnerId,
}

/// One offer to one organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferRow {
    pub state: OfferState,
    pub offered_at: DateTime<Utc>,
    /// Until when it can be answered.
    pub due_at: DateTime<Utc>,
    pub answered_at: Option<DateTime<Utc>>,
    pub answered_by: Option<PersonId>,
    pub look_at: Option<DateTime<Utc>>,
}

/// Offers by who was asked for what.
pub type Offers = BTreeMap<OfferKey, OfferRow>;

pub async fn load<C: ConnectionTrait>(
    connection: &C,
    incidents: &[IncidentId],
) -> Result<Offers, StoreError> {
    let rows = rows::load::<Entity>(connection, Column::Incident, incidents, "loading offers").await?;
    rows.into_iter().map(offer).collect()
}

pub async fn save(tx: &Tx, offers: &[(&OfferKey, &OfferRow)]) -> Result<(), StoreError> {
    let row = |(key, row): &(&OfferKey, &OfferRow)| ActiveModel {
        incident: Set(key.incident.0),
        round: Set(key.round.cast_signed()),
        partner: Set(key.partner.0.clone()),
        state: Set(row.state.as_str().to_owned()),
        offered_at: Set(row.offered_at),
        due_at: Set(row.due_at),
        answered_at: Set(row.answered_at),
        answered_by: Set(row.answered_by.as_ref().map(|by| by.0.clone())),
        look_at: Set(row.look_at),
    };
    rows::replace(tx, offers.iter().map(row).collect(), "saving offers").await
}

/// Has the sweep look at everything `partner` is asked or holds.
pub async fn look_at_all_of(tx: &Tx, partner: &PartnerId, now: DateTime<Utc>) -> Result<(), StoreError> {
    let open = OfferState::ALL.into_iter().filter(|state| state.concerns_the_case()).map(OfferState::as_str);
    Entity::update_many()
        .col_expr(Column::LookAt, Expr::value(now))
        .filter(Column::Partner.eq(partner.0.clone()))
        .filter(Column::State.is_in(open))
        .exec(tx)
        .await
        .doing("looking at the offers of an organisation")?;
    Ok(())
}

/// Incidents with an offer to look at by `now`.
pub async fn due(tx: &Tx, now: DateTime<Utc>, limit: u64) -> Result<Vec<IncidentId>, StoreError> {
    let rows: Vec<Uuid> = Entity::find()
        .select_only()
        .column(Column::Incident)
        .filter(Column::LookAt.lte(now))
        .order_by_asc(Column::LookAt)
        .limit(limit)
        .into_tuple()
        .all(tx)
        .await
        .doing("finding offers to look at")?;
    Ok(rows.into_iter().map(IncidentId).collect())
}

/// Looks at the offers of `incident` no sooner than `until`.
pub async fn put_off(tx: &Tx, incident: IncidentId, until: DateTime<Utc>) -> Result<(), StoreError> {
    Entity::update_many()
        .col_expr(Column::LookAt, Expr::value(until))
        .filter(Column::Incident.eq(incident.0))
        .filter(Column::LookAt.lt(until))
        .exec(tx)
        .await
        .doing("putting off offers")?;
    Ok(())
}

/// When the sweep should look next.
pub async fn next(readers: &Readers) -> Result<Option<DateTime<Utc>>, StoreError> {
    Entity::find()
        .select_only()
        .column(Column::LookAt)
        .filter(Column::LookAt.is_not_null())
        .order_by_asc(Column::LookAt)
        .limit(1)
        .into_tuple()
        .one(readers)
        .await
        .doing("finding the next offer to look at")
}

/// The latest offers to any of `partners`, newest first, each incident once; at most `limit`. With `open`, those only
/// that are still to be answered or worked on.
pub async fn of_partners<C: ConnectionTrait>(
    connection: &C,
    partners: &[PartnerId],
    open: bool,
    limit: u64,
) -> Result<Vec<(OfferKey, OfferRow)>, StoreError> {
    let mut select = Entity::find()
        .filter(Column::Partner.is_in(partners.iter().map(|partner| partner.0.clone())))
        .order_by_desc(Column::OfferedAt)
        .order_by_desc(Column::Incident)
        .order_by_desc(Column::Round);
    if open {
        let states = OfferState::ALL.into_iter().filter(|state| state.concerns_the_case());
        select = select.filter(Column::State.is_in(states.map(OfferState::as_str)));
    }
    let rows = select.limit(limit).all(connection).await.doing("listing offers")?;
    rows.into_iter().map(offer).collect()
}

fn offer(row: Model) -> Result<(OfferKey, OfferRow), StoreError> {
    let key = OfferKey {
        incident: IncidentId(row.incident),
        round: row.round.cast_unsigned(),
        partner: PartnerId(row.partner),
    };
    let offer = OfferRow {
        state: row.state.parse().map_err(|why: String| wrong_case("partner_offer", row.incident, why))?,
        offered_at: row.offered_at,
        due_at: row.due_at,
        answered_at: row.answered_at,
        answered_by: row.answered_by.map(PersonId),
        look_at: row.look_at,
    };
    Ok((key, offer))
}
