//! Passwords: what may be one, how it is kept, and how one is told from another.
//!
//! A text is prepared as RFC 8265 (`OpaqueString`) says, so that two keyboards give one password: other spaces become the
//! ordinary one, then NFC; case and width stay; control characters and nothing at all are refused.
//! Kept as a PHC string with its own parameters, so that they can be raised without locking anybody out.

use std::sync::Arc;

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use serde::Deserialize;
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization as _;

/// OWASP Password Storage Cheat Sheet, the first of the equals for Argon2id: 19 MiB, 2 passes, 1 lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Characters. NIST SP 800-63B asks for 8 of a person and of a program to take 64 at the least.
pub const SHORTEST: usize = 10;
pub const LONGEST: usize = 128;

/// How many are hashed at once, each with its 19 MiB: who comes then waits.
const AT_ONCE: usize = 4;

/// What a password is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    #[error("the password is empty / 密码不能为空")]
    Empty,
    #[error("the password has more than {LONGEST} characters / 密码超过 {LONGEST} 个字符")]
    TooLong,
    #[error("the password holds a control character, such as a tab / 密码含有制表符等控制字符")]
    Control,
    #[error("the password has fewer than {SHORTEST} characters / 密码少于 {SHORTEST} 个字符")]
    TooShort,
    #[error(
        "the password is too easy to guess: it repeats itself, counts up, or is the name / 密码过于简单：重复、连续或与账号相同"
    )]
    TooEasy,
}

impl PasswordFault {
    pub fn zh(self) -> String {
        self.both().1
    }

    pub fn en(self) -> String {
        self.both().0
    }

    fn both(self) -> (String, String) {
        let both = self.to_string();
        let (en, zh) = both.split_once(" / ").unwrap_or((&both, &both));
        (en.to_owned(), zh.to_owned())
    }
}

/// A password as somebody typed it. Never shown.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password")
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// A password, prepared to be hashed.
#[derive(Clone)]
pub(crate) struct Prepared(String);

impl Password {
    /// # Errors
    /// What can be no password, whoever's it is.
    pub(crate) fn prepared(&self) -> Result<Prepared, PasswordFault> {
        // Looked at before it is worked on: a megabyte is not normalised.
        if self.0.len() > LONGEST * 12 {
            return Err(PasswordFault::TooLong);
        }
        let spaced =
            self.0.chars().map(|mark| if mark.is_whitespace() && !mark.is_control() { ' ' } else { mark });
        let prepared: String = spaced.nfc().collect();
        if prepared.is_empty() {
            return Err(PasswordFault::Empty);
        }
        if prepared.chars().any(char::is_control) {
            return Err(PasswordFault::Control);
        }
        if prepared.chars().count() > LONGEST {
            return Err(PasswordFault::TooLong);
        }
        Ok(Prepared(prepared))
    }

    /// As [`Self::prepared`], and good enough to be somebody's from now on.
    ///
    /// # Errors
    /// What is wrong with it as a new password of `name`.
    pub(crate) fn new_for(&self, name: &str) -> Result<Prepared, PasswordFault> {
        let prepared = self.prepared()?;
        let marks: Vec<char> = prepared.0.chars().collect();
        if marks.len() < SHORTEST {
            return Err(PasswordFault::TooShort);
        }
        let step = |pair: &[char]| i64::from(u32::from(pair[1])) - i64::from(u32::from(pair[0]));
        let first = step(&marks[..2]);
        // 1234567890 ends where a keyboard's row does.
        let monotonous = marks[..marks.len() - 1].windows(2).all(|pair| step(pair) == first);
        let half = marks.len() / 2;
        let twice = marks.len().is_multiple_of(2) && marks[..half] == marks[half..];
        let few = marks.iter().collect::<std::collections::BTreeSet<_>>().len() < 4;
        let name = name.to_lowercase();
        if monotonous || twice || few || prepared.0.to_lowercase() == name {
            return Err(PasswordFault::TooEasy);
        }
        Ok(prepared)
    }
}

/// Letters and digits that nobody takes for another.
const MARKS: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";

/// A password nobody has to think of: 20 characters of 31, 99 bits, in fours.
pub fn made_up(entropy: [u8; 20]) -> Password {
    let marks = entropy.map(|byte| char::from(MARKS[usize::from(byte) % MARKS.len()]));
    let groups: Vec<String> = marks.chunks(4).map(|group| group.iter().collect()).collect();
    Password(groups.join("-"))
}

impl Password {
    /// For the one person it is meant for: printed once, by the command that made it up.
    pub fn shown_once(&self) -> &str {
        &self.0
    }
}

/// Hashes and compares, a few at a time and beside whoever else is being answered.
#[derive(Clone, Debug)]
pub(crate) struct Hasher {
    seats: Arc<Semaphore>,
    /// The hash of nothing anybody knows: compared with where there is no account, so that it takes as long.
    nobody: Arc<str>,
}

fn argon2() -> Argon2<'static> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the parameters are within Argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &Prepared, salt: [u8; 16]) -> String {
    let salt = SaltString::encode_b64(&salt).expect("16 bytes are a salt");
    let hashed = argon2().hash_password(password.0.as_bytes(), &salt);
    hashed.expect("a text of this length can be hashed").to_string()
}

/// Whether it is the password of a hash, by the parameters that stand in it.
fn is_of(password: &Prepared, phc: &str) -> bool {
    let hash = PasswordHash::new(phc);
    hash.is_ok_and(|hash| argon2().verify_password(password.0.as_bytes(), &hash).is_ok())
}

/// Whether a hash was made with other parameters than are in force now.
fn is_outdated(phc: &str) -> bool {
    let params = PasswordHash::new(phc).ok().and_then(|hash| Params::try_from(&hash).ok());
    params.is_none_or(|params| {
        (params.m_cost(), params.t_cost(), params.p_cost()) != (MEMORY_KIB, PASSES, LANES)
    })
}

/// What came of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    Differs,
    Same,
    /// The same, by a hash that is out of date; this is the new one.
    Rehashed(String),
}

impl Hasher {
    pub fn new(entropy: [u8; 32]) -> Self {
        let text = entropy.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut salt = [0; 16];
        salt.copy_from_slice(&entropy[..16]);
        let nobody = hash(&Prepared(text), salt);
        Self { seats: Arc::new(Semaphore::new(AT_ONCE)), nobody: nobody.into() }
    }

    pub async fn hash(&self, password: Prepared, salt: [u8; 16]) -> String {
        self.work(move || hash(&password, salt)).await
    }

    /// Compares with the hash of an account; where there is none, takes as long and finds it different.
    pub async fn compare(&self, password: Prepared, phc: Option<String>, salt: [u8; 16]) -> Compared {
        let nobody = self.nobody.clone();
        self.work(move || match phc {
            Some(phc) if is_of(&password, &phc) => {
                if is_outdated(&phc) {
                    Compared::Rehashed(hash(&password, salt))
                } else {
                    Compared::Same
                }
            }
            Some(_) => Compared::Differs,
            None => {
                let _ = is_of(&password, &nobody);
                Compared::Differs
            }
        })
        .await
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let seat = self.seats.clone().acquire_owned().await.expect("seats are never taken away");
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(seat);
            done
        });
        done.await.expect("hashing does not panic")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password(text.to_owned())
    }

    fn new(text: &str) -> Result<(), PasswordFault> {
        password(text).new_for("worker-111").map(drop)
    }

    #[test]
    fn what_two_keyboards_give_for_one_password_is_one() {
        let one = password("caf\u{e9} 网格 au lait").prepared().unwrap();
        // Decomposed, with an ideographic space.
        let other = password("cafe\u{301}\u{3000}网格 au lait").prepared().unwrap();
        assert_eq!(one.0, other.0);
        assert_ne!(one.0, password("CAF\u{c9} 网格 au lait").prepared().unwrap().0, "case stays");
    }

    #[test]
    fn what_can_be_no_password_is_refused_with_its_reason() {
        assert_eq!(new(""), Err(PasswordFault::Empty));
        assert_eq!(new("short 网格"), Err(PasswordFault::TooShort));
        assert_eq!(new("with\ta tab in it"), Err(PasswordFault::Control));
        assert_eq!(new(&"long 网格".repeat(40)), Err(PasswordFault::TooLong));
        for easy in
            ["aaaaaaaaaaaa", "1234567890", "abcdefghijkl", "mon-keymon-key", "WORKER-111", "ababbabaabba"]
        {
            assert_eq!(new(easy), Err(PasswordFault::TooEasy), "{easy}");
        }
        assert_eq!(new("correct horse battery"), Ok(()));
        assert_eq!(new("这是一个很长的中文密码"), Ok(()));
    }

    #[test]
    fn a_made_up_password_may_be_somebodys_and_has_nothing_that_looks_like_another_mark() {
        let made = made_up(std::array::from_fn(|n| u8::try_from(n * 13).unwrap()));
        assert!(made.new_for("worker-111").is_ok());
        assert_eq!(made.0.len(), 24);
        assert!(!made.0.contains(['0', 'o', '1', 'l', 'i']), "{}", made.0);
    }

    #[test]
    fn no_password_is_shown_where_something_is_debugged() {
        assert_eq!(format!("{:?}", password("geheim geheim")), "Password");
    }

    #[tokio::test]
    async fn the_hash_says_how_it_was_made_and_only_its_own_password_fits() {
        let hasher = Hasher::new([3; 32]);
        let right = password("correct horse").prepared().unwrap();
        let phc = hasher.hash(right.clone(), [1; 16]).await;
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert_eq!(hasher.compare(right.clone(), Some(phc.clone()), [2; 16]).await, Compared::Same);
        let wrong = password("correct house").prepared().unwrap();
        assert_eq!(hasher.compare(wrong, Some(phc), [2; 16]).await, Compared::Differs);
        assert_eq!(hasher.compare(right.clone(), None, [2; 16]).await, Compared::Differs);
        assert_eq!(hasher.compare(right, Some("nonsense".to_owned()), [2; 16]).await, Compared::Differs);
    }

    #[tokio::test]
    async fn a_hash_of_other_parameters_still_fits_and_is_made_anew() {
        let params = Params::new(8_192, 1, 1, None).unwrap();
        let salt = SaltString::encode_b64(&[5; 16]).unwrap();
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let old = weak.hash_password(b"correct horse", &salt).unwrap().to_string();
        let right = password("correct horse").prepared().unwrap();
        let hasher = Hasher::new([3; 32]);
        let Compared::Rehashed(new) = hasher.compare(right.clone(), Some(old), [9; 16]).await else {
            panic!("it is out of date")
        };
        assert!(new.contains("m=19456"), "{new}");
        assert_eq!(hasher.compare(right, Some(new), [2; 16]).await, Compared::Same);
    }
}
