//! A step allocates nothing: not forward, not loss and accuracy, not backward, not Adam's step. All memory is
//! sized by the plan.
//!
//! The test counts every allocation of the process, so it has a program of its own and runs in a pool of one
//! thread. What work there is depends on the data and never on the number of threads, so what more threads
//! allocate beyond this is rayon's: a worker's record when it first takes work from another, and blocks of
//! the queue through which a pool gets work from outside. `matrixmultiply` packs operands into memory of its
//! own in every product. It is told from ours by its alignment, to a vector register: all of ours are `Vec`s
//! of numbers.

#![allow(unsafe_code)] // an allocator is unsafe to write; this one counts, and leaves the work to the system's

mod common;

use common::networks::{Batch, way_name, ways_to_train};
use glassnet::geometry::Padding;
use glassnet::head::Targets;
use glassnet::kernels::conv::registry::ConvPolicy;
use glassnet::kernels::gemm::{Beta, Matrix, gemm};
use glassnet::metrics::{DEFAULT_THRESHOLD, RunningMean, accuracy};
use glassnet::network::Network;
use glassnet::optim::{Optimizer, OptimizerSettings};
use glassnet::parameters::Parameters;
use glassnet::plan::{DropoutMasks, Mode, Plan, PlanOptions};
use glassnet::spec::{LayerSpec, ModelSpec, Size};
use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts allocations.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static OURS: AtomicUsize = AtomicUsize::new(0);
static PACKING: AtomicUsize = AtomicUsize::new(0);

/// The alignment beyond which memory is a packing buffer: no type of ours asks for more than a word.
const LARGEST_OF_OURS: usize = align_of::<u64>();

fn count(layout: Layout) {
    let counter = if layout.align() > LARGEST_OF_OURS { &PACKING } else { &OURS };
    counter.fetch_add(1, Ordering::SeqCst);
}

// SAFETY: every method hands its arguments to the system's allocator as they came, and its answer back.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout);
        // SAFETY: the caller's promise is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout);
        // SAFETY: the caller's promise is the same.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(layout);
        // SAFETY: the caller's promise is the same.
        unsafe { System.realloc(pointer, layout, new_size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is the same.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// How many allocations something makes.
#[derive(Debug, PartialEq)]
struct Allocations {
    ours: usize,
    packing: usize,
}

impl Allocations {
    fn of(work: impl FnOnce()) -> Allocations {
        let before = [&OURS, &PACKING].map(|counter| counter.load(Ordering::SeqCst));
        work();
        let [ours, packing] = [&OURS, &PACKING].map(|counter| counter.load(Ordering::SeqCst));
        Allocations { ours: ours - before[0], packing: packing - before[1] }
    }
}

/// What the body of the training loop does, but for reading images and reporting, two times; and an inference
/// pass.
fn allocations_of_steps(network: &Network, options: PlanOptions) -> Allocations {
    let count = 4;
    let batch = Batch::draw(network, count, 1);
    let images = batch.images(network);
    // A plan for more images than the batch has, as for an epoch's last batch.
    let plan = Plan::new(network, count + 1, options);
    let mut workspace = plan.workspace();
    let mut parameters = network.initial_parameters(1);
    let mut gradients = Parameters::zeros(network.table());
    let mut adam = Optimizer::new(network.table(), OptimizerSettings::default());
    let mut grad_logits = vec![0.0; (count + 1) * network.head().units()];
    let (mut mean_loss, mut mean_accuracy) = (RunningMean::default(), RunningMean::default());
    let mut step = || {
        let masks = DropoutMasks::Drawn { seed: 1, step: adam.steps() };
        let logits = plan.forward(&parameters, images, Mode::Training(masks), &mut workspace).unwrap();
        let (head, targets) = (network.head(), Targets::new(&batch.labels));
        mean_loss.add(head.loss(logits, targets), count);
        let answers = logits.rows().map(|row| head.decision(head.probabilities(row), DEFAULT_THRESHOLD));
        mean_accuracy.add(accuracy(&batch.labels, answers).unwrap(), count);
        let grad_logits = &mut grad_logits[..logits.values().len()];
        head.gradient(logits, targets, grad_logits);
        let mut update = adam.begin_step(&mut parameters, &mut gradients, options.fuse);
        plan.backward(images, grad_logits, &mut update, &mut workspace).unwrap();
        update.finish();
        plan.update_running(&mut parameters, &mut workspace).unwrap();
        plan.forward(&parameters, images, Mode::Inference, &mut workspace).unwrap();
    };
    // The first step sees which instructions there are.
    step();
    let allocations = Allocations::of(|| {
        step();
        step();
    });
    assert_eq!(adam.steps(), 3);
    assert!(mean_loss.mean().unwrap().is_finite() && mean_accuracy.mean().unwrap() <= 1.0);
    allocations
}

/// What the documented network has not: a pool that overlaps, a convolution without a pool, padding, strides,
/// layers without a bias, and all other kinds of layers.
fn other_layers() -> Network {
    let conv = |filters, stride, padding| LayerSpec::Conv2d {
        filters,
        kernel: Size::Square(3),
        stride: Size::Square(stride),
        padding,
        dilation: Size::Square(1),
        use_bias: true,
    };
    let mut without_bias = conv(18, 2, Padding::Same);
    if let LayerSpec::Conv2d { use_bias, .. } = &mut without_bias {
        *use_bias = false;
    }
    let layers = vec![
        conv(16, 1, Padding::Same),
        LayerSpec::MaxPool { window: Size::Square(3), stride: Some(Size::Square(2)), padding: Padding::Valid },
        LayerSpec::Relu {},
        conv(17, 1, Padding::Valid),
        LayerSpec::Relu {},
        without_bias,
        LayerSpec::BatchNormalization { momentum: 0.99, epsilon: 1e-3 },
        LayerSpec::LeakyRelu { negative_slope: 0.3 },
        LayerSpec::DepthwiseConv2d {
            kernel: Size::Square(3),
            stride: Size::Square(1),
            padding: Padding::Same,
            dilation: Size::Square(2),
            depth_multiplier: 1,
            use_bias: false,
        },
        LayerSpec::AveragePool { window: Size::Square(2), stride: None, padding: Padding::Same },
        LayerSpec::GlobalAveragePool {},
        LayerSpec::BatchNormalization { momentum: 0.99, epsilon: 1e-3 },
        LayerSpec::Dense { units: 1, use_bias: true },
    ];
    Network::new(&ModelSpec::new([24, 20, 3], layers)).unwrap()
}

#[test]
fn after_the_first_step_a_step_allocates_nothing() {
    let one = Allocations::of(|| drop(black_box(vec![1u64])));
    assert_eq!(one, Allocations { ours: 1, packing: 0 }, "the allocator counts");
    let mut product = [f32::NAN; 4];
    let packing = Allocations::of(|| {
        let ones = [1.0; 4];
        gemm(Matrix::new(&ones, 2, 2), Matrix::new(&ones, 2, 2), Beta::Zero, &mut product);
    });
    let can_tell = packing.ours == 0;
    if !can_tell {
        println!("skipped, but for what needs no matrix product: packing buffers are aligned as ours are here");
    }

    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    pool.install(|| {
        let documented = Network::new(&ModelSpec::documented().with_image_size(64)).unwrap();
        for network in [&documented, &other_layers()] {
            for options in ways_to_train() {
                // No pass of the documented network is left to matrix products by `auto`, as all its pools
                // are narrow.
                let without_products = options.conv == ConvPolicy::Auto && std::ptr::eq(network, &documented);
                if !can_tell && !without_products {
                    continue;
                }
                let found = allocations_of_steps(network, PlanOptions { input_gradient: !without_products, ..options });
                println!("{}: {found:?}", way_name(&options));
                assert_eq!(found.ours, 0, "{}, {:?}", way_name(&options), network.spec());
                assert!(found.packing == 0 || !without_products, "{}, a matrix product", way_name(&options));
            }
        }
    });
}
