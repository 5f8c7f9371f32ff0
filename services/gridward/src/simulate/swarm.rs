//! What there is in one life at all, and how often. It is drawn before anything happens (a swarm): a fault that is always
//! there hides others.

use super::dice::Dice;
use super::faults::Kind;
use super::mishaps::Mishap;
use super::office::{CATEGORIES, OFFERED, SPOTS};
use super::parts::Part;

/// What kind of event it is to be.
#[derive(Clone, Copy, Debug)]
pub enum Choice {
    Report,
    Act,
    Partner,
    Facts,
    Relay,
    Sweep,
    Anything,
    Pass,
    Thaw,
    Start,
    Die,
    Share,
    Again,
    Mishap,
    /// Somebody does something about a mishap.
    Mend,
}

/// How often each is drawn where nothing else is said.
const USUALLY: [(usize, Choice); 15] = [
    (6, Choice::Report),
    (16, Choice::Act),
    (5, Choice::Partner),
    (34, Choice::Facts),
    (22, Choice::Relay),
    (12, Choice::Sweep),
    (2, Choice::Anything),
    (9, Choice::Pass),
    (5, Choice::Thaw),
    (8, Choice::Start),
    (1, Choice::Die),
    (2, Choice::Share),
    (2, Choice::Again),
    (6, Choice::Mishap),
    (5, Choice::Mend),
];

/// What a life leans to: what takes many steps of one kind hardly ever comes about among all the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lean {
    Nowhere,
    /// A case goes to and fro until the street decides, and on.
    GivingBack,
    /// Organisations are asked for one case after the other.
    Offers,
}

const LEANS: [Lean; 8] = [
    Lean::Nowhere,
    Lean::Nowhere,
    Lean::Nowhere,
    Lean::Nowhere,
    Lean::Nowhere,
    Lean::GivingBack,
    Lean::Offers,
    Lean::Offers,
];

/// Whose store may be put back: each as often as it is named here.
const STORES: [Part; 5] = [Part::Discover, Part::Route, Part::Route, Part::Supervise, Part::Partner];

/// What there is in one life, and how often.
pub struct Swarm {
    pub weights: Vec<(usize, Choice)>,
    pub kinds: Vec<Kind>,
    /// Of a hundred steps, so many have a fault.
    pub faulty: usize,
    pub mishaps: Vec<Mishap>,
    /// Whose store is put back, if it is not handle's.
    pub restored: Part,
    /// Milliseconds that pass at once: from, to.
    pub passes: Vec<(i64, i64)>,
    pub categories: Vec<&'static str>,
    pub spots: Vec<usize>,
    pub reports: usize,
    /// How much rather whoever holds a case gives it back: 2, where 5 is to go on with it.
    pub gives_back: usize,
    pub left: usize,
}

impl Swarm {
    pub fn draw(dice: &mut Dice) -> Self {
        let lean = LEANS[dice.below(LEANS.len())];
        // A case that goes to and fro needs a long life, and a quiet one.
        let mishaps = if lean == Lean::GivingBack { Vec::new() } else { mishaps(dice) };
        let longer = [0, 80][usize::from(lean != Lean::Nowhere)];
        let weights = USUALLY.map(|(weight, choice)| {
            let often = match (choice, lean) {
                // Without these nothing would ever happen.
                (Choice::Facts | Choice::Relay | Choice::Start | Choice::Report, _) => dice.between(1, 2),
                (Choice::Mishap | Choice::Mend, _) => usize::from(!mishaps.is_empty()),
                (Choice::Act, Lean::GivingBack) => 3,
                (Choice::Partner, Lean::Offers) => 6,
                // Whoever signs for a case takes it out of the offers.
                (Choice::Act, Lean::Offers) => dice.below(2),
                _ => [0, 1, 1, 3][dice.below(4)],
            };
            (weight * often, choice)
        });
        let mut kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|_| dice.one_in(2)).collect();
        let faulty = if dice.one_in(6) { 0 } else { dice.between(2, 30) };
        if kinds.is_empty() {
            kinds.push(Kind::Crash);
        }
        let mut categories: Vec<&str> = CATEGORIES.into_iter().filter(|_| dice.one_in(2)).collect();
        if categories.is_empty() {
            categories.push("gas");
        }
        let mut spots: Vec<usize> = (0..SPOTS.len()).filter(|_| dice.one_in(3)).collect();
        if spots.is_empty() {
            spots.push(0);
        }
        if lean == Lean::Offers {
            (categories, spots) = (vec![OFFERED], vec![0]);
        }
        Self {
            weights: weights.to_vec(),
            kinds,
            faulty,
            mishaps,
            restored: STORES[dice.below(STORES.len())],
            passes: passes(dice),
            categories,
            spots,
            reports: dice.between(1, if lean == Lean::GivingBack { 2 } else { 4 }),
            gives_back: if lean == Lean::GivingBack { 15 } else { 2 },
            left: dice.between(40, 140) + longer,
        }
    }
}

/// None in four lives of ten, one in four, two in the others: what happens at once hides what happens alone.
fn mishaps(dice: &mut Dice) -> Vec<Mishap> {
    let many = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2][dice.below(10)];
    (0..many).filter_map(|_| dice.pick(&Mishap::ALL).copied()).collect()
}

fn passes(dice: &mut Dice) -> Vec<(i64, i64)> {
    let minute = 60_000;
    let scales = [(1, 2_000), (2_000, 2 * minute), (minute, 30 * minute), (30 * minute, 20 * 60 * minute)];
    let mut passes: Vec<(i64, i64)> = scales.into_iter().filter(|_| dice.one_in(2)).collect();
    if passes.is_empty() {
        passes.push(scales[2]);
    }
    passes
}
