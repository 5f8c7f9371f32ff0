//! 控制台 console: accounts, and signing in.
//!
//! In: a name and a password. Out: a short-lived signed token that says who asks and what the register of people
//! (the pack's people.csv) makes of them *now*; every service verifies it by key, without asking here. It has no topic
//! yet and takes no turn: nobody else decides by its rows, so that a plain transaction for each request is all there is
//! to keep whole.
//!
//! An account gives nothing by itself. A person without one cannot sign in; an account whose person has left the
//! register cannot either, and is answered like a wrong password. Passwords are kept as Argon2id hashes, and are
//! never logged, printed or told to anybody.

mod accounts;
pub mod http;
mod password;
mod sign_in;
mod store;
mod throttle;
mod watch;

pub use accounts::{Account, AccountFault, Accounts};
pub use password::{Password, PasswordFault, made_up};
pub use sign_in::{Refused, SignIn, SignedIn};
pub use store::attempts::Origin;
pub use watch::watch;

/// The service's name: of its command, of its database, and before its tables.
pub const NAME: &str = "console";
