//! Every parser that meets the outside, each as a function of bytes: it says whether they were taken, and panics where
//! something that is promised of it does not hold.
//!
//! `tests/fuzz.sh` looks for such bytes by the ways they take through the code, and keeps the most telling ones in
//! `tests/fuzz/corpus`, a folder for each parser. [`tried`] gives those, and what a seed makes of them, to each parser in
//! every run of the tests.

mod areas;
mod base;
mod boundaries;
mod calendars;
mod facts;
mod http;
mod limits;
mod packs;
mod places;
mod recorded;
mod records;
mod register;
mod settings;
mod times;
mod tokens;
#[cfg(test)]
mod tried;
mod words;

/// What became of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Read {
    Taken,
    Refused,
}

impl From<bool> for Read {
    fn from(taken: bool) -> Self {
        if taken { Self::Taken } else { Self::Refused }
    }
}

/// A parser, as somebody who knows nothing of it can try it.
#[derive(Clone, Copy, Debug)]
pub struct Parser {
    /// Also of its folder in the corpus.
    pub name: &'static str,
    /// What it reads, and who writes that.
    pub reads: &'static str,
    /// Panics where a promise is broken.
    pub read: fn(&[u8]) -> Read,
    /// How many inputs a run of the tests makes of the stored ones: as many as take a second or two.
    pub tried: usize,
    /// The most bytes of an input that is made.
    pub longest: usize,
}

/// In the order in which an office meets them: what it is told of itself, then what people send, then what services tell
/// each other.
pub static ALL: [Parser; 22] = [
    Parser {
        name: "settings",
        reads: "settings of the servers: a TOML file, and the environment",
        read: settings::settings,
        tried: 10_000,
        longest: 2_000,
    },
    Parser {
        name: "pack",
        reads: "pack.json of a pack, as an operator writes it and as it is published",
        read: packs::main,
        tried: 2_000,
        longest: 6_000,
    },
    Parser {
        name: "tables",
        reads: "the CSV files of a pack: areas, people, categories, duty, organisations …",
        read: packs::tables,
        tried: 2_000,
        longest: 4_000,
    },
    Parser {
        name: "calendars",
        reads: "working calendars, and what a pack arranges otherwise",
        read: calendars::calendars,
        tried: 3_000,
        longest: 3_000,
    },
    Parser {
        name: "boundaries",
        reads: "GeoJSON files of boundaries, as cities publish them",
        read: boundaries::boundaries,
        tried: 5_000,
        longest: 3_000,
    },
    Parser {
        name: "register",
        reads: "records of the register of published packs: manifests and parts",
        read: register::register,
        tried: 20_000,
        longest: 3_000,
    },
    Parser {
        name: "words",
        reads: "levels, roles, posts, holders, ids and whatever else is one word in files, addresses and facts",
        read: words::words,
        tried: 20_000,
        longest: 100,
    },
    Parser {
        name: "areas",
        reads: "codes and paths of areas, Chinese and others",
        read: areas::areas,
        tried: 10_000,
        longest: 1_000,
    },
    Parser {
        name: "limits",
        reads: "limits in the notation of rules, from 4wh to 3 工作日（按工时）",
        read: limits::limits,
        tried: 10_000,
        longest: 100,
    },
    Parser {
        name: "times",
        reads: "times as recorded files write them, in the formats and zones that packs name",
        read: times::times,
        tried: 20_000,
        longest: 100,
    },
    Parser {
        name: "places",
        reads: "points with their datums, as devices send them",
        read: places::places,
        tried: 20_000,
        longest: 300,
    },
    Parser {
        name: "recorded",
        reads: "files of recorded reports: CSV in UTF-8, GB18030 and Big5, plain and gzipped",
        read: recorded::recorded,
        tried: 5_000,
        longest: 3_000,
    },
    Parser {
        name: "proxies",
        reads: "lists of proxies, and what proxies say of where somebody asks from",
        read: http::proxies::proxies,
        tried: 20_000,
        longest: 300,
    },
    Parser {
        name: "tokens",
        reads: "tokens, links and the notes of forms, as anybody may make them up",
        read: tokens::tokens,
        tried: 10_000,
        longest: 1_000,
    },
    Parser {
        name: "sessions",
        reads: "sign-ins: JSON and form, with a password",
        read: http::sessions::sessions,
        tried: 1_000,
        longest: 1_000,
    },
    Parser {
        name: "reports",
        reads: "reports as programs and devices send them: JSON",
        read: http::reports::reports,
        tried: 2_000,
        longest: 1_500,
    },
    Parser {
        name: "forms",
        reads: "the form behind a link, as a browser sends it",
        read: http::forms::forms,
        tried: 2_000,
        longest: 1_500,
    },
    Parser {
        name: "commands",
        reads: "what people ask of a case: what they do, the revision they saw, and their words",
        read: http::commands::commands,
        tried: 2_000,
        longest: 1_000,
    },
    Parser {
        name: "organisations",
        reads: "orders, answers to offers, and the register of partner organisations",
        read: http::organisations::organisations,
        tried: 2_000,
        longest: 1_500,
    },
    Parser {
        name: "requests",
        reads: "requests of any method, address, parameters, headers and body",
        read: http::requests::requests,
        tried: 2_000,
        longest: 1_500,
    },
    Parser {
        name: "records",
        reads: "records of topics: facts in their envelopes, and whatever else lies there",
        read: records::records,
        tried: 20_000,
        longest: 1_500,
    },
    Parser {
        name: "facts",
        reads: "the bodies of facts, one after another about one incident",
        read: facts::facts,
        tried: 3_000,
        longest: 6_000,
    },
];

/// The parser of this name.
pub fn named(name: &str) -> Option<&'static Parser> {
    ALL.iter().find(|parser| parser.name == name)
}

/// As text; nothing of ours reads any other.
fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// What stands before the first line break, and what behind it.
fn head(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &[]),
    }
}
