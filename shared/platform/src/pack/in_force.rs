//! The pack in force in a process. Each turn and each request reads it once and goes by that one to its end, so that
//! nothing is decided half by one version and half by another; an exchange waits for nobody, and nobody for it.
//!
//! What a service makes of the pack, such as boundaries that can be searched, it [makes](InForce::make) here: it is made
//! anew from the next version beforehand, and put in place together with it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chrono::{DateTime, Utc};

use super::Pack;

/// The pack in force, shared by all that goes by it.
#[derive(Clone)]
pub struct InForce {
    version: Arc<RwLock<Version>>,
    made: Arc<Mutex<Vec<Remake>>>,
}

#[derive(Clone)]
struct Version {
    pack: Arc<Pack>,
    /// `None`: as it lay in its folder at the start.
    published_at: Option<DateTime<Utc>>,
}

/// Makes something of the next version, and answers how it is put in place.
type Remake = Box<dyn Fn(&Arc<Pack>) -> Result<Place, String> + Send + Sync>;

type Place = Box<dyn FnOnce() + Send>;

/// What a service makes of the pack, always of the one in force.
pub struct Made<T> {
    now: Arc<RwLock<Arc<T>>>,
}

/// A version that everything needed is made of, to be put in place.
pub struct Prepared {
    next: Version,
    places: Vec<Place>,
}

impl InForce {
    /// Begins with a pack as it lies in its folder.
    pub fn new(pack: Arc<Pack>) -> Self {
        Self::begin(pack, None)
    }

    /// Begins with `pack`, which was published at that time, if it was.
    pub fn begin(pack: Arc<Pack>, published_at: Option<DateTime<Utc>>) -> Self {
        let version = Version { pack, published_at };
        Self { version: Arc::new(RwLock::new(version)), made: Arc::default() }
    }

    /// The pack in force now.
    pub fn now(&self) -> Arc<Pack> {
        self.version().pack
    }

    /// When the pack in force was published; `None` for one that lay in its folder at the start.
    pub fn published_at(&self) -> Option<DateTime<Utc>> {
        self.version().published_at
    }

    fn version(&self) -> Version {
        self.version.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes something of the pack in force, and of each that comes after it; `make` is given what it made before.
    ///
    /// # Errors
    /// What `make` says of the pack in force. What it says of a later one keeps that from coming into force.
    pub fn make<T, E>(
        &self,
        make: impl Fn(&Arc<Pack>, Option<&T>) -> Result<T, E> + Send + Sync + 'static,
    ) -> Result<Made<T>, E>
    where
        T: Send + Sync + 'static,
        E: fmt::Display,
    {
        let made = Made { now: Arc::new(RwLock::new(Arc::new(make(&self.now(), None)?))) };
        let own = made.clone();
        let remake = move |pack: &Arc<Pack>| {
            let next = make(pack, Some(&own.now())).map_err(|fault| fault.to_string())?;
            let (own, next) = (own.clone(), Arc::new(next));
            Ok(Box::new(move || own.put(next)) as Place)
        };
        self.made.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(remake));
        Ok(made)
    }

    /// Makes everything of `pack`, which takes its time; nothing is changed yet.
    ///
    /// # Errors
    /// Why it cannot come into force here.
    pub fn prepare(&self, pack: Arc<Pack>, published_at: DateTime<Utc>) -> Result<Prepared, String> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let places = made.iter().map(|remake| remake(&pack)).collect::<Result<Vec<_>, _>>()?;
        Ok(Prepared { next: Version { pack, published_at: Some(published_at) }, places })
    }

    /// Puts a prepared version in place. What has begun goes on by the one it began with.
    pub fn exchange(&self, prepared: Prepared) {
        *self.version.write().unwrap_or_else(PoisonError::into_inner) = prepared.next;
        prepared.places.into_iter().for_each(|place| place());
    }
}

impl Prepared {
    /// The pack that is to come into force.
    pub fn pack(&self) -> &Arc<Pack> {
        &self.next.pack
    }
}

impl<T> Made<T> {
    /// What was made of the pack in force now.
    pub fn now(&self) -> Arc<T> {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, next: Arc<T>) {
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = next;
    }
}

impl<T> Clone for Made<T> {
    fn clone(&self) -> Self {
        Self { now: self.now.clone() }
    }
}

impl<T> fmt::Debug for Made<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Made").finish_non_exhaustive()
    }
}

impl fmt::Debug for InForce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Version { pack, published_at } = self.version();
        f.debug_struct("InForce")
            .field("code", &pack.code)
            .field("version", &pack.version())
            .field("published_at", &published_at)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("version", &self.next.pack.version()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn two_streets(name: &str) -> Arc<Pack> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packs/twostreets");
        let pack = Pack::load(&folder).unwrap();
        Arc::new(Pack { source: name.to_owned(), ..pack })
    }

    fn later() -> DateTime<Utc> {
        "2026-03-02T04:00:00Z".parse().unwrap()
    }

    #[test]
    fn an_exchange_puts_the_pack_and_all_that_is_made_of_it_in_place_and_what_began_before_keeps_its_own() {
        let in_force = InForce::new(two_streets("first"));
        let made = in_force
            .make(|pack, before: Option<&Vec<String>>| {
                let before = before.cloned().unwrap_or_default();
                Ok::<_, String>([before, vec![pack.source.clone()]].concat())
            })
            .unwrap();
        let (pack, sources) = (in_force.now(), made.now());
        let prepared = in_force.prepare(two_streets("second"), later()).unwrap();
        assert_eq!((in_force.now().source.as_str(), in_force.published_at()), ("first", None));
        assert_eq!(*made.now(), ["first"], "made beforehand, and not in place yet");

        in_force.clone().exchange(prepared);
        assert_eq!((in_force.now().source.as_str(), in_force.published_at()), ("second", Some(later())));
        assert_eq!(*made.now(), ["first", "second"]);
        assert_eq!((pack.source.as_str(), sources.len()), ("first", 1), "a turn that had begun");
    }

    #[test]
    fn a_pack_that_one_of_them_cannot_use_comes_into_force_for_none() {
        let in_force = InForce::new(two_streets("first"));
        let made = in_force.make(|pack, _: Option<&String>| Ok::<_, String>(pack.source.clone())).unwrap();
        let refuse = |pack: &Arc<Pack>, _: Option<&()>| match pack.source.as_str() {
            "first" => Ok(()),
            other => Err(format!("{other} cannot be used")),
        };
        in_force.make(refuse).unwrap();
        let refused = in_force.prepare(two_streets("second"), later()).unwrap_err();
        assert_eq!(refused, "second cannot be used");
        assert_eq!((in_force.now().source.as_str(), made.now().as_str()), ("first", "first"));
    }
}
