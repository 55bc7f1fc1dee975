//! The terminal's table.

use crate::sample::{self, Size, USUAL, counted, profile};
use expect_test::expect;
use glassnet::profile::model::{Profile, Row};
use glassnet::report::profile::text::{lines, why_lines};

#[test]
fn the_table_of_the_documented_network() {
    let told = lines(&profile(USUAL), 140).join("\n");
    expect![[r#"
        AMD EPYC 9B14, avx512, 2 threads
        roofs of all threads: registers 214.0 GFLOP/s in f32 (−1.30 % by the end), L2 96.0 GB/s (−0.90 % by the end), memory 21.5 GB/s (−5.10 % by the end)
        data/liver-phantom: 400 images, the documented model of 3,304,769 weights, batches of 16 of 128×128×3, convolution auto, fused

        training step: 35.151 ms a step, the mean of 4 (fastest 34.448, median 35.046); × 2 threads = 70.302 ms of thread time
        work                     phase                                           ms   share  spans    direct  executed      roof    floor   to win
                                                                                                        GF/s      GF/s                 ms       ms
        ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
        convolution winograd2x2  forward conv2d_2+re_lu_2+max_pooling2d_2     4.977  14.2 %     16     371.7     165.4 registers    3.846    1.131
        convolution winograd2x2  forward conv2d_1+re_lu_1+max_pooling2d_1     5.671  16.1 %     16     387.1     172.1 registers    4.561    1.110
        weights' gradient direct backward conv2d+re_lu+max_pooling2d          1.136   3.2 %     16     386.5      96.9        L2    0.203    0.933
        weights' gradient sparse backward conv2d_1+re_lu_1+max_pooling2d_1    3.390   9.6 %     16     647.6     162.3 registers    2.570    0.819
        Adam                     optimizer                                    4.589  13.1 %     12                21.8    memory    3.795    0.794
        convolution direct       forward conv2d+re_lu+max_pooling2d           2.742   7.8 %     16     160.1     160.1 registers    2.051    0.691
        weights' gradient sparse backward conv2d_2+re_lu_2+max_pooling2d_2    2.818   8.0 %     16     656.6     163.3 registers    2.150    0.668
        input's gradient sparse  backward conv2d_1+re_lu_1+max_pooling2d_1    3.223   9.2 %     16     681.1     170.7 registers    2.570    0.653
        input's gradient sparse  backward conv2d_2+re_lu_2+max_pooling2d_2    2.675   7.6 %     16     691.7     172.0 registers    2.150    0.525
        gradients                backward flatten+dense                       1.688   4.8 %      8                30.2    memory    1.265    0.423
        product                  forward flatten+dense                        0.888   2.5 %      8                57.4    memory    0.633    0.255
        ReLU and max-pool        forward conv2d+re_lu+max_pooling2d           0.498   1.4 %     16                            L2    0.438    0.061
        ReLU and max-pool        forward conv2d_1+re_lu_1+max_pooling2d_1     0.250   0.7 %     16                            L2    0.198    0.052
        ReLU and max-pool        forward conv2d_2+re_lu_2+max_pooling2d_2     0.130   0.4 %     16                            L2    0.094    0.036
        dropout                  forward dropout                              0.003   0.0 %      1                          none    0.000    0.003
        loss                     loss                                         0.001   0.0 %      1                          none    0.000    0.001
        ReLU                     forward re_lu_3                              0.001   0.0 %      1                            L2    0.000    0.000

        idle                      phase                                           ms   share
        ────────────────────────────────────────────────────────────────────────────────────
        waiting for images        images                                       0.224   0.6 %
        waiting for other threads backward conv2d_2+re_lu_2+max_pooling2d_2    0.046   0.1 %
        between the phases        between                                      0.038   0.1 %
        waiting for other threads backward conv2d_1+re_lu_1+max_pooling2d_1    0.029   0.1 %
        waiting for other threads optimizer                                    0.021   0.1 %
        waiting for other threads forward conv2d+re_lu+max_pooling2d           0.019   0.1 %
        waiting for other threads forward flatten+dense                        0.014   0.0 %
        waiting for other threads backward flatten+dense                       0.013   0.0 %
        waiting for other threads backward conv2d+re_lu+max_pooling2d          0.008   0.0 %
        waiting for other threads forward conv2d_1+re_lu_1+max_pooling2d_1     0.005   0.0 %
        16 more rows                                                           0.055   0.2 %
        ────────────────────────────────────────────────────────────────────────────────────
        idle by cause: waiting for images 0.224 ms (0.6 %), waiting for other threads 0.159 ms (0.5 %), handing out the work 0.046 ms (0.1 %),
        between the phases 0.038 ms (0.1 %), work of one thread alone 0.006 ms (0.0 %)
        work 34.679 ms (98.7 %) + idle 0.472 ms (1.3 %) = 35.151 ms: 100.0 % of 2 threads × 35.151 ms

        The step is 8.63 ms above its roofs, on which it would take 26.52 ms; 99 % of that is explained: 8.15 ms are work slower than its roof, 0.00
        ms work that has no roof, 0.39 ms idle threads. Left are 0.08 ms in which no thread was at work.
        By its pieces, a step would take 69.44 ms on 1 thread, 19.54 ms on 4 threads, 12.67 ms on 8 threads, 9.23 ms on 16 threads, 9.23 ms on 32
        threads. That cores share caches and a clock is not in this estimate.
        Recording changed the time of a step by +0.12 %, measured on 20 pairs of steps with and without it (95 % between −0.09 % and +0.31 %). By
        calculation it is 0.012 %: 207 spans a step at 41 ns each. None was dropped.
        No hardware counters: The kernel lets nobody count here: perf_event_paranoid is 4.

        inference: 15.384 ms a step, the mean of 4 (fastest 15.077, median 15.338); × 2 threads = 30.769 ms of thread time
        work                    phase                                          ms   share  spans    direct  executed      roof    floor   to win
                                                                                                      GF/s      GF/s                 ms       ms
        ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
        convolution winograd2x2 forward conv2d_2+re_lu_2+max_pooling2d_2    4.981  32.4 %     16     371.4     165.2 registers    3.846    1.135
        convolution winograd2x2 forward conv2d_1+re_lu_1+max_pooling2d_1    5.650  36.7 %     16     388.5     172.8 registers    4.561    1.089
        convolution direct      forward conv2d+re_lu+max_pooling2d          2.740  17.8 %     16     160.2     160.2 registers    2.051    0.688
        product                 forward flatten+dense                       0.853   5.5 %      8                59.8    memory    0.633    0.220
        ReLU and max-pool       forward conv2d+re_lu+max_pooling2d          0.502   3.3 %     16                            L2    0.438    0.064
        ReLU and max-pool       forward conv2d_1+re_lu_1+max_pooling2d_1    0.249   1.6 %     16                            L2    0.198    0.051
        ReLU and max-pool       forward conv2d_2+re_lu_2+max_pooling2d_2    0.129   0.8 %     16                            L2    0.094    0.036

        idle                      phase                                          ms   share
        ───────────────────────────────────────────────────────────────────────────────────
        waiting for images        images                                      0.217   1.4 %
        waiting for other threads forward conv2d+re_lu+max_pooling2d          0.014   0.1 %
        between the phases        between                                     0.014   0.1 %
        waiting for other threads forward flatten+dense                       0.008   0.1 %
        waiting for other threads forward conv2d_1+re_lu_1+max_pooling2d_1    0.008   0.0 %
        waiting for other threads forward conv2d_2+re_lu_2+max_pooling2d_2    0.007   0.0 %
        handing out the work      forward conv2d+re_lu+max_pooling2d          0.004   0.0 %
        handing out the work      forward conv2d_2+re_lu_2+max_pooling2d_2    0.003   0.0 %
        handing out the work      forward conv2d_1+re_lu_1+max_pooling2d_1    0.003   0.0 %
        handing out the work      forward flatten+dense                       0.003   0.0 %
        ───────────────────────────────────────────────────────────────────────────────────
        idle by cause: waiting for images 0.217 ms (1.4 %), waiting for other threads 0.037 ms (0.2 %), handing out the work 0.014 ms (0.1 %),
        between the phases 0.014 ms (0.1 %)
        work 15.103 ms (98.2 %) + idle 0.281 ms (1.8 %) = 15.384 ms: 100.0 % of 2 threads × 15.384 ms

        The step is 3.56 ms above its roofs, on which it would take 11.82 ms; 99 % of that is explained: 3.28 ms are work slower than its roof, 0.00
        ms work that has no roof, 0.25 ms idle threads. Left are 0.03 ms in which no thread was at work.
        By its pieces, a step would take 30.23 ms on 1 thread, 7.79 ms on 4 threads, 4.22 ms on 8 threads, 2.44 ms on 16 threads, 2.44 ms on 32
        threads. That cores share caches and a clock is not in this estimate.
        Recording changed the time of a step by +0.12 %, measured on 20 pairs of steps with and without it (95 % between −0.09 % and +0.31 %). By
        calculation it is 0.014 %: 104 spans a step at 41 ns each. None was dropped.
        No hardware counters: The kernel lets nobody count here: perf_event_paranoid is 4.

        memory of the training run: 172.4 MiB for these purposes; the process held 205.0 MiB at most
          outputs kept for the backward pass   91.9 MiB
          Adam's moments                       25.2 MiB
          work space of the algorithms         18.0 MiB
          weights                              12.6 MiB
          gradients of the weights             12.6 MiB
          decoded images                       12.0 MiB

        ms: thread time divided by the threads, so that all rows add up to the step. Direct GF/s count the arithmetic of direct convolution,
        2·N·P·K·F, and may pass the roof where an algorithm saves some; executed GF/s are what the registers do.
        floor: the time on the nearest roof. to win: what the step would save if the row stood there.
        Roofs are the better of before and after; a drift of more than a few percent says that the machine had something else to do."#]].assert_eq(&told);
}

#[test]
fn every_row_has_its_reasons_and_its_command() {
    let profile = profile(USUAL);
    let told = why_lines(&profile);
    for row in profile.passes.iter().flat_map(|pass| &pass.rows) {
        for why in &row.why {
            assert!(told.contains(&format!("  {why}")), "{why}");
        }
        if let Some(replay) = &row.replay {
            assert!(told.contains(&format!("  $ {replay}")), "{replay}");
        }
    }
}

/// The figures behind a name at the beginning of a line, its words left out.
fn figures(line: &str) -> Vec<f64> {
    line.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

#[test]
fn a_table_that_is_cut_tells_what_it_leaves_out() {
    let deep = profile(Size { depth: 20, ..USUAL });
    let pass = &deep.passes[0];
    let told = lines(&deep, 120);
    let more: Vec<&String> = told.iter().filter(|line| line.contains(" more rows")).collect();
    assert_eq!(more.len(), 4, "{more:?}");
    let sum = |of: fn(&Row) -> f64| pass.rows[24..].iter().map(of).sum::<f64>();
    let [count, ms, .., win] = figures(more[0])[..] else { panic!("{}", more[0]) };
    assert_eq!(count as usize, pass.rows.len() - 24);
    assert!((ms - sum(|row| row.ms)).abs() < 1e-3, "{ms}");
    assert!((win - sum(|row| row.to_win_ms)).abs() < 1e-3, "{win}");
    let [count, ms, _] = figures(more[1])[..] else { panic!("{}", more[1]) };
    assert_eq!(count as usize, pass.idle.len() - 10);
    assert!((ms - pass.idle[10..].iter().map(|idle| idle.ms).sum::<f64>()).abs() < 1e-3, "{ms}");
}

#[test]
fn lines_fit_into_the_terminal_and_long_names_keep_their_ends() {
    let mut profile = profile(USUAL);
    let name = format!("a{}z", "x".repeat(300));
    profile.passes[0].phases[1].layers = Some(name);
    let is_of_the_subject = |line: &&String| line.contains("liver-phantom") || line.starts_with("roofs");
    for width in [120, 160, 240] {
        let told = lines(&profile, width);
        let long: Vec<&String> = told.iter().filter(|line| line.chars().count() > width).collect();
        assert!(long.iter().all(is_of_the_subject), "{width}: {long:#?}");
        assert!(told.iter().any(|line| line.contains("forward ax") && line.contains("…x")), "{width}");
    }
    // However narrow it is, nothing panics and every figure is there.
    assert!(lines(&profile, 0).len() > 40);
}

#[test]
fn counters_are_told_where_there_are_some() {
    let mut profile: Profile = profile(USUAL);
    let sentence = "No hardware counters: The kernel lets nobody count here: perf_event_paranoid is 4.";
    assert_eq!(lines(&profile, 200).iter().filter(|line| *line == sentence).count(), 2);
    profile.passes[0].counters = sample::counted(&profile.passes[0]);
    let told = lines(&profile, 200);
    assert_eq!(told.iter().filter(|line| *line == sentence).count(), 1);
    let line = told.iter().rev().find(|line| line.starts_with("optimizer")).unwrap();
    let expected = counted(&profile.passes[0]);
    let glassnet::profile::model::Counters::Counted(counts) = expected else { panic!() };
    let of = counts[profile.passes[0].phases.iter().position(|phase| phase.direction == "optimizer").unwrap()];
    let mega = |value: f64| (value / 1e4).round() / 100.0;
    assert_eq!(figures(line), [mega(of.instructions), mega(of.cycles), 1.59, mega(of.memory_bytes)]);
}
