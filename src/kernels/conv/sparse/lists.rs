//! The non-zeros of a convolution's output gradient, gathered into short lists.
//!
//! Behind a max-pool at most one position of every window has a gradient, and none where ReLU cut the maximum
//! off. What is there is gathered for a *group* of output rows at a time: one row of a dense gradient, the
//! rows of one row of windows of a pooled one. There is a list for each filter or for each position of the
//! group, and in every list the entries stand in reading order. So a dense gradient and the same one
//! pooled give the same entries in the same order, and what is computed from them has the same bits.

use super::entries::{Entry, Lists};
use super::gather;
use super::groups::{GradientGroup, RowGroups};
use crate::kernels::conv::GradOutput;
use crate::kernels::relu_pool::{DEAD, PooledGradient};
use std::ops::Range;

impl GradientGroup<'_> {
    /// Gathers a list for each filter: of the group's first row, then of the next. There are as many lists
    /// for every other row, which are used up. Keys are rows of the group and columns, times `key_steps`. The
    /// lists have been [cleared](Lists::clear).
    #[inline(always)]
    pub(crate) fn gather_by_filter<const LANES: usize>(self, key_steps: [usize; 2], lists: &mut Lists) {
        let filters = self.geometry.filters;
        if !gather::by_filter::<LANES>(&self, key_steps, lists) {
            let slot = |row: usize, column: usize| Slot {
                list: row * filters,
                key: row * key_steps[0] + column * key_steps[1],
            };
            self.for_each_candidate(0..filters, slot, Slot { list: 1, key: 0 }, |slot, value, nonzero| {
                lists.push(slot.list, Entry::new(slot.key as u32, value), nonzero);
            });
        }
        let groups = RowGroups::from_gradient(self.geometry, &self.grad_output);
        lists.join(filters, groups.rows, groups.most_in_row);
    }

    /// Gathers, of the filters `filters`, a list for each row of the group and each column, number
    /// `first_list + row·W + column` with W the output's width. Keys are filters, counted from the first,
    /// times `key_step`. The lists have been [cleared](Lists::clear).
    #[inline(always)]
    pub(crate) fn gather_by_position<const LANES: usize>(
        self,
        filters: Range<usize>,
        key_step: usize,
        first_list: usize,
        lists: &mut Lists,
    ) {
        if gather::by_position::<LANES>(&self, filters.clone(), key_step, first_list, lists) {
            return;
        }
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
    use crate::geometry::{ConvGeometry, Padding, PoolGeometry};
    use crate::kernels::relu_pool;
    use crate::kernels::simd::{InstructionSet, SimdOp, dispatch_to};
    use crate::random::{Purpose, Stream};

    /// The filters that lists by position are gathered of.
    const SOME_FILTERS: Range<usize> = 1..36;

    /// All lists of a gradient, each with the position or the filter and the value of its entries.
    type AllLists = Vec<Vec<(usize, f32)>>;

    struct Gather<'a> {
        geometry: &'a ConvGeometry,
        grad_output: GradOutput<'a>,
        by_filter: bool,
        lists: &'a mut AllLists,
    }

    impl SimdOp for Gather<'_> {
        #[inline(always)]
        fn run<const LANES: usize, const FUSED: bool>(self) {
            let Gather { geometry, grad_output, by_filter, lists: all } = self;
            let groups = RowGroups::from_gradient(geometry, &grad_output);
            let [_, width] = geometry.output;
            let lists_in_row = if by_filter { geometry.filters } else { width };
            let most = if by_filter { groups.rows * groups.most_in_row } else { SOME_FILTERS.len() };
            let mut words = vec![u64::MAX; Lists::len(groups.rows * lists_in_row, most)];
            for index in 0..groups.count {
                let mut lists = Lists::new(groups.rows * lists_in_row, most, &mut words);
                lists.clear();
                let group = GradientGroup { geometry, grad_output, index };
                let first = index * groups.rows * width;
                if by_filter {
                    group.gather_by_filter::<LANES>([width, 1], &mut lists);
                    for (filter, all) in all.iter_mut().enumerate().take(geometry.filters) {
                        all.extend(lists.list(filter).map(|entry| (first + entry.key(), entry.value())));
                    }
                } else {
                    group.gather_by_position::<LANES>(SOME_FILTERS, 3, 0, &mut lists);
                    for (list, all) in all[first..].iter_mut().enumerate().take(groups.rows * width) {
                        all.extend(lists.list(list).map(|entry| (entry.key() / 3, entry.value())));
                    }
                }
            }
        }
    }

    #[test]
    fn a_pooled_gradient_and_the_same_one_expanded_give_the_same_lists_on_every_instruction_set() {
        for (window, filters) in [([2, 3], 37), ([1, 2], 48), ([3, 2], 36), ([4, 3], 40), ([2, 2], 64)] {
            // Some rows and columns belong to no window.
            let (height, width) = (13, 19);
            let geometry = ConvGeometry::new([height, width, 1], [1, 1], [1, 1], Padding::Valid, filters).unwrap();
            let pool = PoolGeometry::new([height, width, filters], window, window, Padding::Valid).unwrap();
            let mut stream = Stream::new(4, Purpose::Test, 0, 0);
            let len = pool.output_len();
            let argmax: Vec<u8> = (0..len).map(|_| stream.below(pool.cells() as u32 + 1) as u8).collect();
            let argmax: Vec<u8> =
                argmax.iter().map(|&cell| if usize::from(cell) == pool.cells() { DEAD } else { cell }).collect();
            let values: Vec<f32> = (0..len).map(|_| stream.below(5) as f32 - 2.0).collect();
            let pooled = GradOutput::Pooled(PooledGradient { pool, values: &values, argmax: &argmax });
            let mut expanded = vec![f32::NAN; geometry.output_len()];
            relu_pool::unpool(&PooledGradient { pool, values: &values, argmax: &argmax }, &mut expanded);
            for by_filter in [true, false] {
                let gather = |set, grad_output| {
                    let mut lists = vec![Vec::new(); height * width + filters];
                    let geometry = &geometry;
                    dispatch_to(set, Gather { geometry, grad_output, by_filter, lists: &mut lists });
                    lists
                };
                let expected: AllLists = gather(InstructionSet::Portable, GradOutput::Dense(&expanded));
                assert!(expected.iter().map(Vec::len).sum::<usize>() > len / 4);
                for set in InstructionSet::tested() {
                    assert_eq!(gather(set, pooled), expected, "{}, {window:?}, by filter: {by_filter}", set.name());
                }
            }
        }
    }
}
