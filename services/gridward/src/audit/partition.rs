//! Which partition a key belongs to, worked out here once more: murmur2 as Kafka's own clients have it, of
//! which the highest bit is taken away, modulo how many there are.

use uuid::Uuid;

/// The partition of a topic that has `count`, where the facts of `incident` lie.
pub(super) fn of_incident(incident: Uuid, count: u32) -> u32 {
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    of_key(incident.hyphenated().encode_lower(&mut text).as_bytes(), count)
}

fn of_key(key: &[u8], count: u32) -> u32 {
    (murmur2(key) & 0x7fff_ffff) % count.max(1)
}

const MULTIPLIER: u32 = 0x5bd1_e995;
const SEED: u32 = 0x9747_b28c;

fn murmur2(data: &[u8]) -> u32 {
    // The length counts modulo 2^32, as in the original; keys are short.
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let (words, rest) = data.as_chunks::<4>();
    let mut hash = SEED ^ length;
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(MULTIPLIER);
        k ^= k >> 24;
        hash = hash.wrapping_mul(MULTIPLIER) ^ k.wrapping_mul(MULTIPLIER);
    }
    if !rest.is_empty() {
        for (place, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * place);
        }
        hash = hash.wrapping_mul(MULTIPLIER);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(MULTIPLIER);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the tests of Kafka's own client (`UtilsTest.testMurmur2`) and of librdkafka (`unittest_murmur2`).
    #[test]
    fn murmur2_gives_what_kafkas_own_clients_give() {
        let signed: [(&str, i32); 6] = [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ];
        for (key, hash) in signed {
            assert_eq!(murmur2(key.as_bytes()).cast_signed(), hash, "{key}");
        }
        for (key, hash) in
            [("kafka", 0xd067_cf64_u32), ("1234", 0x9fc9_7b14), ("234", 0xe7c0_09ca), ("", 0x106e_08d9)]
        {
            assert_eq!(murmur2(key.as_bytes()), hash, "{key}");
        }
    }

    #[test]
    fn a_partition_is_one_of_those_there_are() {
        for n in 0..200_u128 {
            assert!(of_incident(Uuid::from_u128(n), 7) < 7);
            assert_eq!(of_incident(Uuid::from_u128(n), 1), 0);
        }
    }
}
