//! Numbers that look random and are the same every time: `SplitMix64`, seeded by a number and what it is for.

/// A generator of its own for each thing that is made, so that a change of one leaves the others as they were.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

/// The golden ratio in 64 bits, by which the state goes on.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

impl Dice {
    pub fn new(seed: u64, of: &[u64]) -> Self {
        let mut dice = Self(seed);
        for part in of {
            dice.0 = dice.draw() ^ part.wrapping_mul(STEP);
        }
        dice
    }

    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below `end`, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        // The high half of a product: no number is drawn visibly more often than another.
        let wide = u128::from(self.draw()) * u128::from(end);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// From `low` to `high`, both of them too.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high - low).unwrap_or(0) + 1;
        low + i64::try_from(self.below(width)).unwrap_or(0)
    }

    /// From 0 to below 1.
    pub fn part(&mut self) -> f64 {
        // 53 bits are what an f64 holds.
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit an f64")]
        let part = (self.draw() >> 11) as f64;
        part / (1_u64 << 53) as f64
    }

    /// Whether it is one of so many in a hundred.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of them, nothing if there is none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        if of.is_empty() { None } else { of.get(usize::try_from(self.below(of.len() as u64)).ok()?) }
    }

    /// One of them, each as often as its weight says.
    pub fn weighed<'a, T>(&mut self, of: &'a [T], weight: impl Fn(&T) -> u64) -> Option<&'a T> {
        let all: u64 = of.iter().map(&weight).sum();
        let mut at = if all == 0 { return None } else { self.below(all) };
        of.iter().find(|one| {
            let weight = weight(one);
            let here = at < weight;
            at = at.saturating_sub(weight);
            here
        })
    }

    pub fn shuffle<T>(&mut self, of: &mut [T]) {
        for last in (1..of.len()).rev() {
            let other = usize::try_from(self.below(last as u64 + 1)).unwrap_or(last);
            of.swap(last, other);
        }
    }

    /// What an incident's id is made of.
    pub fn bytes(&mut self) -> [u8; 10] {
        let (first, second) = (self.draw().to_le_bytes(), self.draw().to_le_bytes());
        std::array::from_fn(|n| if n < 8 { first[n] } else { second[n - 8] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_they_are_those_of_splitmix64() {
        // From the reference implementation by Sebastiano Vigna, seed 1234567.
        let mut dice = Dice::new(1_234_567, &[]);
        let first: Vec<u64> = (0..3).map(|_| dice.draw()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
        assert_ne!(Dice::new(1, &[2]).draw(), Dice::new(1, &[3]).draw());
    }

    #[test]
    fn every_number_of_a_range_is_drawn_and_none_beside_it() {
        let mut dice = Dice::new(7, &[]);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..200 {
            seen.insert(dice.between(3, 7));
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [3, 4, 5, 6, 7]);
        assert!((0..200).all(|_| (0.0..1.0).contains(&dice.part())));
    }

    #[test]
    fn what_weighs_nothing_is_never_drawn_and_what_weighs_more_is_drawn_more_often() {
        let mut dice = Dice::new(7, &[]);
        let mut drawn = [0; 3];
        for _ in 0..1_000 {
            let one = dice.weighed(&[(0, 0), (1, 1), (2, 3)], |one| one.1).unwrap();
            drawn[one.0] += 1;
        }
        assert_eq!(drawn[0], 0);
        assert!(drawn[2] > 2 * drawn[1] && drawn[1] > 150, "{drawn:?}");
        assert_eq!(dice.weighed(&[1, 2], |_| 0), None);
    }

    #[test]
    fn a_shuffle_keeps_everything() {
        let mut all: Vec<u32> = (0..100).collect();
        Dice::new(7, &[]).shuffle(&mut all);
        assert_ne!(all, (0..100).collect::<Vec<_>>());
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
    }
}
