//! 上报表 `/r/LINK`: the form behind a link, for a browser. It works without script, and nothing of a person is shown
//! before it is clear that this is the one.

mod page;
mod receipt;
mod send;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, NaiveDate, Utc};
use domain::rights::{Action, areas_for};
use platform::clock::host_now;
use platform::entropy;
use platform::http::browser::{
    SESSION_COOKIE, came_from_elsewhere, cookie, is_navigation, sent_from_here, set_cookie,
};
use platform::http::html::{Html, Language, Sheet, go_to};
use platform::http::{Problem, Query};
use platform::link::{Link, Opened};
use platform::pack::Person;
use serde::Deserialize;

use super::Front;
use crate::Surveyed;
use crate::form::{Choices, Filled};
use crate::link::{self, Shown, Visitor, Why};
use crate::store::links;
use page::{Form, in_other_language, notice, turned_notice};

pub(super) use receipt::receipt;
pub(super) use send::send;

/// Holds the secret by which links know a device they were opened on; of no use but here.
const DEVICE_COOKIE: &str = "gridward_device";
/// Longer than anything may still come by a link that was opened on it.
const DEVICE_SECONDS: i64 = 30 * 24 * 60 * 60;
/// Of a device's secret, in hex.
const SECRET_DIGITS: usize = 64;

/// What stands behind the address. Chats add parameters of their own to the links that they pass on.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    lang: Option<String>,
    /// The browser was asked to come once more, with its cookies.
    again: Option<String>,
    /// On a receipt: the report had been sent before, with other words.
    kept: Option<String>,
}

/// Opens a link.
pub async fn open(
    State(front): State<Front>,
    method: Method,
    headers: HeaderMap,
    Path(text): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let surveyed = front.surveyed.now();
    let opening = Opening::of(&front, &surveyed, &headers, &text, &asked);
    let Some(link) = opening.link() else { return Ok(opening.nothing().into_response()) };
    let bound = links::bound(front.store.readers(), &link).await?;
    let mut visitor = opening.visitor();
    visitor.from_elsewhere &= asked.again.is_none();
    // Whoever asks for the head of a page sees none, however they say they came: nothing is bound to them.
    visitor.navigates &= method != Method::HEAD;
    let shown = link::open(&link, opening.reporter(&link).is_some(), bound.as_deref(), &visitor, host_now());
    opening.shown(&link, shown, &visitor).await
}

/// Opens a link at the push of a button, for a browser that does not say that it navigates.
pub async fn open_by_hand(
    State(front): State<Front>,
    headers: HeaderMap,
    Path(text): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    sent_from_here(&headers)?;
    let surveyed = front.surveyed.now();
    let opening = Opening { turns: false, ..Opening::of(&front, &surveyed, &headers, &text, &asked) };
    let Some(link) = opening.link() else { return Ok(opening.nothing().into_response()) };
    let bound = links::bound(front.store.readers(), &link).await?;
    let visitor = Visitor { navigates: true, from_elsewhere: false, ..opening.visitor() };
    let shown = link::open(&link, opening.reporter(&link).is_some(), bound.as_deref(), &visitor, host_now());
    opening.shown(&link, shown, &visitor).await
}

/// Somebody at a link.
struct Opening<'a> {
    front: &'a Front,
    surveyed: &'a Surveyed,
    headers: &'a HeaderMap,
    /// The link as it stands in its address.
    text: &'a str,
    language: Language,
    /// Whether what stands at the address can be asked for again, in another language.
    turns: bool,
}

impl<'a> Opening<'a> {
    fn of(
        front: &'a Front,
        surveyed: &'a Surveyed,
        headers: &'a HeaderMap,
        text: &'a str,
        asked: &Asked,
    ) -> Self {
        let language = Language::of(asked.lang.as_deref(), headers);
        Self { front, surveyed, headers, text, language, turns: true }
    }

    fn link(&self) -> Option<Link> {
        self.front.gate.tokens.read_link(self.text).ok()
    }

    /// The person of a link, if the register lets them report somewhere.
    fn reporter(&self, link: &Link) -> Option<&'a Person> {
        let person = self.surveyed.pack.people.get(&link.person);
        person.filter(|person| !areas_for(&person.grants, Action::Report).is_empty())
    }

    fn visitor(&self) -> Visitor {
        let tokens = &self.front.gate.tokens;
        let session =
            cookie(self.headers, SESSION_COOKIE).and_then(|token| tokens.verify(token, host_now()).ok());
        let secret = cookie(self.headers, DEVICE_COOKIE);
        let is_one =
            |text: &&str| text.len() == SECRET_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        Visitor {
            signed_in: session.map(|principal| principal.person),
            device: secret.filter(is_one).map(str::to_owned),
            navigates: is_navigation(self.headers),
            from_elsewhere: came_from_elsewhere(self.headers),
        }
    }

    async fn shown(&self, link: &Link, shown: Shown, visitor: &Visitor) -> Result<Response, Problem> {
        match shown {
            Shown::Form => self.form(link),
            Shown::FormAndBind => self.bind(link, visitor).await,
            Shown::Button => Ok(self.button().into_response()),
            Shown::Again => Ok(self.again().into_response()),
            Shown::SignIn(why) => Ok(self.sign_in(why)),
            Shown::Expired | Shown::Void => Ok(self.nothing().into_response()),
        }
    }

    async fn bind(&self, link: &Link, visitor: &Visitor) -> Result<Response, Problem> {
        let secret = visitor.device.clone().unwrap_or_else(|| hex(&entropy::draw::<32>()));
        let digest = link::digest(link, &secret);
        if links::bind(&self.front.store, link, &digest, host_now()).await? != digest {
            // Two opened it at once, and the other was first.
            return Ok(self.sign_in(Why::Elsewhere));
        }
        let mut response = self.form(link)?;
        let set = set_cookie(self.headers, DEVICE_COOKIE, &secret, "/r", DEVICE_SECONDS);
        response.headers_mut().append(header::SET_COOKIE, set);
        Ok(response)
    }

    /// The form, empty but for what the link says.
    fn form(&self, link: &Link) -> Result<Response, Problem> {
        let Some(person) = self.reporter(link) else { return Ok(self.nothing().into_response()) };
        let opened = Opened {
            link: link.id.clone(),
            person: link.person.clone(),
            client_id: format!("form-{}", hex(&entropy::draw::<16>())),
            opened_at: host_now(),
            expires_at: link.expires_at,
        };
        let note = self.front.gate.tokens.issue_opened(&opened).map_err(|error| Problem::internal(&error))?;
        let category = link.category.as_ref().map_or_else(String::new, ToString::to_string);
        let form = Form {
            link: self.text,
            name: &person.name,
            client_id: &opened.client_id,
            opened: &note,
            before: 0,
            choices: &self.choices(person),
            filled: &Filled { category, ..Filled::default() },
            faults: &[],
            banner: None,
        };
        Ok(form.sheet(self.language).into_response())
    }

    fn choices(&self, person: &Person) -> Choices<'a> {
        let Surveyed { pack, points } = self.surveyed;
        let day = day(self.front.clock.now());
        Choices::of(&person.grants, pack, points, day)
    }

    /// For what is no link, has expired, or is void: the same page, which says nothing of anybody.
    fn nothing(&self) -> Sheet {
        let says = self.language.say(
            "链接无效或已过期。请在工作群里重新索取上报链接，或联系街道指挥室。",
            "This link is not valid, or has expired. Ask for a new one in your chat group, or call the street desk.",
        );
        let title = self.language.say("链接已失效", "This link has expired");
        turned_notice(self.language, self.switch(), title, says, Html::default())
            .with_status(StatusCode::GONE)
    }

    /// To the same page in the other language. It names no link: pages that say nothing do not differ.
    fn switch(&self) -> Html {
        in_other_language(self.language, "", "").only_if(self.turns)
    }

    fn button(&self) -> Sheet {
        let open = Html::fill(
            "<form method=\"post\" action=\"/r/{}/open?lang={}\"><button>{}</button></form>",
            [
                Html::text(self.text),
                Html::literal(self.language.tag()),
                self.language.say("打开上报表", "Open the form"),
            ],
        );
        let says = self.language.say(
            "此链接仅限本人使用，打开后只能在这台设备上填写。",
            "This link is for one person. Once opened, it works on this device only.",
        );
        let title = self.language.say("上报问题", "Report a problem");
        turned_notice(self.language, self.switch(), title, says, open)
    }

    fn again(&self) -> Sheet {
        let to = format!("/r/{}?again=1&lang={}", self.text, self.language.tag());
        let go = Html::fill(
            "<p><a class=\"button\" href=\"{}\">{}</a></p>",
            [Html::text(&to), self.language.say("打开上报表", "Open the form")],
        );
        let title = self.language.say("上报问题", "Report a problem");
        let says = self.language.say("正在打开…", "Opening…");
        Sheet { goes_to: Some(to), ..notice(self.language, title, says, go) }
    }

    fn sign_in(&self, why: Why) -> Response {
        let why = match why {
            Why::Elsewhere => "elsewhere",
            Why::Other => "other",
        };
        go_to(&format!("/sign-in?why={why}&lang={}&next=/r/{}", self.language.tag(), self.text))
    }
}

/// The day by whose boundaries somebody chooses: areas change at midnight, seldom, and are looked at again when routed.
fn day(now: DateTime<Utc>) -> NaiveDate {
    now.date_naive()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
