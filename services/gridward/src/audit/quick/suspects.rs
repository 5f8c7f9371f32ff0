//! Incidents in which two sides differ, and whether that is a fault: the databases are not looked at in one moment,
//! and a reader may be behind.

use std::collections::{BTreeMap, BTreeSet};

use domain::facts::Topic;
use uuid::Uuid;

use super::super::ledger::Ledger;
use super::super::partition;
use super::super::snapshot::Cells;
use super::super::topics::{Extent, Place};
use super::super::whole::{OnKafka, Whole, writer};
use super::asking::{Asking, Ranges, among};
use super::pairs::Pair;
use super::scan::{Scanned, differing, one_by_one, sides};

/// Incidents of one pair that are looked at one by one.
const MOST: usize = 2_000;

/// The incidents of each pair, by its place, that have to be looked at again, and what is said of them so far.
pub(super) type Suspects = BTreeMap<usize, BTreeMap<Uuid, Verdict>>;

/// Of each pair, by its place, how many ranges differ that were not looked at one by one.
pub(super) type LeftOut = BTreeMap<usize, usize>;

/// What is said of an incident in which two sides differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is explained, by what another pair tells of.
    Fine,
    /// Something has yet to be read.
    Waits(String),
    Fault,
}

/// What all looks go by.
pub(super) struct Judging<'a> {
    pub pairs: &'a [Pair],
    pub scanned: &'a BTreeMap<String, Scanned>,
    /// Up to where the topics went when it was looked at first: whoever has read that far has read what lay there.
    pub ends: &'a BTreeMap<Place, Extent>,
}

/// How far a reader is with some incidents.
#[derive(Debug, Default)]
struct Progress {
    drawn: BTreeMap<Uuid, i64>,
    taken: BTreeMap<Uuid, i64>,
    aside: BTreeSet<Uuid>,
    /// The last sequence that is not sent yet.
    unsent: BTreeMap<Uuid, i64>,
}

impl Judging<'_> {
    /// The incidents that differ at first sight; where there are too many, the first of them, and how many ranges
    /// were left out.
    pub async fn find(&self, asking: &Asking<'_>, ranges: &Ranges) -> anyhow::Result<(Suspects, LeftOut)> {
        let (mut suspects, mut left_out) = (Suspects::new(), LeftOut::new());
        for (place, pair) in self.pairs.iter().enumerate() {
            let Some(sides) = sides(pair, self.scanned) else { continue };
            let mut found = BTreeMap::new();
            for number in differing(&sides) {
                if found.len() >= MOST {
                    *left_out.entry(place).or_default() += 1;
                    continue;
                }
                let differ = unlike(asking, &sides, &ranges.condition(number)).await?;
                found.extend(differ.into_iter().map(|incident| (incident, Verdict::Fault)));
            }
            if !found.is_empty() {
                suspects.insert(place, found);
            }
        }
        Ok((suspects, left_out))
    }

    /// Looks at the suspects, and says of each what is to be said now.
    pub async fn judge(
        &self,
        asking: &Asking<'_>,
        whole: &Whole,
        suspects: Suspects,
    ) -> anyhow::Result<Suspects> {
        let mut judged = Suspects::new();
        for (place, found) in suspects {
            let Some(pair) = self.pairs.get(place) else { continue };
            let Some(sides) = sides(pair, self.scanned) else { continue };
            let these = among(found.keys().copied());
            let mut unlike = unlike(asking, &sides, &these).await?;
            if let Some((service, sql)) = pair.unless {
                let known = numbers(asking, service, "what may differ", &format!("{sql}{these}")).await?;
                unlike.retain(|incident| !known.contains_key(incident));
            }
            let mut of_readers = Vec::new();
            for (reader, topic) in &pair.after {
                of_readers.push((*reader, *topic, Progress::load(asking, reader, *topic, &these).await?));
            }
            let said = unlike.into_iter().map(|incident| {
                let verdict = self.verdict(pair, incident, &of_readers, whole);
                (incident, verdict)
            });
            judged.insert(place, said.filter(|(_, verdict)| *verdict != Verdict::Fine).collect());
        }
        judged.retain(|_, found: &mut BTreeMap<Uuid, Verdict>| !found.is_empty());
        Ok(judged)
    }

    fn verdict(
        &self,
        pair: &Pair,
        incident: Uuid,
        readers: &[(&'static str, Topic, Progress)],
        whole: &Whole,
    ) -> Verdict {
        if !pair.taking {
            let caught_up = readers.iter().all(|(_, _, progress)| progress.caught_up(incident));
            return if caught_up { Verdict::Fault } else { Verdict::Fine };
        }
        let Some((reader, topic, progress)) = readers.first() else { return Verdict::Fault };
        if progress.drawn(incident) < progress.taken(incident) {
            return Verdict::Fault;
        }
        let why = if progress.aside.contains(&incident) {
            format!("{reader} has parked a fact of {topic}, or holds it as a dead letter")
        } else if progress.unsent.get(&incident).is_some_and(|last| *last > progress.taken(incident)) {
            format!("a fact of {topic} is not sent yet")
        } else if !self.has_read(whole, reader, *topic, incident) {
            format!("{reader} has not read a fact of {topic} yet")
        } else {
            return Verdict::Fault;
        };
        Verdict::Waits(why)
    }

    /// Whether a reader has read everything about an incident that lay on a topic at first.
    fn has_read(&self, whole: &Whole, reader: &'static str, topic: Topic, incident: Uuid) -> bool {
        let count =
            whole.topics().map_or(0, |topics: &OnKafka| topics.counts.get(&topic).copied().unwrap_or(0));
        let partition = partition::of_incident(incident, count).cast_signed();
        let end = self.ends.get(&(topic, partition)).map_or(0, |extent| extent.last);
        whole.read_to(reader, topic, partition) >= end
    }

    /// Tells what stood, and what was left out.
    pub fn tell(&self, suspects: &Suspects, left_out: &LeftOut, ledger: &mut Ledger) {
        let mut waiting = BTreeMap::new();
        for (place, found) in suspects {
            let Some(pair) = self.pairs.get(*place) else { continue };
            for (incident, verdict) in found {
                match verdict {
                    Verdict::Fine => {}
                    Verdict::Fault => ledger.fault(pair.check, incident, &pair.what),
                    Verdict::Waits(why) if pair.after.iter().any(|(_, topic)| before_the_case(*topic)) => {
                        waiting.entry(*incident).or_insert(why);
                    }
                    Verdict::Waits(_) => {}
                }
            }
        }
        for (incident, why) in waiting {
            ledger.waits(incident, why);
        }
        for (place, ranges) in left_out {
            let Some(pair) = self.pairs.get(*place) else { continue };
            let what =
                format!("{}: so in {ranges} ranges of incidents more, not looked at one by one", pair.what);
            let stands =
                |found: &BTreeMap<Uuid, Verdict>| found.values().any(|verdict| *verdict == Verdict::Fault);
            // Where nothing of what was looked at is a fault, the reader is behind by that much.
            match suspects.get(place).is_some_and(stands) {
                true => ledger.fault(pair.check, "…", what),
                false => ledger.waits("…", what),
            }
        }
    }
}

/// Who has not taken these has no case yet.
fn before_the_case(topic: Topic) -> bool {
    matches!(topic, Topic::Reported | Topic::Routed)
}

/// The incidents among some in which two sides differ.
async fn unlike(
    asking: &Asking<'_>,
    [left, right]: &[(&Scanned, usize); 2],
    which: &str,
) -> anyhow::Result<BTreeSet<Uuid>> {
    let (left, right) =
        tokio::try_join!(one_by_one(asking, *left, which), one_by_one(asking, *right, which))?;
    let all: BTreeSet<Uuid> = left.keys().chain(right.keys()).copied().collect();
    Ok(all.into_iter().filter(|incident| left.get(incident) != right.get(incident)).collect())
}

impl Progress {
    async fn load(
        asking: &Asking<'_>,
        reader: &'static str,
        topic: Topic,
        which: &str,
    ) -> anyhow::Result<Self> {
        let writer = writer(topic);
        let last = |service: &str| {
            format!("SELECT incident, last FROM {service}_sequence WHERE topic = '{topic}' AND {which}")
        };
        let aside = |table: &str| {
            format!(
                "SELECT incident, max(sequence) FROM {reader}_{table} WHERE topic = '{topic}' AND {which} GROUP BY 1"
            )
        };
        let aside = format!("{} UNION ALL {}", aside("parked"), aside("dead_letter"));
        let unsent = format!(
            "SELECT incident, max(sequence) FROM {writer}_outbox WHERE published_at IS NULL AND {which} GROUP BY 1"
        );
        Ok(Self {
            drawn: numbers(asking, writer, "what was drawn", &last(writer)).await?,
            taken: numbers(asking, reader, "what was taken", &last(reader)).await?,
            aside: numbers(asking, reader, "what was set aside", &aside).await?.into_keys().collect(),
            unsent: numbers(asking, writer, "what is not sent", &unsent).await?,
        })
    }

    fn drawn(&self, incident: Uuid) -> i64 {
        self.drawn.get(&incident).copied().unwrap_or(0)
    }

    fn taken(&self, incident: Uuid) -> i64 {
        self.taken.get(&incident).copied().unwrap_or(0)
    }

    fn caught_up(&self, incident: Uuid) -> bool {
        self.drawn(incident) == self.taken(incident)
    }
}

async fn numbers(
    asking: &Asking<'_>,
    service: &'static str,
    of: &str,
    sql: &str,
) -> anyhow::Result<BTreeMap<Uuid, i64>> {
    let mut numbers = BTreeMap::new();
    for row in asking.rows(service, of, sql).await? {
        let mut cells = Cells::new(&row);
        let incident = cells.incident().map_err(anyhow::Error::msg)?;
        numbers.insert(incident, cells.whole().map_err(anyhow::Error::msg)?);
    }
    Ok(numbers)
}
