//! Lines to paste into a terminal: the same on the page and where the demo was started.

use std::net::SocketAddr;
use std::path::Path;

use discover::NewReport;
use domain::id::PersonId;
use domain::rights::Role;
use domain::text::Text;
use platform::pack::{Pack, Person};
use serde::Serialize;
use serde_json::json;

/// One line, and what it does.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    pub does: Text,
    pub command: String,
}

/// Where a demo runs, as a shell names it.
pub struct Place<'a> {
    pub program: &'a str,
    pub address: SocketAddr,
    pub data: &'a Path,
    pub pack: &'a Path,
}

/// What somebody reports.
pub struct Example {
    /// Who; any worker of the pack where that is not said.
    pub by: Option<PersonId>,
    pub report: NewReport,
}

/// A worker reports the example, and the desk of the pack's own street looks at it. Nothing for a pack without either of
/// them.
pub fn lines(place: &Place<'_>, pack: &Pack, example: &Example) -> Vec<Line> {
    let Place { address, .. } = place;
    let any = |role| pack.people.iter().find(|person| has(person, role));
    let worker = example.by.as_ref().and_then(|by| pack.people.get(by)).or_else(|| any(Role::GridWorker));
    let desk = pack.people.working_for(&pack.routing.fallback).next().or_else(|| any(Role::StreetDesk));
    let (Some(worker), Some(desk)) = (worker, desk) else { return Vec::new() };
    let example = &example.report;
    // A client id of its own for each report: the same one again would answer the same incident.
    let mut report = json!({
        "client_id": "try-NOW",
        "category": example.category,
        "place": {"lon": example.place.lon, "lat": example.place.lat, "datum": example.place.datum},
    });
    if !example.description.is_empty() {
        report["description"] = example.description.as_str().into();
    }
    let report = quoted(&report.to_string()).replace("NOW", "'$(date +%s)'");
    let name = pack.categories.values().find(|category| category.code.0 == example.category);
    let name =
        name.map_or_else(|| Text::new(&example.category, &example.category), |named| named.name.clone());
    let token = |variable: &str, person: &Person| {
        let (program, id) = (quoted(place.program), quoted(&person.id.0));
        let (data, pack) =
            (quoted(&place.data.display().to_string()), quoted(&place.pack.display().to_string()));
        format!("{variable}=$({program} token --as {id} --data {data} --pack {pack})")
    };
    vec![
        line(
            format!("取得 {} 的令牌", worker.name.zh),
            format!("get a token of {}", worker.name.en),
            token("TOKEN", worker),
        ),
        line(
            format!("上报：{}", name.zh),
            format!("report: {}", name.en),
            format!(
                "curl -s http://{address}/api/v1/reports -H \"Authorization: Bearer $TOKEN\" -d {report}; echo"
            ),
        ),
        line(
            format!("取得 {} 的令牌", desk.name.zh),
            format!("get a token of {}", desk.name.en),
            token("DESK", desk),
        ),
        line(
            "列出最紧急的三件".to_owned(),
            "list the three most urgent cases".to_owned(),
            format!(
                "curl -s 'http://{address}/api/v1/cases?limit=3' -H \"Authorization: Bearer $DESK\"; echo"
            ),
        ),
        line(
            "全街道统计".to_owned(),
            "the figures".to_owned(),
            format!("curl -s http://{address}/api/v1/figures -H \"Authorization: Bearer $DESK\"; echo"),
        ),
    ]
}

fn line(zh: String, en: String, command: String) -> Line {
    Line { does: Text::new(zh, en), command }
}

fn has(person: &Person, role: Role) -> bool {
    person.grants.iter().any(|grant| grant.role == role)
}

/// One word of a shell: inside single quotes everything but a single quote is taken as it is.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/:".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::demo::day::Script;

    #[test]
    fn a_worker_of_the_street_reports_from_the_own_grid_and_the_desk_of_that_street_looks() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/packs/beilun");
        let pack = Arc::new(Pack::load(&folder).unwrap());
        let example = Script::of(&pack).unwrap().unwrap().example().into();
        let address = "127.0.0.1:8080".parse().unwrap();
        let (data, named) = (Path::new(".data/demo"), Path::new("beilun"));
        let place = Place { program: "gridward", address, data, pack: named };
        let commands: Vec<String> =
            lines(&place, &pack, &example).into_iter().map(|line| line.command).collect();
        let end = "--data .data/demo --pack beilun)";
        assert_eq!(commands[0], format!("TOKEN=$(gridward token --as worker-002002001 {end}"));
        assert_eq!(commands[2], format!("DESK=$(gridward token --as desk-command {end}"));
        let report = &commands[1];
        for told in ["\"category\":\"0501\"", "富春江路", "\"client_id\":\"try-'$(date +%s)'\"", "CGCS2000"]
        {
            assert!(report.contains(told), "{told} in {report}");
        }
        assert!(!report.contains('\n'), "one line to paste: {report}");
    }

    #[test]
    fn a_shell_reads_each_word_as_it_was() {
        assert_eq!(quoted("target/debug/gridward"), "target/debug/gridward");
        assert_eq!(quoted("my data"), "'my data'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("$(rm)"), "'$(rm)'");
        assert_eq!(quoted(""), "''");
    }
}
