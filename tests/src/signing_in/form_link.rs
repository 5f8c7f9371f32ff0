//! The form behind a link: one person reports by it, on a phone without script, and nobody else sees anything.

use serde_json::json;

use super::PASSWORD;
use super::browser::{Browser, Fields, NAVIGATES};
use crate::bad_input::office::{Answer, Office};

/// Whose names and areas a stranger must not see.
const OF_THE_PERSON: [&str; 3] = ["示意网格员 111", "示意网格 111", "990001001001001"];

fn says_nothing_of_the_person(answer: &Answer) {
    for told in OF_THE_PERSON {
        assert!(!answer.text.contains(told), "{told} in {answer:?}");
    }
}

/// What worker-111 fills in by hand.
fn filled(page: &str) -> Fields {
    Fields::hidden_in(page)
        .with("category", "rubbish")
        .with("address", "富春江路 5 号")
        .with("text", "堆在楼道口")
}

#[tokio::test]
async fn a_form_without_script_makes_exactly_one_case() {
    let office = Office::open().await;
    let (_, path) = office.link("worker-111", 1);
    let mut phone = Browser::new(&office);
    // As a chat passes it on.
    let page = phone.open(&format!("{path}?from=groupmessage&isappinstalled=0")).await;
    assert!(page.status == 200 && page.text.contains("上报人：示意网格员 111"), "{page:?}");
    assert!(page.text.contains("示意网格 111"), "the one grid is there without asking: {page:?}");
    let fields = filled(&page.text);

    // A double tap, and once more because nothing seemed to happen.
    let twice =
        tokio::join!(Answer::to(phone.sending(&path, &fields)), Answer::to(phone.sending(&path, &fields)));
    let sent = phone.send(&path, &fields).await;
    let receipt = sent.header("location").to_owned();
    for answer in [&twice.0, &twice.1, &sent] {
        assert_eq!((answer.status, answer.header("location")), (303, receipt.as_str()), "{answer:?}");
    }
    assert_eq!(office.stored().await.0, 1);

    let incident = receipt.rsplit('/').next().unwrap().split('?').next().unwrap();
    for _ in 0..2 {
        let shown = phone.open(&receipt).await;
        assert!(shown.status == 200 && shown.text.contains(incident), "{shown:?}");
    }
    let case = office.get(&format!("/api/v1/cases/{incident}?wait=10s"), "leader-111").await.with(200);
    assert_eq!(case["category"], "rubbish");
    let holder = "grid_leader:990001/990001001/990001001001/990001001001001";
    assert_eq!(case["holder"], holder, "the point that stands for the grid lies in it");
    assert_eq!(case["flags"], json!(["chosen_area"]), "and says that nobody measured it");
    let own = office.get(&format!("/api/v1/reports/{incident}"), "worker-111").await.with(200);
    assert_eq!(own["description"], "地点：富春江路 5 号\n堆在楼道口");
    let by_hand =
        "SELECT count(*) AS n FROM discover_report WHERE source = 'area chosen by hand' AND accuracy_m > 700";
    assert_eq!(office.count("discover", by_hand).await, 1);
    office.closes_clean().await;
}

#[tokio::test]
async fn what_the_device_says_of_its_place_is_where_it_is() {
    let office = Office::open().await;
    let (_, path) = office.link("worker-111", 1);
    let mut phone = Browser::new(&office);
    let page = phone.open(&path).await;
    // In grid 112: whoever sees something beyond the own grid may report it.
    let fields = Fields::hidden_in(&page.text)
        .with("category", "road")
        .with("lon", "121.805000")
        .with("lat", "29.915000")
        .with("accuracy", "9");
    let sent = phone.send(&path, &fields).await;
    let incident = sent.header("location").rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
    let case = office.get(&format!("/api/v1/cases/{incident}?wait=10s"), "desk-1a").await.with(200);
    assert!(case["area"].as_str().unwrap().ends_with("990001001001002"), "{case}");
    office.closes_clean().await;
}

#[tokio::test]
async fn an_accuracy_that_is_none_is_named_and_nothing_is_sent() {
    let office = Office::open().await;
    let (_, path) = office.link("worker-111", 1);
    let mut phone = Browser::new(&office);
    let page = phone.open(&path).await;
    let located = filled(&page.text).with("lon", "121.805000").with("lat", "29.905000");
    for accuracy in ["-1", "-0.5", "NaN", "inf", "about ten"] {
        let refused = phone.send(&path, &located.clone().with("accuracy", accuracy)).await;
        assert_eq!(refused.status, 422, "{accuracy}: {refused:?}");
        assert!(
            refused.text.contains("id=\"wrong-accuracy\">定位精度 accuracy 须为"),
            "{accuracy}: {refused:?}"
        );
        assert!(refused.text.contains("富春江路 5 号"), "what was typed is kept: {refused:?}");
    }
    assert_eq!(office.stored().await.0, 0);
    for accuracy in ["", "0"] {
        let form = phone.open(&path).await;
        let fields = filled(&form.text).with("lon", "121.805000").with("lat", "29.905000");
        assert_eq!(phone.send(&path, &fields.with("accuracy", accuracy)).await.status, 303, "{accuracy:?}");
    }
    assert_eq!(office.stored().await.0, 2);
    office.closes_clean().await;
}

#[tokio::test]
async fn forwarded_it_shows_a_sign_in_and_never_the_form() {
    let office = Office::open().await;
    let (_, path) = office.link("worker-111", 1);
    let mut phone = Browser::new(&office);
    let fields = filled(&phone.open(&path).await.text);
    let receipt = phone.send(&path, &fields).await.header("location").to_owned();
    phone.open(&path).await;

    let mut stranger = Browser::new(&office);
    for address in [&path, &receipt] {
        let opened = stranger.open(address).await;
        assert_eq!(opened.status, 303, "{opened:?}");
        assert!(opened.header("location").starts_with("/sign-in?why=elsewhere"), "{opened:?}");
        says_nothing_of_the_person(&opened);
        let shown = stranger.open(opened.header("location")).await;
        assert!(shown.status == 200 && shown.text.contains("另一台设备"), "{shown:?}");
        says_nothing_of_the_person(&shown);
    }
    // With all that the form had in it, as if somebody had looked over a shoulder.
    let sent = stranger.send(&path, &fields.clone().with("text", "from a stranger")).await;
    assert!(sent.status == 403 && sent.text.contains("from a stranger"), "it is not lost: {sent:?}");
    says_nothing_of_the_person(&sent);
    let mut colleague = Browser::of(&office, "worker-112");
    assert!(colleague.open(&path).await.header("location").starts_with("/sign-in?why=other"));
    assert_eq!(colleague.send(&path, &fields).await.status, 403);
    assert_eq!(office.stored().await.0, 1);

    // The person, on another device.
    office.give_account("worker-111").await;
    let next = path.clone();
    let typed = Fields::default().with("name", "worker-111").with("password", PASSWORD).with("next", &next);
    let signed_in = stranger.send("/sign-in", &typed).await;
    assert_eq!((signed_in.status, signed_in.header("location")), (303, next.as_str()));
    assert!(stranger.open(&path).await.text.contains("上报人：示意网格员 111"));
    office.closes_clean().await;
}

#[tokio::test]
async fn a_machine_that_looks_at_the_address_in_a_message_does_not_take_the_link() {
    let office = Office::open().await;
    let (_, path) = office.link("worker-111", 1);
    let looked = Answer::to(Browser::new(&office).request("GET", &path)).await;
    assert!(looked.status == 200 && looked.text.contains("打开上报表"), "{looked:?}");
    says_nothing_of_the_person(&looked);
    // Also one that asks for the head alone, and says that it navigates.
    for navigates in [&[][..], &NAVIGATES[..]] {
        let mut ahead = Browser::new(&office).request("HEAD", &path);
        for (name, value) in navigates {
            ahead = ahead.header(*name, *value);
        }
        let looked = Answer::to(ahead).await;
        assert_eq!((looked.status, looked.text.as_str(), looked.header("set-cookie")), (200, "", ""));
    }
    assert_eq!(office.count("discover", "SELECT count(*) AS n FROM discover_form_link").await, 0);
    // An old browser, which says nothing of how it came: its person presses the button.
    let mut phone = Browser::new(&office);
    let opened = phone.send(&format!("{path}/open"), &Fields::default()).await;
    assert!(opened.text.contains("上报人：示意网格员 111"), "{opened:?}");
    assert!(phone.open(&path).await.text.contains("上报人"), "and again");
    assert_eq!(Browser::new(&office).open(&path).await.status, 303, "it is taken");
    office.closes_clean().await;
}

#[tokio::test]
async fn a_browser_that_another_site_sent_comes_once_more_with_its_cookies() {
    let office = Office::open().await;
    let (_, path) = office.link("worker-111", 1);
    let mut phone = Browser::new(&office);
    phone.open(&path).await;
    let sent =
        [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"), ("sec-fetch-site", "cross-site")];
    let mut bare = Browser::new(&office).request("GET", &path);
    for (name, value) in sent {
        bare = bare.header(name, value);
    }
    let again = Answer::to(bare).await;
    let next = format!("{path}?again=1&amp;lang=zh-CN");
    assert!(again.text.contains(&format!("content=\"0;url={next}\"")), "{again:?}");
    says_nothing_of_the_person(&again);
    assert!(phone.open(&format!("{path}?again=1&lang=zh-CN")).await.text.contains("上报人"));
    office.closes_clean().await;
}

#[tokio::test]
async fn a_forged_expired_or_void_link_shows_nothing_of_anybody() {
    let office = Office::open().await;
    let (link, path) = office.link("worker-111", 1);
    let elsewhere = platform::token::Tokens::new(&[9; 32]).issue_link(&link).unwrap();
    let (_, expired) = office.link("worker-111", 31);
    let (_, left) = office.link("who-left", 1);
    let (_, checker) = office.link("checker-1", 1);
    let mut texts = Vec::new();
    for (what, address) in [
        ("altered", format!("{path}x")),
        ("signed elsewhere", format!("/r/{elsewhere}")),
        ("nonsense", "/r/nonsense".to_owned()),
        ("expired", expired),
        ("of one who has left the register", left),
        ("of one who may not report", checker),
    ] {
        let shown = Browser::new(&office).open(&address).await;
        assert_eq!(shown.status, 410, "{what}: {shown:?}");
        says_nothing_of_the_person(&shown);
        let start = shown.text.find("<body>").unwrap();
        texts.push(shown.text[start..].to_owned());
    }
    assert!(
        texts.windows(2).all(|pair| pair[0] == pair[1]),
        "they do not differ in what they say: {texts:?}"
    );
    let (_, expired) = office.link("worker-111", 31);
    let signed_in = Browser::of(&office, "worker-111").open(&expired).await;
    assert_eq!(signed_in.status, 410, "not by a sign-in either");
    office.closes_clean().await;
}

#[tokio::test]
async fn what_is_wrong_is_said_beside_its_field_and_everything_typed_is_kept() {
    let office = Office::open().await;
    let (_, path) = office.link("worker-111", 1);
    let mut phone = Browser::new(&office);
    let page = phone.open(&path).await;
    let typed = "<script>alert(1)</script> \"quoted\"\nsecond line";
    let fields = Fields::hidden_in(&page.text).with("text", typed).with("address", "3 号 <b>");
    let wrong = phone.send(&path, &fields).await;
    assert_eq!(wrong.status, 422);
    for kept in ["&lt;script&gt;alert(1)&lt;/script&gt; &quot;quoted&quot;\nsecond line", "3 号 &lt;b&gt;"] {
        assert!(wrong.text.contains(kept), "{wrong:?}");
    }
    assert!(wrong.text.contains("id=\"wrong-category\">请选择问题类别"), "{wrong:?}");
    assert!(!wrong.text.contains("<script>alert"), "{wrong:?}");

    // A grid of the next street, by hand.
    let again = Fields::hidden_in(&wrong.text).with("category", "rubbish").with("text", typed);
    assert_eq!(again.0["client_id"], fields.0["client_id"], "it is the same report");
    let foreign = phone.send(&path, &again.clone().with("area", "990001002001001")).await;
    assert!(foreign.status == 422 && foreign.text.contains("id=\"wrong-area\""), "{foreign:?}");
    let long = phone.send(&path, &again.clone().with("text", &"长".repeat(2_001))).await;
    assert!(
        long.status == 422 && long.text.contains("id=\"wrong-text\">说明最长 2000 字"),
        "{}",
        long.status
    );
    assert_eq!(office.stored().await.0, 0);

    // In the other language, with all that was typed; then sent.
    let english = phone.send(&path, &again.clone().with("show", "en")).await;
    assert!(english.text.contains("Send report") && english.text.contains("second line"), "{english:?}");
    let sent = phone.send(&format!("{path}?lang=en"), &again).await;
    assert_eq!(sent.status, 303, "{sent:?}");
    // Changed after it was sent: the first stays, and the person is told.
    let changed = phone.send(&path, &again.with("text", "something else")).await;
    let receipt = phone.open(changed.header("location")).await;
    assert!(
        receipt.text.contains("之后的修改没有提交") && receipt.text.contains("second line"),
        "{receipt:?}"
    );
    assert_eq!(office.stored().await.0, 1);
    office.closes_clean().await;
}

#[tokio::test]
async fn a_desk_chooses_among_the_grids_of_its_own_street() {
    let office = Office::open().await;
    let made = office.post("/api/v1/form-links", "desk-1a", &json!({ "category": "road" })).await.with(201);
    let page = Browser::new(&office).in_english().open(made["link"].as_str().unwrap()).await;
    assert!(page.text.contains("<optgroup label=\"Community 11 (synthetic)\">"), "{page:?}");
    assert_eq!(page.text.matches("<option ").count(), 5, "four grids, and none chosen yet");
    assert!(!page.text.contains("990001002"), "none of the next street");
    assert!(page.text.contains("value=\"road\" checked"), "as the link says");
    office.closes_clean().await;
}

#[tokio::test]
async fn every_page_of_a_link_is_in_the_browsers_language_and_has_the_other_one_where_it_is_seen() {
    let office = Office::open().await;
    let (_, path) = office.link("worker-111", 1);
    let mut phone = Browser::new(&office).in_english();
    let form = phone.open(&path).await.text;
    assert!(form.contains("<html lang=\"en\">") && form.contains("Send report"), "{form}");
    let at = |what: &str| form.find(what).unwrap_or_else(|| panic!("no {what} in {form}"));
    assert!(at("name=\"show\" value=\"zh-CN\"") < at("name=\"category\""), "before all there is to fill in");
    // Enter in a field presses the first button of its form: that one sends.
    let first = form.split("<button ").nth(1).unwrap().split('>').next().unwrap();
    assert!(first.contains("form=\"report\"") && !first.contains("name="), "{first}");

    let typed = filled(&form).with("address", "5 Mill Street").with("text", "by the stairs");
    let chinese = phone.send(&format!("{path}?lang=en"), &typed.clone().with("show", "zh-CN")).await;
    let kept = ["提交上报", "5 Mill Street", "by the stairs", "value=\"rubbish\" checked", "lang=zh-CN"];
    assert!(chinese.status == 200 && kept.iter().all(|kept| chinese.text.contains(kept)), "{chinese:?}");
    assert_eq!(office.stored().await.0, 0, "it was only turned");

    let sent = phone.send(&format!("{path}?lang=zh-CN"), &typed).await;
    let receipt = phone.open(sent.header("location")).await.text;
    let address =
        receipt.split("class=\"other-language\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(receipt.contains("上报回执") && address.ends_with("?lang=en"), "{receipt}");
    assert!(phone.open(address).await.text.contains("Received, thank you"));
    let nothing = phone.open("/r/nonsense").await.text;
    assert!(nothing.contains("not valid") && nothing.contains("href=\"?lang=zh-CN\""), "{nothing}");
    office.closes_clean().await;
}

#[tokio::test]
async fn the_pages_load_nothing_from_anywhere_and_are_kept_by_nobody() {
    let office = Office::open().await;
    let (_, path) = office.link("worker-111", 1);
    let mut phone = Browser::new(&office);
    let form = phone.open(&path).await;
    let sent = phone.send(&path, &filled(&form.text)).await;
    let receipt = phone.open(sent.header("location")).await;
    for page in [form, receipt, phone.open("/sign-in").await, phone.open("/r/nonsense").await] {
        assert_eq!(
            (page.header("cache-control"), page.header("referrer-policy")),
            ("no-store", "no-referrer")
        );
        assert!(page.header("content-security-policy").starts_with("default-src 'none'"), "{page:?}");
        assert_eq!(
            (page.header("x-frame-options"), page.header("x-content-type-options")),
            ("DENY", "nosniff")
        );
        for from_elsewhere in ["http:", "https:", "src=", "url(", "@import", "<link"] {
            assert!(!page.text.contains(from_elsewhere), "{from_elsewhere} in {page:?}");
        }
    }
    let (_, path) = office.link("worker-111", 1);
    let foreign = phone.sending(&path, &Fields::default()).header("sec-fetch-site", "cross-site");
    assert_eq!(Answer::to(foreign).await.status, 403);
    office.closes_clean().await;
}
