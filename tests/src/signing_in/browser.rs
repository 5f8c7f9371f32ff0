//! A browser, as far as a page can tell: it keeps cookies, says that it navigates, and follows nothing by itself.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use platform::clock::host_now;
use platform::http::browser::SESSION_COOKIE;
use platform::link::Link;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};

use crate::bad_input::office::{Answer, Office};

/// What a browser says of itself that opens a page.
pub const NAVIGATES: [(&str, &str); 3] =
    [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"), ("sec-fetch-site", "none")];

/// A browser on some device.
pub struct Browser<'a> {
    office: &'a Office,
    client: Client,
    cookies: BTreeMap<String, String>,
    language: &'static str,
}

impl<'a> Browser<'a> {
    pub fn new(office: &'a Office) -> Self {
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        Self { office, client, cookies: BTreeMap::new(), language: "zh-CN,zh;q=0.9" }
    }

    pub fn in_english(self) -> Self {
        Self { language: "en-GB,en;q=0.9", ..self }
    }

    /// One on which `person` is signed in.
    pub fn of(office: &'a Office, person: &str) -> Self {
        let mut browser = Self::new(office);
        browser.cookies.insert(SESSION_COOKIE.to_owned(), office.token(person));
        browser
    }

    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let url = format!("http://{}{path}", self.office.address);
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request =
            self.client.request(method.parse().unwrap(), url).header("accept-language", self.language);
        if cookies.is_empty() { request } else { request.header("cookie", cookies.join("; ")) }
    }

    async fn keep(&mut self, request: RequestBuilder) -> Answer {
        let answer = Answer::to(request).await;
        for set in answer.headers.get_all("set-cookie") {
            let (name, rest) = set.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            assert!(rest.contains("HttpOnly") && rest.contains("SameSite=Strict"), "{set:?}");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    /// Opens a page.
    pub async fn open(&mut self, path: &str) -> Answer {
        let mut request = self.request("GET", path);
        for (name, value) in NAVIGATES {
            request = request.header(name, value);
        }
        self.keep(request).await
    }

    /// Sends a form of a page of ours.
    pub async fn send(&mut self, path: &str, fields: &Fields) -> Answer {
        let request = self.sending(path, fields).header("sec-fetch-site", "same-origin");
        self.keep(request).await
    }

    pub fn sending(&self, path: &str, fields: &Fields) -> RequestBuilder {
        let request = self.request("POST", path);
        request.header("content-type", "application/x-www-form-urlencoded").body(fields.encoded())
    }
}

/// The fields of a form.
#[derive(Clone, Debug, Default)]
pub struct Fields(pub BTreeMap<String, String>);

impl Fields {
    /// The hidden ones of a page, as a browser without script sends them back.
    pub fn hidden_in(page: &str) -> Self {
        let value_of = |input: &str, name: &str| {
            input
                .split_once(&format!("{name}=\""))
                .map(|(_, rest)| rest.split('"').next().unwrap().to_owned())
        };
        let inputs = page.split("<input ").skip(1).map(|rest| rest.split('>').next().unwrap());
        let hidden = inputs.filter(|input| input.starts_with("type=\"hidden\""));
        Self(
            hidden
                .map(|input| (value_of(input, "name").unwrap(), value_of(input, "value").unwrap()))
                .collect(),
        )
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn encoded(&self) -> String {
        let encode = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
        let pairs: Vec<String> =
            self.0.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        pairs.join("&")
    }
}

impl Office {
    /// A link for `person` of half an hour, made so many minutes ago; and its address.
    pub fn link(&self, person: &str, minutes_ago: i64) -> (Link, String) {
        let made_at = host_now() - TimeDelta::minutes(minutes_ago);
        let link = Link::new(platform::entropy::draw(), person.into(), None, made_at, 30);
        let text = self.tokens.issue_link(&link).unwrap();
        // As it is read again: in whole seconds.
        (self.tokens.read_link(&text).unwrap(), format!("/r/{text}"))
    }
}
