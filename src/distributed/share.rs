//! The part of a batch that a rank works on.

use super::ranks::Ranks;
use std::ops::Range;

/// Some images of a batch, one behind the other.
#[derive(Clone, Copy)]
pub struct Share<'a> {
    first: usize,
    count: usize,
    whole: usize,
    peers: Option<Peers<'a>>,
}

/// All ranks that have a share of the batch.
#[derive(Clone, Copy)]
pub struct Peers<'a> {
    pub(super) ranks: &'a Ranks,
    pub(super) cuts: &'a [usize],
}

impl<'a> Share<'a> {
    /// A whole batch of `count` images, which no other rank has a part of.
    pub fn all(count: usize) -> Share<'a> {
        Share { first: 0, count, whole: count, peers: None }
    }

    /// The share of this rank where the batch is [cut](super::cuts()) like this. A rank that is alone has
    /// all.
    ///
    /// # Panics
    /// If there is not a share for each rank.
    pub fn of(ranks: &'a Ranks, cuts: &'a [usize]) -> Share<'a> {
        assert_eq!(cuts.len(), ranks.count() + 1, "a share for each rank");
        let (first, end, whole) = (cuts[ranks.rank()], cuts[ranks.rank() + 1], cuts[ranks.count()]);
        let peers = (ranks.count() > 1).then_some(Peers { ranks, cuts });
        Share { first, count: end - first, whole, peers }
    }

    /// The place of its first image in the whole batch.
    pub fn first(&self) -> usize {
        self.first
    }

    /// How many images it has.
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many images the whole batch has.
    pub fn whole(&self) -> usize {
        self.whole
    }

    /// The ranks that have the other images, if there are others.
    pub fn peers(&self) -> Option<Peers<'a>> {
        self.peers
    }
}

impl Peers<'_> {
    /// How many images this rank has.
    fn count(&self) -> usize {
        self.cuts[self.ranks.rank() + 1] - self.cuts[self.ranks.rank()]
    }

    /// How many images each rank has.
    pub(crate) fn counts(&self) -> impl ExactSizeIterator<Item = usize> {
        self.cuts.windows(2).map(|pair| pair[1] - pair[0])
    }

    /// How many images the whole batch has.
    pub fn whole(&self) -> usize {
        self.cuts[self.ranks.count()]
    }

    /// All ranks, and this one's number.
    pub fn ranks(&self) -> &Ranks {
        self.ranks
    }

    /// The values of all images, `[whole, len]`, where this rank has `own`, `[count, len]`.
    pub fn gather(&self, own: &[f32], len: usize) -> Vec<f32> {
        let lengths: Vec<usize> = self.counts().map(|count| count * len).collect();
        self.ranks.all_gather(own, &lengths)
    }

    /// [`gather`](Peers::gather) of two kinds of values at once, which costs a message less.
    pub fn gather_both(&self, own: [&[f32]; 2], len: [usize; 2]) -> [Vec<f32>; 2] {
        let gathered = self.gather(&own.concat(), len[0] + len[1]);
        let (mut both, mut rest) = ([Vec::new(), Vec::new()], &gathered[..]);
        for count in self.counts() {
            for (values, len) in both.iter_mut().zip(len) {
                let (part, behind) = rest.split_at(count * len);
                values.extend_from_slice(part);
                rest = behind;
            }
        }
        both
    }

    /// From images to columns: of `own`, `[count, columns of all ranks]`, each rank gets its columns, and
    /// this rank gets its columns of all images, `[whole, its columns]`. `columns` are those of each rank.
    pub fn to_columns(&self, own: &[f32], columns: &[Range<usize>]) -> Vec<f32> {
        let width = columns.last().map_or(0, |last| last.end);
        let rows = || own.chunks_exact(width.max(1));
        let outgoing: Vec<Vec<f32>> =
            columns.iter().map(|columns| rows().flat_map(|row| &row[columns.clone()]).copied().collect()).collect();
        let mine = columns[self.ranks.rank()].len();
        let lengths: Vec<usize> = self.counts().map(|count| count * mine).collect();
        self.ranks.all_to_all(&outgoing, &lengths).concat()
    }

    /// From columns to images, the other way: of `own`, `[whole, its columns]`, each rank gets the rows of
    /// its images, and all columns of this rank's are written to `values`, `[count, columns of all ranks]`.
    pub fn to_images(&self, own: &[f32], columns: &[Range<usize>], values: &mut [f32]) {
        let mine = columns[self.ranks.rank()].len();
        let outgoing: Vec<Vec<f32>> =
            self.cuts.windows(2).map(|pair| own[pair[0] * mine..pair[1] * mine].to_vec()).collect();
        let count = self.count();
        let lengths: Vec<usize> = columns.iter().map(|columns| count * columns.len()).collect();
        let incoming = self.ranks.all_to_all(&outgoing, &lengths);
        let width = columns.last().map_or(0, |last| last.end);
        for (columns, part) in columns.iter().zip(&incoming).filter(|(columns, _)| !columns.is_empty()) {
            let rows = values.chunks_exact_mut(width).zip(part.chunks_exact(columns.len()));
            rows.for_each(|(row, part)| row[columns.clone()].copy_from_slice(part));
        }
    }

    /// Each rank's parts of the output of all images go to the ranks that have the images: of `own`, for each
    /// of its blocks `[whole, len]`, each rank gets its images' rows. Returned are for each rank its blocks,
    /// `[count, len]` each, ranks in order. `blocks` are how many each has.
    pub fn blocks_to_images(&self, own: &[f32], len: usize, blocks: &[usize]) -> Vec<Vec<f32>> {
        let whole = self.whole() * len;
        let parts = || own.chunks_exact(whole.max(1));
        let outgoing: Vec<Vec<f32>> = self
            .cuts
            .windows(2)
            .map(|pair| parts().flat_map(|block| &block[pair[0] * len..pair[1] * len]).copied().collect())
            .collect();
        let lengths: Vec<usize> = blocks.iter().map(|blocks| blocks * self.count() * len).collect();
        self.ranks.all_to_all(&outgoing, &lengths)
    }
}
