//! The most that the machine could do: the yardstick beside the kernels' figures.
//!
//! All limits are measured on all threads of the pool at once, as cores share their clock's budget and their
//! memory.

use crate::kernels::simd::{InstructionSet, MAX_LANES, SimdOp, dispatch_to, load, multiply_add, vectorized};
use rayon::prelude::*;
use serde::Serialize;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// The limits of a number of threads.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct MachinePeak {
    /// Threads of the pool it was measured in.
    pub threads: usize,
    /// Measures f32 operations a second, in 10⁹; a fused multiply-add is two.
    pub gflops: f64,
    /// Bytes from and to the second-level caches a second, in 10⁹.
    pub l2_gb_per_s: f64,
    /// Bytes to and from memory a second, in 10⁹.
    pub gb_per_s: f64,
}

impl MachinePeak {
    /// Measures the current pool, which takes a third of a second or so.
    pub fn measure() -> MachinePeak {
        MachinePeak {
            threads: rayon::current_num_threads(),
            gflops: arithmetic() / 1e9,
            l2_gb_per_s: second_level() / 1e9,
            gb_per_s: memory() / 1e9,
        }
    }
}

/// Each limit is the best of as many runs as take this long: what disturbs a run only makes it slower.
const BUDGET: Duration = Duration::from_millis(100);

/// But of at least so many.
const LEAST_RUNS: usize = 3;

/// Returns the highest rate that a run gives.
fn best(mut run: impl FnMut() -> f64) -> f64 {
    let start = Instant::now();
    let (mut best, mut runs) = (0.0, 0);
    while runs < LEAST_RUNS || start.elapsed() < BUDGET {
        best = f64::max(best, run());
        runs += 1;
    }
    best
}

/// Independent sums that a core works on at once: two multiply-adds may start in every cycle and take four or
/// five, so it takes eight to ten to keep both units busy. Twelve fit into 16 registers with their factor and
/// addend.
const CHAINS: usize = 12;

/// Seconds that a run of arithmetic should take: so long that starting the threads is nothing, and so short
/// that some run is not interrupted.
const RUN_SECONDS: f64 = 3e-3;

/// Multiply-adds of each chain in the first run, and in any at least.
const LEAST_ROUNDS: usize = 1 << 14;

/// Multiply-adds on registers alone, and how many operations these are.
struct Arithmetic<'a> {
    /// Multiply-adds of each chain.
    rounds: usize,
    /// The sums, before and after; `CHAINS` times a register's worth.
    sums: &'a mut [f32; CHAINS * MAX_LANES],
    operations: &'a mut f64,
}

impl SimdOp for Arithmetic<'_> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(self) {
        let mut sums = [[0.0f32; LANES]; CHAINS];
        for (sum, start) in sums.iter_mut().zip(self.sums.chunks_exact(MAX_LANES)) {
            *sum = load(start, 0);
        }
        let (factor, addend) = ([black_box(0.999f32); LANES], [black_box(0.001f32); LANES]);
        // Each chain has a name: from a loop over them the compiler makes registers that lie across the
        // chains.
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h, mut i, mut j, mut k, mut l] = sums;
        for _ in 0..self.rounds {
            a = multiply_add::<LANES, FUSED>(a, factor, addend);
            b = multiply_add::<LANES, FUSED>(b, factor, addend);
            c = multiply_add::<LANES, FUSED>(c, factor, addend);
            d = multiply_add::<LANES, FUSED>(d, factor, addend);
            e = multiply_add::<LANES, FUSED>(e, factor, addend);
            f = multiply_add::<LANES, FUSED>(f, factor, addend);
            g = multiply_add::<LANES, FUSED>(g, factor, addend);
            h = multiply_add::<LANES, FUSED>(h, factor, addend);
            i = multiply_add::<LANES, FUSED>(i, factor, addend);
            j = multiply_add::<LANES, FUSED>(j, factor, addend);
            k = multiply_add::<LANES, FUSED>(k, factor, addend);
            l = multiply_add::<LANES, FUSED>(l, factor, addend);
        }
        sums = [a, b, c, d, e, f, g, h, i, j, k, l];
        for (sum, end) in sums.iter().zip(self.sums.chunks_exact_mut(MAX_LANES)) {
            end[..LANES].copy_from_slice(sum);
        }
        *self.operations = (2 * self.rounds * CHAINS * LANES) as f64;
    }
}

/// Measures f32 operations a second with the machine's widest registers, whatever set is in force for the
/// kernels: `matrixmultiply` has these too.
fn arithmetic() -> f64 {
    let widest = InstructionSet::available().next_back().unwrap_or(InstructionSet::Portable);
    let (mut rounds, mut fastest) = (LEAST_ROUNDS, 0.0);
    best(|| {
        let start = Instant::now();
        let operations: Vec<f64> = rayon::broadcast(|_| {
            // Chains that differ, and sums that someone might look at: the compiler can leave none of them
            // out.
            let mut sums = black_box(std::array::from_fn(|index| index as f32));
            let mut operations = 0.0;
            dispatch_to(widest, Arithmetic { rounds, sums: &mut sums, operations: &mut operations });
            black_box(sums);
            operations
        });
        let operations = operations.iter().sum::<f64>();
        let rate = operations / start.elapsed().as_secs_f64();
        fastest = f64::max(fastest, rate);
        rounds = LEAST_ROUNDS.max((fastest * RUN_SECONDS / operations * rounds as f64) as usize);
        rate
    })
}

/// Floats of each of a thread's three arrays: 384 KiB in all, which no first-level cache holds and most
/// second-level ones do.
const L2_FLOATS: usize = 32 * 1024;

/// Goes through a thread's arrays so often in a run.
const L2_ROUNDS: usize = 64;

/// Measures bytes a second of the same loop as [`memory`]'s, on arrays that stay in the second-level caches:
/// every thread has its own.
fn second_level() -> f64 {
    let factor = black_box(3.0f32);
    best(|| {
        let rates: Vec<f64> = rayon::broadcast(|_| {
            let mut a = vec![0.0f32; L2_FLOATS];
            let (b, c) = (vec![1.0f32; L2_FLOATS], vec![2.0f32; L2_FLOATS]);
            let mut through = || vectorized(|| triad(&mut a, &b, &c, factor));
            through(); // The caches are filled, and the system has handed out the pages.
            let begun = Instant::now();
            (0..L2_ROUNDS).for_each(|_| black_box(&mut through)());
            (3 * 4 * L2_FLOATS * L2_ROUNDS) as f64 / begun.elapsed().as_secs_f64()
        });
        rates.iter().sum()
    })
}

/// Computes `a[i] = b[i] + factor·c[i]`.
#[inline(always)]
fn triad(a: &mut [f32], b: &[f32], c: &[f32], factor: f32) {
    for ((a, b), c) in a.iter_mut().zip(b).zip(c) {
        *a = b + factor * c;
    }
}

/// Floats of each array, 64 MiB: more than the caches of most machines hold.
const ARRAY_FLOATS: usize = 16 << 20;

/// Floats in one piece of parallel work: 256 KiB of each array.
const PIECE_FLOATS: usize = 64 * 1024;

/// Measures bytes a second of `a[i] = b[i] + s·c[i]`, two floats read and one written, as the STREAM
/// benchmark counts them. (J. McCalpin, *Memory Bandwidth and Machine Balance in Current High Performance
/// Computers*, 1995.)
fn memory() -> f64 {
    let mut a = vec![0.0f32; ARRAY_FLOATS];
    let (b, c) = (vec![1.0f32; ARRAY_FLOATS], vec![2.0f32; ARRAY_FLOATS]);
    let factor = black_box(3.0f32);
    let mut run = || {
        let start = Instant::now();
        let inputs = b.par_chunks(PIECE_FLOATS).zip(c.par_chunks(PIECE_FLOATS));
        a.par_chunks_mut(PIECE_FLOATS).zip(inputs).for_each(|(a, (b, c))| triad(a, b, c, factor));
        black_box(&mut a);
        (3 * 4 * ARRAY_FLOATS) as f64 / start.elapsed().as_secs_f64()
    };
    run(); // The system hands out the pages of `a` only when they are written.
    best(run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_are_positive_numbers() {
        let MachinePeak { threads, gflops, l2_gb_per_s, gb_per_s } = MachinePeak::measure();
        assert_eq!(threads, rayon::current_num_threads());
        assert!(gflops.is_finite() && gflops > 0.0, "{gflops}");
        assert!(gb_per_s.is_finite() && gb_per_s > 0.0, "{gb_per_s}");
        assert!(l2_gb_per_s.is_finite() && l2_gb_per_s > 0.0, "{l2_gb_per_s}");
    }
}
