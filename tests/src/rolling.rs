//! A new version is rolled out: every instance is replaced, one by one, while reports come in. Nobody who comes
//! through a load balancer, which sends to whoever says that it is ready, gets an error.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::fleet::{Door, Fleet};
use crate::instance::beat;

/// How often the balancer asks who is ready: well within the time an instance goes on after it says no.
const LOOK: Duration = Duration::from_millis(100);

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub replaced: usize,
    /// Requests answered 201 or 200.
    pub answered: usize,
    pub errors: Vec<String>,
    pub seconds: f64,
}

/// Sends `rate` reports a second, and as many looks at their cases, while every instance of `fleet` is replaced.
///
/// # Errors
/// When an instance cannot be stopped or started; what clients see is part of the outcome.
pub async fn replace_all(fleet: &mut Fleet, rate: u32) -> anyhow::Result<Outcome> {
    let door = Arc::new(fleet.door());
    let numbers = fleet.instances["discover"].len();
    let (ready, seen) = watch::channel(BTreeSet::new());
    let balancing = tokio::spawn(balance(door.clone(), numbers, ready));
    let enough = Arc::new(AtomicBool::new(false));
    seen.clone().wait_for(|ready| ready.len() >= 2 * numbers).await.context("the balancer has ended")?;
    let asking = tokio::spawn(ask(door, rate, seen.clone(), enough.clone()));
    let begun = std::time::Instant::now();
    let mut replaced = 0;
    for (service, instances) in &mut fleet.instances {
        for (number, instance) in instances.iter_mut().enumerate() {
            instance.stop().await?;
            instance.start().await?;
            replaced += 1;
            if ["discover", "handle"].contains(service) {
                // As a rollout does: the next is replaced once this one is sent to again.
                let sent_to = |ready: &BTreeSet<_>| ready.contains(&(*service, number));
                seen.clone().wait_for(sent_to).await.context("the balancer has ended")?;
            }
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    enough.store(true, Ordering::SeqCst);
    let mut outcome = asking.await.context("the clients panicked")??;
    balancing.abort();
    (outcome.replaced, outcome.seconds) = (replaced, seconds);
    Ok(outcome)
}

/// Asks every instance whether it is ready, as whoever balances load does.
async fn balance(door: Arc<Door>, numbers: usize, tell: watch::Sender<BTreeSet<(&'static str, usize)>>) {
    loop {
        for (service, path) in [("discover", "/api/v1/reports"), ("handle", "/api/v1/cases")] {
            for number in 0..numbers {
                let url = door.url(path, number).replace(path, "/health/ready");
                let asked = door.client.get(url).timeout(Duration::from_secs(1)).send().await;
                let is_ready = asked.is_ok_and(|answer| answer.status() == StatusCode::OK);
                tell.send_if_modified(|ready| match is_ready {
                    true => ready.insert((service, number)),
                    false => ready.remove(&(service, number)),
                });
            }
        }
        beat(LOOK).await;
    }
}

async fn ask(
    door: Arc<Door>,
    rate: u32,
    seen: watch::Receiver<BTreeSet<(&'static str, usize)>>,
    enough: Arc<AtomicBool>,
) -> anyhow::Result<Outcome> {
    let token = Arc::new(door.token("worker-111")?);
    let answered = Arc::new(AtomicUsize::new(0));
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
    let mut asking: JoinSet<anyhow::Result<()>> = JoinSet::new();
    let mut errors = Vec::new();
    let mut sent = 0;
    while !enough.load(Ordering::SeqCst) {
        ticks.tick().await;
        sent += 1;
        let (door, token, seen, answered) = (door.clone(), token.clone(), seen.clone(), answered.clone());
        asking.spawn(async move {
            report_and_look(&door, &token, &seen, sent).await?;
            answered.fetch_add(2, Ordering::SeqCst);
            Ok(())
        });
        while let Some(ended) = asking.try_join_next() {
            note(ended, &mut errors);
        }
    }
    while let Some(ended) = asking.join_next().await {
        note(ended, &mut errors);
    }
    Ok(Outcome { answered: answered.load(Ordering::SeqCst), errors, ..Outcome::default() })
}

fn note(ended: Result<anyhow::Result<()>, tokio::task::JoinError>, errors: &mut Vec<String>) {
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(error)) => errors.push(format!("{error:#}")),
        Err(error) => errors.push(error.to_string()),
    }
}

/// One report, and one look at its case; each sent once, to an instance that is ready.
async fn report_and_look(
    door: &Door,
    token: &str,
    seen: &watch::Receiver<BTreeSet<(&'static str, usize)>>,
    number: usize,
) -> anyhow::Result<()> {
    let of = |service: &str| {
        let ready = seen.borrow();
        let able: Vec<usize> =
            ready.iter().filter(|(of, _)| *of == service).map(|(_, number)| *number).collect();
        able.get(number % able.len().max(1)).copied().with_context(|| format!("no {service} is ready"))
    };
    let report = json!({
        "client_id": format!("rolling-{number}"), "category": "rubbish",
        "place": {"lon": 121.805, "lat": 29.905, "datum": "CGCS2000"},
    });
    let to = door.url("/api/v1/reports", of("discover")?);
    let answer = door.client.post(&to).bearer_auth(token).json(&report).send().await?;
    ensure!(answer.status() == StatusCode::CREATED, "report {number} to {to}: {}", answer.status());
    let receipt: Value = answer.json().await?;
    let case = receipt["case"].as_str().context("the receipt names no case")?;
    let to = door.url(case, of("handle")?);
    let answer = door.client.get(&to).bearer_auth(token).send().await?;
    // 202: it is about to open.
    let seen = [StatusCode::OK, StatusCode::ACCEPTED].contains(&answer.status());
    ensure!(seen, "look {number} at {to}: {}", answer.status());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_instance_is_replaced_one_by_one_and_no_client_gets_an_error() {
    if !crate::fleet::has_servers() {
        return;
    }
    let folder = tempfile::TempDir::new().unwrap();
    let mut fleet = Fleet::new(folder.path(), crate::process::PARTNERED, 2, "").await.unwrap();
    fleet.start().await.unwrap();
    let outcome = replace_all(&mut fleet, 40).await.unwrap();
    fleet.stop().await.unwrap();
    assert_eq!(outcome.replaced, 12, "two of each of six");
    assert!(outcome.answered > 100, "{outcome:?}");
    assert!(
        outcome.errors.is_empty(),
        "{} of {}: {:?}",
        outcome.errors.len(),
        outcome.answered,
        outcome.errors
    );
}
