//! Images that are the same, or nearly.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use rayon::prelude::*;

use super::AuditedFile;
use super::difference_hash::DifferenceHash;

/// Why the images of a group belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The same bytes.
    Bytes,
    /// The same size and pixels, of which some are from files that differ.
    Pixels,
    /// [`DifferenceHash::is_near`], each with at least one other of the group or a copy of it. Two of a group
    /// need not be near each other, but a chain of near ones leads from one to the other.
    Near,
}

/// Two or more images that are the same, or nearly: their indices, ascending. None is left out because it is
/// the same as another member: what is asked of a group, such as whether it has images of both classes, is
/// asked of all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Why.
    pub kind: Kind,
    /// Which.
    pub members: Vec<usize>,
    /// True if another group of images that are the same holds all of its members: one of the same bytes lies
    /// within one of the same pixels where a further file has these pixels.
    pub within_another: bool,
}

/// Returns all groups of duplicates, of files that can be read: those of the same bytes, then those of the
/// same pixels, then near ones. A group of the same pixels or of near ones holds whole groups of the kinds
/// before, and is one only if it holds several: copies of one file have the same bytes, and are not told
/// again as having the same pixels and being near.
pub fn duplicates(files: &[Option<AuditedFile>]) -> Vec<Group> {
    let file = |index: usize| files[index].as_ref().expect("only files that can be read are compared");
    let alone = (0..files.len()).filter(|&index| files[index].is_some());
    let alone: Vec<Together> = alone.map(|index| Together { members: vec![index], parts: 1 }).collect();
    let by_bytes = merged(&alone, &equal(alone.len(), |place| file(alone[place].first()).bytes));
    let by_pixels = merged(&by_bytes, &equal(by_bytes.len(), |place| file(by_bytes[place].first()).pixels));
    let hashes: Vec<&DifferenceHash> =
        by_pixels.iter().map(|together| &file(together.first()).difference_hash).collect();
    let by_difference_hash = merged(&by_pixels, &near(&hashes));

    let has_pixels_of_another: HashSet<usize> =
        by_pixels.iter().filter(|together| together.parts > 1).flat_map(|together| together.members.clone()).collect();
    [(Kind::Bytes, by_bytes), (Kind::Pixels, by_pixels), (Kind::Near, by_difference_hash)]
        .into_iter()
        .flat_map(|(kind, groups)| groups.into_iter().map(move |together| (kind, together)))
        .filter(|(_, together)| together.parts > 1)
        .map(|(kind, together)| Group {
            kind,
            within_another: kind == Kind::Bytes && has_pixels_of_another.contains(&together.first()),
            members: together.members,
        })
        .collect()
}

/// Files that belong together, one or more, ascending.
struct Together {
    members: Vec<usize>,
    /// The number of groups of the kind before that were put together.
    parts: usize,
}

impl Together {
    /// Returns the smallest member, which stands for the others where they are the same.
    fn first(&self) -> usize {
        self.members[0]
    }
}

/// Puts together those whose places are in a group.
fn merged(parts: &[Together], groups: &[Vec<usize>]) -> Vec<Together> {
    let one = |places: &Vec<usize>| {
        let mut members: Vec<usize> = places.iter().flat_map(|&place| &parts[place].members).copied().collect();
        members.sort_unstable();
        Together { members, parts: places.len() }
    };
    groups.iter().map(one).collect()
}

/// Returns the places below `count` by their keys, groups of one too, in the order of each group's first.
fn equal<K: Hash + Eq>(count: usize, key: impl Fn(usize) -> K) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut group_of: HashMap<K, usize> = HashMap::new();
    for place in 0..count {
        let group = *group_of.entry(key(place)).or_insert(groups.len());
        match groups.get_mut(group) {
            Some(group) => group.push(place),
            None => groups.push(vec![place]),
        }
    }
    groups
}

/// The rows of the triangle of pairs are compared before their finds are merged; it bounds the memory for
/// finds, which in a set of flat pictures are all pairs.
const ROWS: usize = 256;

/// Returns groups of pictures that are near each other directly or through others, groups of one too. Every
/// pair is compared: for 20,000 pictures 2·10⁸ times a popcount of 64 bits, in parallel, which takes less
/// than reading one of them in a hundred.
pub fn near(hashes: &[&DifferenceHash]) -> Vec<Vec<usize>> {
    // A forest: the parent of each, itself for a root, which is the smallest of its group.
    let mut parents: Vec<usize> = (0..hashes.len()).collect();
    for start in (0..hashes.len()).step_by(ROWS) {
        let rows = start..hashes.len().min(start + ROWS);
        let roots: Vec<usize> = (0..hashes.len()).map(|index| root(&parents, index)).collect();
        let pairs: Vec<(usize, usize)> = rows
            .into_par_iter()
            .flat_map_iter(|a| {
                let roots = &roots;
                (a + 1..hashes.len())
                    .filter(move |&b| roots[a] != roots[b] && hashes[a].is_near(hashes[b]))
                    .map(move |b| (a, b))
            })
            .collect();
        for (a, b) in pairs {
            let (a, b) = (root(&parents, a), root(&parents, b));
            parents[a.max(b)] = a.min(b);
        }
    }
    equal(hashes.len(), |index| root(&parents, index))
}

/// Returns the smallest of the group that `index` is in.
fn root(parents: &[usize], mut index: usize) -> usize {
    while parents[index] != index {
        index = parents[index];
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::decode::ImageInfo;
    use crate::random::{Purpose, Stream};

    /// Returns a picture with this hash, whose cells are a ramp, so that the hash alone decides.
    fn difference_hash(hash: u64) -> DifferenceHash {
        DifferenceHash { hash, cells: (0..=255).cycle().take(1024).collect() }
    }

    #[test]
    fn near_ones_are_found_among_twenty_thousand() {
        let mut stream = Stream::new(3, Purpose::Test, 0, 0);
        let mut draw = || u64::from(stream.next_u32()) << 32 | u64::from(stream.next_u32());
        let mut hashes: Vec<DifferenceHash> = (0..20_000).map(|_| difference_hash(draw())).collect();
        hashes[19_999].hash = hashes[17].hash ^ 0b1011;
        hashes[9_000].hash = hashes[19_999].hash ^ 0xF000_0000_0000_0000;
        let groups: Vec<Vec<usize>> =
            near(&hashes.iter().collect::<Vec<_>>()).into_iter().filter(|group| group.len() > 1).collect();
        // Random hashes are 32 bits apart; of 2·10⁸ pairs about one in a million million is within 8 bits.
        assert_eq!(groups, [vec![17, 9_000, 19_999]]);
    }

    #[test]
    fn pictures_that_are_all_alike_are_one_group() {
        let hashes = vec![difference_hash(5); 2_000];
        assert_eq!(near(&hashes.iter().collect::<Vec<_>>()), [(0..2_000).collect::<Vec<_>>()]);
    }

    /// Returns what would be found in a file with this content and this grey in all cells but for a ramp.
    fn audited(bytes: u8, pixels: u8, hash: u64) -> Option<AuditedFile> {
        let info = ImageInfo::plain(9, 8, "PNG");
        Some(AuditedFile { info, bytes: [bytes; 32], pixels: [pixels; 32], difference_hash: difference_hash(hash) })
    }

    fn told(files: &[Option<AuditedFile>]) -> Vec<(Kind, Vec<usize>, bool)> {
        duplicates(files).into_iter().map(|group| (group.kind, group.members, group.within_another)).collect()
    }

    #[test]
    fn a_near_group_holds_the_copies_of_its_members_too() {
        // 2 is a copy of 1, and 0 is near both; 3 is like no other, and 4 cannot be read.
        let files = [audited(0, 0, 0b1), audited(1, 1, 0), audited(1, 1, 0), audited(3, 3, !0), None];
        assert_eq!(told(&files), [(Kind::Bytes, vec![1, 2], false), (Kind::Near, vec![0, 1, 2], false)]);
    }

    #[test]
    fn a_group_of_the_same_pixels_holds_copies_too_and_copies_alone_are_told_once() {
        // 0 and 3 are copies, 1 has their pixels in another file; 2 and 4 are copies, and no more.
        let files = [audited(0, 0, 0), audited(1, 0, 0), audited(2, 2, !0), audited(0, 0, 0), audited(2, 2, !0), None];
        let wanted =
            [(Kind::Bytes, vec![0, 3], true), (Kind::Bytes, vec![2, 4], false), (Kind::Pixels, vec![0, 1, 3], false)];
        assert_eq!(told(&files), wanted);
    }

    #[test]
    fn a_chain_of_near_ones_is_one_group() {
        // Neighbours are 8 bits apart, the ends 16.
        let files = [audited(0, 0, 0), audited(1, 1, 0xFFFF), audited(2, 2, 0xFF)];
        assert_eq!(told(&files), [(Kind::Near, vec![0, 1, 2], false)]);
    }
}
