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
