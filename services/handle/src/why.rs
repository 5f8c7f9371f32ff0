//! Why a case is where it is, from what happened to it: who chose its holder, which organisation took it and when, and
//! why none is asked. Pure.

use chrono::{DateTime, Utc};
use domain::case::{Case, FINAL_RETURN, Happened, too_late_to_offer};
use domain::holder::Holder;
use domain::id::PartnerId;
use domain::naming;
use domain::partner::ReleaseReason;
use domain::text::Text;
use platform::pack::Pack;

use crate::store::history::Entry;
use crate::terms;

/// What explains where the case is now; `history` oldest first. `None`: it was opened by nothing that says why.
pub(crate) fn why_here(case: &Case, history: &[Entry], now: DateTime<Utc>, pack: &Pack) -> Option<Text> {
    let mut told = Told::default();
    for entry in history {
        told.hear(entry, pack);
    }
    let why = told.why?;
    Some(match too_late_to_offer(case, now, terms(pack)) {
        Some(text) => one_after_the_other(&why, &text),
        None => why,
    })
}

/// As far as it was heard.
#[derive(Default)]
struct Told {
    why: Option<Text>,
    returns: u32,
    /// The organisation that has it, and why it was where it was before.
    taken: Option<(PartnerId, Option<Text>)>,
}

impl Told {
    fn hear(&mut self, entry: &Entry, pack: &Pack) {
        match &entry.happened {
            Happened::Opened { why, .. } | Happened::Assigned { why, .. } => {
                self.why = Some(why.clone());
                self.taken = None;
            }
            Happened::Returned { .. } => {
                self.returns += 1;
                if self.returns >= FINAL_RETURN {
                    self.why = Some(decided_by_the_street());
                }
            }
            Happened::Accepted { partner, .. } => {
                let before = self.why.replace(accepted(partner, entry.at, pack));
                self.taken = Some((partner.clone(), before));
            }
            Happened::Released { partner, reason, holder, .. } => {
                let held = self.taken.take_if(|held| held.0 == *partner);
                if let Some((_, before)) = held {
                    let back = released(partner, *reason, holder, entry.at, pack);
                    self.why = Some(
                        before.map_or_else(|| back.clone(), |before| one_after_the_other(&back, &before)),
                    );
                }
            }
            _ => {}
        }
    }
}

fn decided_by_the_street() -> Text {
    Text::new(
        format!("已退回 {FINAL_RETURN} 次，由街道指挥室决定并承办，不得再退。"),
        format!(
            "It was given back {FINAL_RETURN} times: the street's desk decides, has it, and that is final."
        ),
    )
}

fn accepted(partner: &PartnerId, at: DateTime<Utc>, pack: &Pack) -> Text {
    let (name, at) = (name_of(partner, pack), local(at, pack));
    Text::new(
        format!("{}于 {at} 接单，由其承办；交回或被撤回时仍归原承办人。", name.zh),
        format!(
            "{} took it on {at} and has it; given up or taken back, it is its former holder's again.",
            name.en
        ),
    )
}

fn released(
    partner: &PartnerId,
    reason: ReleaseReason,
    holder: &Holder,
    at: DateTime<Utc>,
    pack: &Pack,
) -> Text {
    let (name, at, back) = (name_of(partner, pack), local(at, pack), naming::holder(holder, &pack.areas));
    let (zh, en) = match reason {
        ReleaseReason::GivenBack => ("交回", "gave it back"),
        ReleaseReason::Suspended => ("被暂停，不再承办", "was suspended and lost it"),
        ReleaseReason::Removed => ("被清退，不再承办", "was removed and lost it"),
    };
    Text::new(
        format!("{}于 {at} {zh}，回到{}。", name.zh, back.zh),
        format!("{} {en} on {at}: back to {}.", name.en, back.en),
    )
}

fn one_after_the_other(first: &Text, then: &Text) -> Text {
    Text::new(format!("{}{}", first.zh, then.zh), format!("{} {}", first.en, then.en))
}

/// As the pack lists it; its id where it was filed since.
fn name_of(partner: &PartnerId, pack: &Pack) -> Text {
    let known = pack.partners.iter().find(|known| known.id == *partner);
    known.map_or_else(|| Text::new(partner.0.as_str(), partner.0.as_str()), |known| known.name.clone())
}

fn local(at: DateTime<Utc>, pack: &Pack) -> String {
    pack.calendar.local(at).format("%Y-%m-%d %H:%M").to_string()
}
