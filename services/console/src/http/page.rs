//! `/sign-in` for a browser: a page that works without script, and a cookie that only pages look at.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::rights::Role;
use platform::clock::host_now;
use platform::http::browser::{SESSION_COOKIE, cookie, form, sent_from_here, set_cookie};
use platform::http::html::{Html, Language, Sheet, go_to};
use platform::http::{Problem, Query};
use platform::token::Principal;
use serde::Deserialize;

use super::{AskedFrom, Front, known, problem};
use crate::{Password, SignedIn};

/// What stands behind the address.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Where to go when signed in.
    next: Option<String>,
    /// Why somebody was sent here.
    why: Option<String>,
    lang: Option<String>,
}

/// The form as it is shown: what was typed, and what was wrong with it. Never a password.
#[derive(Default)]
struct Shown {
    name: String,
    next: String,
    banner: Option<Html>,
}

/// The page, or who is signed in.
pub async fn show(State(front): State<Front>, headers: HeaderMap, Query(asked): Query<Asked>) -> Response {
    let language = Language::of(asked.lang.as_deref(), &headers);
    let next = own_address(asked.next.as_deref()).unwrap_or_default();
    let why = asked.why.as_deref().and_then(|why| reason(language, why)).map(|why| banner("note", why));
    if next.is_empty()
        && let Some(principal) = signed_in(&front, &headers)
    {
        return who(&front, language, &principal).into_response();
    }
    sheet(language, &Shown { banner: why, next, ..Shown::default() }).into_response()
}

/// Takes the form.
pub async fn sign_in(
    State(front): State<Front>,
    AskedFrom(from): AskedFrom,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
    body: Body,
) -> Result<Response, Problem> {
    sent_from_here(&headers)?;
    let mut sent = form(body).await?;
    let language = Language::of(asked.lang.as_deref(), &headers);
    let next = own_address(sent.get("next").map(String::as_str)).unwrap_or_default();
    let name = sent.remove("name").unwrap_or_default();
    let password = Password::from(sent.remove("password").unwrap_or_default());
    match front.sign_in.sign_in(&name, &password, &from, host_now()).await {
        Ok(SignedIn { session, device }) => {
            let token =
                front.gate.tokens.issue_session(&session).map_err(|error| Problem::internal(&error))?;
            let seconds = (session.expires_at - host_now()).num_seconds();
            let mut response = go_to(if next.is_empty() { "/sign-in" } else { &next });
            let set = set_cookie(&headers, SESSION_COOKIE, &token, "/", seconds);
            response.headers_mut().append(header::SET_COOKIE, set);
            response.headers_mut().append(header::SET_COOKIE, known(&headers, &device));
            Ok(response)
        }
        Err(refused) => Ok(again(language, name, next, problem(refused))),
    }
}

/// Forgets who is signed in on this browser.
pub async fn sign_out(headers: HeaderMap) -> Result<Response, Problem> {
    sent_from_here(&headers)?;
    let mut response = go_to("/sign-in");
    response.headers_mut().append(header::SET_COOKIE, set_cookie(&headers, SESSION_COOKIE, "", "/", 0));
    Ok(response)
}

/// The form once more, with what was wrong, and the name as it was typed.
fn again(language: Language, mut name: String, next: String, problem: Problem) -> Response {
    if problem.status.is_server_error() && problem.status != StatusCode::SERVICE_UNAVAILABLE {
        return problem.into_response();
    }
    name = name.chars().take(64).collect();
    let shown = Some(banner("wrong", language.of_text(&problem.text)));
    let mut response =
        sheet(language, &Shown { name, next, banner: shown }).with_status(problem.status).into_response();
    if let Some(seconds) = problem.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// An address of this very place, or none: a sign-in never sends anybody elsewhere.
fn own_address(next: Option<&str>) -> Option<String> {
    let next = next?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~?=&".contains(&byte);
    let own =
        next.starts_with("/r/") && !next.contains("//") && next.len() <= 2_000 && next.bytes().all(plain);
    own.then(|| next.to_owned())
}

fn reason(language: Language, why: &str) -> Option<Html> {
    match why {
        "elsewhere" => Some(language.say(
            "这个上报链接已在另一台设备上打开。链接仅限本人使用：如果是您的链接，请登录后继续。",
            "This report link was opened on another device. It is for one person only: if it is yours, sign in to go on.",
        )),
        "other" => Some(language.say(
            "这个上报链接是发给另一个人的。请用链接本人的账号登录，或在工作群里索取您自己的链接。",
            "This report link was made for somebody else. Sign in as that person, or ask for a link of your own.",
        )),
        _ => None,
    }
}

fn signed_in(front: &Front, headers: &HeaderMap) -> Option<Principal> {
    let token = cookie(headers, SESSION_COOKIE)?;
    let principal = front.gate.tokens.verify(token, host_now()).ok()?;
    front.sign_in.register().people.get(&principal.person).is_some().then_some(principal)
}

/// Above the form: why somebody was sent here, or what was wrong.
fn banner(kind: &'static str, says: Html) -> Html {
    Html::fill("<p class=\"banner {}\" role=\"alert\">{}</p>", [Html::literal(kind), says])
}

fn sheet(language: Language, shown: &Shown) -> Sheet {
    let title = language.say("登录 · 格网", "Sign in · Gridward");
    let banner = shown.banner.clone().unwrap_or_default();
    let body = Html::fill(
        "<header><h1>{}</h1><p>{}</p></header>\n{}\n<main><form method=\"post\" action=\"/sign-in?lang={}\">\n\
         <input type=\"hidden\" name=\"next\" value=\"{}\">\n<section>\n\
         <div class=\"field\"><label for=\"name\">{}</label>\
         <input type=\"text\" id=\"name\" name=\"name\" value=\"{}\" maxlength=\"64\" required autocomplete=\"username\" \
         autocapitalize=\"none\" autocorrect=\"off\" spellcheck=\"false\"></div>\n\
         <div class=\"field\"><label for=\"password\">{}</label>\
         <input type=\"password\" id=\"password\" name=\"password\" maxlength=\"128\" required \
         autocomplete=\"current-password\"></div>\n</section>\n<button>{}</button>\n</form></main>\n\
         <footer><p>{}</p>{}</footer>",
        [
            language.say("登录", "Sign in"),
            language.say("格网 · 基层治理", "Gridward · grid governance"),
            banner,
            Html::literal(language.tag()),
            Html::text(&shown.next),
            language.say("账号（人员编号）", "Name (your id in the register)"),
            Html::text(&shown.name),
            language.say("密码", "Password"),
            language.say("登录", "Sign in"),
            language.say(
                "没有账号或忘记密码，请联系街道指挥室。",
                "No account, or password forgotten? Ask your street desk.",
            ),
            switch(language, &shown.next),
        ],
    );
    Sheet::new(language, title, body)
}

/// The same page in the other language.
fn switch(language: Language, next: &str) -> Html {
    let other = language.other();
    Html::fill(
        "<a href=\"/sign-in?lang={}&amp;next={}\" lang=\"{}\" hreflang=\"{}\">{}</a>",
        [
            Html::literal(other.tag()),
            Html::text(next),
            Html::literal(other.tag()),
            Html::literal(other.tag()),
            language.say("English", "中文"),
        ],
    )
}

/// Who is signed in, and the way out.
fn who(front: &Front, language: Language, principal: &Principal) -> Sheet {
    let register = front.sign_in.register();
    let person = register.people.get(&principal.person);
    let name = person.map_or_else(Html::default, |one| language.of_text(&one.name));
    let areas = &register.areas;
    let roles = principal.grants.iter().map(|grant| {
        let area = areas.by_path(&grant.area).map_or_else(Html::default, |area| language.of_text(&area.name));
        Html::fill("<dt>{}</dt><dd>{}</dd>", [role(language, grant.role), area])
    });
    let body = Html::fill(
        "<header><h1>{}</h1><p>{}</p></header>\n<main><section class=\"done\"><h2>{}</h2><dl>{}</dl></section>\n\
         <form method=\"post\" action=\"/sign-out\"><button class=\"second\">{}</button></form></main>\n\
         <footer>{}</footer>",
        [
            language.say("格网", "Gridward"),
            language.say("您已登录", "You are signed in"),
            name,
            Html::join(roles),
            language.say("退出登录", "Sign out"),
            switch(language, ""),
        ],
    );
    Sheet::new(language, language.say("已登录 · 格网", "Signed in · Gridward"), body)
}

fn role(language: Language, role: Role) -> Html {
    match role {
        Role::GridWorker => language.say("网格员", "Grid worker"),
        Role::GridLeader => language.say("网格长", "Grid leader"),
        Role::CommunityDesk => language.say("社区", "Community desk"),
        Role::StreetDesk => language.say("街道指挥室", "Street desk"),
        Role::Checker => language.say("核查员", "Checker"),
        Role::Supervisor => language.say("督查", "Supervisor"),
        Role::Partner => language.say("社会组织", "Partner organisation"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_never_sends_anybody_elsewhere() {
        assert_eq!(own_address(Some("/r/a.b-c_d")).as_deref(), Some("/r/a.b-c_d"));
        for elsewhere in [
            "//example.org",
            "https://example.org",
            "/r//example.org",
            "/r/\\example.org",
            "/api/v1/me",
            "/r/a\nb",
            "",
        ] {
            assert_eq!(own_address(Some(elsewhere)), None, "{elsewhere}");
        }
    }
}
