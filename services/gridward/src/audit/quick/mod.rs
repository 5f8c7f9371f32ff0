//! The quick audit of an office on servers: by sets, not incident by incident.
//!
//! Each table is looked at in one scan, which gives for each of some thousand ranges of incidents a count and sums of
//! hashes; sums that must be the same, in one database or between two services, are compared, and only where they
//! differ the range is looked at incident by incident. What ties rows of one database together is asked of it in SQL.
//! The bodies of facts are not read, nor is what lies on the topics: that is what the walk is for.

mod asking;
mod pairs;
mod scan;
mod sets;
mod sheets;
mod suspects;

use std::collections::BTreeMap;
use std::time::Instant;

use platform::lifecycle::Lifecycle;

use super::Options;
use super::ledger::{Ledger, Name};
use super::places::{Patience, Places};
use super::positions;
use super::report::{Quick, Report};
use super::snapshot::{Setting, Snapshot};
use super::topics::Topics;
use super::walk::aside;
use super::whole::{OnKafka, SERVICES, Whole};
use asking::{Asking, Ranges};
use pairs::pairs;
use scan::Scanned;
use sheets::{Sheet, sheets};
use suspects::{Judging, Suspects};

/// What it is, in words.
const ZH: &str = "快速核查：按集合比对各库，不逐案推演，不读事实正文，不读主题记录；完整核查请去掉 --quick";
const EN: &str = "the quick audit: compares databases by sets; it follows no case fact by fact, reads no bodies of facts and no \
                  records of topics. Leave out --quick for the whole one";

/// What needs bodies or records.
const UNSEEN: [Name; 4] = [Name::Fold, Name::Written, Name::Same, Name::Placed];

/// Audits an office by sets, as it is now.
///
/// # Errors
/// When a database or the broker cannot be read; a fault in the data is part of the report.
pub async fn audit_quickly(places: &Places, options: Options, patience: Patience) -> anyhow::Result<Report> {
    let mut topics = Topics::start(places).await?;
    let report = audit(places, &mut topics, options, patience).await;
    topics.stop().await;
    report
}

/// What was looked at, at one time.
async fn look(
    places: &Places,
    topics: &mut Topics,
    options: Options,
    ledger: &mut Ledger,
) -> anyhow::Result<(Snapshot, Whole)> {
    let ids = topics.known_by().await?;
    let before = topics.ends().await?;
    let snapshot = Snapshot::of_servers(&places.databases).await?;
    let after = topics.ends().await?;
    let on_kafka = OnKafka { ids, counts: topics.counts(), before, after, since: BTreeMap::new() };
    let whole = Whole::of_servers(&snapshot, options, on_kafka, ledger).await?;
    Ok((snapshot, whole))
}

async fn audit(
    places: &Places,
    topics: &mut Topics,
    options: Options,
    patience: Patience,
) -> anyhow::Result<Report> {
    let begun = Instant::now();
    let mut ledger = Ledger::new(Setting::Servers);
    let (snapshot, whole) = look(places, topics, options, &mut ledger).await?;
    let asking = Asking::new(&snapshot).await?;
    positions::check(&snapshot, &whole, &mut ledger).await?;
    let ranges = asking.ranges().await?;
    let mut outboxes = Vec::new();
    for service in SERVICES.iter().filter(|service| snapshot.has(service.name)) {
        if sets::is_whole(&asking, service.name).await? {
            outboxes.push(service.name);
        }
    }
    let mut sheets = sheets(whole.now, &outboxes);
    sheets.retain(|sheet| snapshot.has(sheet.service));
    let scanned = scan(&asking, &ranges, sheets, &whole, &outboxes, &mut ledger).await?;
    sets::sent(&asking, &whole, &scanned, &mut ledger).await?;
    let mut pairs = pairs(&outboxes);
    let is_there = |(of, _): &(String, _)| scanned.contains_key(of);
    pairs.retain(|pair| is_there(&pair.left) && is_there(&pair.right));
    let ends = whole.topics().map(|topics| topics.after.clone()).unwrap_or_default();
    let judging = Judging { pairs: &pairs, scanned: &scanned, ends: &ends };
    let (suspects, left_out) = judging.find(&asking, &ranges).await?;
    let suspects = judging.judge(&asking, &whole, suspects).await?;
    let (parked, dead) = aside(&snapshot).await?;
    let queries = asking.asked();
    snapshot.end().await?;
    let suspects = again(&judging, suspects, places, topics, options, patience).await?;
    judging.tell(&suspects, &left_out, &mut ledger);
    let mut report = ledger.close(parked, dead, None);
    report.checks.retain(|check| UNSEEN.iter().all(|unseen| unseen.name() != check.name));
    let unseen = UNSEEN.map(Name::name).to_vec();
    report.quick = Some(Quick { zh: ZH, en: EN, unseen, queries, seconds: begun.elapsed().as_secs_f64() });
    Ok(report)
}

/// All sheets and what else is asked of each database, all databases at once.
async fn scan(
    asking: &Asking<'_>,
    ranges: &Ranges,
    sheets: Vec<Sheet>,
    whole: &Whole,
    outboxes: &[&'static str],
    ledger: &mut Ledger,
) -> anyhow::Result<BTreeMap<String, Scanned>> {
    let of = |service: &str| sheets.iter().filter(|sheet| sheet.service == service).cloned().collect();
    let one = async |sheets: Vec<Sheet>, number: usize| {
        let mut own = Ledger::of(whole);
        let mut scanned = BTreeMap::new();
        for sheet in sheets {
            let sheet = Scanned::of(asking, sheet).await?;
            sheet.tell(asking, ranges, whole.strict, &mut own).await?;
            scanned.insert(sheet.sheet.of.clone(), sheet);
        }
        let service = &SERVICES[number];
        if !asking.snapshot.has(service.name) {
            return Ok((own, scanned));
        }
        let rows = |table: &str| scanned.get(table).map_or(0, Scanned::rows);
        sets::of_service(asking, service, outboxes.contains(&service.name), whole.now, &mut own).await?;
        match service.name {
            "discover" => sets::of_discover(asking, rows("discover_report"), &mut own).await?,
            "supervise" => sets::of_supervise(asking, rows("supervise_case"), &mut own).await?,
            _ => {}
        }
        anyhow::Ok((own, scanned))
    };
    let [discover, route, handle, supervise, partner] = SERVICES.each_ref().map(|service| of(service.name));
    let (discover, route, handle, supervise, partner) = tokio::try_join!(
        one(discover, 0),
        one(route, 1),
        one(handle, 2),
        one(supervise, 3),
        one(partner, 4)
    )?;
    let mut all = BTreeMap::new();
    for (own, scanned) in [discover, route, handle, supervise, partner] {
        let every = own.at_fault();
        ledger.absorb(own, every);
        all.extend(scanned);
    }
    Ok(all)
}

/// Looks at the suspects again, until none is left, or each has stood every time.
async fn again(
    judging: &Judging<'_>,
    mut suspects: Suspects,
    places: &Places,
    topics: &mut Topics,
    options: Options,
    patience: Patience,
) -> anyhow::Result<Suspects> {
    // Nobody stops it: it only pauses.
    let (_stopper, mut lifecycle) = Lifecycle::new();
    for _ in 1..patience.looks {
        if suspects.is_empty() {
            break;
        }
        lifecycle.pause(patience.pause).await;
        // What concerns more than an incident was said with the first look.
        let mut unsaid = Ledger::new(Setting::Servers);
        let (snapshot, whole) = look(places, topics, options, &mut unsaid).await?;
        let asking = Asking::new(&snapshot).await?;
        suspects = judging.judge(&asking, &whole, suspects).await?;
        drop(asking);
        snapshot.end().await?;
    }
    Ok(suspects)
}

#[cfg(test)]
mod tests {
    use super::pairs::Pair;
    use super::*;
    use chrono::DateTime;

    #[test]
    fn both_sides_of_every_pair_are_on_a_sheet() {
        let all = SERVICES.map(|service| service.name);
        let sheets = sheets(DateTime::UNIX_EPOCH, &all);
        let is_there = |(of, sum): &(String, &str)| {
            sheets.iter().any(|sheet| sheet.of == *of && sheet.sums.iter().any(|(name, _)| name == sum))
        };
        for Pair { left, right, .. } in pairs(&all) {
            assert!(is_there(&left) && is_there(&right), "{left:?} and {right:?}");
        }
    }

    #[test]
    fn what_is_not_looked_at_is_no_check_of_a_sheet_or_a_pair() {
        let all = SERVICES.map(|service| service.name);
        let made = pairs(&all).into_iter().map(|pair| pair.check);
        let looked = sheets(DateTime::UNIX_EPOCH, &all).into_iter().flat_map(|sheet| sheet.looked);
        assert!(made.chain(looked).all(|check| !UNSEEN.contains(&check)));
    }
}
