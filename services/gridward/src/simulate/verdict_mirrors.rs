//! What supervise and partner know of a case, held against the case.

use std::collections::{BTreeMap, BTreeSet};

use domain::case::{Case, State};
use platform::store::StoreError;

use super::office::OFFERED;
use super::promises::Promise;
use super::store::rows;
use super::verdict::{Found, hex};
use super::world::World;

/// Looks at both mirrors.
///
/// # Errors
/// When the database cannot be read.
pub async fn judge(world: &World, found: &mut Found) -> Result<(), StoreError> {
    supervised(world, found).await?;
    steps(world, found).await?;
    partnered(world, found).await?;
    offers(world, found).await
}

/// Names what is there and was not told of, and the other way round.
fn compare<const N: usize>(
    what: &str,
    kept: Vec<[String; N]>,
    told: BTreeSet<[String; N]>,
    found: &mut Found,
) {
    let kept: BTreeSet<[String; N]> = kept.into_iter().collect();
    if kept != told {
        let only_kept: Vec<_> = kept.difference(&told).take(2).collect();
        let only_told: Vec<_> = told.difference(&kept).take(2).collect();
        let what = format!("{what}: it has {only_kept:?} where the case has {only_told:?}");
        found.push((Promise::Mirrors, what));
    }
}

async fn supervised(world: &World, found: &mut Found) -> Result<(), StoreError> {
    let sql = "SELECT lower(hex(incident)), area, category, holder, state, level, CAST(closed_at IS NOT NULL AS TEXT) \
         FROM supervise_case";
    let told = world.model.cases().into_iter().map(|case| {
        let closed = u8::from(matches!(case.state, State::Closed { .. }));
        [
            hex(case.incident),
            case.area.to_string(),
            case.category.to_string(),
            case.holder.to_string(),
            case.state.name().to_owned(),
            case.level.as_str().to_owned(),
            closed.to_string(),
        ]
    });
    compare("supervise's cases", rows(&world.store, sql).await?, told.collect(), found);
    Ok(())
}

/// The latest round of each deadline: what is done is done there too, told of, and looked at no more.
async fn steps(world: &World, found: &mut Found) -> Result<(), StoreError> {
    let sql = "SELECT lower(hex(s.incident)), s.kind, CAST(s.round AS TEXT), CAST(s.step AS TEXT), s.does, \
               CAST(s.done_at IS NOT NULL AS TEXT), CAST(s.done_at IS NULL OR s.noticed_at IS NOT NULL AS TEXT), \
               CAST(d.open AS TEXT) \
               FROM supervise_step s JOIN supervise_deadline d USING (incident, kind, round) \
               WHERE s.round = (SELECT max(round) FROM supervise_step o WHERE o.incident = s.incident AND o.kind = s.kind)";
    let mut told = BTreeSet::new();
    for case in world.model.cases() {
        let closed = matches!(case.state, State::Closed { .. });
        for deadline in &case.deadlines {
            for (n, step) in deadline.steps.iter().enumerate() {
                told.insert([
                    hex(case.incident),
                    deadline.kind.as_str().to_owned(),
                    deadline.round.to_string(),
                    n.to_string(),
                    step.does.as_str().to_owned(),
                    u8::from(step.done_at.is_some()).to_string(),
                    "1".to_owned(),
                    u8::from(deadline.met_at.is_none() && !closed).to_string(),
                ]);
            }
        }
    }
    compare("supervise's steps", rows(&world.store, sql).await?, told, found);
    let sql = "SELECT lower(hex(incident)), kind, does FROM supervise_step \
               WHERE look_at IS NOT NULL AND done_at IS NOT NULL AND noticed_at IS NOT NULL";
    for [incident, kind, does] in rows::<3>(&world.store, sql).await? {
        found.push((
            Promise::Settles,
            format!("supervise looks for {kind} {does} of {incident}, which is done"),
        ));
    }
    Ok(())
}

async fn partnered(world: &World, found: &mut Found) -> Result<(), StoreError> {
    let sql = "SELECT lower(hex(incident)), area, holder, state, CAST(revision AS TEXT) FROM partner_case";
    let told = offered(world).map(|case| {
        [
            hex(case.incident),
            case.area.to_string(),
            case.holder.to_string(),
            case.state.name().to_owned(),
            case.revision.to_string(),
        ]
    });
    compare("partner's cases", rows(&world.store, sql).await?, told.collect(), found);
    Ok(())
}

fn offered(world: &World) -> impl Iterator<Item = &Case> {
    world.model.cases().into_iter().filter(|case| case.category.0 == OFFERED)
}

/// Who is asked and who has taken it, in the latest round: what nobody waits for is not open.
async fn offers(world: &World, found: &mut Found) -> Result<(), StoreError> {
    let sql = "SELECT lower(hex(o.incident)), o.partner, o.state FROM partner_offer o \
               WHERE o.state IN ('open', 'accepting', 'declining', 'won') \
               AND o.round = (SELECT max(round) FROM partner_offer p WHERE p.incident = o.incident) \
               ORDER BY 1, 2";
    let mut standing: BTreeMap<(String, String), String> = BTreeMap::new();
    for [incident, partner, state] in rows::<3>(&world.store, sql).await? {
        standing.insert((incident, partner), state);
    }
    for case in offered(world) {
        let asked = match &case.state {
            State::Offered { partners } => partners.clone(),
            _ => Vec::new(),
        };
        let open = !matches!(case.state, State::Closed { .. });
        let holds = case.holder.partner().filter(|_| open);
        let mut expected: BTreeMap<(String, String), &str> = BTreeMap::new();
        expected.extend(asked.iter().map(|id| ((hex(case.incident), id.to_string()), "open")));
        expected.extend(holds.iter().map(|id| ((hex(case.incident), id.to_string()), "won")));
        for (key, state) in expected {
            let is = standing.remove(&key);
            if is.as_deref() != Some(state) {
                let name = world.model.name(case.incident);
                let what = format!("{name}: the offer to {} is {is:?}, not {state}", key.1);
                found.push((Promise::Mirrors, what));
            }
        }
    }
    for ((incident, partner), state) in standing {
        let what = format!("{incident}: the offer to {partner} is {state}, and the case waits for nothing");
        found.push((Promise::Mirrors, what));
    }
    Ok(())
}
