//! Chances drawn from a seed, so that a run can be had again (SplitMix64).

use std::time::Duration;

/// A source of chances; the same seed gives the same ones.
#[derive(Clone, Debug)]
pub struct Dice {
    state: u64,
}

impl Dice {
    /// `of` tells the dice of several hands apart.
    pub fn new(seed: u64, of: u64) -> Self {
        let mut dice =
            Self { state: seed.wrapping_mul(0x2545_F491_4F6C_DD1D) ^ of.wrapping_mul(0x9E37_79B9_7F4A_7C15) };
        dice.roll();
        dice
    }

    /// Another one, for a hand of its own.
    pub fn fork(&mut self) -> Self {
        Self { state: self.roll() }
    }

    fn roll(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// 0 to `sides` - 1.
    pub fn below(&mut self, sides: usize) -> usize {
        let sides = u64::try_from(sides.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.roll() % sides).unwrap_or(0)
    }

    pub fn one_in(&mut self, sides: usize) -> bool {
        self.below(sides) == 0
    }

    pub fn millis(&mut self, below: usize) -> Duration {
        Duration::from_millis(u64::try_from(self.below(below)).unwrap_or(0))
    }

    pub fn pick<'a, T>(&mut self, among: &'a [T]) -> Option<&'a T> {
        among.get(self.below(among.len()))
    }
}
