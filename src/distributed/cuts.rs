//! Where a batch is cut into the shares of ranks.

/// Cuts `count` images into `ranks` shares of whole runs of `run` images, of which the last may be shorter:
/// share r is `cuts[r]..cuts[r + 1]`. The shares are as equal as can be, and the first is one of the largest;
/// where there are fewer runs than ranks, some ranks have none.
pub fn cuts(count: usize, run: usize, ranks: usize) -> Vec<usize> {
    let runs = count.div_ceil(run);
    // Of 5 runs the first of 2 ranks has 3.
    (0..=ranks).map(|rank| ((rank * runs).div_ceil(ranks) * run).min(count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_whole_runs_and_as_equal_as_can_be() {
        assert_eq!(cuts(16, 1, 4), [0, 4, 8, 12, 16]);
        assert_eq!(cuts(16, 1, 3), [0, 6, 11, 16]);
        assert_eq!(cuts(62, 4, 4), [0, 16, 32, 48, 62]);
        assert_eq!(cuts(3, 1, 4), [0, 1, 2, 3, 3]);
        assert_eq!(cuts(7, 1, 1), [0, 7]);
        for (count, run, ranks) in [(100, 8, 3), (5, 4, 8), (64, 2, 8), (1, 1, 3)] {
            let cuts = cuts(count, run, ranks);
            assert_eq!((cuts.len(), cuts[0], cuts[ranks]), (ranks + 1, 0, count));
            assert!(cuts.windows(2).all(|pair| pair[0] <= pair[1]), "{cuts:?}");
            assert!(cuts.iter().all(|cut| cut.is_multiple_of(run) || *cut == count), "{cuts:?}");
        }
    }
}
