//! 待接单 – 接单 – 婉拒: what an organisation's people see and say. Of a case they are offered or hold they see its category,
//! its place and its times and when such a matter is done, and nothing of whoever reported it nor, until it is theirs, of
//! what they wrote, which may name people and doors; of one that is somebody else's, that it was offered.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use domain::holder::organisation;
use domain::id::{IncidentId, PartnerId};
use domain::partner::DeclineReason;
use domain::rights::{Action, Grant, areas_for};
use domain::text::Text;
use platform::http::{Asking, Body, Problem, Query};
use platform::pack::Pack;
use platform::token::Principal;
use platform::turn::Asked;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use super::{Front, problem};
use crate::store::cases::Mirrored;
use crate::store::offers::{OfferKey, OfferRow, OfferState};
use crate::store::{cases, offers};
use crate::{Answer, Command, Said};

/// How long whoever accepts waits to hear whether the case is theirs.
const LONGEST_WAIT: Duration = Duration::from_secs(3);
/// And how often it is looked meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
const MOST: u64 = 200;

/// An offer as the organisation sees it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Offered {
    pub incident: String,
    pub partner: String,
    /// `open`, `accepting`, `won`, `lost` …
    pub state: String,
    /// The same in words.
    #[schema(value_type = Object)]
    pub says: Text,
    pub category: String,
    #[schema(value_type = Object)]
    pub category_name: Text,
    /// Where it is: the area, as long as it concerns the organisation; and WGS-84 in degrees, once that has taken it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub area_name: Option<Text>,
    /// The names of the areas it lies in, from the street down.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub place_name: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lon: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lat: Option<f64>,
    /// Whoever reported had no position and chose a grid: its point is one inside that, and not where it is.
    pub chosen_area: bool,
    /// 立案条件: what such a matter is, where the pack says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub filing: Option<Text>,
    /// 结案标准: what is asked, for when that is so it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub closing: Option<Text>,
    pub offered_at: DateTime<Utc>,
    /// Until when it can be answered.
    pub answer_by: DateTime<Utc>,
    /// By when it must be handled, as long as it concerns the organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// Where the case stands: DISPATCHED, HANDLING … Only of cases the organisation holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_state: Option<String>,
    pub round: u32,
}

/// What the asker's organisations are offered and hold.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OfferList {
    pub offers: Vec<Offered>,
}

/// How to narrow the list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Narrow {
    /// `all`: with those that are over.
    show: Option<String>,
}

/// Acceptance: on behalf of which organisation; may be left out by whoever acts for one only.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    #[serde(default)]
    pub partner: Option<String>,
}

/// 婉拒: without blame.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    #[serde(default)]
    pub partner: Option<String>,
    /// `no_capacity` 人手不足, `not_our_work` 不擅长 or `not_now` 时间不合适.
    #[schema(value_type = String)]
    pub reason: DeclineReason,
}

/// Where the offer stands after the answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Answered {
    pub incident: String,
    pub partner: String,
    pub state: String,
    #[schema(value_type = Object)]
    pub says: Text,
}

type Told = Result<(StatusCode, Json<Answered>), Problem>;

/// 待接单: what the asker's organisations are offered, and what they hold, newest first.
#[utoipa::path(get, path = "/api/v1/offers", params(("show" = Option<String>, Query, description = "`all`: with those that are over")),
    responses((status = 200, body = OfferList)))]
pub async fn list(
    State(front): State<Front>,
    Asking(who): Asking,
    Query(narrow): Query<Narrow>,
) -> Result<Json<OfferList>, Problem> {
    let open = match narrow.show.as_deref() {
        None => true,
        Some("all") => false,
        Some(_) => {
            let text = Text::new("参数 show 只能是 all", "the parameter show can only be: all");
            return Err(Problem::field("wrong-parameter", "show", text));
        }
    };
    let partners = partners_of(&who.grants);
    let found = offers::of_partners(front.store.readers(), &partners, open, MOST).await?;
    let mut incidents: Vec<IncidentId> = found.iter().map(|(key, _)| key.incident).collect();
    incidents.sort_unstable();
    incidents.dedup();
    let cases = cases::load(front.store.readers(), &incidents).await?;
    let mut latest = BTreeMap::new();
    for (key, row) in found {
        let place =
            latest.entry((key.incident, key.partner.clone())).or_insert_with(|| (key.clone(), row.clone()));
        if place.0.round < key.round {
            *place = (key, row);
        }
    }
    let pack = front.pack.now();
    let mut offers: Vec<Offered> = latest
        .into_values()
        .filter_map(|(key, row)| Some((cases.get(&key.incident)?, key, row)))
        .filter(|(case, _, row)| row.state != OfferState::Open || !is_sensitive(&pack, case))
        .map(|(case, key, row)| offered(&pack, &key, &row, case))
        .collect();
    offers.sort_by(|a, b| b.offered_at.cmp(&a.offered_at).then_with(|| a.incident.cmp(&b.incident)));
    Ok(Json(OfferList { offers }))
}

/// A category may have become so after it was offered: then the offer is no longer shown, and lapses.
fn is_sensitive(pack: &Pack, case: &Mirrored) -> bool {
    pack.categories.get(&case.category).is_some_and(|category| category.sensitive)
}

fn offered(pack: &Pack, key: &OfferKey, row: &OfferRow, case: &Mirrored) -> Offered {
    let category = pack.categories.get(&case.category);
    let area = pack.areas.by_path(&case.area);
    let holds = case.holder.partner().as_ref() == Some(&key.partner);
    let concerns = holds || row.state.concerns_the_case();
    let conditions = category.and_then(|category| category.conditions.as_ref()).filter(|_| concerns);
    Offered {
        incident: key.incident.to_string(),
        partner: key.partner.to_string(),
        state: row.state.as_str().to_owned(),
        says: row.state.text(),
        category: case.category.to_string(),
        category_name: category.map_or_else(|| same(&case.category), |category| category.name.clone()),
        area: concerns.then(|| case.area.to_string()),
        area_name: concerns.then(|| area.map_or_else(|| same(&case.area), |area| area.name.clone())),
        place_name: concerns.then(|| pack.areas.shown_from_street(&case.area)),
        lon: holds.then_some(case.lon),
        lat: holds.then_some(case.lat),
        chosen_area: holds && case.chosen_area,
        filing: conditions.map(|conditions| conditions.filing.clone()),
        closing: conditions.map(|conditions| conditions.closing.clone()),
        offered_at: row.offered_at,
        answer_by: row.due_at,
        due_at: case.due_at.filter(|_| concerns),
        case_state: holds.then(|| case.state.clone()),
        round: key.round,
    }
}

fn same(text: &impl ToString) -> Text {
    Text::new(text.to_string(), text.to_string())
}

/// 接单: the first organisation that accepts holds the case. Waits a moment to say whether it is yours; 202 when that
/// is not known yet.
#[utoipa::path(post, path = "/api/v1/offers/{incident}/accept", params(("incident" = String, Path)), request_body = Acceptance,
    responses((status = 200, description = "it is yours", body = Answered), (status = 202, description = "sent, and not confirmed yet", body = Answered),
    (status = 404, description = "no such offer to you"), (status = 409, description = "somebody else was first, or the offer is over"),
    (status = 422, description = "a field is wrong; the answer names it")))]
pub async fn accept(
    State(front): State<Front>,
    Asking(who): Asking,
    Path(incident): Path<String>,
    Body(body): Body<Acceptance>,
) -> Told {
    answer(&front, who, &incident, body.partner, Said::Accept).await
}

/// 婉拒: declines an offer. Nobody is blamed for it.
#[utoipa::path(post, path = "/api/v1/offers/{incident}/decline", params(("incident" = String, Path)), request_body = Refusal,
    responses((status = 200, body = Answered), (status = 202, description = "sent, and not confirmed yet", body = Answered),
    (status = 404, description = "no such offer to you"), (status = 409, description = "the offer is over"),
    (status = 422, description = "a field is wrong; the answer names it")))]
pub async fn decline(
    State(front): State<Front>,
    Asking(who): Asking,
    Path(incident): Path<String>,
    Body(body): Body<Refusal>,
) -> Told {
    answer(&front, who, &incident, body.partner, Said::Decline(body.reason)).await
}

async fn answer(front: &Front, who: Principal, incident: &str, partner: Option<String>, says: Said) -> Told {
    let incident: IncidentId = incident.parse().map_err(|_| Problem::not_found())?;
    let partner = on_behalf_of(&who.grants, partner)?;
    // From before the answer is sent, so that what comes of it is not missed.
    let mut arrivals = front.arrivals.clone();
    arrivals.mark_unchanged();
    let command = Command::Answer(Answer { incident, partner: partner.clone(), says, grants: who.grants });
    let asked = Asked { command, by: who.person, recorded_at: front.clock.now() };
    front.desk.ask(asked).await?.map_err(problem)?;
    let until = Instant::now() + LONGEST_WAIT;
    loop {
        let state = state_of(front, incident, &partner).await?;
        let (status, over) = match (says, state) {
            (_, OfferState::Accepting | OfferState::Declining | OfferState::Open) => {
                (StatusCode::ACCEPTED, false)
            }
            (Said::Accept, OfferState::Won | OfferState::Done) | (Said::Decline(_), OfferState::Declined) => {
                (StatusCode::OK, true)
            }
            (_, state) => {
                return Err(Problem::new(StatusCode::CONFLICT, "too-late", state.text()));
            }
        };
        // What arrives is not taken yet; and a stream that has ended tells of nothing any more.
        let next = (Instant::now() + LOOK_AGAIN).min(until);
        let ended = !over && matches!(timeout_at(next, arrivals.changed()).await, Ok(Err(_)));
        if over || ended || Instant::now() >= until {
            let (incident, partner) = (incident.to_string(), partner.to_string());
            let answered =
                Answered { incident, partner, state: state.as_str().to_owned(), says: state.text() };
            return Ok((status, Json(answered)));
        }
    }
}

async fn state_of(front: &Front, incident: IncidentId, partner: &PartnerId) -> Result<OfferState, Problem> {
    let all = offers::load(front.store.readers(), &[incident]).await?;
    let own = all.into_iter().filter(|(key, _)| key.partner == *partner);
    own.max_by_key(|(key, _)| key.round).map(|(_, row)| row.state).ok_or_else(Problem::not_found)
}

/// The organisations whose offers the asker may answer.
pub(super) fn partners_of(grants: &[Grant]) -> Vec<PartnerId> {
    areas_for(grants, Action::TakeOffer).into_iter().map(|area| PartnerId(area.code().to_owned())).collect()
}

fn on_behalf_of(grants: &[Grant], named: Option<String>) -> Result<PartnerId, Problem> {
    let mine = partners_of(grants);
    match (named, mine.as_slice()) {
        (Some(named), mine) => {
            mine.iter().find(|partner| partner.0 == named).cloned().ok_or_else(Problem::not_found)
        }
        (None, [only]) => Ok(only.clone()),
        (None, []) => Err(Problem::not_found()),
        (None, several) => {
            let known = several.iter().map(|one| organisation(one).code().to_owned()).collect::<Vec<_>>();
            let text = Text::new(
                format!("您代表多个组织，请写明 partner：{}", known.join("、")),
                format!("you act for several organisations, so name the partner: {}", known.join(", ")),
            );
            Err(Problem::field("which-partner", "partner", text))
        }
    }
}
