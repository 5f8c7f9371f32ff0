//! console: one account.

use std::net::{IpAddr, Ipv4Addr};

use console::{AccountFault, Accounts, Origin, Password, SignIn};
use domain::id::PersonId;
use platform::pack::InForce;
use platform::store::Store;

use super::Pair;
use crate::interleavings::does::{Does, word};
use crate::interleavings::session::{Said, Turn};
use crate::interleavings::stage::{Scene, Stage};

const SERVICE: &str = "console";

fn person() -> PersonId {
    "worker-111".into()
}

fn password(words: &str) -> Password {
    words.to_owned().into()
}

const FIRST: &str = "three grey herons";
const OTHER: &str = "four white herons";

fn changed(done: &'static str, result: Result<(), AccountFault>) -> Said {
    let text = match result {
        Ok(()) => done.to_owned(),
        Err(fault) => word(&fault),
    };
    Said { text, again: 0 }
}

fn adds(scene: &Scene, store: Store) -> Turn {
    let now = scene.now();
    Box::pin(
        async move { changed("added", Accounts::new(store).add(&person(), &password(FIRST), now).await) },
    )
}

fn sets(scene: &Scene, store: Store) -> Turn {
    let now = scene.now();
    Box::pin(async move {
        changed("set", Accounts::new(store).set_password(&person(), &password(OTHER), now).await)
    })
}

fn disables(_: &Scene, store: Store) -> Turn {
    Box::pin(async move { changed("disabled", Accounts::new(store).disable(&person()).await) })
}

fn removes(_: &Scene, store: Store) -> Turn {
    Box::pin(async move { changed("removed", Accounts::new(store).remove(&person()).await) })
}

fn tries(scene: &Scene, store: Store, words: &'static str) -> Turn {
    let (now, in_force) = (scene.now(), InForce::new(scene.office.pack.clone()));
    let from = Origin { peer: IpAddr::V4(Ipv4Addr::LOCALHOST), device: Some("a phone".to_owned()) };
    Box::pin(async move {
        let tried = SignIn::new(store, &in_force).sign_in(&person().0, &password(words), &from, now).await;
        let text = tried.map_or_else(|refused| word(&refused), |_| "signed in".to_owned());
        Said { text, again: 0 }
    })
}

fn signs_in(scene: &Scene, store: Store) -> Turn {
    tries(scene, store, FIRST)
}

fn slips(scene: &Scene, store: Store) -> Turn {
    tries(scene, store, OTHER)
}

async fn both(stage: &mut Stage, two: [fn(&Scene, Store) -> Turn; 2]) -> [Does; 2] {
    Accounts::new(stage.store.clone()).add(&person(), &password(FIRST), stage.now()).await.unwrap();
    two.map(Does::Plainly)
}

async fn nobody() -> [Does; 2] {
    [Does::Plainly(adds), Does::Plainly(adds)]
}

pub const SAME_ACCOUNT: &str = "an account × the same";

pub fn pairs() -> Vec<Pair> {
    vec![
        Pair::new(SAME_ACCOUNT, SERVICE, |_| Box::pin(nobody()), ["added", "There"]).or(["There", "added"]),
        Pair::new(
            "signing in × the account is disabled",
            SERVICE,
            |stage| Box::pin(both(stage, [signs_in, disables])),
            ["signed in", "disabled"],
        )
        .or(["Wrong", "disabled"]),
        Pair::new(
            "another password × the account is disabled",
            SERVICE,
            |stage| Box::pin(both(stage, [sets, disables])),
            ["set", "disabled"],
        )
        .holds(&[("SELECT count(*) FROM console_account WHERE disabled", 1)]),
        Pair::new(
            "another password × the account is removed",
            SERVICE,
            |stage| Box::pin(both(stage, [sets, removes])),
            ["set", "removed"],
        )
        .or(["None", "removed"])
        .holds(&[("SELECT count(*) FROM console_account", 0)]),
        Pair::new(
            "a wrong password × another",
            SERVICE,
            |stage| Box::pin(both(stage, [slips, slips])),
            ["Wrong", "Wrong"],
        )
        .holds(&[("SELECT count(*) FROM console_attempt WHERE failures = 2", 3)]),
    ]
}
