//! Signed links to the report form (上报链接), and the note that goes with an opened form.
//!
//! A link says who may report by it and until when. It is no credential: whoever has it alone is shown a sign-in, and
//! it opens nothing but the form. Its purpose is in its audience, so that a token is never taken for a link, nor a link
//! for a token.

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::{CategoryCode, PersonId};
use serde::{Deserialize, Serialize};

use crate::token::{TokenFault, Tokens, is_a_person};

const LINK: &str = "gridward/report-link";
const OPENED: &str = "gridward/report-form";

/// What was captured before the link expired is accepted for so long after it: a phone may be without signal.
pub const ACCEPTED_AFTER: TimeDelta = TimeDelta::days(7);
/// The longest a link may hold: a day, in minutes.
pub const LONGEST_MINUTES: i64 = 24 * 60;
/// How long a link holds where nobody says.
pub const USUAL_MINUTES: i64 = 60;

/// Who may report by a link, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Drawn for this link alone: what it is bound to a device by.
    pub id: String,
    pub person: PersonId,
    pub issued_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// Chosen on the form beforehand.
    pub category: Option<CategoryCode>,
}

/// A form as it was handed out: only what was captured between then and the link's end can come with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Of the link.
    pub link: String,
    pub person: PersonId,
    /// Of the one report that can be made with this form.
    pub client_id: String,
    pub opened_at: DateTime<Utc>,
    /// When the link expires.
    pub expires_at: DateTime<Utc>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkClaims {
    aud: String,
    sub: PersonId,
    jti: String,
    iat: i64,
    exp: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cat: Option<CategoryCode>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenedClaims {
    aud: String,
    sub: PersonId,
    jti: String,
    cid: String,
    iat: i64,
    exp: i64,
}

impl Link {
    /// A new link; `entropy` names it.
    pub fn new(
        entropy: [u8; 16],
        person: PersonId,
        category: Option<CategoryCode>,
        now: DateTime<Utc>,
        minutes: i64,
    ) -> Self {
        let id = entropy.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { id, person, issued_at: now, expires_at: now + TimeDelta::minutes(minutes), category }
    }
}

impl Tokens {
    /// # Errors
    /// Never in practice: a link is plain data.
    pub fn issue_link(&self, link: &Link) -> Result<String, jsonwebtoken::errors::Error> {
        self.sign(&LinkClaims {
            aud: LINK.to_owned(),
            sub: link.person.clone(),
            jti: link.id.clone(),
            iat: link.issued_at.timestamp(),
            exp: link.expires_at.timestamp(),
            cat: link.category.clone(),
        })
    }

    /// The link, expired or not.
    ///
    /// # Errors
    /// When it was not signed with this key as a link.
    pub fn read_link(&self, text: &str) -> Result<Link, TokenFault> {
        let claims: LinkClaims = self.read(text, LINK)?;
        if !is_a_person(&claims.sub.0) {
            return Err(TokenFault::Forged);
        }
        let (issued_at, expires_at) = (time(claims.iat)?, time(claims.exp)?);
        Ok(Link { id: claims.jti, person: claims.sub, issued_at, expires_at, category: claims.cat })
    }

    /// # Errors
    /// Never in practice: it is plain data.
    pub fn issue_opened(&self, opened: &Opened) -> Result<String, jsonwebtoken::errors::Error> {
        self.sign(&OpenedClaims {
            aud: OPENED.to_owned(),
            sub: opened.person.clone(),
            jti: opened.link.clone(),
            cid: opened.client_id.clone(),
            iat: opened.opened_at.timestamp(),
            exp: opened.expires_at.timestamp(),
        })
    }

    /// The note of a form that was handed out with `link`.
    ///
    /// # Errors
    /// When it was not signed with this key for a form of that link.
    pub fn read_opened(&self, text: &str, link: &Link) -> Result<Opened, TokenFault> {
        let claims: OpenedClaims = self.read(text, OPENED)?;
        if claims.jti != link.id || claims.sub != link.person || claims.exp != link.expires_at.timestamp() {
            return Err(TokenFault::Forged);
        }
        Ok(Opened {
            link: claims.jti,
            person: claims.sub,
            client_id: claims.cid,
            opened_at: time(claims.iat)?,
            expires_at: time(claims.exp)?,
        })
    }
}

fn time(seconds: i64) -> Result<DateTime<Utc>, TokenFault> {
    DateTime::from_timestamp(seconds, 0).ok_or(TokenFault::Forged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Principal;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn link() -> Link {
        Link::new([7; 16], "worker-111".into(), Some("rubbish".into()), at(1_000), 30)
    }

    fn opened(link: &Link) -> Opened {
        Opened {
            link: link.id.clone(),
            person: link.person.clone(),
            client_id: "f-1".to_owned(),
            opened_at: at(1_100),
            expires_at: link.expires_at,
        }
    }

    #[test]
    fn a_link_says_for_whom_it_is_and_until_when() {
        let tokens = Tokens::new(&[1; 32]);
        let text = tokens.issue_link(&link()).unwrap();
        assert_eq!(tokens.read_link(&text).unwrap(), link());
        assert_eq!(link().expires_at, at(1_000 + 30 * 60));
        assert!(text.len() < 400, "it has to fit into a message: {}", text.len());
    }

    #[test]
    fn a_token_is_no_link_and_a_link_no_token_nor_is_the_note_of_a_form_either() {
        let tokens = Tokens::new(&[1; 32]);
        let principal = Principal { person: "worker-111".into(), grants: Vec::new() };
        let token = tokens.issue(&principal, at(1_000), TimeDelta::hours(1)).unwrap();
        let link_text = tokens.issue_link(&link()).unwrap();
        let note = tokens.issue_opened(&opened(&link())).unwrap();
        for other in [&link_text, &note] {
            assert!(matches!(tokens.verify(other, at(1_000)), Err(TokenFault::Forged)), "{other}");
        }
        for other in [&token, &note, &String::new(), &link_text[..link_text.len() - 2].to_owned()] {
            assert!(matches!(tokens.read_link(other), Err(TokenFault::Forged)), "{other}");
        }
        for other in [&token, &link_text] {
            assert!(tokens.read_opened(other, &link()).is_err(), "{other}");
        }
        assert!(Tokens::new(&[2; 32]).read_link(&link_text).is_err(), "signed elsewhere");
    }

    #[test]
    fn the_note_of_a_form_goes_with_its_own_link_alone() {
        let tokens = Tokens::new(&[1; 32]);
        let note = tokens.issue_opened(&opened(&link())).unwrap();
        assert_eq!(tokens.read_opened(&note, &link()).unwrap(), opened(&link()));
        let others = [
            Link { id: "another".to_owned(), ..link() },
            Link { person: "worker-112".into(), ..link() },
            Link { expires_at: at(9_999_999), ..link() },
        ];
        for other in others {
            assert!(matches!(tokens.read_opened(&note, &other), Err(TokenFault::Forged)), "{other:?}");
        }
    }
}
