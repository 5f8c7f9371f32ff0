//! The sign-in as a page.

use super::PASSWORD;
use super::browser::{Browser, Fields};
use crate::bad_input::office::{Answer, Office};

fn typed(name: &str, password: &str) -> Fields {
    Fields::default().with("name", name).with("password", password)
}

#[tokio::test]
async fn the_page_signs_a_browser_in_and_out_without_script_and_in_both_languages() {
    let office = Office::open().await;
    office.give_account("worker-111").await;
    let mut browser = Browser::new(&office);
    let page = browser.open("/sign-in").await;
    assert!(
        page.status == 200 && page.text.contains("密码") && page.text.contains("lang=\"zh-CN\""),
        "{page:?}"
    );
    assert!(browser.open("/sign-in?lang=en").await.text.contains("Password"));

    let wrong = browser.send("/sign-in", &typed("worker-111<b>", "not my password")).await;
    assert_eq!(wrong.status, 401);
    assert!(wrong.text.contains("账号或密码不正确"), "{wrong:?}");
    assert!(wrong.text.contains("worker-111&lt;b&gt;"), "the name is kept, as text");
    assert!(!wrong.text.contains("not my password"), "{wrong:?}");

    let right = browser.send("/sign-in", &typed("worker-111", PASSWORD)).await;
    assert_eq!((right.status, right.header("location")), (303, "/sign-in"));
    assert!(browser.open("/sign-in").await.text.contains("示意网格员 111"));

    // The cookie opens pages; the API takes the header alone, so that no other site can make a browser ask it.
    assert_eq!(Answer::to(browser.request("GET", "/api/v1/me")).await.status, 401);
    browser.send("/sign-out", &Fields::default()).await;
    assert!(!browser.open("/sign-in").await.text.contains("示意网格员 111"));
    office.closes_clean().await;
}

#[tokio::test]
async fn another_site_signs_nobody_in_or_out() {
    let office = Office::open().await;
    office.give_account("worker-111").await;
    let browser = Browser::new(&office);
    for path in ["/sign-in", "/sign-out"] {
        let sent =
            browser.sending(path, &typed("worker-111", PASSWORD)).header("sec-fetch-site", "cross-site");
        let answer = Answer::to(sent).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (403, ""), "{path}");
    }
    let away = typed("worker-111", PASSWORD).with("next", "https://example.org/");
    assert_eq!(Browser::new(&office).send("/sign-in", &away).await.header("location"), "/sign-in");
    office.closes_clean().await;
}

#[tokio::test]
async fn tries_of_others_at_the_same_address_do_not_hold_up_the_owner_on_the_own_device() {
    let office = Office::open().await;
    for person in ["worker-111", "worker-112"] {
        office.give_account(person).await;
    }
    let mut own = Browser::new(&office);
    assert_eq!(own.send("/sign-in", &typed("worker-111", PASSWORD)).await.status, 303);
    own.send("/sign-out", &Fields::default()).await;

    // Somebody beside them, behind the same address, guesses until told to wait.
    let mut guessing = Browser::new(&office);
    for _ in 0..5 {
        assert_eq!(guessing.send("/sign-in", &typed("worker-111", "a guess of mine")).await.status, 401);
    }
    assert_eq!(guessing.send("/sign-in", &typed("worker-111", "a guess of mine")).await.status, 429);
    assert_eq!(own.send("/sign-in", &typed("worker-111", PASSWORD)).await.status, 303, "whenever they like");
    let elsewhere = Browser::new(&office).send("/sign-in", &typed("worker-111", PASSWORD)).await;
    assert_eq!(elsewhere.status, 429, "on another device the owner waits");

    // Slips on a device of one's own are counted there, and nowhere else.
    for _ in 0..5 {
        assert_eq!(own.send("/sign-in", &typed("worker-111", "a slip of mine")).await.status, 401);
    }
    assert_eq!(own.send("/sign-in", &typed("worker-111", PASSWORD)).await.status, 429);
    for _ in 0..2 {
        let colleague = own.send("/sign-in", &typed("worker-112", PASSWORD)).await;
        assert_eq!(colleague.status, 303, "a colleague who shares it");
    }
    assert_eq!(
        own.send("/sign-in", &typed("worker-111", PASSWORD)).await.status,
        429,
        "and it is still known"
    );
    office.closes_clean().await;
}

#[tokio::test]
async fn a_device_is_known_by_what_it_was_given_and_by_nothing_made_up() {
    let office = Office::open().await;
    office.give_account("worker-111").await;
    let mut own = Browser::new(&office);
    let signed_in = own.send("/sign-in", &typed("worker-111", PASSWORD)).await;
    let known = cookies(&signed_in).into_iter().find(|cookie| cookie.starts_with("gridward_known=")).unwrap();
    let (_, secret) = known.split_once('=').unwrap();
    assert_eq!(secret.len(), 64, "{known}");
    let again = own.send("/sign-in", &typed("worker-111", PASSWORD)).await;
    assert!(cookies(&again).contains(&known), "it stays the same: {again:?}");
    let kept = format!("SELECT count(*) AS n FROM console_attempt WHERE key LIKE '%{}%'", &secret[..16]);
    assert_eq!(office.count("console", &kept).await, 0, "console keeps a digest of it");

    let rows = "SELECT count(*) AS n FROM console_attempt";
    let before = office.count("console", rows).await;
    let made_up = "f".repeat(64);
    for n in 0..6 {
        let ask = Browser::new(&office).sending("/sign-in", &typed("worker-111", "a guess of mine"));
        let answer = Answer::to(ask.header("cookie", format!("gridward_known={made_up}"))).await;
        assert_eq!(answer.status, if n < 5 { 401 } else { 429 }, "{n}: it is counted like one without");
    }
    assert_eq!(office.count("console", rows).await, before, "and nothing is kept of it");
    office.closes_clean().await;
}

/// What a browser is given to keep, as `name=value`.
fn cookies(answer: &Answer) -> Vec<String> {
    let set = answer.headers.get_all("set-cookie").into_iter();
    set.map(|line| line.to_str().unwrap().split(';').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn too_many_tries_on_the_page_are_told_when_to_try_again() {
    let office = Office::open().await;
    let mut browser = Browser::new(&office);
    for _ in 0..5 {
        assert_eq!(browser.send("/sign-in", &typed("worker-111", "a guess of mine")).await.status, 401);
    }
    let held_up = browser.send("/sign-in", &typed("worker-111", "a guess of mine")).await;
    assert_eq!(held_up.status, 429);
    assert!(
        !held_up.header("retry-after").is_empty() && held_up.text.contains("尝试次数过多"),
        "{held_up:?}"
    );
    office.closes_clean().await;
}
