//! One parser under libFuzzer, which makes inputs and keeps those that take a way of their own through the code. `PARSER` in
//! the environment names the parser.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use scenarios::parsers::{ALL, Parser, named};

static PARSER: OnceLock<&Parser> = OnceLock::new();

fn chosen() -> &'static Parser {
    let name = std::env::var("PARSER").unwrap_or_default();
    let known = || ALL.map(|parser| parser.name).join(", ");
    named(&name).unwrap_or_else(|| panic!("PARSER is `{name}`, and must be one of {}", known()))
}

fuzz_target!(init: PARSER.get_or_init(chosen), |bytes: &[u8]| {
    (PARSER.get_or_init(chosen).read)(bytes);
});
