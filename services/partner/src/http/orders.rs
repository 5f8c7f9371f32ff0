//! 下单: `POST /api/v1/orders`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::{IncidentId, PartnerId};
use domain::text::Text;
use platform::http::{Asking, Body, Problem};
use platform::turn::Asked;
use serde::{Deserialize, Serialize};

use super::{Front, problem};
use crate::{Command, Done, Order};

/// Organisations one order can name.
const MOST_NAMED: usize = 50;

/// An order.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    pub incident: String,
    /// To whom; all that fit when it is left out.
    #[serde(default)]
    pub partners: Vec<String>,
}

/// Who is asked.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Ordered {
    pub incident: String,
    pub partners: Vec<String>,
}

/// 下单: has a case offered to partner organisations; its holder keeps it until one accepts.
#[utoipa::path(post, path = "/api/v1/orders", request_body = NewOrder,
    responses((status = 202, description = "sent on; the case tells when it is offered", body = Ordered),
    (status = 403, description = "yours to see, not to order"), (status = 404, description = "no such case, or none for organisations, or not yours to see"),
    (status = 422, description = "a field is wrong; the answer names it"), (status = 409, description = "not in a state for it, or nobody fits")))]
pub async fn place(
    State(front): State<Front>,
    Asking(who): Asking,
    Body(order): Body<NewOrder>,
) -> Result<(StatusCode, Json<Ordered>), Problem> {
    let incident: IncidentId = order.incident.parse().map_err(|_| Problem::not_found())?;
    if order.partners.len() > MOST_NAMED {
        let text = Text::new(
            format!("一次最多向 {MOST_NAMED} 个组织下单"),
            format!("an order names at most {MOST_NAMED} organisations"),
        );
        return Err(Problem::field("too-many", "partners", text));
    }
    let partners = order.partners.into_iter().map(PartnerId).collect();
    let command = Command::Order(Order { incident, partners, grants: who.grants });
    let asked = Asked { command, by: who.person, recorded_at: front.clock.now() };
    match front.desk.ask(asked).await?.map_err(problem)? {
        Done::Ordered(partners) => {
            let partners = partners.iter().map(ToString::to_string).collect();
            Ok((StatusCode::ACCEPTED, Json(Ordered { incident: incident.to_string(), partners })))
        }
        other => Err(Problem::internal(&format!("an order was answered with {other:?}"))),
    }
}
