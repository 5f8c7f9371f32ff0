//! The scripted lives: what a visitor is to see within two minutes, whenever the page is opened. Each is a list of what
//! is done when; four kinds, three or four times a day, so that no two of a kind are further apart than that. Pure.

use chrono::NaiveTime;
use domain::area::Level;
use domain::case::{Case, ReturnReason, State};
use domain::partner::DeclineReason;
use domain::text::Text;
use platform::pack::Pack;

use super::deeds::Deed;
use crate::demo::highlights::Kind;

/// One life.
#[derive(Clone, Copy, Debug)]
pub struct Life {
    pub kind: Kind,
    /// Hour and minute of the report.
    pub at: (u32, u32),
    pub since: Since,
    /// Minutes after that, and what is then done.
    pub deeds: &'static [(i64, Deed)],
    /// Minutes after that, and what is to be seen has happened.
    pub shows: i64,
}

/// What the minutes of a life are counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    Report,
    /// 升级到街道, of a case that nobody signs for: that is for the policy to say when.
    Street,
}

/// Signed for, handled and checked within the hour.
const HANDLED: &[(i64, Deed)] = &[(6, Deed::Sign), (38, Deed::Answer), (54, Deed::Pass), (57, Deed::Close)];

/// Nobody signs until the street is answerable; then it is quickly done.
const ESCALATED: &[(i64, Deed)] =
    &[(12, Deed::Sign), (45, Deed::Answer), (70, Deed::Pass), (73, Deed::Close)];

/// An organisation accepts, and answers for what it did. What has to be said in time is said twice: the second time is
/// nobody's, where the first was heard.
const TAKEN: &[(i64, Deed)] = &[
    (14, Deed::Accept(0)),
    (20, Deed::Accept(0)),
    (95, Deed::Answer),
    (130, Deed::Pass),
    (133, Deed::Close),
];

/// 点单 – 下单 – 接单: nobody wants it as it is offered, the community places an order, and that is taken.
const ORDERED: &[(i64, Deed)] = &[
    (3, Deed::Decline(0, DeclineReason::NotNow)),
    (5, Deed::Decline(0, DeclineReason::NoCapacity)),
    (7, Deed::Decline(0, DeclineReason::NotNow)),
    (9, Deed::Decline(0, DeclineReason::NotOurWork)),
    (12, Deed::Order),
    (18, Deed::Accept(0)),
    (24, Deed::Accept(0)),
    (110, Deed::Answer),
    (150, Deed::Pass),
    (153, Deed::Close),
];

/// Two grids hold the place and neither wants it, nor does the community: the street has to decide.
const RETURNED: &[(i64, Deed)] = &[
    (7, Deed::Return { before: 0, reason: ReturnReason::WrongArea }),
    (10, Deed::Return { before: 0, reason: ReturnReason::WrongArea }),
    (17, Deed::Return { before: 1, reason: ReturnReason::UnclearOwner }),
    (20, Deed::Return { before: 1, reason: ReturnReason::UnclearOwner }),
    (27, Deed::Return { before: 2, reason: ReturnReason::OverlappingDuty }),
    (30, Deed::Return { before: 2, reason: ReturnReason::OverlappingDuty }),
    (36, Deed::Sign),
    (40, Deed::Sign),
    (100, Deed::Answer),
    (150, Deed::Pass),
    (153, Deed::Close),
];

const fn handled(at: (u32, u32)) -> Life {
    Life { kind: Kind::Handled, at, since: Since::Report, deeds: HANDLED, shows: 57 }
}

const fn escalated(at: (u32, u32)) -> Life {
    Life { kind: Kind::Escalated, at, since: Since::Street, deeds: ESCALATED, shows: 0 }
}

const fn taken(at: (u32, u32)) -> Life {
    Life { kind: Kind::Partner, at, since: Since::Report, deeds: TAKEN, shows: 14 }
}

const fn returned(at: (u32, u32)) -> Life {
    Life { kind: Kind::Returned, at, since: Since::Report, deeds: RETURNED, shows: 36 }
}

/// Every day's, in the order of their reports.
pub const LIVES: [Life; 13] = [
    escalated((8, 5)),
    escalated((9, 55)),
    handled((10, 2)),
    taken((10, 6)),
    returned((10, 10)),
    handled((12, 30)),
    Life { kind: Kind::Partner, at: (13, 5), since: Since::Report, deeds: ORDERED, shows: 18 },
    returned((13, 40)),
    escalated((14, 55)),
    handled((15, 40)),
    taken((17, 0)),
    returned((17, 20)),
    handled((18, 20)),
];

impl Life {
    pub fn time(&self) -> NaiveTime {
        NaiveTime::from_hms_opt(self.at.0, self.at.1, 0).unwrap_or_default()
    }
}

/// Whether what is to be seen of a life has happened to its case.
pub fn has_happened(kind: Kind, case: &Case) -> bool {
    let closed = matches!(case.state, State::Closed { .. });
    match kind {
        Kind::Handled => closed && case.level == Level::Grid,
        Kind::Escalated => case.level >= Level::Street,
        Kind::Partner => case.holder.partner().is_some(),
        Kind::Returned => case.returns >= 3 && !matches!(case.state, State::Dispatched),
        Kind::Typhoon | Kind::News => true,
    }
}

/// What is about to be seen of a case of `category` in `area`, by their names.
pub fn expected(kind: Kind, category: &Text, area: &Text) -> Text {
    let (zh, en) = (&category.zh, &category.en);
    let (where_zh, where_en) = (&area.zh, &area.en);
    match kind {
        Kind::Handled => Text::new(
            format!("刚上报「{zh}」：{where_zh}的网格长就要去办"),
            format!("“{en}” has just been reported: the leader of {where_en} is about to handle it"),
        ),
        Kind::Escalated => Text::new(
            format!("{where_zh}的「{zh}」一直没人签收，马上要升级"),
            format!("Nobody signs for “{en}” in {where_en}: it is about to climb"),
        ),
        Kind::Partner => Text::new(
            format!("{where_zh}的「{zh}」正等社会组织接单"),
            format!("“{en}” in {where_en} waits for an organisation to take it"),
        ),
        Kind::Returned => Text::new(
            format!("{where_zh}的「{zh}」权属说不清，就要被退来退去"),
            format!(
                "Whose “{en}” in {where_en} is, is not clear: it is about to be given back again and again"
            ),
        ),
        Kind::Typhoon | Kind::News => category.clone(),
    }
}

/// What was seen.
pub fn happened(kind: Kind, category: &Text, area: &Text, case: &Case, pack: &Pack) -> Text {
    let (zh, en) = (&category.zh, &category.en);
    let (where_zh, where_en) = (&area.zh, &area.en);
    match kind {
        Kind::Handled => Text::new(
            format!("小事不出网格：{where_zh}的「{zh}」当天签收、办结，经他人核查后结案"),
            format!(
                "Settled within the grid: “{en}” in {where_en} was signed for, handled, checked by somebody else and closed"
            ),
        ),
        Kind::Escalated => Text::new(
            format!("到时自动升级：{where_zh}的「{zh}」无人签收，经社区升到了街道"),
            format!(
                "It climbed by itself: nobody signed for “{en}” in {where_en}, so first the community and now the street is answerable"
            ),
        ),
        Kind::Partner => {
            let partner = case.holder.partner();
            let known = pack.partners.iter().find(|known| Some(&known.id) == partner.as_ref());
            let name =
                known.map_or_else(|| Text::new("社会组织", "An organisation"), |known| known.name.clone());
            Text::new(
                format!("社会组织接单：{}接下了{where_zh}的「{zh}」", name.zh),
                format!("{} took “{en}” in {where_en}", name.en),
            )
        }
        Kind::Returned => Text::new(
            format!("三次退回，街道拍板：{where_zh}的「{zh}」由街道指挥室办理，不得再退"),
            format!(
                "Given back three times, decided by the street: its desk handles “{en}” in {where_en}, and that is final"
            ),
        ),
        Kind::Typhoon | Kind::News => category.clone(),
    }
}
