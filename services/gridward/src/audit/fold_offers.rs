//! The part of the fold that concerns partner organisations and stages: written down a second time, on JSON.

use serde_json::{Value, json};

use super::fold::{handled_by, list, mark, meet, one_more, put, remove, turn_into};

/// Asked of organisations: its holder has it meanwhile, and need not sign for it.
pub(super) fn offered(case: &mut Value, happened: &Value) {
    meet(case, "sign", happened);
    one_more(case, "revision");
    turn_into(case, "OFFERED", 0);
    case["partners"] = happened["partners"].clone();
    put(case, &happened["offer"]);
}

pub(super) fn accepted(case: &mut Value, happened: &Value, at: &str) -> Result<(), String> {
    let partner = asked(case, happened)?;
    meet(case, "offer", happened);
    handled_by(case, happened);
    one_more(case, "revision");
    turn_into(case, "HANDLING", 0);
    mark(case, "signed", happened, at);
    case["home"] = case["holder"].clone();
    case["holder"] = format!("partner:org/{}", partner.as_str().unwrap_or_default()).into();
    Ok(())
}

/// One organisation less; with the last one the case is its holder's to sign for.
pub(super) fn not_asked(case: &mut Value, happened: &Value) -> Result<(), String> {
    let partner = asked(case, happened)?;
    one_more(case, "revision");
    let partners = list(case, "partners");
    partners.retain(|other| *other != *partner);
    if partners.is_empty() {
        flow_back(case, happened, happened["met_at"].clone());
    }
    Ok(())
}

pub(super) fn flow_back(case: &mut Value, happened: &Value, met_at: Value) {
    meet(case, "offer", &json!({ "met_at": met_at }));
    turn_into(case, "DISPATCHED", 0);
    put(case, &happened["sign"]);
}

/// Back to whoever held it before; what was answered stands.
pub(super) fn released(case: &mut Value, happened: &Value) -> Result<(), String> {
    let partner = happened["partner"].as_str().unwrap_or_default();
    if case["holder"] != format!("partner:org/{partner}") {
        return Err(format!("`{partner}` does not hold it"));
    }
    if case["home"] != happened["holder"] {
        return Err(format!("it goes to {}, where {} is its home", happened["holder"], case["home"]));
    }
    one_more(case, "revision");
    case["holder"] = happened["holder"].clone();
    remove(case, "home");
    if case["state"] == "HANDLING" {
        turn_into(case, "DISPATCHED", 0);
        put(case, &happened["sign"]);
    }
    Ok(())
}

pub(super) fn staged(case: &mut Value, happened: &Value) -> Result<(), String> {
    let stage = happened["stage"].as_str().unwrap_or_default().to_owned();
    if !stage.starts_with("stage") {
        return Err(format!("`{stage}` is no stage"));
    }
    meet(case, &stage, happened);
    handled_by(case, happened);
    one_more(case, "revision");
    Ok(())
}

fn asked<'a>(case: &Value, happened: &'a Value) -> Result<&'a Value, String> {
    let partner = &happened["partner"];
    let asked = case["partners"].as_array().is_some_and(|partners| partners.contains(partner));
    if asked { Ok(partner) } else { Err(format!("{partner} is not asked")) }
}
