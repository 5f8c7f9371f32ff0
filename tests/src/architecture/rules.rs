//! The rules, in the order of the layers they keep apart; then what holds for every file.

use super::Rule;
use super::crates::{SERVICES, ours, service, wrong_dependencies};
use super::find::{
    any_text, any_word, foreign_word, found, in_code, in_domain, in_lines, is_rust, is_test, lies_in,
    machine_path, roots,
};

const FRAMEWORKS: [&str; 7] = ["tokio", "axum", "sea_orm", "rdkafka", "prometheus", "tracing", "reqwest"];
const DATABASE: [&str; 4] = ["sea_orm", "sea_orm_migration", "sea_query", "sqlx"];
const LONGEST: usize = 500;
/// Any text that is longer.
const LONG: &str = include_str!("../../../Cargo.lock");

pub(super) const RULES: &[Rule] = &[
    Rule {
        says: "domain imports no framework",
        because: "the words and the rules stand without I/O, so that a test, a replay and an audit use the same ones",
        breaks: |source| in_domain(source, |code| any_word(code, &FRAMEWORKS)),
        bad: &[
            ("shared/domain/src/a.rs", "//! A.\nuse tokio::time;\n", 2),
            ("shared/domain/src/a.rs", "//! A.\n\n#[derive(sea_orm::FromQueryResult)]\nstruct A;\n", 3),
        ],
        good: &[
            ("shared/domain/src/a.rs", "//! No tokio.\nconst A: &str = \"axum::\"; // tracing::info\n"),
            ("shared/platform/src/a.rs", "//! A.\nuse tokio::time;\n"),
        ],
    },
    Rule {
        says: "domain imports no other crate of ours",
        because: "everything stands on domain, and it on nothing",
        breaks: |source| {
            in_domain(source, |code| roots(code, |name| ours().any(|our| our == name && our != "domain")))
        },
        bad: &[
            ("shared/domain/src/a.rs", "//! A.\nuse platform::clock::Clock;\n", 2),
            ("shared/domain/src/a.rs", "//! A.\nfn a() -> handle::Done {}\n", 2),
        ],
        good: &[(
            "shared/domain/src/a.rs",
            "//! A.\nuse crate::route::Route;\nfn a(route: Route) -> A { policy.handle }\n",
        )],
    },
    Rule {
        says: "domain has nothing async",
        because: "a decision that can wait for something can be decided differently the second time",
        breaks: |source| in_domain(source, |code| any_word(code, &["async", "await"])),
        bad: &[("shared/domain/src/a.rs", "//! A.\n\npub async fn a() {}\n", 3)],
        good: &[("shared/domain/src/a.rs", "//! No `async fn`.\n/// Not async.\nfn a() {}\n")],
    },
    Rule {
        says: "domain reads no clock",
        because: "the outcome is a function of recorded times alone",
        breaks: |source| {
            in_domain(source, |code| {
                any_text(code, &["Utc::now", "Local::now", "SystemTime::now", "Instant::now"])
            })
        },
        bad: &[("shared/domain/src/a.rs", "//! A.\nfn a() { let now = Utc::now(); }\n", 2)],
        good: &[("shared/domain/src/a.rs", "//! A.\nfn a(now: DateTime<Utc>) {}\n")],
    },
    Rule {
        says: "the database is spoken to only in store/, in migrations/ and in gridward's audit",
        because: "a table has one file that knows its columns, and a decision knows none",
        breaks: |source| {
            let here = lies_in(source, "store")
                || ["migrations/", "services/gridward/src/audit/", "tests/"]
                    .iter()
                    .any(|at| source.path.starts_with(at));
            if here { Vec::new() } else { in_code(source, |code| any_word(code, &DATABASE)) }
        },
        bad: &[
            ("services/handle/src/act.rs", "//! Act.\nuse sea_orm::QueryResult;\n", 2),
            (
                "shared/platform/src/turn/a.rs",
                "//! A.\nasync fn a(tx: &sea_orm::DatabaseTransaction) {}\n",
                2,
            ),
            ("services/route/src/audit/a.rs", "//! A.\nuse sea_query::Expr;\n", 2),
        ],
        good: &[
            ("services/handle/src/store/cases.rs", "//! Cases.\nuse sea_orm::QueryResult;\n"),
            ("services/gridward/src/audit/steps.rs", "//! Steps.\nuse sea_orm::Statement;\n"),
            ("services/handle/src/act.rs", "//! Knows nothing of sea_orm.\n"),
        ],
    },
    Rule {
        says: "rdkafka is used only in shared/kafka and shared/kafka-topics",
        because: "a broker is one of two settings of the stream, and nobody else can tell which one runs",
        breaks: |source| {
            let here = source.path.starts_with("shared/kafka");
            if here { Vec::new() } else { in_code(source, |code| any_word(code, &["rdkafka"])) }
        },
        bad: &[("services/chat/src/lib.rs", "//! Chat.\nuse rdkafka::Message;\n", 2)],
        good: &[("shared/kafka/src/sending.rs", "//! Sending.\nuse rdkafka::Message;\n")],
    },
    Rule {
        says: "axum is used only in http/",
        because: "what a person asks for and how it is asked are two things, and only one of them is tested without a server",
        breaks: |source| {
            if lies_in(source, "http") {
                Vec::new()
            } else {
                in_code(source, |code| any_word(code, &["axum"]))
            }
        },
        bad: &[("services/handle/src/act.rs", "//! Act.\n\nuse axum::Json;\n", 3)],
        good: &[("services/handle/src/http/act.rs", "//! Act.\nuse axum::Json;\n")],
    },
    Rule {
        says: "services never import each other",
        because: "they meet in topics, so that each runs alone as its own process",
        breaks: |source| match service(&source.path) {
            Some(own) if own != "gridward" => in_code(source, |code| {
                roots(code, |name| name != own && (SERVICES.contains(&name) || name == "gridward"))
            }),
            _ => Vec::new(),
        },
        bad: &[
            ("services/route/src/lib.rs", "//! Route.\nuse handle::Act;\n", 2),
            ("services/chat/src/a.rs", "//! A.\nfn a() { gridward::embedded::lock() }\n", 2),
        ],
        good: &[
            (
                "services/route/src/lib.rs",
                "//! Route.\nuse crate::handle::Act;\nuse axum::{Router, routing::route};\n",
            ),
            ("services/gridward/src/lib.rs", "//! All.\nuse handle::Act;\n"),
            ("services/handle/src/lib.rs", "//! Handle. Not route::Route.\nuse platform::turn::Turn;\n"),
        ],
    },
    Rule {
        says: "crates depend in one direction: domain ← platform ← services ← gridward, tests",
        because: "what many stand on changes least, and a service can be taken out alone",
        breaks: wrong_dependencies,
        bad: &[
            ("shared/domain/Cargo.toml", "[dependencies]\nplatform.workspace = true\n", 2),
            (
                "shared/platform/Cargo.toml",
                "[dependencies]\nmigrations = { path = \"../../migrations\" }\n",
                2,
            ),
            (
                "services/route/Cargo.toml",
                "[dependencies]\ndomain.workspace = true\n\n[dependencies.handle]\n",
                4,
            ),
            (
                "services/route/Cargo.toml",
                "[dev-dependencies]\nother = { package = \"gridward\", path = \"../gridward\" }\n",
                2,
            ),
            ("shared/extra/Cargo.toml", "[package]\nname = \"extra\"\n", 1),
        ],
        good: &[
            (
                "shared/platform/Cargo.toml",
                "[dependencies]\ndomain.workspace = true\n[dev-dependencies]\nmigrations.workspace = true\n",
            ),
            (
                "services/gridward/Cargo.toml",
                "[package]\nname = \"gridward\"\n[dependencies]\nhandle.workspace = true\n",
            ),
        ],
    },
    Rule {
        says: "a file has at most 500 lines, tests aside",
        because: "a longer one holds two things, and its name tells of one",
        breaks: |source| {
            let lines = source.text.lines().count();
            let long = is_rust(source) && !is_test(source) && lines > LONGEST;
            if long { found(LONGEST + 1, format!("it has {lines} lines")) } else { Vec::new() }
        },
        bad: &[("services/handle/src/a.rs", LONG, LONGEST + 1)],
        good: &[("tests/src/a.rs", LONG), ("services/handle/src/a.rs", "//! A.\n"), ("docs/a.md", LONG)],
    },
    Rule {
        says: "nothing is named utils, common, manager or helpers",
        because: "a name says what the thing is for, without opening it",
        breaks: |source| {
            let nameless = ["util", "utils", "common", "manager", "managers", "helper", "helpers", "misc"];
            let stem = |part: &str| part.split('.').next().unwrap_or(part).to_lowercase();
            let part = source.path.split('/').find(|part| nameless.contains(&stem(part).as_str()));
            part.map_or_else(Vec::new, |part| found(1, format!("`{part}`")))
        },
        bad: &[
            ("services/route/src/utils/mod.rs", "//! A.\n", 1),
            ("services/route/src/case_store/manager.rs", "//! A.\n", 1),
        ],
        good: &[("services/route/src/commons.rs", "//! Land that belongs to all.\n")],
    },
    Rule {
        says: "a source begins with `//!`",
        because: "the first sentence says what the file is for",
        breaks: |source| {
            let first = source.text.lines().next().unwrap_or_default();
            let begins = first.starts_with("//!") || first.contains("@generated");
            if is_rust(source) && !begins {
                found(1, format!("it begins with `{first}`"))
            } else {
                Vec::new()
            }
        },
        bad: &[
            ("services/route/src/a.rs", "use crate::Route;\n//! Late.\n", 1),
            ("services/route/src/a.rs", "", 1),
        ],
        good: &[
            ("services/route/src/a.rs", "//! A.\nuse crate::Route;\n"),
            ("services/route/src/a.rs", "// @generated\nuse crate::Route;\n"),
        ],
    },
    Rule {
        says: "only commands print",
        because: "a service has logs and answers; at a terminal sits a person who typed a command",
        breaks: |source| {
            let may = source.path.starts_with("services/gridward/src/commands/")
                || is_test(source)
                || source.path.ends_with("/build.rs");
            let print = ["println!", "eprintln!", "print!", "eprint!", "dbg!"];
            if may { Vec::new() } else { in_code(source, |code| any_word(code, &print)) }
        },
        bad: &[
            ("services/handle/src/act.rs", "//! Act.\nfn a() {\n    println!(\"a\");\n}\n", 3),
            ("shared/platform/src/a.rs", "//! A.\nfn a() { eprintln!() }\n", 2),
        ],
        good: &[
            ("services/gridward/src/commands/a.rs", "//! A.\nfn a() { println!() }\n"),
            ("services/handle/src/act.rs", "//! No println!\nfn a() { writeln!(out, \"println!\") }\n"),
        ],
    },
    Rule {
        says: "nothing names a folder of one machine",
        because: "the sources are at home wherever they are put",
        breaks: |source| in_lines(&source.text, machine_path),
        bad: &[
            ("docs/a.md", concat!("Fine.\nLies in /ro", "ot/gridward.\n"), 2),
            ("Makefile", concat!("DATA := /wo", "rk/data\n"), 1),
        ],
        good: &[("docs/a.md", concat!("See https://example.org/ho", "me/page and $HOME/wo", "rk/data.\n"))],
    },
    Rule {
        says: "the project speaks of itself alone",
        because: "what a line was typed with belongs to its history, and a page nobody else has explains nothing",
        breaks: |source| in_lines(&source.text, foreign_word),
        bad: &[
            ("README.md", concat!("A.\n\nCo-", "authored-by: somebody\n"), 3),
            ("services/handle/src/act.rs", concat!("//! See DESIGN", ".md.\n"), 1),
        ],
        good: &[("README.md", "The design is in the sources. Written by hand; co-operation is welcome.\n")],
    },
];
