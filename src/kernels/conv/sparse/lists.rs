//! The non-zeros of a convolution's output gradient, gathered into short lists.
//!
//! Behind a max-pool at most one position of every window has a gradient, and none where ReLU cut the maximum
//! off. What is there is gathered for a *group* of output rows at a time: one row of a dense gradient, the
//! rows of one row of windows of a pooled one. Each row of the group has lists of its own, by filter or by
//! position, and in every list the entries stand in reading order. So a dense gradient and the same one
//! pooled give the same entries in the same order, and what is computed from them has the same bits.

use crate::geometry::ConvGeometry;
use crate::kernels::conv::GradOutput;
use crate::kernels::relu_pool::{DEAD, PooledGradient};
use std::ops::Range;

/// An entry of a list: a key and a gradient, in one word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry(u64);

impl Entry {
    #[inline(always)]
    fn new(key: u32, value: f32) -> Entry {
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

/// Lists of equal capacity, one behind the other.
pub struct Lists<'a> {
    /// The index of each list's next entry.
    ends: &'a mut [u64],
    entries: &'a mut [u64],
    /// The most entries of a list, and one more: a candidate is written before it is known whether it counts.
    capacity: usize,
}

impl<'a> Lists<'a> {
    /// Returns the words that `lists` lists of up to `most` entries take.
    pub fn len(lists: usize, most: usize) -> usize {
        lists * (most + 2)
    }

    /// Divides this memory into lists.
    pub fn new(lists: usize, most: usize, words: &'a mut [u64]) -> Lists<'a> {
        let (ends, entries) = words[..Lists::len(lists, most)].split_at_mut(lists);
        Lists { ends, entries, capacity: most + 1 }
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
    fn push(&mut self, list: usize, entry: Entry, nonzero: bool) {
        let end = &mut self.ends[list];
        self.entries[*end as usize] = entry.0;
        *end += u64::from(nonzero);
    }

    /// Iterates over a list.
    #[inline(always)]
    pub fn list(&self, list: usize) -> impl ExactSizeIterator<Item = Entry> {
        self.entries[list * self.capacity..self.ends[list] as usize].iter().map(|&word| Entry(word))
    }
}

/// The groups that a gradient's rows form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowGroups {
    /// The number of groups.
    pub count: usize,
    /// Output rows in each.
    pub rows: usize,
    /// The most entries of a row for one filter.
    pub most_in_row: usize,
}

impl RowGroups {
    /// Groups the rows of a dense gradient, or of one that comes back through a pool whose windows are this
    /// large.
    pub fn new(geometry: &ConvGeometry, window: Option<[usize; 2]>) -> RowGroups {
        let window = window.unwrap_or([1, 1]);
        RowGroups {
            count: geometry.output[0] / window[0],
            rows: window[0],
            most_in_row: geometry.output[1] / window[1],
        }
    }

    /// Groups the rows of this gradient.
    pub(crate) fn from_gradient(geometry: &ConvGeometry, grad_output: &GradOutput) -> RowGroups {
        match grad_output {
            GradOutput::Dense(_) => RowGroups::new(geometry, None),
            GradOutput::Pooled(PooledGradient { pool, .. }) => RowGroups::new(geometry, Some(pool.window)),
        }
    }
}

/// A group of rows of a convolution's output gradient.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GradientGroup<'a> {
    /// The convolution's sizes.
    pub geometry: &'a ConvGeometry,
    /// The gradient of all rows.
    pub grad_output: GradOutput<'a>,
    /// The group's number among the [`RowGroups`].
    pub index: usize,
}

impl GradientGroup<'_> {
    /// Gathers a list for each row of the group and each filter, number `row·F + f`. Keys are columns times
    /// `key_step`. The lists have been [cleared](Lists::clear).
    #[inline(always)]
    pub(crate) fn gather_by_filter(self, key_step: usize, lists: &mut Lists) {
        let filters = self.geometry.filters;
        let slot = |row: usize, column: usize| Slot { list: row * filters, key: column * key_step };
        self.for_each_candidate(0..filters, slot, Slot { list: 1, key: 0 }, |slot, value, nonzero| {
            lists.push(slot.list, Entry::new(slot.key as u32, value), nonzero);
        });
    }

    /// Gathers, of the filters `filters`, a list for each row of the group and each column, number
    /// `first_list + row·W + column` with W the output's width. Keys are filters, counted from the first,
    /// times `key_step`. The lists have been [cleared](Lists::clear).
    #[inline(always)]
    pub(crate) fn gather_by_position(
        self,
        filters: Range<usize>,
        key_step: usize,
        first_list: usize,
        lists: &mut Lists,
    ) {
        let width = self.geometry.output[1];
        let slot = |row: usize, column: usize| Slot { list: row * width + column, key: 0 };
        self.for_each_candidate(filters, slot, Slot { list: 0, key: key_step }, |slot, value, nonzero| {
            lists.push(first_list + slot.list, Entry::new(slot.key as u32, value), nonzero);
        });
    }

    /// Visits all that may be a gradient: its slot, its value, and whether it is one. In every row, columns
    /// and then filters ascend. `slot` gives the slot of a row and column of the group; it is linear, and
    /// each filter adds `filter_step`.
    #[inline(always)]
    fn for_each_candidate(
        self,
        filters: Range<usize>,
        slot: impl Fn(usize, usize) -> Slot,
        filter_step: Slot,
        mut visit: impl FnMut(Slot, f32, bool),
    ) {
        let GradientGroup { geometry, grad_output, index } = self;
        match grad_output {
            GradOutput::Dense(values) => {
                let row_len = geometry.output[1] * geometry.filters;
                let row = &values[index * row_len..][..row_len];
                for (column, position) in row.chunks_exact(geometry.filters).enumerate() {
                    let mut at = slot(0, column);
                    for &value in &position[filters.clone()] {
                        visit(at, value, value != 0.0);
                        at = at.plus(filter_step);
                    }
                }
            }
            GradOutput::Pooled(PooledGradient { pool, values, argmax }) => {
                // What each cell adds to its window's slot, so that no division is left inside.
                let mut of_cell = [Slot::default(); 1 << u8::BITS];
                for (cell, of_cell) in of_cell.iter_mut().enumerate().take(pool.cells()) {
                    *of_cell = slot(cell / pool.window[1], cell % pool.window[1]);
                }
                let row_len = pool.output[1] * geometry.filters;
                let row = index * row_len..(index + 1) * row_len;
                let windows = values[row.clone()].chunks_exact(geometry.filters);
                let windows = windows.zip(argmax[row].chunks_exact(geometry.filters)).enumerate();
                for (window, (values, argmax)) in windows {
                    let mut at = slot(0, window * pool.window[1]);
                    for (&value, &cell) in values[filters.clone()].iter().zip(&argmax[filters.clone()]) {
                        visit(at.plus(of_cell[usize::from(cell)]), value, cell != DEAD && value != 0.0);
                        at = at.plus(filter_step);
                    }
                }
            }
        }
    }
}

/// The list that an entry goes to, and its key there; or what is added to both.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    list: usize,
    key: usize,
}

impl Slot {
    #[inline(always)]
    fn plus(self, other: Slot) -> Slot {
        Slot { list: self.list + other.list, key: self.key + other.key }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{Padding, PoolGeometry};
    use crate::kernels::relu_pool;

    #[test]
    fn a_pooled_gradient_and_the_same_one_expanded_give_the_same_lists() {
        let geometry = ConvGeometry::new([7, 9, 1], [1, 1], [1, 1], Padding::Valid, 3).unwrap();
        let pool = PoolGeometry::new([7, 9, 3], [2, 3], [2, 3], Padding::Valid).unwrap();
        let values: Vec<f32> = (0..pool.output_len()).map(|i| if i % 7 == 3 { 0.0 } else { i as f32 + 1.0 }).collect();
        let argmax: Vec<u8> =
            (0..pool.output_len()).map(|i| if i % 5 == 2 { DEAD } else { (i * i % 6) as u8 }).collect();
        let pooled = PooledGradient { pool, values: &values, argmax: &argmax };
        let mut expanded = vec![f32::NAN; geometry.output_len()];
        relu_pool::unpool(&pooled, &mut expanded);

        type Row = Vec<Vec<(usize, f32)>>;
        let gather = |grad_output: GradOutput, by_filter: bool| -> Vec<Row> {
            let groups = RowGroups::from_gradient(&geometry, &grad_output);
            let lists_in_row = if by_filter { 3 } else { 9 };
            let mut words = vec![u64::MAX; Lists::len(groups.rows * lists_in_row, 9)];
            let mut rows = Vec::new();
            for index in 0..groups.count {
                let mut lists = Lists::new(groups.rows * lists_in_row, 9, &mut words);
                lists.clear();
                let group = GradientGroup { geometry: &geometry, grad_output, index };
                if by_filter {
                    group.gather_by_filter(10, &mut lists);
                } else {
                    group.gather_by_position(1..3, 10, 0, &mut lists);
                }
                for row in 0..groups.rows {
                    let entries = |list| lists.list(row * lists_in_row + list).map(|e| (e.key(), e.value()));
                    let list = |list: usize| entries(list).collect();
                    rows.push((0..lists_in_row).map(list).collect());
                }
            }
            rows
        };
        for by_filter in [true, false] {
            let from_pooled = gather(GradOutput::Pooled(pooled), by_filter);
            let from_dense = gather(GradOutput::Dense(&expanded), by_filter);
            // The seventh row belongs to no window.
            assert_eq!((from_pooled.len(), from_dense.len()), (6, 7));
            assert_eq!(from_pooled, from_dense[..6]);
            assert!(from_dense[6].iter().all(Vec::is_empty));
            let entries = from_pooled.iter().flatten().map(Vec::len).sum::<usize>();
            assert!(entries > 4, "only {entries} entries");
        }
    }
}
