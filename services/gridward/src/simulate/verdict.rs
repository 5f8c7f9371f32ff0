//! At the end of a life, when all has come to rest: what is kept in each service's tables, in its outbox and on the
//! topics, held against what was told.

use std::collections::{BTreeMap, BTreeSet};

use domain::case::{Case, State};
use domain::facts::Topic;
use domain::id::IncidentId;
use platform::store::StoreError;
use platform::stream::{Fact, Source};

use super::parts::Part;
use super::promises::Promise;
use super::store::rows;
use super::verdict_mirrors;
use super::world::World;

/// Looks at everything.
///
/// # Errors
/// When the database cannot be read.
pub async fn judge(world: &mut World) -> Result<(), StoreError> {
    let mut found = Vec::new();
    kept(world, &mut found).await?;
    taken(world, &mut found).await?;
    positions(world, &mut found).await?;
    outboxes(world, &mut found).await?;
    topics(world, &mut found);
    cases(world, &mut found).await?;
    history(world, &mut found).await?;
    all_due(world, &mut found);
    routed(world, &mut found);
    verdict_mirrors::judge(world, &mut found).await?;
    for (promise, what) in found {
        world.model.breach(promise, what);
    }
    Ok(())
}

pub type Found = Vec<(Promise, String)>;

/// The id as SQL writes it.
pub fn hex(incident: IncidentId) -> String {
    incident.0.simple().to_string()
}

/// One select after the other, each about one service.
pub fn of_each(select: impl Fn(&str) -> String) -> String {
    Part::ALL.map(|part| select(part.name())).join(" UNION ALL ")
}

/// Every report that was answered is kept once, under its client id, and is a case.
async fn kept(world: &World, found: &mut Found) -> Result<(), StoreError> {
    let sql = "SELECT lower(hex(incident)), client_id FROM discover_report";
    let reports: Vec<[String; 2]> = rows(&world.store, sql).await?;
    let reports: BTreeMap<String, String> = reports.into_iter().map(|[id, client]| (id, client)).collect();
    for (report, incident) in &world.model.answered {
        if !reports.contains_key(&hex(*incident)) {
            found.push((Promise::Kept, format!("report #{report} was answered, and is not kept")));
        }
        if world.model.lives.get(incident).is_none_or(|life| life.case.is_none()) {
            found.push((Promise::Kept, format!("report #{report} was answered, and never became a case")));
        }
    }
    let told: BTreeSet<String> = world.model.became.values().flatten().copied().map(hex).collect();
    if told != reports.keys().cloned().collect() {
        found.push((Promise::Agree, format!("told of {told:?}, kept are {:?}", reports.keys())));
    }
    Ok(())
}

/// Each has taken what its writers wrote, to the last.
async fn taken(world: &World, found: &mut Found) -> Result<(), StoreError> {
    let sql = of_each(|service| {
        format!("SELECT '{service}', topic, lower(hex(incident)), CAST(last AS TEXT) FROM {service}_sequence")
    });
    let kept: Vec<[String; 4]> = rows(&world.store, &sql).await?;
    let last: BTreeMap<(String, String, String), String> =
        kept.into_iter().map(|[service, topic, incident, last]| ((service, topic, incident), last)).collect();
    for ((topic, incident), facts) in &world.model.facts {
        for part in
            Part::ALL.into_iter().filter(|part| part.writes() == *topic || part.reads().contains(topic))
        {
            let key = (part.name().to_owned(), topic.to_string(), hex(*incident));
            let is = last.get(&key).map_or("nothing", String::as_str);
            if is != facts.len().to_string() {
                let (of, name) = (facts.len(), world.model.name(*incident));
                let what = format!("{} is at {is} of {of} facts of {topic} about {name}", part.name());
                found.push((Promise::Agree, what));
            }
        }
    }
    let sql = of_each(|service| {
        format!(
            "SELECT '{service}', CAST((SELECT count(*) FROM {service}_parked) AS TEXT), \
             CAST((SELECT count(*) FROM {service}_dead_letter) AS TEXT)"
        )
    });
    let aside: Vec<[String; 3]> = rows(&world.store, &sql).await?;
    for [service, parked, dead] in aside {
        if parked != "0" || dead != "0" {
            let what = format!("{service} has {parked} parked facts and {dead} dead letters");
            found.push((Promise::Settles, what));
        }
    }
    Ok(())
}

/// Each reader stands at the end of what it reads.
async fn positions(world: &World, found: &mut Found) -> Result<(), StoreError> {
    let sql = of_each(|service| {
        format!(
            "SELECT '{service}', topic, CAST(partition AS TEXT), CAST(position AS TEXT), topic_id \
             FROM {service}_position"
        )
    });
    let kept: Vec<[String; 5]> = rows(&world.store, &sql).await?;
    let mut at = BTreeMap::new();
    for [service, topic, partition, after, topic_id] in kept {
        let known = topic.parse::<Topic>().is_ok_and(|topic| world.broker.id_of(topic) == topic_id);
        if !known {
            let what = format!("{service} is on {topic}/{partition} of {topic_id}, which is there no more");
            found.push((Promise::Agree, what));
        }
        at.insert((service, topic, partition), after);
    }
    for part in Part::ALL {
        for topic in part.reads() {
            for partition in 0..world.broker.partitions() {
                let last = world.broker.last(Source { topic: *topic, partition }).to_string();
                let key = (part.name().to_owned(), topic.to_string(), partition.to_string());
                let is = at.get(&key).map_or("0", String::as_str);
                if is != last {
                    let what = format!("{} is at {is} of {last} on {topic}/{partition}", part.name());
                    found.push((Promise::Agree, what));
                }
            }
        }
    }
    Ok(())
}

/// An outbox holds what was committed, and all of it is marked.
async fn outboxes(world: &World, found: &mut Found) -> Result<(), StoreError> {
    let sql = of_each(|service| {
        format!(
            "SELECT topic, lower(hex(incident)), CAST(sequence AS TEXT), kind, cause, body, \
             CAST(published_at IS NOT NULL AS TEXT) FROM {service}_outbox"
        )
    });
    let kept: Vec<[String; 7]> = rows(&world.store, &sql).await?;
    let told: usize = world.model.facts.values().map(Vec::len).sum();
    if kept.len() != told {
        found.push((Promise::Agree, format!("{told} facts were committed, and {} are kept", kept.len())));
    }
    let facts: BTreeMap<(String, String, String), &Fact> = world
        .model
        .facts
        .values()
        .flatten()
        .map(|fact| ((fact.topic.to_string(), hex(fact.incident), fact.sequence.to_string()), fact))
        .collect();
    for [topic, incident, sequence, kind, cause, body, marked] in kept {
        let name = format!("{kind} {topic}/{incident}/{sequence}");
        let fact = facts.get(&(topic, incident, sequence));
        let same = fact.is_some_and(|fact| (&fact.kind, &fact.cause, &fact.body) == (&kind, &cause, &body));
        if !same {
            found.push((Promise::Sequences, format!("{name} is not what was committed")));
        }
        if marked != "1" {
            found.push((Promise::Settles, format!("{name} was never sent")));
        }
    }
    Ok(())
}

/// The topics hold each fact at least once, and nothing else.
fn topics(world: &World, found: &mut Found) {
    let mut there = BTreeSet::new();
    for record in world.broker.all() {
        let key = (record.source.topic, record.incident);
        let n = usize::try_from(record.sequence - 1).unwrap_or(usize::MAX);
        let fact = world.model.facts.get(&key).and_then(|facts| facts.get(n));
        let same = fact.is_some_and(|fact| {
            (&fact.kind, fact.at, &fact.cause, &fact.body)
                == (&record.kind, record.at, &record.cause, &record.body)
        });
        if !same {
            found.push((
                Promise::Sequences,
                format!("{} on its topic is not what was committed", record.name()),
            ));
        }
        there.insert((key, record.sequence));
    }
    for ((topic, incident), facts) in &world.model.facts {
        for fact in facts.iter().filter(|fact| !there.contains(&((*topic, *incident), fact.sequence))) {
            let name = world.model.name(*incident);
            let what = format!("{} {topic}/{} {name} is not on its topic", fact.kind, fact.sequence);
            found.push((Promise::Agree, what));
        }
    }
}

/// Whatever was given back has gone to somebody, or the desk has signed for it, or it is the street's for good.
fn routed(world: &World, found: &mut Found) {
    for (incident, _) in world.model.lives.iter().filter(|(_, life)| life.waits_for_route) {
        let name = world.model.name(*incident);
        found.push((
            Promise::Settles,
            format!("{name} was given back, and nobody else was ever proposed for it"),
        ));
    }
}

/// A case's row is as the last fact says.
async fn cases(world: &World, found: &mut Found) -> Result<(), StoreError> {
    let sql = "SELECT lower(hex(incident)), reporter, category, area, holder, coalesce(home, ''), state, level, \
               CAST(attempt AS TEXT), CAST(returns AS TEXT), CAST(reworks AS TEXT), handlers, deadlines, \
               CAST(revision AS TEXT) FROM handle_case";
    let kept: Vec<[String; 14]> = rows(&world.store, sql).await?;
    let kept: BTreeMap<String, [String; 14]> = kept.into_iter().map(|row| (row[0].clone(), row)).collect();
    let told = world.model.cases();
    for case in &told {
        let (name, row) = (world.model.name(case.incident), told_row(case));
        match kept.get(&row[0]) {
            None => found.push((Promise::Kept, format!("{name} is a case no more"))),
            Some(kept) if *kept == row => {}
            Some(kept) => {
                let differs = kept.iter().zip(&row).find(|(kept, told)| kept != told);
                found.push((
                    Promise::Fold,
                    format!("the row of {name} differs from its last fact: {differs:?}"),
                ));
            }
        }
    }
    if kept.len() != told.len() {
        found.push((
            Promise::Agree,
            format!("{} cases were told of, and {} are kept", told.len(), kept.len()),
        ));
    }
    Ok(())
}

fn told_row(case: &Case) -> [String; 14] {
    let list = |list: Result<String, serde_json::Error>| list.unwrap_or_default();
    [
        hex(case.incident),
        case.reporter.to_string(),
        case.category.to_string(),
        case.area.to_string(),
        case.holder.to_string(),
        case.home.as_ref().map(ToString::to_string).unwrap_or_default(),
        case.state.name().to_owned(),
        case.level.as_str().to_owned(),
        case.attempt.to_string(),
        case.returns.to_string(),
        case.reworks.to_string(),
        list(serde_json::to_string(&case.handlers)),
        list(serde_json::to_string(&case.deadlines)),
        case.revision.to_string(),
    ]
}

/// The history has a line for each fact, and route knows its last attempt.
async fn history(world: &World, found: &mut Found) -> Result<(), StoreError> {
    let sql = "SELECT lower(hex(incident)), CAST(sequence AS TEXT), kind FROM handle_history";
    let kept: Vec<[String; 3]> = rows(&world.store, sql).await?;
    let kept: BTreeSet<[String; 3]> = kept.into_iter().collect();
    let told = world.model.facts.iter().filter(|((topic, _), _)| *topic == Topic::Handled);
    let told: BTreeSet<[String; 3]> = told
        .flat_map(|(_, facts)| facts)
        .map(|fact| [hex(fact.incident), fact.sequence.to_string(), fact.kind.clone()])
        .collect();
    if kept != told {
        let differs: Vec<_> = kept.symmetric_difference(&told).take(3).collect();
        found.push((Promise::Agree, format!("the history is not what was told: {differs:?}")));
    }
    let sql = "SELECT lower(hex(incident)), CAST(attempt AS TEXT) FROM route_incident";
    let kept: Vec<[String; 2]> = rows(&world.store, sql).await?;
    let kept: BTreeSet<[String; 2]> = kept.into_iter().collect();
    let routed = world.model.facts.iter().filter(|((topic, _), _)| *topic == Topic::Routed);
    let told = routed.map(|((_, incident), facts)| [hex(*incident), facts.len().to_string()]).collect();
    if kept != told {
        found.push((Promise::Agree, format!("route keeps {kept:?}, and has told of {told:?}")));
    }
    Ok(())
}

/// Every step whose time has come has taken effect, unless its deadline was met or its case is closed.
fn all_due(world: &World, found: &mut Found) {
    let now = world.now();
    for case in world.model.cases() {
        if matches!(case.state, State::Closed { .. }) {
            continue;
        }
        for deadline in case.deadlines.iter().filter(|deadline| deadline.met_at.is_none()) {
            let waiting = deadline.steps.iter().filter(|step| step.done_at.is_none() && step.due_at <= now);
            for step in waiting {
                let (name, kind, does) =
                    (world.model.name(case.incident), deadline.kind.as_str(), step.does.as_str());
                let what = format!("{name}: {kind} {does} was due at {} and never took effect", step.due_at);
                found.push((Promise::AllDue, what));
            }
        }
    }
}
