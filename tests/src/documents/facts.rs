//! `docs/facts.md`: one fact of each type, taken from the log of a small life.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::TimeDelta;
use discover::Discover;
use domain::case::{Action, Happened, ReturnReason};
use domain::facts::{
    CaseFact, INCIDENT_ROUTED, IncidentRouted, OfferProposed, REPORT_SUBMITTED, ReportSubmitted, STEP_DUE,
    StepDue, Topic,
};
use domain::id::IncidentId;
use domain::partner::{DeclineReason, Standing};
use handle::Handle;
use partner::{PartnerDesk, Said};
use platform::pack::Pack;
use platform::stream::Record;
use platform::turn::Service;
use serde::Serialize;
use serde::de::DeserializeOwned;
use supervise::Supervise;

use super::states::{CHECKER, HOLDER};
use crate::partners::{OFFERED, STAGED};
use crate::world::{World, monday_morning};

/// When each type of fact is told; everything else on the page is asked of the code.
const WHEN: [(&str, &str); 23] = [
    (REPORT_SUBMITTED, "上报: a report is stored, before it is answered 201"),
    (INCIDENT_ROUTED, "流转: who should hold it is chosen, once for the report and once after each return"),
    ("case.opened", "立案派遣: the case opens with its holder and its deadlines"),
    (
        "case.assigned",
        "改派、转派: the next attempt after a return, or whoever is answerable, gives it to another holder",
    ),
    ("case.signed", "签收: its holder takes it on"),
    ("case.offered", "下单: organisations are asked to take it; its holder has it meanwhile"),
    ("case.accepted", "接单: the first organisation that accepted holds it"),
    ("case.declined", "婉拒: an organisation declined, without blame"),
    ("case.lapsed", "超时回流: nobody took it in time"),
    ("case.released", "回流: an organisation gave it back, or was suspended or removed"),
    ("case.staged", "阶段办结: a stage of the work is done"),
    ("case.returned", "退回: its holder gives it back; the street desk holds it until it is routed again"),
    ("case.answered", "办结反馈: its holder says it is done"),
    ("case.checked", "核查通过: somebody else found it done"),
    ("case.reworked", "返工: somebody else found it not done"),
    ("case.reminded", "催办: the reminder of a deadline takes effect"),
    ("case.escalated", "升级: a deadline passed, and the next level is answerable too"),
    ("case.closed", "结案: somebody who did not handle it closes it"),
    (
        "offer.placed",
        "下单: organisations that fit are proposed, by somebody or because the category is offered by itself",
    ),
    (
        "offer.accepted",
        "接单: an organisation accepts; the first that finds the offer standing gets the case",
    ),
    ("offer.declined", "婉拒: an organisation declines"),
    (
        "offer.withdrawn",
        "清退、暂停: an organisation was suspended or removed, and loses what it was offered or holds",
    ),
    (STEP_DUE, "到时: the time of a step has come; also told when handle noticed first"),
];

/// Each service's name, what it reads and what it writes.
fn services() -> [(&'static str, &'static [Topic], Topic); 5] {
    fn of<S: Service>() -> (&'static str, &'static [Topic], Topic) {
        (S::NAME, S::READS, S::WRITES)
    }
    [of::<Discover>(), of::<route::Route>(), of::<Handle>(), of::<Supervise>(), of::<PartnerDesk>()]
}

pub(super) async fn page() -> String {
    let (records, pack) = small_life().await;
    let mut examples: BTreeMap<&str, &Record> = BTreeMap::new();
    for record in &records {
        examples.entry(record.kind.as_str()).or_insert(record);
    }
    let mut told: Vec<&str> = WHEN.iter().map(|(kind, _)| *kind).collect();
    told.sort_unstable();
    assert_eq!(told, examples.keys().copied().collect::<Vec<_>>(), "the types told of, and those that came");
    for kind in Happened::FACT_TYPES {
        assert!(examples.contains_key(kind), "{kind}");
    }
    let normal = |text: String| normalised(text, &records, &pack);

    let mut page = String::from(
        "# The facts 事实\n\n\
         What the services tell one another, each topic written by one of them. The key is the incident; \
         `sequence` is 1, 2, 3 … per topic and incident, and a reader takes each once and in order. Facts \
         carry opaque ids and no text of people's, but for the words of a report, where its category is not \
         sensitive.\n\n\
         | topic | fact | when | writer | readers |\n|---|---|---|---|---|\n",
    );
    for topic in Topic::ALL {
        let writer = services().iter().find(|service| service.2 == topic).unwrap().0;
        let readers: Vec<&str> =
            services().iter().filter(|service| service.1.contains(&topic)).map(|service| service.0).collect();
        for (kind, when) in WHEN.iter().filter(|(kind, _)| examples[kind].source.topic == topic) {
            let readers = readers.join(", ");
            writeln!(page, "| `{topic}` | [`{kind}`](#{}) | {when} | {writer} | {readers} |", anchor(kind))
                .unwrap();
        }
    }
    page += &normal(envelope(examples["case.signed"]));
    page += "\n## Bodies\n\nOne of each, from a small life; ids and versions are made up.\n";
    for (kind, _) in WHEN {
        writeln!(page, "\n### `{kind}`\n\n```json\n{}\n```", normal(body(examples[kind]))).unwrap();
        if kind == "case.opened" {
            page += "\nThe bodies of the other facts on `handled` have the same two members: what happened, \
                     and the case's row after it. Below is what happened alone.\n";
        }
    }
    page
}

/// The heading's anchor, as web views of Markdown make it.
fn anchor(kind: &str) -> String {
    kind.replace('.', "")
}

fn envelope(example: &Record) -> String {
    let Record { source, incident, sequence, kind, at, cause, .. } = example;
    let writer = services().into_iter().find(|service| service.2 == source.topic).unwrap().0;
    let mut table = String::from(
        "\n## The envelope\n\n\
         A fact is a JSON body in a CloudEvents 1.0 envelope, binary mode: on a broker these are headers; in \
         the embedded setting those with a column are kept in the table `log`.\n\n\
         | header | column of `log` | what it says | for example |\n|---|---|---|---|\n",
    );
    let at = at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    for (header, column, what, value) in [
        ("ce_specversion", "", "the version of CloudEvents", "1.0".to_owned()),
        (
            "ce_id",
            "",
            "the fact's name: topic, incident, sequence",
            format!("{}/{incident}/{sequence}", source.topic),
        ),
        ("ce_source", "", "the service that wrote it", format!("/gridward/{writer}")),
        ("ce_type", "kind", "what happened", kind.clone()),
        ("ce_time", "at", "when it counts as having happened", at),
        ("ce_subject", "incident", "the incident, which is the key too", incident.to_string()),
        (
            "ce_sequence",
            "sequence",
            "its place among the facts of this topic and incident",
            sequence.to_string(),
        ),
        (
            "ce_cause",
            "cause",
            "what brought it about: `act/…` a person, `topic/sequence` a fact, `due/…` a step",
            cause.clone(),
        ),
    ] {
        let column = if column.is_empty() { String::new() } else { format!("`{column}`") };
        writeln!(table, "| `{header}` | {column} | {what} | `{value}` |").unwrap();
    }
    table
}

/// The body as its own type writes it; of a case fact only what happened, except where the row is new.
fn body(record: &Record) -> String {
    match record.source.topic {
        Topic::Reported => pretty(&read::<ReportSubmitted>(record)),
        Topic::Routed => pretty(&read::<IncidentRouted>(record)),
        Topic::Supervised => pretty(&read::<StepDue>(record)),
        Topic::Partnered => pretty(&read::<OfferProposed>(record)),
        Topic::Handled => {
            let fact = read::<CaseFact>(record);
            if record.kind == "case.opened" { pretty(&fact) } else { pretty(&fact.happened) }
        }
    }
}

fn pretty(body: &impl Serialize) -> String {
    serde_json::to_string_pretty(body).unwrap()
}

/// Reads a body, and makes sure that its type keeps all of it.
fn read<T: DeserializeOwned + Serialize>(record: &Record) -> T {
    let body: T = record.body().unwrap();
    let raw: serde_json::Value = serde_json::from_str(&record.body).unwrap();
    assert_eq!(serde_json::to_value(&body).unwrap(), raw, "{}", record.name());
    body
}

/// Ids are drawn at random, boundaries and calendars are named by what is in their files; a page shows none
/// of it.
fn normalised(text: String, records: &[Record], pack: &Pack) -> String {
    let incident = IncidentId::new(monday_morning(), [0x5a; 10]).to_string();
    let version: String = pack.digest.chars().take(12).collect();
    records
        .iter()
        .fold(text, |text, record| text.replace(&record.incident.to_string(), &incident))
        .replace(&version, "0123456789ab")
        .replace(pack.calendar.version(), "0123456789abcdef")
}

/// Five incidents that between them bring about every type of fact.
async fn small_life() -> (Vec<Record>, Pack) {
    let mut world = World::with_partners().await;
    let incident = world.case_of("rubbish").await;
    world.pass(TimeDelta::minutes(11)).await;
    world.act(HOLDER, Action::Sign, incident).await.unwrap();
    world.pass(TimeDelta::hours(5)).await;
    for (person, action) in [
        (HOLDER, Action::Answer),
        (CHECKER, Action::Fail),
        (HOLDER, Action::Answer),
        (CHECKER, Action::Pass),
        (CHECKER, Action::Close),
    ] {
        world.act(person, action, incident).await.unwrap();
        world.pass(TimeDelta::minutes(1)).await;
    }
    let returned = world.case_of("rubbish").await;
    world.act(HOLDER, Action::Return(ReturnReason::WrongArea), returned).await.unwrap();
    let taken = world.case_of(OFFERED).await;
    world.says("lark", Said::Decline(DeclineReason::NoCapacity), taken).await.unwrap();
    world.says("home", Said::Accept, taken).await.unwrap();
    world.stands("home", Standing::Suspended).await.unwrap();
    let lapsed = world.case_of(OFFERED).await;
    world.pass(TimeDelta::hours(4)).await;
    let building = world.case_of(STAGED).await;
    world.act(HOLDER, Action::Sign, building).await.unwrap();
    world.act(HOLDER, Action::Stage, building).await.unwrap();
    assert!(world.history(lapsed).await.contains(&"case.lapsed".to_owned()));
    let readers = world.all.around.store.readers();
    let records = platform::store::log::slice(readers, 0, i64::MAX).await.unwrap();
    (records, (*world.all.pack).clone())
}
