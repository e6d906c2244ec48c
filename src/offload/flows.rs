// SPDX-License-Identifier: MIT
//! Finds the latest item of each flow. The hash has a random key, so that a sender cannot choose addresses and ports
//! such that many flows share a bucket.

use std::array;
use std::hash::{BuildHasher, RandomState};

use crate::model::memory::NoMemory;
use crate::sys::boxed;

const BUCKETS: usize = 256;
/// Limit of the hashed words: two IPv6 addresses and two ports.
const WORDS: usize = 9;

pub(super) struct Flows {
    key: Key,
    /// The latest item of each hash. An item of an older generation is invalid, so the table need not be cleared.
    buckets: Box<[Bucket; BUCKETS]>,
    generation: u32,
}

#[derive(Clone, Copy, Default)]
struct Bucket {
    generation: u32,
    item: usize,
}

/// The key of multilinear hashing: a number for each word, and one more.
struct Key {
    words: [u64; WORDS],
    first: u64,
}

impl Flows {
    pub(super) fn new() -> Result<Self, NoMemory> {
        let buckets = boxed([Bucket::default(); BUCKETS])?;
        Ok(Self { key: Key::random(), buckets, generation: 1 })
    }

    /// The bucket of a flow, by its addresses and ports.
    pub(super) fn bucket(&self, endpoints: &[u8]) -> u8 {
        self.key.hash(endpoints)
    }

    /// The latest item of a bucket.
    pub(super) fn latest(&self, bucket: u8) -> Option<usize> {
        let bucket = self.buckets.get(usize::from(bucket))?;
        (bucket.generation == self.generation).then_some(bucket.item)
    }

    /// Makes this item the latest of a bucket.
    pub(super) fn set_latest(&mut self, bucket: u8, item: usize) {
        if let Some(bucket) = self.buckets.get_mut(usize::from(bucket)) {
            *bucket = Bucket { generation: self.generation, item };
        }
    }

    pub(super) fn clear(&mut self) {
        self.generation = self.generation.wrapping_add(1);
        if self.generation == 0 {
            self.buckets.fill(Bucket::default());
            self.generation = 1;
        }
    }
}

impl Key {
    fn random() -> Self {
        // A fuzzer needs the same key each time.
        let random = RandomState::new();
        let number = |index| if cfg!(fuzzing) { 0x9e37_79b9_7f4a_7c15 } else { random.hash_one(index) };
        Self { words: array::from_fn(number), first: number(WORDS) }
    }

    /// The highest bits. Any two flows have the same hash with a probability of 1/256.
    #[inline]
    fn hash(&self, endpoints: &[u8]) -> u8 {
        let words =
            endpoints.chunks_exact(4).map(|word| u32::from_ne_bytes(word.try_into().unwrap_or_default()));
        let products = words.zip(self.words).map(|(word, key)| key.wrapping_mul(word.into()));
        (products.fold(self.first, u64::wrapping_add) >> 56) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Flows that share a bucket with one key are spread over many buckets with other keys.
    #[test]
    fn another_key_spreads_the_flows_of_a_bucket() {
        let first = Key::random();
        let endpoints = |number: u32| [[10, 0, 0, 1], number.to_be_bytes(), [4, 0, 1, 187]].concat();
        let flows: Vec<_> =
            (0..).map(endpoints).filter(|endpoints| first.hash(endpoints) == 7).take(1000).collect();
        let fullest = |key: Key| {
            let mut counts = [0; BUCKETS];
            flows.iter().for_each(|endpoints| counts[usize::from(key.hash(endpoints))] += 1);
            counts.into_iter().max()
        };
        assert_eq!(fullest(first), Some(1000));
        let bad = (0..20).filter(|_| fullest(Key::random()) > Some(100)).count();
        assert!(bad < 5, "{bad} of 20 keys");
    }
}
