//! Pages and probes: links that were forwarded, looked at by a machine, or opened by somebody else, and cookies that are
//! none.

use chrono::TimeDelta;
use platform::clock::host_now;
use platform::http::browser::SESSION_COOKIE;
use platform::token::Tokens;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};

use super::Scene;
use crate::bad_input::office::{Answer, Office};
use crate::signing_in::browser::{Browser, Fields, NAVIGATES};

/// One page, and what it answers to everybody but the one whose it is.
pub struct Row {
    method: &'static str,
    pub path: &'static str,
    status: u16,
}

/// Every address that is not of the API.
pub const ROWS: [Row; 11] = [
    // A sign-in is shown instead.
    Row { method: "GET", path: "/r/{link}", status: 303 },
    Row { method: "POST", path: "/r/{link}", status: 403 },
    Row { method: "POST", path: "/r/{link}/open", status: 303 },
    Row { method: "GET", path: "/r/{link}/{incident}", status: 303 },
    Row { method: "GET", path: "/sign-in", status: 200 },
    Row { method: "POST", path: "/sign-in", status: 401 },
    Row { method: "POST", path: "/sign-out", status: 303 },
    Row { method: "GET", path: "/health/live", status: 200 },
    Row { method: "GET", path: "/health/ready", status: 200 },
    Row { method: "GET", path: "/metrics", status: 200 },
    Row { method: "GET", path: "/api/v1/openapi.json", status: 200 },
];

/// Whoever comes to a page: how they say they come, and with which cookie.
struct Visitor {
    who: &'static str,
    navigates: bool,
    cookie: String,
}

const UNSIGNED: &str = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";

fn visitors(office: &Office) -> Vec<Visitor> {
    let owner = office.principal("worker-111");
    let hour = TimeDelta::hours(1);
    let good = office.token("worker-111");
    let claims = good.split('.').nth(1).unwrap();
    let session = |token: String| format!("{SESSION_COOKIE}={token}");
    let visitor = |who, cookie: String| Visitor { who, navigates: true, cookie };
    vec![
        visitor("to whom it was forwarded", String::new()),
        Visitor { who: "a machine that looks ahead", navigates: false, cookie: String::new() },
        visitor("a device that was made up", format!("gridward_device={}", "0".repeat(64))),
        visitor("a colleague who is signed in", session(office.token("worker-112"))),
        visitor("an organisation's person", session(office.token("swift-1"))),
        visitor(
            "the owner, long ago",
            session(office.tokens.issue(&owner, host_now() - hour * 2, hour).unwrap()),
        ),
        visitor("signed elsewhere", session(Tokens::new(&[1; 32]).issue(&owner, host_now(), hour).unwrap())),
        visitor("not signed at all", session(format!("{UNSIGNED}.{claims}."))),
        visitor("altered", session(format!("{good}x"))),
    ]
}

/// A link that its owner has opened and reported by.
struct Used {
    path: String,
    fields: Fields,
}

impl Row {
    fn request(
        &self,
        client: &Client,
        scene: &Scene,
        used: &Used,
        visitor: &Visitor,
        method: &str,
    ) -> RequestBuilder {
        let link = used.path.trim_start_matches("/r/");
        let path = self.path.replace("{link}", link).replace("{incident}", &scene.incident);
        let url = format!("http://{}{path}", scene.office.address);
        let mut request = client.request(method.parse().unwrap(), url).header("accept-language", "zh-CN");
        if visitor.navigates {
            for (name, value) in NAVIGATES {
                request = request.header(name, value);
            }
        } else {
            request = request.header("user-agent", "Mozilla/5.0 (compatible; link preview)");
        }
        if !visitor.cookie.is_empty() {
            request = request.header("cookie", &visitor.cookie);
        }
        let fields = match self.path {
            // All that the form had in it, as if looked up over a shoulder.
            "/r/{link}" => used.fields.clone().with("text", "别人写的").with("address", "别处"),
            "/sign-in" => Fields::default().with("name", &scene.nobody()).with("password", "a guess of mine"),
            _ => Fields::default(),
        };
        match method {
            "POST" => {
                let form = request.header("content-type", "application/x-www-form-urlencoded");
                form.body(fields.encoded())
            }
            _ => request,
        }
    }
}

#[tokio::test]
async fn a_link_shows_the_case_to_nobody_but_its_owner_however_they_come_by_it() {
    let mut scene = Scene::open().await;
    let (_, path) = scene.office.link("worker-111", 1);
    let mut phone = Browser::new(&scene.office);
    let page = phone.open(&path).await;
    assert!(page.text.contains("上报人：示意网格员 111"), "{page:?}");
    let fields = Fields::hidden_in(&page.text)
        .with("category", "rubbish")
        .with("address", "富春江路 5 号")
        .with("text", "堆在楼道口 beside the stairs");
    let receipt = phone.send(&path, &fields).await.header("location").to_owned();
    assert!(phone.open(&receipt).await.text.contains("beside the stairs"), "its owner sees it");
    let incident = receipt.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
    drop(phone);
    scene.incident = incident;
    let used = Used { path, fields };
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    for row in &ROWS {
        let methods = if row.method == "GET" { &["GET", "HEAD"][..] } else { &["POST"][..] };
        for visitor in visitors(&scene.office) {
            for method in methods {
                let who = format!("{}: {method} {}", visitor.who, row.path);
                let answer = Answer::to(row.request(&client, &scene, &used, &visitor, method)).await;
                assert_eq!(answer.status, row.status, "{who}: {answer:?}");
                scene.shows_nothing(&answer, false, &who);
                assert!(!answer.text.contains("富春江路"), "{who}: {answer:?}");
                assert!(*method != "HEAD" || answer.text.is_empty(), "{who}: {answer:?}");
            }
        }
    }
    scene.office.closes_clean().await;
}

#[tokio::test]
async fn a_link_of_ones_own_shows_no_receipt_of_anothers_report() {
    let scene = Scene::open().await;
    let (_, path) = scene.office.link("worker-112", 1);
    let mut phone = Browser::new(&scene.office);
    assert!(phone.open(&path).await.text.contains("示意网格员 112"));
    let foreign = phone.open(&format!("{path}/{}", scene.incident)).await;
    let absent = phone.open(&format!("{path}/{}", scene.office.absent())).await;
    assert_eq!((foreign.status, without_nonce(&foreign.text)), (410, without_nonce(&absent.text)));
    scene.shows_nothing(&foreign, false, "a colleague's own link");
    drop(phone);
    scene.office.closes_clean().await;
}

/// A page without what is drawn anew for each of them.
fn without_nonce(page: &str) -> String {
    let mut parts = page.split("nonce=\"");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |kept, part| kept + part.split_once('"').map_or("", |(_, rest)| rest))
}
