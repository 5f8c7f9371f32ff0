//! The office that lives: the pack of two streets with two partner organisations, one category that they are offered
//! and one that is done in stages.

use std::sync::Arc;

use discover::Discover;
use domain::calendar::Limit;
use domain::category::{Category, Stage};
use domain::holder::organisation;
use domain::id::PersonId;
use domain::partner::{Class, Partner, Standing, Status};
use domain::rights::{Grant, Role};
use domain::text::Text;
use handle::Handle;
use partner::PartnerDesk;
use platform::metrics::Metrics;
use platform::pack::{InForce, Pack};
use route::Route;
use supervise::Supervise;

use super::switches::{Broken, Switch};
use crate::commands::PackFolder;

/// Made up; see its `pack.json`.
const PACK: &str = "twostreets";

/// The street whose organisations there are.
const STREET: &str = "990001/990001001";

/// The organisations, and how many cases each can have.
pub const ORGANISATIONS: [(&str, u32); 2] = [("home", 5), ("lark", 1)];

/// Hands enough for every case of a life.
const ENOUGH: u32 = 99;

/// Who changes their standing.
pub const DESK: &str = "desk-1a";

/// Categories that are reported.
pub const CATEGORIES: [&str; 6] = ["gas", "rubbish", "road", "dispute", "clean-up", "building"];

/// The one that organisations are asked to take.
pub const OFFERED: &str = "clean-up";

/// Where something can be reported, and by whom: two grids of two streets, a spot that says nothing about where it
/// is, and a place in no grid.
pub const SPOTS: [(f64, f64, &str); 4] = [
    (121.805, 29.905, "worker-111"),
    (121.825, 29.905, "worker-211"),
    (121.8001, 29.9001, "worker-112"),
    (121.5, 29.5, "worker-212"),
];

/// The services, which keep nothing between turns, and what they stand on.
#[derive(Clone)]
pub struct Office {
    pub pack: Arc<Pack>,
    pub metrics: Metrics,
    pub discover: Arc<Discover>,
    pub route: Arc<Route>,
    pub handle: Arc<Handle>,
    pub supervise: Arc<Supervise>,
    pub partner: Arc<PartnerDesk>,
}

impl Office {
    /// # Errors
    /// When the pack is not there or cannot be used.
    pub fn open() -> anyhow::Result<Self> {
        Self::of(&*PackFolder::of_settings(PACK.into()).load()?)
    }

    /// On the pack of two streets, wherever it was found.
    ///
    /// # Errors
    /// When its boundaries cannot be used.
    pub fn of(pack: &Pack) -> anyhow::Result<Self> {
        let pack = Arc::new(with_partners(pack.clone())?);
        let (metrics, in_force) = (Metrics::new(), InForce::new(pack.clone()));
        Ok(Self {
            discover: Discover::new(&in_force),
            route: Route::new(&in_force).map_err(|fault| anyhow::anyhow!("{fault}"))?,
            handle: Handle::new(&in_force),
            supervise: Supervise::new(&in_force, &metrics)?,
            partner: PartnerDesk::new(&in_force),
            pack,
            metrics,
        })
    }

    /// The organisations as the register begins with them; whoever counts nobody's hands takes each to have enough.
    pub fn organisations(&self, broken: Broken) -> Vec<Partner> {
        let mut organisations = self.pack.partners.clone();
        if broken.has(Switch::OverCapacity) {
            organisations.iter_mut().for_each(|organisation| organisation.capacity = ENOUGH);
        }
        organisations
    }

    /// What somebody may do: a person of the pack, or one of an organisation's people, as `lark-1`.
    pub fn grants(&self, person: &PersonId) -> Vec<Grant> {
        if let Some(known) = self.pack.people.get(person) {
            return known.grants.clone();
        }
        let member = |(id, _): &&(&str, u32)| member(id) == *person;
        let of = ORGANISATIONS.iter().find(member);
        of.map(|(id, _)| Grant { role: Role::Partner, area: organisation(&(*id).into()) })
            .into_iter()
            .collect()
    }
}

/// The person who acts for an organisation.
pub fn member(organisation: &str) -> PersonId {
    PersonId(format!("{organisation}-1"))
}

fn with_partners(mut pack: Pack) -> anyhow::Result<Pack> {
    pack.policy.offer_limit = Some(Limit::parse("3h")?);
    let limit = Limit::parse("12h")?;
    let named = |name: &str| Text::new(name, name);
    let stage = |name: &str, limit: &str| Limit::parse(limit).map(|limit| Stage { name: named(name), limit });
    let stages = vec![stage("stop", "4h")?, stage("fine", "8h")?];
    for (code, offer_to, stages) in
        [(OFFERED, vec![Class::Service], Vec::new()), ("building", Vec::new(), stages)]
    {
        let category = Category {
            code: code.into(),
            name: named(code),
            handle_limit: limit,
            sensitive: false,
            stages,
            offer_to,
            conditions: None,
        };
        pack.categories.insert(category.code.clone(), category);
    }
    let street = STREET.parse::<domain::area::AreaPath>().map_err(|fault| anyhow::anyhow!("{fault}"))?;
    let one = |(id, capacity): (&str, u32)| Partner {
        id: id.into(),
        name: named(id),
        class: Class::Service,
        status: Status::Filed,
        office: street.clone(),
        members: 12,
        in_charge: true,
        charter: true,
        fixed_place: true,
        coverage: vec![street.clone()],
        categories: Vec::new(),
        capacity,
        standing: Standing::Active,
    };
    pack.partners = ORGANISATIONS.into_iter().map(one).collect();
    Ok(pack)
}
