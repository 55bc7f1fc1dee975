//! The lists of a pooled gradient, sixteen candidates at a time, for AVX-512.
//!
//! The filters of a window lie side by side, so a register holds sixteen of one window:
//!
//! ```text
//! by position   each cell of a window has a list: its filters are compressed in registers, and stored whole
//! by filter     each filter has a list: its next place stands in a lane, and a scatter stores to all sixteen
//! ```
//!
//! The lists are those of [`GradientGroup`], entry by entry. Compressing to memory would be one instruction
//! less, but is microcode on Zen 4.

#![allow(unsafe_code)]

use super::entries::Lists;
use super::groups::GradientGroup;
use std::ops::Range;

/// Gathers what [`GradientGroup::gather_by_filter`] does before it joins rows, where registers have as many
/// `LANES` as AVX-512's, and the gradient is pooled by windows of up to three rows. Returns whether it did.
#[inline(always)]
pub(super) fn by_filter<const LANES: usize>(group: &GradientGroup, key_steps: [usize; 2], lists: &mut Lists) -> bool {
    #[cfg(target_arch = "x86_64")]
    if let Some(row) = avx512::WindowRow::new::<LANES>(group) {
        // SAFETY: a row of windows is there only if the machine has the set.
        match row.window[0] {
            1 => unsafe { row.by_filter::<1>(key_steps, lists) },
            2 => unsafe { row.by_filter::<2>(key_steps, lists) },
            3 => unsafe { row.by_filter::<3>(key_steps, lists) },
            _ => return false,
        }
        return true;
    }
    false
}

/// Gathers what [`GradientGroup::gather_by_position`] does, where registers have as many `LANES` as AVX-512's
/// and the gradient is pooled. Returns whether it did.
#[inline(always)]
pub(super) fn by_position<const LANES: usize>(
    group: &GradientGroup,
    filters: Range<usize>,
    key_step: usize,
    first_list: usize,
    lists: &mut Lists,
) -> bool {
    #[cfg(target_arch = "x86_64")]
    if let Some(row) = avx512::WindowRow::new::<LANES>(group) {
        // SAFETY: as above.
        unsafe { row.by_position(filters, key_step, first_list, group.geometry.output[1], lists) };
        return true;
    }
    false
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use super::*;
    use crate::kernels::conv::GradOutput;
    use crate::kernels::conv::sparse::entries::SPARE;
    use crate::kernels::relu_pool::{DEAD, PooledGradient};
    use crate::kernels::simd::{InstructionSet, MAX_LANES as LANES};
    use std::arch::x86_64::*;
    use std::mem::transmute;

    /// Entries in a register.
    const ENTRIES: usize = LANES / 2;

    /// One row of windows of a pooled gradient.
    pub struct WindowRow<'a> {
        /// The windows' height and width.
        pub window: [usize; 2],
        /// All filters.
        filters: usize,
        /// The gradient of each window of the row, `[windows, F]`.
        values: &'a [f32],
        /// The cell of each, likewise.
        argmax: &'a [u8],
    }

    /// Sixteen filters of a window.
    struct Candidates {
        values: __m512,
        /// Their cells, 32 bits each.
        cells: __m512i,
        /// Those that are not 0.
        nonzero: __mmask16,
    }

    impl<'a> WindowRow<'a> {
        /// Takes the windows of a group, if registers have as many lanes as here and the gradient is pooled.
        #[inline(always)]
        pub fn new<const WANTED: usize>(group: &GradientGroup<'a>) -> Option<WindowRow<'a>> {
            let GradOutput::Pooled(PooledGradient { pool, values, argmax }) = group.grad_output else { return None };
            if WANTED != LANES || !InstructionSet::Avx512.is_available() {
                return None;
            }
            let filters = group.geometry.filters;
            let row_len = pool.output[1] * filters;
            let row = group.index * row_len..(group.index + 1) * row_len;
            Some(WindowRow { window: pool.window, filters, values: &values[row.clone()], argmax: &argmax[row] })
        }

        /// Returns the number of windows.
        fn count(&self) -> usize {
            self.values.len() / self.filters
        }

        /// Returns the filters `filters` of a window, sixteen at most; there is no gradient beyond them.
        #[inline]
        #[target_feature(enable = "avx512f")]
        fn candidates(&self, window: usize, filters: Range<usize>) -> Candidates {
            let first = window * self.filters;
            let part = first + filters.start..first + filters.end;
            let (values, argmax) = (&self.values[part.clone()], &self.argmax[part]);
            let (values, argmax) = match (values.first_chunk(), argmax.first_chunk()) {
                (Some(values), Some(argmax)) => (*values, *argmax),
                _ => {
                    let mut whole = ([0.0; LANES], [DEAD; LANES]);
                    whole.0[..values.len()].copy_from_slice(values);
                    whole.1[..argmax.len()].copy_from_slice(argmax);
                    whole
                }
            };
            // SAFETY: arrays of numbers and registers of the same size.
            let (values, argmax) =
                unsafe { (transmute::<[f32; LANES], __m512>(values), transmute::<[u8; LANES], __m128i>(argmax)) };
            let nonzero = _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(values, _mm512_setzero_ps());
            Candidates { values, cells: _mm512_cvtepu8_epi32(argmax), nonzero }
        }

        /// Gathers by filter, of windows of `ROWS` rows.
        #[inline]
        #[target_feature(enable = "avx512f,popcnt")]
        pub fn by_filter<const ROWS: usize>(&self, key_steps: [usize; 2], lists: &mut Lists) {
            assert!(lists.entries.len() <= i32::MAX as usize);
            let [row_step, column_step] = key_steps.map(|step| step as i32);
            let columns = self.window[1] as i32;
            // Sixteen filters after the other, and of each window after window.
            for first in (0..self.filters).step_by(LANES) {
                let filters = first..self.filters.min(first + LANES);
                let mut next = [_mm512_setzero_si512(); ROWS];
                for (row, next) in next.iter_mut().enumerate() {
                    *next = next_places(lists, row * self.filters + first, filters.len(), self.count());
                }
                for window in 0..self.count() {
                    let Candidates { values, cells, nonzero } = self.candidates(window, filters.clone());
                    let (mut live, mut places, mut keys) = (0, _mm512_setzero_si512(), _mm512_setzero_si512());
                    for (row, next) in next.iter_mut().enumerate() {
                        // As unsigned numbers, cells of the rows before are large ones, too.
                        let column = _mm512_sub_epi32(cells, _mm512_set1_epi32(row as i32 * columns));
                        let in_row = _mm512_mask_cmplt_epu32_mask(nonzero, column, _mm512_set1_epi32(columns));
                        let column = _mm512_add_epi32(column, _mm512_set1_epi32(window as i32 * columns));
                        let key = _mm512_mullo_epi32(column, _mm512_set1_epi32(column_step));
                        let key = _mm512_add_epi32(key, _mm512_set1_epi32(row as i32 * row_step));
                        live |= in_row;
                        keys = _mm512_mask_mov_epi32(keys, in_row, key);
                        places = _mm512_mask_mov_epi32(places, in_row, *next);
                        *next = _mm512_mask_add_epi32(*next, in_row, *next, _mm512_set1_epi32(1));
                    }
                    let [low, high] = entries(keys, values);
                    let (low_places, high_places) =
                        (_mm512_castsi512_si256(places), _mm512_extracti64x4_epi64::<1>(places));
                    let target = lists.entries.as_mut_ptr().cast();
                    // SAFETY: what is stored lies within the entries: `next_places` has asserted that behind
                    // each place there is room for as many as there are windows.
                    unsafe {
                        _mm512_mask_i32scatter_epi64::<8>(target, live as u8, low_places, low);
                        _mm512_mask_i32scatter_epi64::<8>(target, (live >> ENTRIES) as u8, high_places, high);
                    }
                }
                for (row, next) in next.into_iter().enumerate() {
                    set_next_places(lists, row * self.filters + first, filters.len(), next);
                }
            }
        }

        /// Gathers by position.
        #[inline]
        #[target_feature(enable = "avx512f,popcnt")]
        pub fn by_position(
            &self,
            filters: Range<usize>,
            key_step: usize,
            first_list: usize,
            width: usize,
            lists: &mut Lists,
        ) {
            let [rows, columns] = self.window;
            let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
            let mut list_of_cell = [0; 1 << u8::BITS];
            for (cell, list) in list_of_cell.iter_mut().enumerate().take(rows * columns) {
                *list = cell / columns * width + cell % columns;
            }
            for window in 0..self.count() {
                for first in filters.clone().step_by(LANES) {
                    let part = first..filters.end.min(first + LANES);
                    let Candidates { values, cells, nonzero } = self.candidates(window, part);
                    let numbers = _mm512_add_epi32(lanes, _mm512_set1_epi32((first - filters.start) as i32));
                    let keys = _mm512_mullo_epi32(numbers, _mm512_set1_epi32(key_step as i32));
                    let [low, high] = entries(keys, values);
                    for (cell, of_cell) in list_of_cell[..rows * columns].iter().enumerate() {
                        let in_cell = _mm512_set1_epi32(cell as i32);
                        let live = _mm512_mask_cmpeq_epi32_mask(nonzero, cells, in_cell);
                        let (low_live, high_live) = (live as u8, (live >> ENTRIES) as u8);
                        let end = &mut lists.ends[first_list + window * columns + of_cell];
                        let middle = *end + u64::from(low_live.count_ones());
                        store(_mm512_maskz_compress_epi64(low_live, low), *end, lists.entries);
                        store(_mm512_maskz_compress_epi64(high_live, high), middle, lists.entries);
                        *end += u64::from(live.count_ones());
                    }
                }
            }
        }
    }

    /// Returns the next places of `count` lists from `first` on.
    ///
    /// # Panics
    /// If there is no room for `more` entries behind each.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn next_places(lists: &Lists, first: usize, count: usize, more: usize) -> __m512i {
        let mut places = [0; LANES];
        for (place, &end) in places.iter_mut().zip(&lists.ends[first..first + count]) {
            assert!(end as usize + more <= lists.entries.len());
            *place = end as i32;
        }
        // SAFETY: an array of numbers and a register of the same size.
        unsafe { transmute::<[i32; LANES], __m512i>(places) }
    }

    /// Sets the next places of `count` lists from `first` on.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn set_next_places(lists: &mut Lists, first: usize, count: usize, places: __m512i) {
        // SAFETY: a register and an array of numbers of the same size.
        let places = unsafe { transmute::<__m512i, [i32; LANES]>(places) };
        for (end, place) in lists.ends[first..first + count].iter_mut().zip(places) {
            *end = place as u64;
        }
    }

    /// Returns sixteen entries in order: the key of each above its value.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn entries(keys: __m512i, values: __m512) -> [__m512i; 2] {
        let first_half = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        let second_half = _mm512_add_epi32(first_half, _mm512_set1_epi32(ENTRIES as i32));
        let values = _mm512_castps_si512(values);
        [_mm512_permutex2var_epi32(values, first_half, keys), _mm512_permutex2var_epi32(values, second_half, keys)]
    }

    /// Stores a register of entries from `place` on.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn store(entries: __m512i, place: u64, target: &mut [u64]) {
        let target: &mut [u64; SPARE] = target[place as usize..].first_chunk_mut().expect("room for a register");
        // SAFETY: a register and an array of numbers of the same size.
        *target = unsafe { transmute::<__m512i, [u64; ENTRIES]>(entries) };
    }
}
