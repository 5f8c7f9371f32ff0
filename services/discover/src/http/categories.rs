//! 事项清单: `GET /api/v1/categories`, what can be reported, when it is taken up and when it is done.

use axum::Json;
use axum::extract::State;
use domain::category::Category;
use platform::http::{Asking, Problem};
use serde::Serialize;

use super::Front;

/// What can be reported.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ListOfCategories {
    pub categories: Vec<SeenCategory>,
}

/// One category, as a reporter and a handler need to know it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SeenCategory {
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
    /// How long handling may take: a number and a unit, as in `4wh`.
    pub handle_limit: String,
    /// Never leaves the street office.
    pub sensitive: bool,
    /// A report should say where the person it concerns is registered (`registered_area`): it goes by that.
    pub by_registration: bool,
    /// 立案条件: when it is taken up. The four are there together or not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filing_zh: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filing_en: Option<String>,
    /// 结案标准: when it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closing_zh: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closing_en: Option<String>,
}

/// 事项清单: what can be reported, in the order of the codes.
#[utoipa::path(get, path = "/api/v1/categories", responses((status = 200, body = ListOfCategories)))]
pub async fn list(State(front): State<Front>, Asking(_): Asking) -> Result<Json<ListOfCategories>, Problem> {
    let surveyed = front.surveyed.now();
    let pack = &surveyed.pack;
    let seen = |category: &Category| seen(category, pack.routing.asks_for_registration(&category.code));
    Ok(Json(ListOfCategories { categories: pack.categories.values().map(seen).collect() }))
}

fn seen(category: &Category, by_registration: bool) -> SeenCategory {
    let filing = category.conditions.as_ref().map(|conditions| conditions.filing.clone());
    let closing = category.conditions.as_ref().map(|conditions| conditions.closing.clone());
    SeenCategory {
        code: category.code.0.clone(),
        name_zh: category.name.zh.clone(),
        name_en: category.name.en.clone(),
        handle_limit: category.handle_limit.to_string(),
        sensitive: category.sensitive,
        by_registration,
        filing_zh: filing.as_ref().map(|text| text.zh.clone()),
        filing_en: filing.map(|text| text.en),
        closing_zh: closing.as_ref().map(|text| text.zh.clone()),
        closing_en: closing.map(|text| text.en),
    }
}
