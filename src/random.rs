//! Random numbers that depend on what they are for, never on what was drawn before.
//!
//! Every draw in the program comes from a [`Stream`]: ChaCha8 keyed by four numbers, *seed*, *purpose*,
//! *epoch* and *index*. Two streams with different keys have nothing in common, so a dropout mask does not
//! change when the shuffle draws more, when images are decoded in another order, or when the work runs on
//! another number of threads.
//!
//! The mapping from ChaCha's words to numbers is written here, with `+ − × ÷` and shifts only, so that the
//! same key gives the same numbers on every machine and with every version of the crates underneath.
//!
//! Source of the generator: D. J. Bernstein, *ChaCha, a variant of Salsa20*, 2008.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// The purpose of a stream of random numbers; part of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Initial weights; the index is the parameter's place in the table.
    Initialization = 1,
    /// The order of the training files in an epoch.
    Shuffle = 2,
    /// Dropout masks; the index is made of the layer and the sample.
    Dropout = 3,
    /// The synthetic set; the index is the image.
    Phantom = 4,
    /// Anything a test draws.
    Test = 5,
    /// The choice of the images that `samples` shows; the index is the class.
    Samples = 6,
    /// Numbers that are only computed with to be timed; the index is the tensor.
    Bench = 7,
    /// The side that groups of files go to when a set is split.
    Split = 8,
    /// The change of a training image; the epoch and the image are the key.
    Augment = 9,
    /// The synthetic digits; the digit and its number are the key.
    Glyphs = 10,
    /// What a gradient check draws; the index is the tensor whose elements it compares.
    Gradcheck = 11,
    /// The images that are drawn again to judge the choice of a threshold; the index is the drawing.
    Threshold = 12,
    /// The settings of a sweep's trials.
    Sweep = 13,
}

/// A reproducible stream of random numbers.
///
/// ```
/// use glassnet::random::{Purpose, Stream};
/// let mut a = Stream::new(7, Purpose::Shuffle, 0, 0);
/// let mut b = Stream::new(7, Purpose::Shuffle, 0, 0);
/// assert_eq!(a.below(100), b.below(100));
/// ```
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// Creates the stream with this key. The four numbers, little endian, are ChaCha's 256-bit key.
    pub fn new(seed: u64, purpose: Purpose, epoch: u64, index: u64) -> Stream {
        let mut key = [0u8; 32];
        for (bytes, number) in key.chunks_exact_mut(8).zip([seed, purpose as u64, epoch, index]) {
            bytes.copy_from_slice(&number.to_le_bytes());
        }
        Stream(ChaCha8Rng::from_seed(key))
    }

    /// Returns the next 32 random bits.
    pub(crate) fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// Fills `words` with what as many calls of [`next_u32`](Stream::next_u32) would return.
    pub(crate) fn fill_u32<const LEN: usize>(&mut self, words: &mut [u32; LEN]) {
        let mut bytes = [[0; 4]; LEN];
        self.0.fill_bytes(bytes.as_flattened_mut());
        *words = bytes.map(u32::from_le_bytes);
    }

    /// Returns a uniform number in [0, 1): the top 24 bits of one word, so every value is exact in f32.
    pub fn unit_f32(&mut self) -> f32 {
        (self.next_u32() >> 8) as f32 * (1.0 / (1 << 24) as f32)
    }

    /// Returns a uniform number in [0, 1): 53 bits from two words, the first word the higher one, so every
    /// value is exact in f64.
    pub(crate) fn unit_f64(&mut self) -> f64 {
        let high = u64::from(self.next_u32() >> 5);
        let low = u64::from(self.next_u32() >> 6);
        ((high << 26) | low) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Returns a uniform number in [low, high).
    pub fn uniform_f64(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit_f64()
    }

    /// Returns a uniform number in {0, …, bound − 1}, without bias: a word that would favour the low values
    /// is drawn again.
    ///
    /// # Panics
    /// If `bound` is 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        assert!(bound > 0, "a number below 0 was asked for");
        // 2³² mod bound: the words below this are one too many for some remainders.
        let excess = bound.wrapping_neg() % bound;
        loop {
            let word = self.next_u32();
            if word >= excess {
                return word % bound;
            }
        }
    }

    /// Puts the items into a uniformly drawn order (Fisher and Yates's shuffle, from the back).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u32 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_with_different_keys_differ_and_the_same_key_repeats() {
        let first = |seed, purpose, epoch, index| Stream::new(seed, purpose, epoch, index).next_u32();
        let base = first(1, Purpose::Shuffle, 2, 3);
        assert_eq!(base, first(1, Purpose::Shuffle, 2, 3));
        assert_ne!(base, first(9, Purpose::Shuffle, 2, 3));
        assert_ne!(base, first(1, Purpose::Dropout, 2, 3));
        assert_ne!(base, first(1, Purpose::Shuffle, 9, 3));
        assert_ne!(base, first(1, Purpose::Shuffle, 2, 9));
    }

    #[test]
    fn the_mapping_from_words_to_numbers_is_fixed_for_ever() {
        // Computed from the paper's description of ChaCha and the text above, by another program in another
        // language.
        let stream = || Stream::new(20, Purpose::Test, 3, 4);
        let mut words = stream();
        assert_eq!([(); 4].map(|()| words.next_u32()), [0x1f60_9917, 0xbb18_0b9c, 0x6f31_4b8a, 0x7152_3b74]);
        assert_eq!(stream().unit_f32().to_bits(), 0x3dfb_04c8);
        assert_eq!(stream().unit_f64().to_bits(), 0x3fbf_6099_1763_0170);
        assert_eq!(stream().below(1000), 343);
        let mut items = [0, 1, 2, 3, 4, 5, 6, 7];
        stream().shuffle(&mut items);
        assert_eq!(items, [6, 2, 5, 3, 0, 4, 1, 7]);
    }

    #[test]
    fn words_that_are_drawn_together_are_those_that_are_drawn_one_by_one() {
        let stream = || Stream::new(1, Purpose::Test, 0, 0);
        let (mut together, mut single) = (stream(), stream());
        for _ in 0..3 {
            let mut words = [0; 100];
            together.fill_u32(&mut words);
            assert_eq!(words, [(); 100].map(|()| single.next_u32()));
        }
    }

    #[test]
    fn a_shuffle_is_a_permutation_and_every_place_is_reached() {
        let mut seen = [[0usize; 5]; 5];
        for index in 0..1000 {
            let mut items = [0, 1, 2, 3, 4];
            Stream::new(3, Purpose::Shuffle, 0, index).shuffle(&mut items);
            let mut sorted = items;
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4]);
            for (place, &item) in items.iter().enumerate() {
                seen[item][place] += 1;
            }
        }
        assert!(seen.iter().flatten().all(|&count| (140..260).contains(&count)), "{seen:?}");
    }
}
