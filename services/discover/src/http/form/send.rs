//! A filled-in form arrives: one report, however often it is sent, or the form again with all that was typed.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::id::IncidentId;
use platform::clock::host_now;
use platform::entropy;
use platform::http::browser::{form, sent_from_here};
use platform::http::html::{Html, Language, go_to};
use platform::http::{Problem, Query};
use platform::link::{Link, Opened};
use platform::pack::Person;
use platform::turn::Asked as Command;

use super::page::{Form, notice, typed};
use super::{Asked, Opening};
use crate::form::{FieldFault, Filled, Wanted};
use crate::http::Front;
use crate::link;
use crate::store::{links, reports};
use crate::submit::{NewReport, ReportFault, Reported, Submit};

/// Takes the form of a link.
pub async fn send(
    State(front): State<Front>,
    headers: HeaderMap,
    Path(text): Path<String>,
    Query(asked): Query<Asked>,
    body: Body,
) -> Result<Response, Problem> {
    sent_from_here(&headers)?;
    let surveyed = front.surveyed.now();
    let opening = Opening::of(&front, &surveyed, &headers, &text, &asked);
    let sent = form(body).await?;
    let note = sent.get("opened").cloned().unwrap_or_default();
    let show = sent.get("show").cloned();
    let filled = Filled::of(sent);
    let Some(link) = opening.link() else { return Ok(opening.nothing().into_response()) };
    let bound = links::bound(front.store.readers(), &link).await?;
    if !link::is_the_person(&link, bound.as_deref(), &opening.visitor()) {
        return Ok(opening.not_the_person(&filled));
    }
    let Some(person) = opening.reporter(&link) else { return Ok(opening.nothing().into_response()) };
    let Ok(opened) = front.gate.tokens.read_opened(&note, &link) else {
        return Ok(opening.too_late(&filled));
    };
    let sending = Sending { opening: &opening, person, opened, note, filled };
    match show {
        Some(tag) => Ok(sending.in_language(&tag)),
        None => sending.submit(&link).await,
    }
}

/// A filled-in form from the person it was handed out to.
struct Sending<'a> {
    opening: &'a Opening<'a>,
    person: &'a Person,
    opened: Opened,
    /// The signed note, as it came.
    note: String,
    filled: Filled,
}

impl Sending<'_> {
    async fn submit(&self, link: &Link) -> Result<Response, Problem> {
        let front = self.opening.front;
        let Ok(captured_at) = link::captured(&self.opened, self.filled.after(), host_now()) else {
            return Ok(self.opening.too_late(&self.filled));
        };
        let choices = self.opening.choices(self.person);
        let wanted = Wanted {
            client_id: &self.opened.client_id,
            choices: &choices,
            captured_at: front.clock.showed(captured_at),
            language: self.opening.language,
        };
        let report = match self.filled.report(&wanted) {
            Ok(report) => report,
            Err(faults) => return Ok(self.again(self.opening.language, &faults, None)),
        };
        self.ask(link, report).await
    }

    async fn ask(&self, link: &Link, report: NewReport) -> Result<Response, Problem> {
        let front = self.opening.front;
        let now = front.clock.now();
        let incident = IncidentId::new(now, entropy::draw());
        let command = Submit { incident, report: Reported::Now(report) };
        let asked = Command { command, by: link.person.clone(), recorded_at: now };
        let answer = match front.desk.ask(asked).await {
            Ok(answer) => answer,
            Err(unanswered) => return Ok(self.not_now(Problem::from(unanswered))),
        };
        match answer {
            Ok(submitted) => Ok(self.receipt(submitted.incident, "")),
            // It was sent before, and then changed: what was sent first is what is on its way.
            Err(fault) if fault.code == "client_id_taken" => {
                let readers = front.store.readers();
                let known = reports::of_client_id(readers, &link.person, &self.opened.client_id).await?;
                known.map(|incident| self.receipt(incident, "&kept=1")).ok_or_else(Problem::not_found)
            }
            Err(fault) => Ok(self.again(self.opening.language, &[beside(fault)], None)),
        }
    }

    fn receipt(&self, incident: IncidentId, more: &str) -> Response {
        let (text, language) = (self.opening.text, self.opening.language.tag());
        go_to(&format!("/r/{text}/{incident}?lang={language}{more}"))
    }

    fn in_language(&self, tag: &str) -> Response {
        let language = Language::of(Some(tag), self.opening.headers);
        self.again(language, &[], None)
    }

    /// Nothing was kept, and nothing is lost: the form is shown again as it was.
    fn not_now(&self, problem: Problem) -> Response {
        let language = self.opening.language;
        let status = problem.status;
        let mut response = self.again(language, &[], Some(language.of_text(&problem.text)));
        *response.status_mut() = status;
        response
    }

    fn again(&self, language: Language, faults: &[FieldFault], banner: Option<Html>) -> Response {
        let form = Form {
            link: self.opening.text,
            name: &self.person.name,
            client_id: &self.opened.client_id,
            opened: &self.note,
            before: (host_now() - self.opened.opened_at).num_seconds().max(0),
            choices: &self.opening.choices(self.person),
            // Sent again, it is as old as that sending.
            filled: &Filled { after: String::new(), ..self.filled.clone() },
            faults,
            banner,
        };
        form.sheet(language).into_response()
    }
}

/// The field of the form beside which a fault of the report is said.
fn beside(fault: ReportFault) -> FieldFault {
    let field = match fault.field {
        "category" => "category",
        "description" => "text",
        "registered_area" => "registered_area",
        "place.accuracy_m" => "accuracy",
        _ => "area",
    };
    FieldFault { field, text: fault.text }
}

impl Opening<'_> {
    /// Whoever sends a form and is not, or no longer, the person: keeps what they wrote, and shows nothing else.
    fn not_the_person(&self, filled: &Filled) -> Response {
        let language = self.language;
        let sign_in = Html::fill(
            "{}<p><a class=\"button\" href=\"/sign-in?lang={}&amp;next=/r/{}\">{}</a></p>",
            [
                typed(language, filled),
                Html::literal(language.tag()),
                Html::text(self.text),
                language.say("登录", "Sign in"),
            ],
        );
        let says = language.say(
            "没有提交。这个链接仅限本人使用，请登录后再填写。",
            "Nothing was sent. This link is for one person only: sign in, and fill in the form again.",
        );
        let sheet = notice(language, language.say("请先登录", "Sign in first"), says, sign_in);
        sheet.with_status(StatusCode::FORBIDDEN).into_response()
    }

    fn too_late(&self, filled: &Filled) -> Response {
        let language = self.language;
        let says = language.say(
            "没有提交：链接过期后才填写，或过期已超过七天。请在工作群里重新索取上报链接，或联系街道指挥室，再粘贴您写的内容。",
            "Nothing was sent: it was filled in after the link expired, or came more than seven days after that. \
             Ask for a new link in your chat group, or call the street desk, and paste what you wrote.",
        );
        let title = language.say("链接已过期", "This link has expired");
        let sheet = notice(language, title, says, typed(language, filled));
        sheet.with_status(StatusCode::GONE).into_response()
    }
}
