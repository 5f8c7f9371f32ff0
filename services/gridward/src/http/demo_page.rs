//! The demo's page at `/`. It looks and acts through the API like anybody else, with the token of whoever its visitor is.

use std::collections::BTreeMap;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use domain::area::Level;
use domain::text::Text;
use platform::clock::Clock;
use platform::pack::Pack;
use serde::Serialize;

use crate::demo::{Line, Visitor};

const PAGE: &str = include_str!("../demo/page/page.html");
/// Where what the page needs to know is put into it.
const KNOWN: &str = "{{KNOWN}}";
const STYLE: &str = include_str!("../demo/page/page.css");

/// The scripts by address: `page.js` is begun with, and each imports what it needs of the others.
const SCRIPTS: [(&str, &str); 11] = [
    ("/demo/page.js", include_str!("../demo/page/page.js")),
    ("/demo/words.js", include_str!("../demo/page/words.js")),
    ("/demo/state.js", include_str!("../demo/page/state.js")),
    ("/demo/time.js", include_str!("../demo/page/time.js")),
    ("/demo/draw.js", include_str!("../demo/page/draw.js")),
    ("/demo/asking.js", include_str!("../demo/page/asking.js")),
    ("/demo/lists.js", include_str!("../demo/page/lists.js")),
    ("/demo/case.js", include_str!("../demo/page/case.js")),
    ("/demo/actions.js", include_str!("../demo/page/actions.js")),
    ("/demo/areas.js", include_str!("../demo/page/areas.js")),
    ("/demo/partner.js", include_str!("../demo/page/partner.js")),
];

/// The page loads nothing but what is served beside it, and nobody frames it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What the page cannot ask the API for.
#[derive(Serialize)]
struct Known<'a> {
    pack: &'a Text,
    zone: &'static str,
    speed: f64,
    /// Whether the clock leaves something out, as nights.
    skips: bool,
    visitors: &'a [Visitor],
    /// The highest level that the pack's deadlines make answerable.
    climbs_to: Option<&'static str>,
    /// Names by code.
    categories: BTreeMap<&'a str, &'a Text>,
    /// Codes of the categories that are counted nowhere on the page: of a few cases even their number tells.
    sensitive: Vec<&'a str>,
    /// Names by path.
    areas: BTreeMap<&'a str, &'a Text>,
    /// Names by id.
    people: BTreeMap<&'a str, &'a Text>,
    partners: BTreeMap<&'a str, &'a Text>,
    lines: &'a [Line],
}

/// The page, its style and its scripts.
pub fn demo_page(visitors: &[Visitor], clock: &Clock, speed: f64, pack: &Pack, lines: &[Line]) -> Router {
    let known = Known {
        pack: &pack.name,
        zone: pack.calendar.zone_name(),
        speed,
        skips: matches!(clock, Clock::Skipping(_)),
        visitors,
        climbs_to: climbs_to(pack).map(Level::as_str),
        categories: pack.categories.values().map(|one| (one.code.0.as_str(), &one.name)).collect(),
        sensitive: sensitive(pack),
        areas: pack.areas.iter().map(|area| (area.path.as_str(), &area.name)).collect(),
        people: pack.people.iter().map(|person| (person.id.0.as_str(), &person.name)).collect(),
        partners: pack.partners.iter().map(|partner| (partner.id.0.as_str(), &partner.name)).collect(),
        lines,
    };
    let page = PAGE.replace(KNOWN, &inside_script(&known));
    let router = Router::new()
        .route("/", get(move || async move { with_policy(Html(page)) }))
        .route("/demo/page.css", get(|| async { of_type("text/css; charset=utf-8", STYLE) }));
    SCRIPTS.into_iter().fold(router, |router, (address, script)| {
        router.route(address, get(move || async move { of_type("text/javascript; charset=utf-8", script) }))
    })
}

fn climbs_to(pack: &Pack) -> Option<Level> {
    let policies = std::iter::once(&pack.policy).chain(pack.policy.urgent.as_deref());
    let ladders = policies.flat_map(|policy| [&policy.sign, &policy.handle, &policy.check]);
    ladders.flat_map(|ladder| &ladder.escalate).map(|rung| rung.to).max()
}

fn sensitive(pack: &Pack) -> Vec<&str> {
    let sensitive = pack.categories.values().filter(|one| one.sensitive);
    sensitive.map(|one| one.code.0.as_str()).collect()
}

fn with_policy(page: Html<String>) -> Response {
    ([(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY))], page).into_response()
}

fn of_type(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response()
}

/// JSON that is safe inside a script element.
fn inside_script(data: &impl Serialize) -> String {
    serde_json::to_string(data).expect("plain text with text keys").replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use domain::case::State;
    use domain::routing::Flag;

    use super::*;

    #[test]
    fn nothing_that_a_pack_says_ends_the_script_it_is_in() {
        let name = Text::new("</script><script>alert(1)", "<!--");
        let written = inside_script(&name);
        assert!(!written.contains('<'), "{written}");
        assert_eq!(serde_json::from_str::<Text>(&written).unwrap(), name);
    }

    #[test]
    fn the_page_has_one_place_for_what_it_knows_and_nothing_that_the_policy_forbids() {
        assert_eq!(PAGE.matches(KNOWN).count(), 1);
        for forbidden in ["style=\"", "onclick=", "<style", "http://", "https://"] {
            let found =
                PAGE.lines().find(|line| line.contains(forbidden) && !line.contains("data:image/svg+xml"));
            assert_eq!(found, None, "{forbidden}");
        }
    }

    #[test]
    fn whoever_a_visitor_can_be_has_a_desk_a_name_and_a_picture() {
        let script = |name: &str| SCRIPTS.iter().find(|(address, _)| address.ends_with(name)).unwrap().1;
        let (page, words) = (script("/page.js"), script("/words.js"));
        for role in ["worker", "leader", "community", "dispatcher", "checker", "supervisor", "partner"] {
            let entries = page.matches(&format!("\n  {role}: ")).count();
            assert_eq!(entries, 3, "{role}: what is beside what, what is asked for, what is shown");
            assert!(words.contains(&format!(" {role}: ['")), "{role} has no name");
            assert!(words.contains(&format!("\n  {role}: ['")), "nobody says what {role} does");
            assert!(PAGE.contains(&format!("id=\"icon-{role}\"")), "{role}");
        }
    }

    /// As the page writes it, `key: ['中文', 'English']`.
    fn is_worded(words: &str, key: &str) -> bool {
        let written = [format!(" {key}: ['"), format!(" '{key}': ['")];
        let Some((_, rest)) = written.iter().find_map(|start| words.split_once(start.as_str())) else {
            return false;
        };
        rest.split_once("', '")
            .is_some_and(|(zh, en)| !zh.is_empty() && !zh.contains('\n') && !en.starts_with('\''))
    }

    #[test]
    fn whatever_the_page_says_it_can_say_in_both_languages() {
        let words = SCRIPTS.iter().find(|(address, _)| address.ends_with("/words.js")).unwrap().1;
        let said = SCRIPTS.iter().flat_map(|(_, script)| script.split("say('").skip(1));
        let said = said.filter_map(|rest| rest.split_once('\'')).map(|(key, _)| key);
        let written = PAGE.split("data-say=\"").skip(1).filter_map(|rest| rest.split_once('"'));
        for key in said.chain(written.map(|(key, _)| key)) {
            assert!(is_worded(words, key), "`{key}` has no words");
        }
    }

    #[test]
    fn each_state_of_a_case_and_each_level_has_a_name_and_who_waits_for_what_is_told() {
        let words = SCRIPTS.iter().find(|(address, _)| address.ends_with("/words.js")).unwrap().1;
        for state in State::NAMES.into_iter().chain(["PASSED"]) {
            assert!(is_worded(words, state) && is_worded(words, &format!("waits_{state}")), "{state}");
        }
        for level in Level::ALL {
            assert!(is_worded(words, level.as_str()), "{level}");
        }
        for flag in Flag::ALL {
            assert!(is_worded(words, flag.as_str()), "{flag:?}");
        }
    }

    /// 超期 alone says neither whether a case is not signed for or not handled, nor whether figures count it.
    #[test]
    fn what_is_late_is_called_by_the_deadline_that_it_missed() {
        let kinds = [("超期", &["处置", "阶段"][..]), ("超时", &["签收", "接单", "核查"][..])];
        for (address, script) in SCRIPTS {
            let told = script.lines().filter(|line| !line.trim_start().starts_with("/**"));
            for (line, (late, of)) in told.flat_map(|line| kinds.map(|kind| (line, kind))) {
                let of_what = |(at, _): (usize, &str)| of.iter().any(|what| line[..at].ends_with(what));
                assert!(line.match_indices(late).all(of_what), "{address}: {late} of what? {line}");
            }
        }
    }

    /// The API's figures leave them out; what the page counts by itself must not bring them back, nor list them beside it.
    #[test]
    fn what_is_sensitive_is_in_no_number_that_the_page_itself_counts() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/packs/beilun");
        let pack = Pack::load(&folder).unwrap();
        assert_eq!(sensitive(&pack), ["2201", "2202", "2203", "2204"]);
        let script = |name: &str| SCRIPTS.iter().find(|(address, _)| address.ends_with(name)).unwrap().1;
        assert!(script("/words.js").contains("(KNOWN.sensitive || []).includes(code)"));
        for (address, script) in SCRIPTS {
            for line in script.lines().filter(|line| line.contains("seen.late.cases")) {
                let left_out = line.contains("!is_sensitive(row.category)")
                    || line.contains("every((row) => row.overdue)");
                assert!(left_out, "{address}: {line}");
            }
        }
    }

    #[test]
    fn the_ladder_is_told_as_far_up_as_the_pack_has_one() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/packs/beilun");
        assert_eq!(climbs_to(&Pack::load(&folder).unwrap()), Some(Level::County));
    }

    #[test]
    fn every_script_that_is_imported_is_served_and_none_puts_text_in_as_markup() {
        for (address, script) in SCRIPTS {
            for name in script.lines().filter_map(|line| line.split_once(" from './")) {
                let path = format!("/demo/{}", name.1.trim_end_matches("';"));
                assert!(SCRIPTS.iter().any(|(known, _)| *known == path), "{address}: {path}");
            }
            for forbidden in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
                assert!(!script.contains(forbidden), "{address}: {forbidden}");
            }
        }
    }
}
