//! Signed tokens: who asks, and what they are where. Services verify them by key, without a call.
//!
//! HMAC-SHA-256 (JWT `HS256`) under a key of 32 random bytes that lies in the data folder, readable by
//! its owner only. A token expires by the host's clock, whatever clock the cases run on.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::PersonId;
use domain::rights::Grant;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Tokens are meant for this system and no other.
const AUDIENCE: &str = "gridward";
/// Clocks of two hosts may differ by this much, and no more.
const LEEWAY_SECONDS: i64 = 5;

/// Bytes of a person's id.
const LONGEST_ID: usize = 128;
/// The name of the key file in a data folder.
pub const KEY_FILE: &str = "token.key";

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    pub person: PersonId,
    pub grants: Vec<Grant>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: PersonId,
    aud: String,
    exp: i64,
    grants: Vec<Grant>,
    /// When the bearer typed a password, seconds since 1970; absent where an operator signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
}

/// A principal, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub principal: Principal,
    pub expires_at: DateTime<Utc>,
    /// When the bearer typed a password; nothing where an operator signed the token.
    pub signed_in_at: Option<DateTime<Utc>>,
}

/// Makes and verifies tokens.
#[derive(Clone)]
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl std::fmt::Debug for Tokens {
    /// Never prints the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}

/// Why a token is not accepted. The bearer hears only that it is not.
#[derive(Debug, thiserror::Error)]
pub enum TokenFault {
    #[error("the token has expired")]
    Expired,
    #[error("the token was not signed here, or is not a token")]
    Forged,
}

impl Tokens {
    pub fn new(key: &[u8; 32]) -> Self {
        Self { encoding: EncodingKey::from_secret(key), decoding: DecodingKey::from_secret(key) }
    }

    /// The key of a data folder; made on first use.
    ///
    /// # Errors
    /// When the file cannot be read or written, or is not 32 bytes.
    pub fn of_folder(folder: &Path) -> std::io::Result<Self> {
        let file = folder.join(KEY_FILE);
        if !file.exists() {
            write_secret(&file, &crate::entropy::draw::<32>())?;
        }
        Self::of_file(&file)
    }

    /// The key in `file`, which somebody has made: processes that share it must find the same.
    ///
    /// # Errors
    /// When the file cannot be read, or is not 32 bytes.
    pub fn of_file(file: &Path) -> std::io::Result<Self> {
        let bytes = std::fs::read(file)
            .map_err(|error| std::io::Error::new(error.kind(), format!("{}: {error}", file.display())))?;
        let key: [u8; 32] = bytes.try_into().map_err(|_| {
            std::io::Error::other(format!(
                "{0} is not a key of 32 bytes: restore it, or remove it, after which everybody signs in anew / \
                 {0} 不是 32 字节的密钥：请恢复该文件，或删除后重新登录",
                file.display()
            ))
        })?;
        Ok(Self::new(&key))
    }

    /// # Errors
    /// Never in practice: a principal is plain data.
    pub fn issue(
        &self,
        principal: &Principal,
        now: DateTime<Utc>,
        valid: TimeDelta,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let (principal, expires_at) = (principal.clone(), now + valid);
        self.issue_session(&Session { principal, expires_at, signed_in_at: None })
    }

    /// # Errors
    /// Never in practice: a session is plain data.
    pub fn issue_session(&self, session: &Session) -> Result<String, jsonwebtoken::errors::Error> {
        self.sign(&Claims {
            sub: session.principal.person.clone(),
            aud: AUDIENCE.to_owned(),
            exp: session.expires_at.timestamp(),
            grants: session.principal.grants.clone(),
            auth_time: session.signed_in_at.map(|at| at.timestamp()),
        })
    }

    /// # Errors
    /// When the token was not signed with this key for this system, or has expired at `now`.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Principal, TokenFault> {
        self.session(token, now).map(|session| session.principal)
    }

    /// As [`Self::verify`], with how long the token holds.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub fn session(&self, token: &str, now: DateTime<Utc>) -> Result<Session, TokenFault> {
        let claims: Claims = self.read(token, AUDIENCE)?;
        if !is_a_person(&claims.sub.0) {
            return Err(TokenFault::Forged);
        }
        if claims.exp.saturating_add(LEEWAY_SECONDS) < now.timestamp() {
            return Err(TokenFault::Expired);
        }
        let time = |seconds| DateTime::from_timestamp(seconds, 0).ok_or(TokenFault::Forged);
        Ok(Session {
            principal: Principal { person: claims.sub, grants: claims.grants },
            expires_at: time(claims.exp)?,
            signed_in_at: claims.auth_time.map(time).transpose()?,
        })
    }

    /// Signs claims, whose `aud` says what they are for.
    pub(crate) fn sign(&self, claims: &impl Serialize) -> Result<String, jsonwebtoken::errors::Error> {
        encode(&Header::new(Algorithm::HS256), claims, &self.encoding)
    }

    /// What was signed here for `audience`. Whether it still holds is for the caller to say.
    pub(crate) fn read<C: DeserializeOwned>(&self, token: &str, audience: &str) -> Result<C, TokenFault> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "sub", "aud"]);
        // The library would read the host's clock itself; time comes in as an argument here.
        validation.validate_exp = false;
        Ok(decode::<C>(token, &self.decoding, &validation).map_err(|_| TokenFault::Forged)?.claims)
    }
}

/// As people.csv lists them: a few printable characters.
pub(crate) fn is_a_person(id: &str) -> bool {
    (1..=LONGEST_ID).contains(&id.len()) && !id.chars().any(char::is_control)
}

fn write_secret(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    // Whole or not at all: half a key would keep every later start from beginning. Beside it, under a name of its own,
    // for somebody else may be making one at this moment.
    let own: String = crate::entropy::draw::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
    let begun = file.with_extension(format!("{own}.new"));
    let written = write_whole(&begun, bytes).and_then(|()| match std::fs::hard_link(&begun, file) {
        // Who made one at the same time was first: theirs is the key.
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    });
    let removed = std::fs::remove_file(&begun);
    written.and(removed)
}

fn write_whole(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut secret = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    secret.write_all(bytes)?;
    secret.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::rights::Role;

    fn principal() -> Principal {
        let area = "boston/03".parse().unwrap();
        Principal { person: "community-03".into(), grants: vec![Grant { role: Role::CommunityDesk, area }] }
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn a_token_says_who_and_what_until_it_expires() {
        let tokens = Tokens::new(&[1; 32]);
        let token = tokens.issue(&principal(), at(1_000), TimeDelta::seconds(60)).unwrap();
        assert_eq!(tokens.verify(&token, at(1_060)).unwrap(), principal());
        assert!(matches!(tokens.verify(&token, at(1_066)), Err(TokenFault::Expired)));
    }

    #[test]
    fn a_token_of_nobody_that_could_be_is_not_accepted() {
        let tokens = Tokens::new(&[1; 32]);
        for id in [String::new(), "a\0b".to_owned(), "x".repeat(129)] {
            let nobody = Principal { person: id.as_str().into(), grants: Vec::new() };
            let token = tokens.issue(&nobody, at(1_000), TimeDelta::seconds(60)).unwrap();
            assert!(matches!(tokens.verify(&token, at(1_000)), Err(TokenFault::Forged)), "{id:?}");
        }
    }

    #[test]
    fn a_token_signed_elsewhere_unsigned_or_altered_is_not_accepted() {
        let tokens = Tokens::new(&[1; 32]);
        let foreign = Tokens::new(&[2; 32]).issue(&principal(), at(1_000), TimeDelta::seconds(60)).unwrap();
        assert!(matches!(tokens.verify(&foreign, at(1_000)), Err(TokenFault::Forged)));
        let token = tokens.issue(&principal(), at(1_000), TimeDelta::seconds(60)).unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        // {"alg":"none","typ":"JWT"}
        let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{}.", parts[1]);
        assert!(matches!(tokens.verify(&unsigned, at(1_000)), Err(TokenFault::Forged)));
        let grown = format!("{}.{}x.{}", parts[0], parts[1], parts[2]);
        assert!(matches!(tokens.verify(&grown, at(1_000)), Err(TokenFault::Forged)));
        assert!(matches!(tokens.verify("", at(1_000)), Err(TokenFault::Forged)));
    }

    #[test]
    fn those_who_make_a_folders_key_at_once_have_the_same_one_and_nobody_else_may_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let together = std::sync::Barrier::new(16);
        let tokens: Vec<Tokens> = std::thread::scope(|scope| {
            let one = || {
                together.wait();
                Tokens::of_folder(folder.path()).unwrap()
            };
            let all: Vec<_> = (0..16).map(|_| scope.spawn(one)).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let signed = tokens[0].issue(&principal(), at(1_000), TimeDelta::seconds(60)).unwrap();
        for one in &tokens {
            assert_eq!(one.verify(&signed, at(1_000)).unwrap(), principal());
        }
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap()).collect();
        assert_eq!(left.len(), 1, "{left:?}");
        assert_eq!(left[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_somebody_left_who_was_killed_while_making_a_key_is_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token.0a1b2c3d4e5f6071.new"), [7; 5]).unwrap();
        Tokens::of_folder(folder.path()).unwrap();
        assert_eq!(std::fs::read(folder.path().join(KEY_FILE)).unwrap().len(), 32);
    }

    #[test]
    fn half_a_key_is_refused_by_name_with_what_to_do_and_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(KEY_FILE);
        std::fs::write(&file, [7; 16]).unwrap();
        let refused = Tokens::of_folder(folder.path()).unwrap_err().to_string();
        for part in [KEY_FILE, "restore it, or remove it", "请恢复该文件"] {
            assert!(refused.contains(part), "`{part}` is not in {refused}");
        }
        assert_eq!(std::fs::read(&file).unwrap(), [7; 16]);
    }
}
