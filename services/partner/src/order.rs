//! 下单: a desk has a case offered to organisations it names, or to all that fit. Pure.

use domain::category::Category;
use domain::facts::OfferProposed;
use domain::id::{IncidentId, PartnerId};
use domain::partner::{Partner, Unfit, fits};
use domain::rights::{Action, Grant, may};
use domain::text::Text;
use platform::turn::{Asked, Turn};

use crate::store::cases::Mirrored;
use crate::{Command, Done, Refused, Work, no_time, propose, why};

/// The command.
#[derive(Clone, Debug)]
pub struct Order {
    pub incident: IncidentId,
    /// To whom; empty: all that fit.
    pub partners: Vec<PartnerId>,
    /// What the asker is, where; from the token.
    pub grants: Vec<Grant>,
}

pub(crate) fn obey(
    work: &mut Work,
    order: &Order,
    asked: &Asked<Command>,
    turn: &mut Turn,
) -> Result<Done, Refused> {
    let case = work.cases.get(&order.incident).ok_or(Refused::Unknown)?;
    if !may(&order.grants, Action::SeeCase, &case.area, &case.holder) {
        return Err(Refused::Unknown);
    }
    if !may(&order.grants, Action::Order, &case.area, &case.holder) {
        return Err(Refused::NotYours(Text::new(
            "只有承办人或其上级的社区、街道可以下单",
            "only whoever holds the case, or the community or street above, can place an order",
        )));
    }
    if !matches!(case.state.as_str(), "DISPATCHED" | "HANDLING") || case.holder.partner().is_some() {
        return Err(Refused::Late(Text::new(
            "此案正待接单、已由社会组织承办或已办结，不能再下单",
            "the case is on offer, held by an organisation or answered already: no order can be placed",
        )));
    }
    let at = turn.at(asked.recorded_at);
    if let Some(text) = no_time(work, case, at) {
        return Err(Refused::Late(text));
    }
    let category = work.category(case).ok_or(Refused::Unknown)?;
    let chosen = chosen(work, order, case, category)?;
    let body = OfferProposed::Placed {
        partners: chosen.iter().map(|partner| partner.id.clone()).collect(),
        by: Some(asked.by.clone()),
        revision: case.revision,
        why: why(&chosen, true),
    };
    let asked_to = chosen.iter().map(|partner| partner.id.clone()).collect();
    propose(turn, order.incident, at, "act/order".to_owned(), &body);
    Ok(Done::Ordered(asked_to))
}

fn chosen<'a>(
    work: &'a Work,
    order: &Order,
    case: &Mirrored,
    category: &Category,
) -> Result<Vec<&'a Partner>, Refused> {
    if order.partners.is_empty() {
        let fitting = work.fitting(case, category);
        return if fitting.is_empty() { Err(nobody(work, case, category)) } else { Ok(fitting) };
    }
    let mut chosen: Vec<&Partner> = Vec::new();
    for id in &order.partners {
        let organisation = work.organisations.get(id).ok_or_else(|| {
            let text =
                Text::new(format!("没有编号为 {id} 的社会组织"), format!("there is no organisation `{id}`"));
            Refused::Field("partners", text)
        })?;
        let fit = fits(&organisation.partner, category, &case.area, work.busy_of(organisation));
        fit.map_err(|unfit| Refused::Field("partners", unfit_text(&organisation.partner, unfit)))?;
        if !chosen.iter().any(|known| known.id == *id) {
            chosen.push(&organisation.partner);
        }
    }
    Ok(chosen)
}

fn nobody(work: &Work, case: &Mirrored, category: &Category) -> Refused {
    let reasons = work.organisations.values().filter_map(|organisation| {
        let unfit = fits(&organisation.partner, category, &case.area, work.busy_of(organisation)).err()?;
        (unfit != Unfit::Category).then(|| unfit_text(&organisation.partner, unfit))
    });
    let reasons: Vec<Text> = reasons.take(5).collect();
    let joined = |of: fn(&Text) -> &str, between| reasons.iter().map(of).collect::<Vec<_>>().join(between);
    let (zh, en) = (joined(|text| &text.zh, "；"), joined(|text| &text.en, "; "));
    Refused::Late(Text::new(
        format!("没有可承接的社会组织{}{zh}", if zh.is_empty() { "" } else { "：" }),
        format!("no organisation can take it{}{en}", if en.is_empty() { "" } else { ": " }),
    ))
}

fn unfit_text(partner: &Partner, unfit: Unfit) -> Text {
    let text = unfit.text();
    Text::new(format!("{}{}", partner.name.zh, text.zh), format!("{}: {}", partner.name.en, text.en))
}
