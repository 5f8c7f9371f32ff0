//! People: what they ask, as the services are asked it, and what they hear.

use chrono::{DateTime, Utc};
use discover::{NewReport, Reported, Submit};
use domain::id::{IncidentId, PersonId};
use domain::place::{Datum, Place};
use handle::Act;
use partner::{Answer, Change, Command, Done, Order};
use platform::turn::{Asked, Unanswered};

use super::model::Model;
use super::office::{DESK, Office, SPOTS, member};
use super::process::{Ask, Reply};
use super::script::{Acted, PartnerAsk, Sent};
use super::switches::{Broken, Switch};

/// Something asked, and what is remembered of it until it is answered.
pub struct Asking {
    pub ask: Ask,
    pub told: Told,
}

/// What was asked.
#[derive(Clone, Debug)]
pub enum Told {
    Report {
        report: u32,
        body: u8,
    },
    /// In words.
    Other(String),
}

impl Told {
    pub fn words(&self) -> String {
        match self {
            Self::Report { report, body: 0 } => format!("report #{report}"),
            Self::Report { report, .. } => format!("report #{report}, with another body,"),
            Self::Other(words) => words.clone(),
        }
    }
}

/// Reports as devices send them. The client id is the device's own, and stays.
pub fn reports(
    now: DateTime<Utc>,
    to: usize,
    sent: &[Sent],
    broken: Broken,
    model: &mut Model,
) -> Vec<Asking> {
    // Whoever does not compare what is said takes one for the other.
    let taken = broken.has(Switch::OtherBodyTaken);
    let one = |sent: &Sent| {
        let incident = IncidentId::new(now, entropy(sent.draw));
        model.means(incident, sent.report, sent.body);
        let (lon, lat, person) = SPOTS[sent.spot % SPOTS.len()];
        let times = if broken.has(Switch::NewIdOnRetry) { sent.times } else { 0 };
        let known_at = if broken.has(Switch::ClientIdPerInstance) { to } else { 0 };
        let report = NewReport {
            client_id: format!("report-{}-{times}-{known_at}", sent.report),
            category: sent.category.to_owned(),
            place: Place {
                lon,
                lat,
                datum: Datum::Cgcs2000,
                accuracy_m: Some(5.0),
                source: None,
                captured_at: None,
                area: None,
            },
            registered_area: None,
            description: if sent.body == 0 || taken { String::new() } else { format!("body {}", sent.body) },
        };
        let command = Submit { incident, report: Reported::Now(report) };
        let asked = Asked { command, by: person.into(), recorded_at: now };
        Asking { ask: Ask::Report(asked), told: Told::Report { report: sent.report, body: sent.body } }
    };
    sent.iter().map(one).collect()
}

fn entropy(draw: u64) -> [u8; 10] {
    let mut bytes = [0; 10];
    let (low, high) = (draw.to_be_bytes(), draw.rotate_left(29).to_be_bytes());
    bytes[..8].copy_from_slice(&low);
    bytes[8..].copy_from_slice(&high[..2]);
    bytes
}

/// Acts on cases that there are.
pub fn acts(office: &Office, now: DateTime<Utc>, acts: &[Acted], model: &Model) -> Vec<Asking> {
    let one = |acted: &Acted| {
        let Acted { report, person, action, seen } = acted;
        let incident = model.incident_of(*report)?;
        let grants = office.grants(person);
        let command = Act { incident, action: action.clone(), grants, seen: *seen, note: None };
        let told = Told::Other(format!("{person}: {} #{report}", action.name()));
        let asked = Asked { command, by: person.clone(), recorded_at: now };
        Some(Asking { ask: Ask::Act(asked), told })
    };
    acts.iter().filter_map(one).collect()
}

/// What is asked of partner.
pub fn partner(office: &Office, now: DateTime<Utc>, ask: &PartnerAsk, model: &Model) -> Option<Asking> {
    let (command, by, words) = match ask {
        PartnerAsk::Answer { report, organisation, says } => {
            let (incident, by) = (model.incident_of(*report)?, member(organisation));
            let grants = office.grants(&by);
            let answer = Answer { incident, partner: (*organisation).into(), says: *says, grants };
            (Command::Answer(answer), by, format!("{organisation}: {says:?} #{report}"))
        }
        PartnerAsk::Order { report, person, organisations } => {
            let incident = model.incident_of(*report)?;
            let partners = organisations.iter().map(|id| (*id).into()).collect();
            let order = Order { incident, partners, grants: office.grants(person) };
            let words = format!("{person}: order #{report} of {organisations:?}");
            (Command::Order(order), person.clone(), words)
        }
        PartnerAsk::Standing { organisation, standing } => {
            let by = PersonId::from(DESK);
            let change = Change::Standing {
                partner: (*organisation).into(),
                standing: *standing,
                reason: "simulated".to_owned(),
                grants: office.grants(&by),
            };
            let words = format!("{by}: {organisation} is {}", standing.as_str());
            (Command::Register(change), by, words)
        }
    };
    let asked = Asked { command, by, recorded_at: now };
    Some(Asking { ask: Ask::Partner(asked), told: Told::Other(words) })
}

/// What somebody hears.
pub fn answer_in_words(told: &Told, answer: &Result<Reply, Unanswered>) -> String {
    let heard = match answer {
        Err(why) => format!("no answer: {why}"),
        Ok(Reply::Reported(Ok(submitted))) if submitted.fresh => "201".to_owned(),
        Ok(Reply::Reported(Ok(_))) => "200".to_owned(),
        Ok(Reply::Reported(Err(fault))) => format!("refused: {}", fault.code),
        Ok(Reply::Acted(Ok(done))) => format!("{} {}", done.state, done.revision),
        Ok(Reply::Acted(Err(refusal))) => format!("refused: {}", refusal.text().en),
        Ok(Reply::Partner(Ok(done))) => match done {
            Done::Sent { round } => format!("sent, round {round}"),
            Done::Already(state) => format!("already {}", state.as_str()),
            Done::Ordered(partners) => format!("asked of {}", partners.len()),
            Done::Registered => "registered".to_owned(),
        },
        Ok(Reply::Partner(Err(refused))) => format!("refused: {refused:?}"),
    };
    format!("{} → {heard}", told.words())
}
