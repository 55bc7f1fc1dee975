//! The part of 16 bits that a set's pictures use. Medical images have 12 bits, often stored as they are in
//! 16: brought to 8 bits by the rule for 16, 4,096 levels become 16, all of them nearly black.

use crate::data::decode::ImageInfo;
use crate::data::reading::SampleRange;

/// The share of the full range below which it is [narrow](Depth::is_narrow): then at most 64 of 256 levels
/// are left, where a photo is seen to be coarse.
pub const NARROW_SHARE: f64 = 0.25;

/// The samples of a set's pictures of more than 8 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    /// Pictures of more than 8 bits.
    pub deep: usize,
    /// Pictures of 8 bits.
    pub others: usize,
    /// The smallest and the largest sample of all.
    pub samples: [u16; 2],
    /// The range of nine in ten pictures: no smaller and no larger samples. A few with a white label do not
    /// move it.
    pub typical: [u16; 2],
}

impl Depth {
    /// Returns the depth of a set with at least one picture of more than 8 bits.
    pub fn from_infos<'a>(infos: impl IntoIterator<Item = &'a ImageInfo>) -> Option<Depth> {
        let (mut ends, mut others) = ([Vec::new(), Vec::new()], 0);
        for info in infos {
            match info.samples {
                Some(samples) => ends.iter_mut().zip(samples).for_each(|(ends, end)| ends.push(end)),
                None => others += 1,
            }
        }
        ends.iter_mut().for_each(|ends| ends.sort_unstable());
        let [smallest, largest] = &ends;
        let last = smallest.len().checked_sub(1)?;
        Some(Depth {
            deep: smallest.len(),
            others,
            samples: [smallest[0], largest[last]],
            typical: [smallest[last / 10], largest[last - last / 10]],
        })
    }

    /// Returns whether nine in ten pictures together use less than [`NARROW_SHARE`] of the full range.
    pub fn is_narrow(&self) -> bool {
        is_narrow(self.typical)
    }

    /// Returns the range that all pictures use, where that is narrow; where a few use more, none.
    pub fn common_range(&self) -> Option<SampleRange> {
        let [min, max] = self.samples;
        SampleRange::new(min, max).filter(|_| is_narrow(self.samples))
    }

    /// Returns how many of the 256 levels of 8 bits these pictures have at the most, when no range is given:
    /// all, or if a few use more, the others.
    pub fn levels(&self) -> u32 {
        let ends = if self.common_range().is_some() { self.samples } else { self.typical };
        let [first, last] = ends.map(|sample| SampleRange::FULL.to_byte(sample));
        u32::from(last - first) + 1
    }
}

fn is_narrow([smallest, largest]: [u16; 2]) -> bool {
    f64::from(largest - smallest) < NARROW_SHARE * f64::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(samples: &[Option<[u16; 2]>]) -> Option<Depth> {
        let infos: Vec<ImageInfo> =
            samples.iter().map(|&samples| ImageInfo { samples, ..ImageInfo::plain(8, 8, "PNG") }).collect();
        Depth::from_infos(&infos)
    }

    #[test]
    fn twelve_bits_in_sixteen_are_narrow_and_have_seventeen_levels() {
        let found = depth(&[Some([16, 4080]), None, Some([0, 4079])]).unwrap();
        assert_eq!((found.deep, found.others, found.samples, found.levels()), (2, 1, [0, 4080], 17));
        assert!(found.is_narrow());
        assert_eq!(found.common_range(), SampleRange::new(0, 4080));
    }

    #[test]
    fn what_counts_is_the_span_so_that_an_offset_of_half_the_range_hides_nothing() {
        let found = depth(&[Some([31_768, 35_863])]).unwrap();
        assert!(found.is_narrow() && found.common_range().is_some());
        // 0.25 · 65535 = 16383.75
        assert!(depth(&[Some([0, 16_383])]).unwrap().is_narrow());
        assert!(!depth(&[Some([0, 16_384])]).unwrap().is_narrow());
    }

    #[test]
    fn one_picture_with_a_white_label_leaves_the_set_narrow_but_without_a_common_range() {
        let with_labels = |count: usize| {
            let labels = (0..count).map(|_| Some([0, 65_535]));
            depth(&(0..20 - count).map(|_| Some([0, 4080])).chain(labels).collect::<Vec<_>>()).unwrap()
        };
        let found = with_labels(1);
        assert_eq!((found.typical, found.is_narrow(), found.common_range()), ([0, 4080], true, None));
        assert_eq!(found.levels(), 17);
        // More than a tenth of the pictures use it all.
        assert!(!with_labels(3).is_narrow());
    }

    #[test]
    fn a_set_of_eight_bits_has_no_depth() {
        assert_eq!(depth(&[None, None]), None);
        assert_eq!(depth(&[]), None);
    }
}
