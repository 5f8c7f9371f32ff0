//! 社会组织 partner: the register of organisations, and what is offered to them.
//!
//! In: `case.*` from `handled`, and what people do over HTTP: organisations answer offers, desks place orders (下单)
//! and keep the register. Out: `offer.*` on `partnered`. It proposes; handle decides on its own row, and the first
//! acceptance that finds the offer standing wins. Never holds a case, never sees more of one than its category, its
//! place and its time, and never hears of a sensitive one at all.

mod answer;
pub mod http;
mod on_case_changed;
mod order;
mod register;
mod store;
mod sweep;

pub use answer::{Answer, Said};
pub use order::Order;
pub use register::{Change, Filed};
pub use store::offers::OfferState;
pub use store::organisations::follow;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::category::Category;
use domain::facts::{OfferProposed, Topic};
use domain::id::{IncidentId, PartnerId};
use domain::partner::Partner;
use domain::text::Text;
use platform::pack::{InForce, Pack};
use platform::store::{Readers, StoreError, Tx};
use platform::stream::Record;
use platform::turn::{Asked, Service, Turn, Undecided};

use store::cases::Mirrored;
use store::offers::{OfferKey, OfferRow};
use store::organisations::{Held, Organisation};

/// The service.
#[derive(Debug)]
pub struct PartnerDesk {
    pack: InForce,
}

impl PartnerDesk {
    pub fn new(pack: &InForce) -> Arc<Self> {
        Arc::new(Self { pack: pack.clone() })
    }
}

/// What people ask.
#[derive(Clone, Debug)]
pub enum Command {
    /// 接单 or 婉拒.
    Answer(Answer),
    /// 下单.
    Order(Order),
    /// 备案, 暂停, 清退 …
    Register(Change),
}

/// What they are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// It was sent on; what came of it is told by the case itself.
    Sent {
        round: u32,
    },
    /// It had come to this already.
    Already(OfferState),
    Ordered(Vec<PartnerId>),
    Registered,
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no such thing, or it is not theirs to see: both look alike.
    Unknown,
    /// It is not theirs to do.
    NotYours(Text),
    /// Not any more, or not in this state.
    Late(Text),
    /// A field that cannot be.
    Field(&'static str, Text),
}

/// The rows of one turn, and the pack it goes by.
#[derive(Debug)]
pub struct Work {
    pack: Arc<Pack>,
    cases: BTreeMap<IncidentId, Mirrored>,
    offers: BTreeMap<OfferKey, OfferRow>,
    organisations: BTreeMap<PartnerId, Organisation>,
    /// How many open cases each holds.
    busy: BTreeMap<PartnerId, u32>,
    changed_cases: BTreeSet<IncidentId>,
    changed_offers: BTreeSet<OfferKey>,
    /// Written, and what its offers and cases have to be looked at for.
    changed_organisations: BTreeSet<PartnerId>,
}

impl Work {
    fn category(&self, case: &Mirrored) -> Option<&Category> {
        self.pack.categories.get(&case.category)
    }

    fn set_offer(&mut self, key: OfferKey, row: OfferRow) {
        self.changed_offers.insert(key.clone());
        self.offers.insert(key, row);
    }

    /// The offers of `incident` in its latest round.
    fn latest(&self, incident: IncidentId) -> impl Iterator<Item = (&OfferKey, &OfferRow)> {
        let round = self.offers.keys().filter(|key| key.incident == incident).map(|key| key.round).max();
        self.offers.iter().filter(move |(key, _)| key.incident == incident && Some(key.round) == round)
    }

    /// Those that may be offered a case as it stands, in order of their ids.
    fn fitting(&self, case: &Mirrored, category: &Category) -> Vec<&Partner> {
        let fits = |organisation: &&Organisation| {
            domain::partner::fits(&organisation.partner, category, &case.area, self.busy_of(organisation))
                .is_ok()
        };
        self.organisations.values().filter(fits).map(|organisation| &organisation.partner).collect()
    }

    fn busy_of(&self, organisation: &Organisation) -> u32 {
        self.busy.get(&organisation.partner.id).copied().unwrap_or(0)
    }
}

/// Says what is proposed for `incident`.
fn propose(turn: &mut Turn, incident: IncidentId, at: DateTime<Utc>, cause: String, body: &OfferProposed) {
    turn.publish(incident, body.fact_type(), at, cause, body);
}

/// Why nobody is asked any more to take `case` at `at`: it has to be handled before an offer would end.
fn no_time(work: &Work, case: &Mirrored, at: DateTime<Utc>) -> Option<Text> {
    let policy = work.pack.policy.of(work.category(case).map(|category| category.handle_limit));
    policy.no_time_to_offer(&work.pack.calendar, at, case.due_at?)
}

/// Why these organisations are asked, for whoever reads the case.
fn why(partners: &[&Partner], ordered: bool) -> Text {
    let names = |of: fn(&Partner) -> &str, between| {
        partners.iter().map(|one| of(one)).collect::<Vec<_>>().join(between)
    };
    let (zh, en) = (names(|one| &one.name.zh, "、"), names(|one| &one.name.en, ", "));
    if ordered {
        Text::new(format!("下单给{zh}"), format!("An order was placed with {en}."))
    } else {
        Text::new(
            format!("此类事项可由社会组织承接，范围、类别、余力均合者：{zh}"),
            format!("Organisations may take this category; those whose area, class and hands fit: {en}."),
        )
    }
}

#[async_trait::async_trait]
impl Service for PartnerDesk {
    const NAME: &'static str = "partner";
    const READS: &'static [Topic] = &[Topic::Handled];
    const WRITES: Topic = Topic::Partnered;
    type Command = Command;
    type Answer = Result<Done, Refused>;
    type Work = Work;

    fn incident(command: &Command) -> IncidentId {
        match command {
            Command::Answer(answer) => answer.incident,
            Command::Order(order) => order.incident,
            Command::Register(change) => register::stands_for(change.partner()),
        }
    }

    async fn load(
        &self,
        tx: &Tx,
        incidents: &[IncidentId],
        commands: &[Asked<Command>],
    ) -> Result<Work, StoreError> {
        let held = if commands.is_empty() { Held::Together } else { Held::Alone };
        store::organisations::hold(tx, held).await?;
        let cases = store::cases::load(tx, incidents).await?;
        let offers = store::offers::load(tx, incidents).await?;
        let organisations = store::organisations::load(tx).await?;
        // What is accepted and not decided yet may become its case too.
        let busy = store::hands::full(tx).await?;
        Ok(Work {
            pack: self.pack.now(),
            cases,
            offers,
            organisations,
            busy,
            changed_cases: BTreeSet::new(),
            changed_offers: BTreeSet::new(),
            changed_organisations: BTreeSet::new(),
        })
    }

    fn obey(&self, work: &mut Work, asked: &Asked<Command>, turn: &mut Turn) -> Self::Answer {
        match &asked.command {
            Command::Answer(answer) => answer::obey(work, answer, asked, turn),
            Command::Order(order) => order::obey(work, order, asked, turn),
            Command::Register(change) => register::obey(work, change, asked, turn),
        }
    }

    fn react(&self, work: &mut Work, record: &Record, turn: &mut Turn) -> Result<(), Undecided> {
        Ok(on_case_changed::react(work, record, turn)?)
    }

    async fn save(&self, tx: &Tx, work: Work, turn: &Turn) -> Result<(), StoreError> {
        let cases: Vec<_> =
            work.changed_cases.iter().filter_map(|key| work.cases.get_key_value(key)).collect();
        let offers: Vec<_> =
            work.changed_offers.iter().filter_map(|key| work.offers.get_key_value(key)).collect();
        let organisations: Vec<_> =
            work.changed_organisations.iter().filter_map(|id| work.organisations.get(id)).collect();
        store::organisations::save(tx, &organisations).await?;
        store::cases::save(tx, &cases).await?;
        store::offers::save(tx, &offers).await?;
        for organisation in organisations.iter().filter(|one| !one.is_active()) {
            store::offers::look_at_all_of(tx, &organisation.partner.id, turn.now()).await?;
        }
        Ok(())
    }

    async fn due(&self, tx: &Tx, now: DateTime<Utc>, limit: u64) -> Result<Vec<IncidentId>, StoreError> {
        store::offers::due(tx, now, limit).await
    }

    fn sweep(&self, work: &mut Work, incident: IncidentId, turn: &mut Turn) {
        sweep::sweep(work, incident, turn);
    }

    async fn put_off(&self, tx: &Tx, incident: IncidentId, until: DateTime<Utc>) -> Result<(), StoreError> {
        store::offers::put_off(tx, incident, until).await
    }

    async fn next_due(&self, readers: &Readers) -> Result<Option<DateTime<Utc>>, StoreError> {
        store::offers::next(readers).await
    }
}
