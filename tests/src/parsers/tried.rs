//! Each parser is given the stored inputs, and what a seed makes of them: the same in every run.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use super::{ALL, Parser, Read};

/// Where a parser is told to stop being waited for: nothing here takes a hundredth of it.
const STUCK: Duration = Duration::from_secs(600);

/// The most files that are stored, and the most bytes in all.
const MOST_FILES: usize = 300;
const MOST_BYTES: usize = 1_000_000;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

/// The stored inputs of a parser, by name.
fn stored(parser: &Parser) -> BTreeMap<String, Vec<u8>> {
    let folder = corpus().join(parser.name);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let file =
        |entry: fs::DirEntry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap());
    files.map(|entry| file(entry.unwrap())).collect()
}

/// The same numbers in every run.
struct Dice(u64);

impl Dice {
    /// A number below `sides`: xorshift64*.
    fn below(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap() % sides.max(1)
    }
}

/// What breaks parsers: ends, signs, the largest and the longest, and half of a character.
const ODD: [&[u8]; 20] = [
    b"0",
    b"-1",
    b"99999999999999999999",
    b"1e308",
    b"NaN",
    b"\"",
    b"\\u0000",
    b"\0",
    b"\xff",
    b"\xe5\xbc",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\n\n",
    b",",
    b"[[[[",
    b"{}",
    b"null",
    b"%00",
    b"-262143-01-01T00:00:00Z",
    b"+262142-12-31T23:59:59Z",
];

/// One input of another, and of a piece of a third.
fn made(dice: &mut Dice, from: &[Vec<u8>], longest: usize) -> Vec<u8> {
    let mut bytes = from[dice.below(from.len())].clone();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        let until = at + dice.below((bytes.len() - at).min(32) + 1);
        match dice.below(8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 => drop(bytes.drain(at..until)),
            2 => drop(bytes.splice(at..at, ODD[dice.below(ODD.len())].iter().copied())),
            3 => drop(bytes.splice(at..until, ODD[dice.below(ODD.len())].iter().copied())),
            4 => bytes.extend_from_within(at..until),
            5 => bytes.truncate(at),
            6 => {
                let other = &from[dice.below(from.len())];
                let begin = dice.below(other.len() + 1);
                let end = begin + dice.below((other.len() - begin).min(64) + 1);
                drop(bytes.splice(at..until, other[begin..end].iter().copied()));
            }
            _ if at < bytes.len() => bytes[at] = b"0123456789-+.,:/\"{}[] \n\\aZ%"[dice.below(27)],
            _ => {}
        }
    }
    bytes.truncate(longest);
    bytes
}

/// Gives a parser all of it; answers how many inputs were taken and how many refused, or what broke it.
fn try_out(parser: &Parser, now: &Mutex<Vec<u8>>) -> Result<BTreeMap<Read, usize>, String> {
    let stored = stored(parser);
    let mut counted = BTreeMap::new();
    let mut give = |name: &str, input: &[u8]| {
        input.clone_into(&mut now.lock().unwrap());
        let read = catch_unwind(AssertUnwindSafe(|| (parser.read)(input)));
        let read = read.map_err(|_| format!("{name}: {}", input.escape_ascii()))?;
        *counted.entry(read).or_default() += 1;
        Ok::<_, String>(())
    };
    for (name, input) in &stored {
        give(name, input)?;
    }
    let from: Vec<Vec<u8>> = stored.into_values().collect();
    let seed =
        parser.name.bytes().fold(20_260_302, |seed: u64, byte| seed.wrapping_mul(31) + u64::from(byte));
    let mut dice = Dice(seed);
    for number in 0..parser.tried {
        give(&format!("made {number}"), &made(&mut dice, &from, parser.longest))?;
    }
    Ok(counted)
}

#[test]
fn whatever_a_parser_is_given_it_says_whether_it_takes_it_and_nothing_that_is_promised_breaks() {
    let (next, failed) = (Mutex::new(ALL.iter()), Mutex::new(Vec::new()));
    let (done, ended) = mpsc::channel::<&str>();
    let threads = std::thread::available_parallelism().map_or(2, usize::from).min(ALL.len());
    let now: Vec<(Mutex<&str>, Mutex<Vec<u8>>)> = (0..threads).map(|_| Default::default()).collect();
    std::thread::scope(|scope| {
        for (name, input) in &now {
            let (next, failed, done) = (&next, &failed, done.clone());
            scope.spawn(move || {
                loop {
                    let Some(parser) = next.lock().unwrap().next() else { return };
                    *name.lock().unwrap() = parser.name;
                    match try_out(parser, input) {
                        Err(broken) => failed.lock().unwrap().push(format!("{}: {broken}", parser.name)),
                        // A parser of which nothing is known but what it refuses is not tried at all.
                        Ok(counted) if counted.len() < 2 => {
                            failed.lock().unwrap().push(format!("{}: {counted:?} alone", parser.name));
                        }
                        Ok(_) => {}
                    }
                    done.send(parser.name).unwrap();
                }
            });
        }
        drop(done);
        for _ in ALL {
            if ended.recv_timeout(STUCK) == Err(RecvTimeoutError::Timeout) {
                let at = |(name, input): &(Mutex<&str>, Mutex<Vec<u8>>)| {
                    format!("{}: {}", name.lock().unwrap(), input.lock().unwrap().escape_ascii())
                };
                // The threads that hang cannot be stopped, and would be waited for.
                eprintln!(
                    "a parser does not come to an end:\n{}",
                    now.iter().map(at).collect::<Vec<_>>().join("\n")
                );
                std::process::abort();
            }
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} parsers broke:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn every_parser_has_stored_inputs_and_all_of_them_together_stay_small() {
    let folders =
        fs::read_dir(corpus()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut folders: Vec<String> = folders.collect();
    folders.sort_unstable();
    let mut names: Vec<&str> = ALL.iter().map(|parser| parser.name).collect();
    names.sort_unstable();
    assert_eq!(folders, names, "a folder for each parser, and no other");
    let all: Vec<Vec<u8>> = ALL.iter().flat_map(|parser| stored(parser).into_values()).collect();
    let bytes: usize = all.iter().map(Vec::len).sum();
    assert!(all.len() <= MOST_FILES && bytes <= MOST_BYTES, "{} files, {bytes} bytes", all.len());
    for parser in &ALL {
        assert!(!stored(parser).is_empty() && !parser.reads.is_empty(), "{}", parser.name);
    }
}
