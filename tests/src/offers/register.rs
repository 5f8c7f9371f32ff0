//! 备案 over HTTP: whom a street files, and what is named when it does not.

use serde_json::{Value, json};

use crate::bad_input::Says;
use crate::bad_input::office::Office;

/// An organisation that a street can file.
fn crow() -> Value {
    json!({
        "id": "crow", "name_zh": "乌鸦志愿队（示意）", "name_en": "Crow (illustrative)",
        "class": "service", "status": "filed", "office": "990001/990001001",
        "members": 10, "in_charge": true, "charter": true, "fixed_place": true,
        "coverage": ["990001/990001001/990001001001"], "categories": ["clean-up"], "capacity": 2,
    })
}

impl Office {
    async fn does_not_file(&self, field: &str, value: Value, named: &str, en: &str, zh: &str) {
        let mut wrong = crow();
        wrong[field] = value;
        let says = Says { status: 422, code: "wrong-field", field: Some(named), en, zh };
        self.refuses(self.request("POST", "/api/v1/partners", "desk-1a").json(&wrong), says).await;
    }
}

#[tokio::test]
async fn what_an_organisation_cannot_be_filed_with_is_named_by_its_field() {
    let office = Office::with_partners().await;
    for (field, value) in [
        ("name_zh", "乌鸦\u{7}志愿队"),
        ("name_zh", "乌鸦\n志愿队"),
        ("name_en", "Crow\u{202e}worC"),
        ("name_en", "Cr\u{200b}ow"),
        ("name_en", "Crow\u{7f}!"),
    ] {
        let (en, zh) = ("holds a control character, which nobody sees", "含有不可见的控制字符");
        office.does_not_file(field, json!(value), field, en, zh).await;
    }
    for (field, value, named, en, zh) in [
        ("name_zh", json!("  "), "name_zh", "a name has 1 to 100 characters", "名称须为 1 到 100 字"),
        ("id", json!("Crow"), "id", "1 to 32 lower-case letters", "1 到 32 个小写字母"),
        (
            "members",
            json!(9),
            "partner",
            "filing needs 10 members or more",
            "备案须有成员 10 人以上，现为 9 人",
        ),
        (
            "office",
            json!("990001/990001001/990001001001"),
            "office",
            "is neither a street nor a county",
            "不是街道或区县",
        ),
        (
            "categories",
            json!(["clean-up", "dispute"]),
            "categories",
            "(`dispute`) is sensitive and is never offered",
            "（dispute）是敏感事项，不交社会组织",
        ),
        (
            "categories",
            json!(["unheard-of"]),
            "categories",
            "`unheard-of` is not in the pack",
            "unheard-of 不在本辖区的表中",
        ),
        ("coverage", json!([]), "coverage", "name at least one area", "服务范围不能为空"),
        (
            "coverage",
            json!(["990001/990001009"]),
            "coverage",
            "`990001/990001009` is not in the pack",
            "不在本辖区的表中",
        ),
        (
            "coverage",
            json!(["990001/990001002"]),
            "coverage",
            ", the office it is filed with",
            "不在备案（登记）机关",
        ),
        ("coverage", json!(["../.."]), "coverage", "is no path of an area", "不是区域路径"),
        ("capacity", json!(0), "capacity", "capacity is from 1 to 1000000", "capacity 须为 1 到 1000000"),
        ("class", json!("army"), "class", "unknown variant `army`", "字段 class 有误"),
        ("standing", json!("active"), "standing", "unknown field `standing`", "字段 standing 有误"),
    ] {
        office.does_not_file(field, value, named, en, zh).await;
    }
    let register = office.get("/api/v1/partners", "desk-1a").await.with(200);
    assert_eq!(register["partners"].as_array().unwrap().len(), 4, "nobody was filed: {register}");

    assert_eq!(office.post("/api/v1/partners", "desk-1a", &crow()).await.status, 204);
    let register = office.get("/api/v1/partners", "worker-111").await.with(200);
    let filed = register["partners"].as_array().unwrap().iter().find(|one| one["id"] == "crow").unwrap();
    assert_eq!((&filed["standing"], &filed["name"]["zh"]), (&json!("active"), &json!("乌鸦志愿队（示意）")));
    office.closes_clean().await;
}

#[tokio::test]
async fn only_the_desk_of_the_street_keeps_its_entries_and_organisations_see_their_own() {
    let office = Office::with_partners().await;
    for person in ["desk-2a", "community-11", "leader-111", "supervisor-1", "lark-1"] {
        assert_eq!(office.post("/api/v1/partners", person, &crow()).await.status, 403, "{person}");
        let removed = json!({ "standing": "removed", "reason": "示意" });
        let standing = office.post("/api/v1/partners/home/standing", person, &removed).await;
        assert_eq!(standing.status, 403, "{person}");
    }
    let own = office.get("/api/v1/partners", "lark-1").await.with(200);
    let ids: Vec<_> = own["partners"].as_array().unwrap().iter().map(|one| one["id"].as_str()).collect();
    assert_eq!(ids, [Some("lark")], "{own}");
    let removed = json!({ "standing": "removed", "reason": "示意" });
    assert_eq!(office.post("/api/v1/partners/nobody/standing", "desk-1a", &removed).await.status, 404);
    for (reason, en, zh) in [
        (" ", "give the reason", "请写明理由"),
        ("长".repeat(2_001).as_str(), "at most 2000", "最长 2000 字"),
    ] {
        let body = json!({ "standing": "removed", "reason": reason });
        let says = Says { status: 422, code: "wrong-reason", field: Some("reason"), en, zh };
        office
            .refuses(office.request("POST", "/api/v1/partners/home/standing", "desk-1a").json(&body), says)
            .await;
    }
    let register = office.get("/api/v1/partners", "desk-1a").await.with(200);
    assert!(
        register["partners"].as_array().unwrap().iter().all(|one| one["standing"] == "active"),
        "{register}"
    );
    office.closes_clean().await;
}
