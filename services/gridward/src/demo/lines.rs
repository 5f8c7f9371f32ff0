//! Lines to paste into a terminal: the same on the page and where the demo was started.

use std::net::SocketAddr;
use std::path::Path;

use domain::rights::Role;
use domain::text::Text;
use platform::pack::{Pack, Person};
use serde::Serialize;
use serde_json::json;

use crate::replay::rows::Row;

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

/// A worker reports what `example` did, and the desk looks at it. Nothing for a pack without either of them.
pub fn lines(place: &Place<'_>, pack: &Pack, example: &Row) -> Vec<Line> {
    let Place { address, .. } = place;
    let who = |role| pack.people.iter().find(|person| has(person, role));
    let (Some(worker), Some(desk)) = (who(Role::GridWorker), who(Role::StreetDesk)) else {
        return Vec::new();
    };
    // A client id of its own for each report: the same one again would answer the same incident.
    let report = json!({
        "client_id": "try-NOW",
        "category": example.category,
        "place": {"lon": example.place.lon, "lat": example.place.lat, "datum": example.place.datum},
    });
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
    use super::*;

    #[test]
    fn a_shell_reads_each_word_as_it_was() {
        assert_eq!(quoted("target/debug/gridward"), "target/debug/gridward");
        assert_eq!(quoted("my data"), "'my data'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("$(rm)"), "'$(rm)'");
        assert_eq!(quoted(""), "''");
    }
}
