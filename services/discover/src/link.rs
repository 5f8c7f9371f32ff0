//! 上报链接: whom a link shows the form to, and what was captured in time. Pure.
//!
//! A link is for one person and is no credential. It opens for the device that opened it first, and for whoever is
//! signed in as that very person, on any. Everybody else, to whom it was forwarded, is shown a sign-in.

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::PersonId;
use platform::link::{ACCEPTED_AFTER, Link, Opened};
use sha2::{Digest, Sha256};

/// Whoever opens a link, as far as can be told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Visitor {
    /// Who is signed in on this browser.
    pub signed_in: Option<PersonId>,
    /// The secret that this device was given when it first opened a link.
    pub device: Option<String>,
    /// A person opens a page, not a machine that looks at an address in a message.
    pub navigates: bool,
    /// Another site sent the browser here, so that it has left its cookies at home.
    pub from_elsewhere: bool,
}

/// What a visitor is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// The form, for this is the person.
    Form,
    /// The form, and from now on for this device alone.
    FormAndBind,
    /// A button that opens it: what looks ahead presses none.
    Button,
    /// The same address once more, so that the browser brings its cookies.
    Again,
    /// A sign-in.
    SignIn(Why),
    /// That it has expired; nothing of the person.
    Expired,
    /// That it is void: the person has left the register, or may not report any more.
    Void,
}

/// Why somebody is to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// The link was opened on another device.
    Elsewhere,
    /// Signed in is somebody else.
    Other,
}

/// How a device is known by a link: neither tells of another link of the same device, nor of the secret.
pub(crate) fn digest(link: &Link, device: &str) -> String {
    let digest = Sha256::digest(format!("{}\0{device}", link.id));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether this is the person: signed in as such, or on the device that `bound` tells of.
pub(crate) fn is_the_person(link: &Link, bound: Option<&str>, visitor: &Visitor) -> bool {
    let own_device = || {
        let device = visitor.device.as_deref().map(|device| digest(link, device));
        bound.is_some() && device.as_deref() == bound
    };
    match &visitor.signed_in {
        Some(person) => *person == link.person,
        None => own_device(),
    }
}

/// What opening `link` at `now` shows. `may_report`: the register still lets its person report somewhere.
pub(crate) fn open(
    link: &Link,
    may_report: bool,
    bound: Option<&str>,
    visitor: &Visitor,
    now: DateTime<Utc>,
) -> Shown {
    if link.expires_at < now {
        return Shown::Expired;
    }
    if !may_report {
        return Shown::Void;
    }
    if is_the_person(link, bound, visitor) {
        return Shown::Form;
    }
    match bound {
        _ if visitor.signed_in.is_some() => Shown::SignIn(Why::Other),
        None if visitor.navigates => Shown::FormAndBind,
        None => Shown::Button,
        Some(_) if visitor.from_elsewhere => Shown::Again,
        Some(_) => Shown::SignIn(Why::Elsewhere),
    }
}

/// Between a form's clock and ours.
const SLACK: TimeDelta = TimeDelta::seconds(5);

/// What came too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLate;

/// When a report was captured that came at `now`, `after` the form was handed out by its own count. A count that cannot
/// be is not believed: the report is then as old as its form.
///
/// # Errors
/// When it was captured after the link expired, or came more than seven days after that.
pub(crate) fn captured(
    opened: &Opened,
    after: Option<TimeDelta>,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, TooLate> {
    if now > opened.expires_at + ACCEPTED_AFTER {
        return Err(TooLate);
    }
    let told = after.filter(|after| *after >= TimeDelta::zero()).map(|after| opened.opened_at + after);
    let captured = told.filter(|at| *at <= now + SLACK).unwrap_or(opened.opened_at);
    if captured > opened.expires_at { Err(TooLate) } else { Ok(captured) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + minute * 60, 0).unwrap()
    }

    fn link() -> Link {
        Link::new([1; 16], "worker-111".into(), None, at(0), 30)
    }

    fn visitor() -> Visitor {
        Visitor { navigates: true, ..Visitor::default() }
    }

    fn signed_in(person: &str) -> Visitor {
        Visitor { signed_in: Some(person.into()), ..visitor() }
    }

    fn with_device(device: &str) -> Visitor {
        Visitor { device: Some(device.to_owned()), ..visitor() }
    }

    #[test]
    fn whoever_opens_it_first_is_the_person_and_their_device_stays_so() {
        assert_eq!(open(&link(), true, None, &visitor(), at(1)), Shown::FormAndBind);
        let bound = digest(&link(), "mine");
        assert_eq!(open(&link(), true, Some(&bound), &with_device("mine"), at(2)), Shown::Form);
    }

    #[test]
    fn forwarded_it_shows_a_sign_in_and_the_form_to_the_very_person_only() {
        let bound = digest(&link(), "mine");
        for stranger in [visitor(), with_device("another"), with_device("")] {
            assert_eq!(open(&link(), true, Some(&bound), &stranger, at(2)), Shown::SignIn(Why::Elsewhere));
        }
        for other in [None, Some(bound.as_str())] {
            assert_eq!(
                open(&link(), true, other, &signed_in("worker-112"), at(2)),
                Shown::SignIn(Why::Other)
            );
            assert_eq!(open(&link(), true, other, &signed_in("worker-111"), at(2)), Shown::Form);
        }
        // A device that two people share is the one's who is signed in there.
        let shared = Visitor { device: Some("mine".to_owned()), ..signed_in("worker-112") };
        assert_eq!(open(&link(), true, Some(&bound), &shared, at(2)), Shown::SignIn(Why::Other));
    }

    #[test]
    fn what_looks_at_an_address_in_a_message_binds_nothing() {
        let machine = Visitor { navigates: false, ..visitor() };
        assert_eq!(open(&link(), true, None, &machine, at(1)), Shown::Button);
    }

    #[test]
    fn a_browser_that_was_sent_by_another_site_is_asked_once_more_for_its_cookies() {
        let sent = Visitor { from_elsewhere: true, ..visitor() };
        assert_eq!(open(&link(), true, Some("bound"), &sent, at(1)), Shown::Again);
    }

    #[test]
    fn a_link_that_has_expired_or_whose_person_has_left_opens_for_nobody() {
        for visitor in [visitor(), signed_in("worker-111")] {
            assert_eq!(open(&link(), true, None, &visitor, at(31)), Shown::Expired);
            assert_eq!(open(&link(), false, None, &visitor, at(1)), Shown::Void);
        }
    }

    #[test]
    fn what_was_captured_in_time_is_taken_for_seven_days_and_nothing_else_is() {
        let opened = Opened {
            link: link().id,
            person: "worker-111".into(),
            client_id: "f-1".to_owned(),
            opened_at: at(10),
            expires_at: at(30),
        };
        let after = |minutes| Some(TimeDelta::minutes(minutes));
        let days = |days: i64| at(30 + days * 24 * 60);
        assert_eq!(captured(&opened, after(5), at(15)), Ok(at(15)));
        assert_eq!(captured(&opened, None, at(15)), Ok(at(10)), "without script it is as old as its form");
        assert_eq!(captured(&opened, after(5), days(6)), Ok(at(15)), "sent when there was signal again");
        assert_eq!(captured(&opened, None, days(7)), Ok(at(10)));
        assert_eq!(captured(&opened, after(5), days(7) + TimeDelta::minutes(1)), Err(TooLate));
        assert_eq!(captured(&opened, after(21), at(40)), Err(TooLate), "captured after it expired");
        assert_eq!(captured(&opened, after(60), at(15)), Ok(at(10)), "no report comes from the future");
        assert_eq!(captured(&opened, after(-60), at(15)), Ok(at(10)), "nor from before its form");
    }
}
