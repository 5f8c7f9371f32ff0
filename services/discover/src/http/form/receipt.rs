//! 回执: what the reporter is shown when a report was taken, and again when the page is loaded again.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use domain::id::{CategoryCode, IncidentId};
use platform::clock::host_now;
use platform::http::html::{Html, Language, Sheet};
use platform::http::{Problem, Query};
use platform::link::ACCEPTED_AFTER;

use super::page::in_other_language;
use super::{Asked, Opening};
use crate::http::Front;
use crate::link::{self, Why};
use crate::store::{links, reports};

/// The receipt of a report that its own reporter sent by this link.
pub async fn receipt(
    State(front): State<Front>,
    headers: HeaderMap,
    Path((text, incident)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let surveyed = front.surveyed.now();
    let opening = Opening::of(&front, &surveyed, &headers, &text, &asked);
    let now = host_now();
    let Some(link) = opening.link().filter(|link| now <= link.expires_at + ACCEPTED_AFTER) else {
        return Ok(opening.nothing().into_response());
    };
    let bound = links::bound(front.store.readers(), &link).await?;
    if !link::is_the_person(&link, bound.as_deref(), &opening.visitor()) {
        return Ok(opening.sign_in(Why::Elsewhere));
    }
    let Ok(incident) = incident.parse::<IncidentId>() else { return Ok(opening.nothing().into_response()) };
    let report = reports::find(front.store.readers(), incident).await?;
    let Some(report) = report.filter(|report| report.reporter == link.person.0) else {
        return Ok(opening.nothing().into_response());
    };
    let category = surveyed.pack.categories.get(&CategoryCode(report.category));
    let category = category.map_or_else(Html::default, |category| opening.language.of_text(&category.name));
    let filed_at = surveyed.pack.calendar.local(report.filed_at).format("%Y-%m-%d %H:%M").to_string();
    let taken =
        Taken { incident, category, filed_at, description: report.description, kept: asked.kept.is_some() };
    Ok(taken.sheet(opening.language, &text, link.expires_at > now).into_response())
}

/// A report that was taken.
struct Taken {
    incident: IncidentId,
    category: Html,
    filed_at: String,
    description: String,
    /// The words that came last are not those that were taken.
    kept: bool,
}

impl Taken {
    fn sheet(&self, language: Language, text: &str, open: bool) -> Sheet {
        let kept = language.say(
            "<p class=\"banner\" role=\"alert\">这份表单之前已提交，以下是当时的内容；之后的修改没有提交。如有补充请再报一件。</p>",
            "<p class=\"banner\" role=\"alert\">This form had been sent before. Below is what was sent then; later changes were not. \
             To add something, report once more.</p>",
        );
        let line = |name: Html, value: Html| Html::fill("<dt>{}</dt><dd>{}</dd>", [name, value]);
        let words = line(language.say("内容", "What you wrote"), Html::text(&self.description));
        let more = Html::fill(
            "<p><a class=\"button second\" href=\"/r/{}?lang={}\">{}</a></p>",
            [
                Html::text(text),
                Html::literal(language.tag()),
                language.say("再报一件", "Report something else"),
            ],
        );
        let address = format!("/r/{text}/{}", self.incident);
        let body = Html::fill(
            "<header>{}<h1>{}</h1></header>\n{}\n<main><section class=\"done\"><h2>{}</h2><p>{}</p><dl>{}{}{}{}</dl></section>\n{}</main>",
            [
                in_other_language(language, &address, if self.kept { "&kept=1" } else { "" }),
                language.say("上报回执", "Receipt"),
                kept.only_if(self.kept),
                language.say("已收到，谢谢！", "Received, thank you"),
                language.say(
                    "上报已保存，正在派给承办单位。可以关闭本页。",
                    "Your report is saved and is on its way to whoever handles it. You can close this page.",
                ),
                line(
                    language.say("事件编号", "Incident number"),
                    Html::fill("<span class=\"number\">{}</span>", [Html::text(&self.incident.to_string())]),
                ),
                line(language.say("类别", "Kind"), self.category.clone()),
                line(language.say("上报时间", "Reported"), Html::text(&self.filed_at)),
                words.only_if(!self.description.is_empty()),
                more.only_if(open),
            ],
        );
        Sheet::new(language, language.say("上报回执 · 格网", "Receipt · Gridward"), body)
    }
}
