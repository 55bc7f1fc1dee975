//! Lists of gradients other than 0 in memory: words, one list behind the other.

/// An entry of a list: a key and a gradient, in one word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry(u64);

impl Entry {
    #[inline(always)]
    pub(super) fn new(key: u32, value: f32) -> Entry {
        Entry(u64::from(key) << 32 | u64::from(value.to_bits()))
    }

    /// Returns the key, which tells where the entry belongs.
    #[inline(always)]
    pub fn key(self) -> usize {
        (self.0 >> 32) as usize
    }

    /// Returns the gradient.
    #[inline(always)]
    pub fn value(self) -> f32 {
        f32::from_bits(self.0 as u32)
    }
}

/// Words behind a list's last entry that may be written: a candidate is stored before it is known whether it
/// counts, and [`gather`](super::gather) stores a register's worth at once.
pub(super) const SPARE: usize = 8;

/// Lists of equal capacity, one behind the other.
pub struct Lists<'a> {
    /// The index of each list's next entry.
    pub(super) ends: &'a mut [u64],
    pub(super) entries: &'a mut [u64],
    /// The most entries of a list, and [`SPARE`].
    capacity: usize,
}

impl<'a> Lists<'a> {
    /// Returns the words that `lists` lists of up to `most` entries take.
    pub fn len(lists: usize, most: usize) -> usize {
        lists * (1 + most + SPARE)
    }

    /// Divides this memory into lists.
    pub fn new(lists: usize, most: usize, words: &'a mut [u64]) -> Lists<'a> {
        let (ends, entries) = words[..Lists::len(lists, most)].split_at_mut(lists);
        Lists { ends, entries, capacity: most + SPARE }
    }

    /// Empties all lists.
    #[inline(always)]
    pub fn clear(&mut self) {
        for (list, end) in self.ends.iter_mut().enumerate() {
            *end = (list * self.capacity) as u64;
        }
    }

    /// Appends an entry if it is `nonzero`, without a branch.
    #[inline(always)]
    pub(super) fn push(&mut self, list: usize, entry: Entry, nonzero: bool) {
        let end = &mut self.ends[list];
        self.entries[*end as usize] = entry.0;
        *end += u64::from(nonzero);
    }

    /// Appends to each of the first `count` lists the ones that are `count`, 2·`count`, … further, up to
    /// `rows` in all. Of these, none has more than `most` entries.
    pub(super) fn join(&mut self, count: usize, rows: usize, most: usize) {
        for (list, other) in (1..rows).flat_map(|row| (0..count).map(move |list| (list, row * count + list))) {
            let start = other * self.capacity;
            // As many words for every list, so that the processor need not guess where each ends.
            self.entries.copy_within(start..start + most, self.ends[list] as usize);
            self.ends[list] += self.ends[other] - start as u64;
        }
    }

    /// Iterates over a list.
    #[inline(always)]
    pub fn list(&self, list: usize) -> impl ExactSizeIterator<Item = Entry> {
        self.entries[list * self.capacity..self.ends[list] as usize].iter().map(|&word| Entry(word))
    }
}
