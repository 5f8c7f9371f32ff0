//! Signing in: a name and a password become a token that says what the register makes of the person now.
//!
//! Who has no account, whose account is disabled and whose person has left the register hear the same as with a wrong
//! password, after the same work.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::PersonId;
use platform::entropy;
use platform::pack::{InForce, Pack, Person};
use platform::store::{Store, StoreError, commit};
use platform::token::{Principal, Session};
use tracing::{debug, info};

use crate::password::{Compared, Hasher, Password, PasswordFault, Prepared};
use crate::store::accounts::{self, Model};
use crate::store::attempts::{self, Keys, Origin};
use crate::throttle;

/// How long a token holds. It says what the register made of its bearer when it was signed, so it is short.
pub const SESSION: TimeDelta = TimeDelta::minutes(60);
/// How long after the password was typed it can be renewed: a working day.
pub const RENEWED_FOR: TimeDelta = TimeDelta::hours(12);

/// Bytes; as people.csv has them.
const LONGEST_NAME: usize = 64;

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The name or the password; which of the two is not said.
    #[error("the name or the password is wrong")]
    Wrong,
    /// The name cannot be one, whoever's it is.
    #[error("the name is empty or longer than {LONGEST_NAME} bytes")]
    Name,
    #[error(transparent)]
    Password(#[from] PasswordFault),
    /// The new one will not do.
    #[error("the new password will not do: {0}")]
    New(PasswordFault),
    #[error("too many tries: wait {} s", .0.num_seconds())]
    Wait(TimeDelta),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Somebody who has signed in.
#[derive(Debug)]
pub struct SignedIn {
    pub session: Session,
    /// The secret by which their device is known from now on.
    pub device: String,
}

/// Whose password it was.
struct Proved<'a> {
    person: &'a Person,
    known_device: bool,
}

/// Signs people in.
#[derive(Clone, Debug)]
pub struct SignIn {
    store: Store,
    pack: InForce,
    hasher: Hasher,
}

impl SignIn {
    pub fn new(store: Store, pack: &InForce) -> Self {
        Self { store, pack: pack.clone(), hasher: Hasher::new(entropy::draw()) }
    }

    /// The register as it is now, with the areas it names; for one request.
    pub fn register(&self) -> Arc<Pack> {
        self.pack.now()
    }

    /// # Errors
    /// Why not; see [`Refused`].
    pub async fn sign_in(
        &self,
        name: &str,
        password: &Password,
        from: &Origin,
        now: DateTime<Utc>,
    ) -> Result<SignedIn, Refused> {
        let person = name_of(name)?;
        let register = self.register();
        let proved = self.proved(&register, &person, password.prepared()?, from, now).await?;
        let Proved { person, known_device } = proved;
        // Two who share a device are known on it by one secret.
        let device = from.device.clone().unwrap_or_else(secret);
        if !known_device {
            self.know(&person.id, &device, now).await?;
        }
        info!(person.id = %person.id, "signed in");
        Ok(SignedIn { session: session(person, now, now), device })
    }

    /// Another token for whoever still has one and typed a password not too long ago; the register is asked again.
    ///
    /// # Errors
    /// [`Refused::Wrong`] when the password was changed since, the account is gone, or the person.
    pub async fn renew(&self, old: &Session, now: DateTime<Utc>) -> Result<Session, Refused> {
        let since = old.signed_in_at.ok_or(Refused::Wrong)?;
        let account = accounts::find(self.store.readers(), &old.principal.person).await?;
        // A token knows its time in whole seconds.
        let same = |account: &Model| !account.disabled && account.changed_at.timestamp() <= since.timestamp();
        let register = self.register();
        let person = register.people.get(&old.principal.person);
        match (account.filter(same), person) {
            (Some(_), Some(person)) if now - since < RENEWED_FOR => Ok(session(person, since, now)),
            _ => Err(Refused::Wrong),
        }
    }

    /// Changes the own password; the old one is asked for, and tries are counted as at a sign-in.
    ///
    /// # Errors
    /// Why not; see [`Refused`].
    pub async fn change_password(
        &self,
        person: &PersonId,
        old: &Password,
        new: &Password,
        from: &Origin,
        now: DateTime<Utc>,
    ) -> Result<(), Refused> {
        let old = old.prepared()?;
        let new = new.new_for(&person.0).map_err(Refused::New)?;
        self.proved(&self.register(), person, old, from, now).await?;
        let phc = self.hasher.hash(new, entropy::draw()).await;
        self.save_hash(person, |account| Model { phc, changed_at: now, ..account }).await?;
        info!(person.id = %person, "changed the own password");
        Ok(())
    }

    /// The account and the person, if the password is theirs. A try is counted before it is made.
    async fn proved<'a>(
        &self,
        register: &'a Pack,
        id: &PersonId,
        password: Prepared,
        from: &Origin,
        now: DateTime<Utc>,
    ) -> Result<Proved<'a>, Refused> {
        let keys = Keys::of(&id.0, from);
        self.count(&keys, now).await?;
        let person = register.people.get(id);
        let account = accounts::find(self.store.readers(), id).await?;
        let usable = account.filter(|account| !account.disabled && person.is_some());
        let phc = usable.as_ref().map(|account| account.phc.clone());
        let compared = self.hasher.compare(password, phc, entropy::draw()).await;
        let (Some(account), Some(person)) = (usable.filter(|_| compared != Compared::Differs), person) else {
            info!("a sign-in was refused: the name or the password was wrong");
            return Err(Refused::Wrong);
        };
        if let Compared::Rehashed(phc) = compared {
            let was = account.phc.clone();
            let renew = |now: Model| if now.phc == was { Model { phc, ..now } } else { now };
            self.save_hash(id, renew).await?;
        }
        let known_device = self.take_back(&keys, now).await?;
        Ok(Proved { person, known_device })
    }

    async fn know(&self, person: &PersonId, device: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        let tx = self.store.begin().await?;
        attempts::know(&tx, &person.0, device, now).await?;
        commit(tx, "remembering a device").await
    }

    async fn count(&self, keys: &Keys, now: DateTime<Utc>) -> Result<(), Refused> {
        let tx = self.store.begin().await?;
        let tallies = attempts::locked(&tx, keys, now).await?;
        if let Some(wait) = throttle::wait(&tallies, now) {
            // Nothing of it is kept: whoever may not try is not counted as having tried.
            return Err(Refused::Wait(wait));
        }
        attempts::save(&tx, keys, &throttle::failed(&tallies, now), now).await?;
        Ok(commit(tx, "counting a sign-in").await?)
    }

    /// Answers whether it came from a device that is known.
    async fn take_back(&self, keys: &Keys, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let tx = self.store.begin().await?;
        let tallies = attempts::locked(&tx, keys, now).await?;
        attempts::save(&tx, keys, &throttle::succeeded(&tallies, now), now).await?;
        commit(tx, "counting a sign-in").await?;
        // Whoever forgets the same rows at the same moment does it for both.
        if let Err(error) = self.forget(now).await {
            debug!("old sign-ins are forgotten another time: {error}");
        }
        Ok(tallies.device.is_some())
    }

    async fn forget(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        let tx = self.store.begin().await?;
        attempts::forget(&tx, now).await?;
        commit(tx, "forgetting old sign-ins").await
    }

    async fn save_hash(&self, person: &PersonId, change: impl FnOnce(Model) -> Model) -> Result<(), Refused> {
        let tx = self.store.begin().await?;
        let account = accounts::locked(&tx, person).await?.ok_or(Refused::Wrong)?;
        accounts::save(&tx, change(account)).await?;
        Ok(commit(tx, "saving a password").await?)
    }
}

fn session(person: &Person, since: DateTime<Utc>, now: DateTime<Utc>) -> Session {
    Session {
        principal: Principal { person: person.id.clone(), grants: person.grants.clone() },
        expires_at: (now + SESSION).min(since + RENEWED_FOR),
        signed_in_at: Some(since),
    }
}

/// By which a device is known from now on.
fn secret() -> String {
    entropy::draw::<32>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A name as somebody typed it: a phone puts a space behind a word.
fn name_of(typed: &str) -> Result<PersonId, Refused> {
    let name = typed.trim();
    if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Refused::Name);
    }
    Ok(PersonId(name.to_owned()))
}
