//! Vector instructions, chosen when the program runs, so that one binary serves any machine.
//!
//! An operation is written once, over arrays of `Lanes` floats, as the `#[inline(always)]` method
//! `SimdOp::run`. `dispatch` compiles it three times: inside a function that enables AVX-512, one that
//! enables AVX2 and FMA, and one that enables nothing beyond what every machine has. The compiler turns the
//! arrays into the registers that the function allows.
//!
//! `GLASSNET_SIMD=avx512|avx2|portable` forces a set, for measuring and testing. It governs our own kernels
//! only; `matrixmultiply` looks for itself.

#![allow(unsafe_code)]

use std::sync::OnceLock;

/// A set of vector instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum InstructionSet {
    /// The instructions that every machine of this architecture has.
    Portable,
    /// 16 registers of 8 floats, and fused multiply-add.
    Avx2,
    /// 32 registers of 16 floats.
    Avx512,
}

/// Floats in a register of the widest set.
pub(crate) const MAX_LANES: usize = 16;

/// Floats in a cache line of 64 bytes.
pub(crate) const LINE_FLOATS: usize = 16;

/// The environment variable that forces a set.
pub const VARIABLE: &str = "GLASSNET_SIMD";

impl InstructionSet {
    /// All sets, the narrowest first.
    pub const ALL: [InstructionSet; 3] = [InstructionSet::Portable, InstructionSet::Avx2, InstructionSet::Avx512];

    /// Returns the name that users know.
    pub fn name(self) -> &'static str {
        match self {
            InstructionSet::Portable => "portable",
            InstructionSet::Avx2 => "avx2",
            InstructionSet::Avx512 => "avx512",
        }
    }

    /// Returns whether this machine has it.
    pub(crate) fn is_available(self) -> bool {
        match self {
            InstructionSet::Portable => true,
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2 => {
                std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
            }
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512 => {
                InstructionSet::Avx2.is_available()
                    && std::arch::is_x86_feature_detected!("avx512f")
                    && std::arch::is_x86_feature_detected!("popcnt")
            }
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }

    /// Iterates over the sets of this machine, the narrowest first.
    pub fn available() -> impl DoubleEndedIterator<Item = InstructionSet> {
        InstructionSet::ALL.into_iter().filter(|set| set.is_available())
    }

    /// Does the same as [`available`](InstructionSet::available) for tests, which tell what they leave out.
    #[cfg(test)]
    pub(super) fn tested() -> impl Iterator<Item = InstructionSet> {
        InstructionSet::ALL.into_iter().filter(|set| {
            if !set.is_available() {
                println!("skipped: this machine has no {}", set.name());
            }
            set.is_available()
        })
    }

    /// Returns the set that `GLASSNET_SIMD` names, or else the widest that this machine has.
    ///
    /// # Errors
    /// A sentence about the variable's value, if that names a set that this machine lacks, or none at all.
    pub fn from_environment() -> Result<InstructionSet, String> {
        let widest = InstructionSet::available().next_back().unwrap_or(InstructionSet::Portable);
        let Some(name) = std::env::var_os(VARIABLE) else { return Ok(widest) };
        let names = || InstructionSet::available().map(InstructionSet::name).collect::<Vec<_>>().join(", ");
        InstructionSet::available().find(|set| name == set.name()).ok_or_else(|| {
            format!("'{}' is not an instruction set of this machine; it has {}", name.display(), names())
        })
    }

    /// Returns the set in force, decided once: the widest where the variable cannot be followed.
    pub fn in_force() -> InstructionSet {
        static CHOSEN: OnceLock<InstructionSet> = OnceLock::new();
        *CHOSEN.get_or_init(|| {
            InstructionSet::from_environment()
                .unwrap_or_else(|_| InstructionSet::available().next_back().unwrap_or(InstructionSet::Portable))
        })
    }
}

/// An operation that is compiled for each set.
pub(crate) trait SimdOp {
    /// Runs the operation with registers of `LANES` floats. `FUSED` tells whether the set has fused
    /// multiply-add; without it, `f32::mul_add` would call a library for every product.
    ///
    /// Every implementation is `#[inline(always)]`, and so is all it calls: code that is not inlined is
    /// compiled for the portable set.
    fn run<const LANES: usize, const FUSED: bool>(self);
}

/// Something that is done to many values alike, a register of them at a time.
pub(crate) trait ByRegister {
    /// Does it to the `LANES` values from `start` on, to which `operand` belongs.
    ///
    /// As [`SimdOp::run`], it is `#[inline(always)]`.
    fn at<const LANES: usize>(&mut self, start: usize, operand: Lanes<LANES>);
}

/// Does `work` with every register of the operand, and with the values that fill none, one by one.
#[inline(always)]
pub(crate) fn by_registers<const LANES: usize>(operand: &[f32], work: &mut impl ByRegister) {
    let (registers, rest) = operand.as_chunks::<LANES>();
    for (index, values) in registers.iter().enumerate() {
        work.at(index * LANES, *values);
    }
    for (index, &value) in rest.iter().enumerate() {
        work.at(registers.len() * LANES + index, [value]);
    }
}

/// Runs an operation with the set in force.
pub(crate) fn dispatch(operation: impl SimdOp) {
    dispatch_to(InstructionSet::in_force(), operation);
}

/// Runs an operation with this set.
///
/// # Panics
/// If this machine does not have it.
pub(crate) fn dispatch_to(set: InstructionSet, operation: impl SimdOp) {
    assert!(set.is_available(), "this machine has no {}", set.name());
    match set {
        // SAFETY: the assertion above has asked the processor for the very features that these functions
        // enable.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 => unsafe { avx512(operation) },
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => unsafe { avx2(operation) },
        _ => operation.run::<4, false>(),
    }
}

/// Work on some neighbouring channels at a time.
pub(crate) trait ChannelWork {
    /// Works on `WIDTH` channels from `first` on. Blocks may overlap: what they both write is the same.
    fn block<const WIDTH: usize>(&mut self, first: usize);
}

/// Works on channels 0 to `channels`, a register of them at a time. A rest is the end of a block that
/// overlaps the one before, and where there is none, of narrower blocks.
#[inline(always)]
pub(crate) fn over_channels<const LANES: usize>(channels: usize, work: &mut impl ChannelWork) {
    let mut first = 0;
    while first + LANES <= channels {
        work.block::<LANES>(first);
        first += LANES;
    }
    let rest = channels - first;
    if rest > 0 && channels >= LANES {
        work.block::<LANES>(channels - LANES);
    } else if LANES > 8 && rest >= 8 {
        work.block::<8>(0);
        work.block::<8>(channels - 8);
    } else if rest >= 4 {
        work.block::<4>(0);
        work.block::<4>(channels - 4);
    } else {
        // No closure: what it calls for would lie in memory, for all blocks.
        while first < channels {
            work.block::<1>(first);
            first += 1;
        }
    }
}

/// Runs a plain loop, compiled for the set in force: the compiler makes its own vectors of it.
pub(crate) fn vectorized(body: impl FnOnce()) {
    dispatch(Loop(body));
}

struct Loop<F>(F);

impl<F: FnOnce()> SimdOp for Loop<F> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(self) {
        (self.0)();
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma,popcnt")]
fn avx512(operation: impl SimdOp) {
    operation.run::<MAX_LANES, true>();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2(operation: impl SimdOp) {
    operation.run::<8, true>();
}

/// A register's worth of floats.
pub(crate) type Lanes<const LANES: usize> = [f32; LANES];

/// Returns `a·b + c`, lane by lane.
#[inline(always)]
pub(crate) fn multiply_add<const LANES: usize, const FUSED: bool>(
    a: Lanes<LANES>,
    b: Lanes<LANES>,
    c: Lanes<LANES>,
) -> Lanes<LANES> {
    let mut sum = c;
    for lane in 0..LANES {
        sum[lane] = if FUSED { a[lane].mul_add(b[lane], c[lane]) } else { a[lane] * b[lane] + c[lane] };
    }
    sum
}

/// Loads the `LANES` floats of `values` from `start` on.
///
/// # Panics
/// If they are not there.
#[inline(always)]
pub fn load<const LANES: usize>(values: &[f32], start: usize) -> Lanes<LANES> {
    *values[start..].first_chunk().expect("a register's worth of floats")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Axpy<'a>(f32, &'a [f32], &'a mut [f32]);

    impl SimdOp for Axpy<'_> {
        #[inline(always)]
        fn run<const LANES: usize, const FUSED: bool>(self) {
            let Axpy(a, x, y) = self;
            for (y, x) in y.as_chunks_mut::<LANES>().0.iter_mut().zip(x.as_chunks::<LANES>().0) {
                *y = multiply_add::<LANES, FUSED>([a; LANES], *x, *y);
            }
        }
    }

    struct Seen(Vec<usize>);

    impl ChannelWork for Seen {
        fn block<const WIDTH: usize>(&mut self, first: usize) {
            self.0[first..first + WIDTH].iter_mut().for_each(|count| *count += 1);
        }
    }

    #[test]
    fn every_channel_is_in_a_block_or_in_two() {
        for channels in 1..50 {
            let [mut narrow, mut middle, mut wide] = [(); 3].map(|()| Seen(vec![0; channels]));
            over_channels::<4>(channels, &mut narrow);
            over_channels::<8>(channels, &mut middle);
            over_channels::<16>(channels, &mut wide);
            for Seen(counts) in [narrow, middle, wide] {
                assert!(counts.iter().all(|count| (1..=2).contains(count)), "{counts:?}");
            }
        }
    }

    #[test]
    fn every_set_of_this_machine_runs_an_operation() {
        for set in InstructionSet::tested() {
            let mut y = [1.0; 32];
            dispatch_to(set, Axpy(2.0, &[3.0; 32], &mut y));
            assert_eq!(y, [7.0; 32], "{}", set.name());
        }
    }
}
