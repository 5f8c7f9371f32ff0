//! 户人分离 over HTTP: what goes by where somebody is registered, what lies on a shared border, what a category asks for,
//! and the 片区 of a street; on the packs `tongxi` and `beilun`.

use chrono::TimeDelta;
use discover::NewReport;
use domain::facts::{INCIDENT_ROUTED, IncidentRouted};
use serde_json::{Value, json};

use crate::bad_input::office::Office;
use crate::signing_in::browser::{Browser, Fields};
use crate::world::{World, monday_morning, packs};

const WORKER: &str = "worker-002001";
/// In the middle of the first grid of 桐溪社区.
const IN_TONGXI: (f64, f64) = (120.7075, 30.4825);
const TONGXI: &str = "330481/330481004/330481004002";
/// 正阳村, one of the eight.
const VILLAGE: &str = "330481/330481004/330481004201";
const SHARES: &str = "3201";
const EVERYDAY: &str = "3301";
const WATER: &str = "3302";

async fn office(pack: &str) -> Office {
    Office::of(&packs().join(pack), monday_morning()).await
}

fn report(client_id: &str, category: &str, (lon, lat): (f64, f64)) -> Value {
    json!({
        "client_id": client_id,
        "category": category,
        "place": { "lon": lon, "lat": lat, "datum": "CGCS2000" },
    })
}

impl Office {
    /// Where the case is that a report becomes.
    async fn case_from(&self, report: &Value) -> String {
        let reported = self.post("/api/v1/reports", WORKER, report).await.with(201);
        let case = reported["case"].as_str().unwrap().to_owned();
        self.get(&format!("{case}?wait=10s"), WORKER).await.with(200);
        case
    }

    async fn seen_by(&self, person: &str, case: &str) -> Value {
        self.get(case, person).await.with(200)
    }
}

#[tokio::test]
async fn shares_are_the_village_s_and_neither_the_next_village_nor_the_community_of_residence_sees_them() {
    let office = office("tongxi").await;
    let mut shares = report("shares-1", SHARES, IN_TONGXI);
    // By its path or by its code.
    shares["registered_area"] = json!(VILLAGE);
    let case = office.case_from(&shares).await;
    shares["registered_area"] = json!("330481004201");
    let again = office.post("/api/v1/reports", WORKER, &shares).await.with(200);
    assert_eq!(again["case"], case.as_str(), "the same report, though the area was written otherwise");

    let seen = office.get(&case, "community-201").await.with(200);
    assert_eq!(
        (seen["holder"].as_str(), seen["area"].as_str()),
        (Some(&*format!("community:{VILLAGE}")), Some(VILLAGE))
    );
    let why = [seen["why"]["zh"].as_str().unwrap(), seen["why"]["en"].as_str().unwrap()];
    assert!(why[0].contains("「股权核定」按户籍地派单，不按事发地，登记在正阳村委会；"), "{why:?}");
    assert!(why[0].ends_with("按规则「village」由正阳村委会承办。"), "{why:?}");
    assert!(
        why[1].contains(
            "goes by where the person it concerns is registered and not by the place: in Zhengyang"
        ),
        "{why:?}"
    );
    assert_eq!(seen["closing"]["zh"], "村按章程核定并书面告知当事人");
    // Within its first minute a case that is somebody else's looks like one about to open.
    office.clock.drive(office.clock.now() + TimeDelta::minutes(2));
    for stranger in ["community-216", "community-002", "leader-002001"] {
        assert_eq!(office.get(&case, stranger).await.status, 404, "{stranger}");
    }
    let own = case.replace("cases", "reports");
    assert_eq!(office.get(&own, WORKER).await.with(200)["registered_area"], "330481004201");

    let everyday = office.case_from(&report("everyday-1", EVERYDAY, IN_TONGXI)).await;
    let seen = office.get(&everyday, "leader-002001").await.with(200);
    assert_eq!(seen["holder"], format!("grid_leader:{TONGXI}/330481004002001"));
    office.closes_clean().await;
}

#[tokio::test]
async fn shares_without_a_registered_area_are_flagged_and_looked_into_where_they_were_reported() {
    let office = office("tongxi").await;
    let case = office.case_from(&report("shares-2", SHARES, IN_TONGXI)).await;
    let seen = office.get(&case, "community-002").await.with(200);
    assert_eq!(
        (seen["holder"].as_str(), seen["area"].as_str()),
        (Some(&*format!("community:{TONGXI}")), Some(TONGXI))
    );
    assert_eq!(seen["flags"], json!(["no_registration"]));
    assert!(seen["why"]["zh"].as_str().unwrap().contains("上报未写明户籍地，先由事发地核实"), "{seen}");
    office.closes_clean().await;
}

/// Nine to ten metres on either side of 桐溪社区, from the middle of its southern grids.
#[tokio::test]
async fn a_shared_border_is_whose_the_table_says_and_the_lowest_code_s_where_it_says_nothing() {
    let office = office("tongxi").await;
    let (west, east, lat) = (120.705, 120.715, 30.4775);
    let grid = |code: &str| format!("grid_leader:330481/330481004/{}/{code}", &code[..12]);
    let tongxi = [grid("330481004002002"), grid("330481004002004")];
    for (n, category, lon, holder, why) in [
        (
            1,
            EVERYDAY,
            west - 0.0001,
            &tongxi[0],
            "的界线（桐溪路（示意））10 米，按界线归属表归桐溪社区第2网格（示意）",
        ),
        (2, EVERYDAY, west, &tongxi[0], "的界线（桐溪路（示意））上，按界线归属表归桐溪社区第2网格（示意）"),
        (
            3,
            EVERYDAY,
            west - 0.0003,
            &grid("330481004007001"),
            "地点在先锋社区第1网格（示意）内，距其边界 29 米；",
        ),
        (
            4,
            WATER,
            east - 0.0001,
            &grid("330481004008001"),
            "的界线（新丰河（示意））10 米，按界线归属表归新丰社区第1网格",
        ),
        (5, EVERYDAY, east - 0.0001, &tongxi[1], "地点在桐溪社区第4网格（示意）内，距其边界 10 米；"),
        (6, EVERYDAY, east, &tongxi[1], "同时也在 330481004008001 内，取最小编码"),
    ] {
        let case = office.case_from(&report(&format!("border-{n}"), category, (lon, lat))).await;
        let seen = office.seen_by("desk-1", &case).await;
        assert_eq!(seen["holder"], holder.as_str(), "{n}: {seen}");
        assert!(seen["why"]["zh"].as_str().unwrap().contains(why), "{n}: {}", seen["why"]);
    }
    office.closes_clean().await;
}

#[tokio::test]
async fn the_form_asks_for_the_registered_area_where_a_category_goes_by_it() {
    let office = office("tongxi").await;
    let (_, path) = office.link(WORKER, 1);
    let mut phone = Browser::new(&office);
    let page = phone.open(&path).await;
    assert!(page.text.contains("<section id=\"registration\" data-for=\"3101 3201\">"), "{page:?}");
    assert!(page.text.contains("只用于「经济协商」「股权核定」"), "{page:?}");
    assert!(page.text.contains("<option value=\"330481004216\">马桥村委会</option>"), "{page:?}");
    assert!(page.text.contains("立案条件：股权的确认、继承、变更有异议"), "{page:?}");
    let filled = Fields::hidden_in(&page.text)
        .with("category", SHARES)
        .with("area", "330481004002003")
        .with("text", "继承了父亲的股权");

    let nowhere = phone.send(&path, &filled.clone().with("registered_area", "330206003001")).await;
    assert_eq!(nowhere.status, 422, "{nowhere:?}");
    assert!(nowhere.text.contains("id=\"wrong-registered_area\""), "{nowhere:?}");
    let again = Fields::hidden_in(&nowhere.text)
        .with("category", SHARES)
        .with("area", "330481004002003")
        .with("text", "继承了父亲的股权")
        .with("registered_area", "330481004201");
    let sent = phone.send(&path, &again).await;
    let incident = sent.header("location").rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
    let case = office.get(&format!("/api/v1/cases/{incident}?wait=10s"), "community-201").await.with(200);
    assert_eq!(case["holder"], format!("community:{VILLAGE}"));

    let plain = self::office("twostreets").await;
    let (_, path) = plain.link("worker-111", 1);
    assert!(
        !Browser::new(&plain).open(&path).await.text.contains("id=\"registration\""),
        "no category there asks"
    );
    plain.closes_clean().await;
    office.closes_clean().await;
}

#[tokio::test]
async fn the_list_of_categories_says_when_each_is_taken_up_and_when_it_is_done_and_which_go_by_registration()
{
    let office = office("tongxi").await;
    assert_eq!(office.anonymous("GET", "/api/v1/categories").send().await.unwrap().status(), 401);
    let listed = office.get("/api/v1/categories", "leader-002001").await.with(200);
    let listed = listed["categories"].as_array().unwrap();
    assert_eq!(listed.len(), 4);
    let shares = listed.iter().find(|category| category["code"] == SHARES).unwrap();
    assert_eq!(
        (shares["by_registration"].as_bool(), shares["handle_limit"].as_str()),
        (Some(true), Some("15wd"))
    );
    assert_eq!(shares["filing_en"], "A share that is disputed, inherited or changed");
    assert_eq!(shares["closing_zh"], "村按章程核定并书面告知当事人");
    assert!(
        listed.iter().any(|category| category["code"] == EVERYDAY && category["by_registration"] == false)
    );
    office.closes_clean().await;
}

#[tokio::test]
async fn the_figures_of_a_district_are_those_of_its_communities() {
    let office = office("tongxi").await;
    let case = office.case_from(&report("everyday-2", EVERYDAY, IN_TONGXI)).await;
    assert_eq!(office.seen_by("desk-1", &case).await["district"]["zh"], "桐溪片区（示意）");
    let figures = "/api/v1/figures?district=east";
    let east = office.when(figures, "supervisor-1", |figures| figures["all"]["opened"] == 1).await;
    assert_eq!((&east["all"]["area"], &east["all"]["name_zh"]), (&json!("east"), &json!("桐溪片区（示意）")));
    let below: Vec<(&str, i64)> = east["below"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["name_zh"].as_str().unwrap(), one["opened"].as_i64().unwrap()))
        .collect();
    let communities = [
        ("桐溪社区居委会", 1),
        ("新场社区居委会", 0),
        ("柏士社区居委会", 0),
        ("新丰社区居委会", 0),
        ("正阳村委会", 0),
    ];
    assert_eq!(below, communities);
    let west = office.get("/api/v1/figures?district=west", "supervisor-1").await.with(200);
    assert_eq!(west["all"]["opened"], 0);
    let street = office.get("/api/v1/figures?area=330481/330481004", "supervisor-1").await.with(200);
    let community = street["below"].as_array().unwrap().iter().find(|one| one["area"] == TONGXI).unwrap();
    assert_eq!(community["district"], "east");
    // Whoever sees less than the street sees none of its districts, and none that is not there.
    for (person, query, status) in [
        ("community-002", "district=east", 404),
        ("supervisor-1", "district=north", 404),
        ("supervisor-1", "district=east&area=330481/330481004", 422),
    ] {
        let answer = office.get(&format!("/api/v1/figures?{query}"), person).await;
        assert_eq!(answer.status, status, "{person} {query}");
    }
    office.closes_clean().await;
}

/// 红联社区 / 红联村委会: both in 小港街道, and easily taken for one another.
#[tokio::test]
async fn places_that_are_called_alike_are_shown_with_what_lies_above_them() {
    let mut world = World::on("beilun", monday_morning()).await;
    let shares = world.new_report("2104", (121.803_558, 29.925_353));
    let shares = NewReport { registered_area: Some("330206003200".to_owned()), ..shares };
    world.submit("worker-002009001", shares).await.unwrap();
    world.settle().await;
    let records = platform::store::log::slice(world.all.around.store.readers(), 0, i64::MAX).await.unwrap();
    let routed = records.iter().find(|record| record.kind == INCIDENT_ROUTED).unwrap();
    let route = routed.body::<IncidentRouted>().unwrap().route;
    assert!(route.why.zh.contains("登记在红联村委会（小港街道）；"), "{}", route.why.zh);
    assert!(route.why.en.contains("in Honglian Village (Xiaogang Street)."), "{}", route.why.en);
    assert_eq!(route.area.code(), "330206003200");
}
