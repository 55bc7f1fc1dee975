//! Images that are the same, or nearly.

use std::collections::HashMap;
use std::hash::Hash;

use rayon::prelude::*;

use super::Surveyed;
use super::look::Look;

/// Why the images of a group belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The same bytes.
    Bytes,
    /// The same size and pixels, from files that differ.
    Pixels,
    /// [`Look::is_near`], each with at least one other of the group.
    Near,
}

/// Two or more images that are the same, or nearly: their indices, ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Why.
    pub kind: Kind,
    /// Which.
    pub members: Vec<usize>,
}

/// All groups of duplicates, of files that can be read: those of the same bytes, then those of the same pixels, then near ones. A
/// group of one kind takes one member of each group of the kind before, so nothing is told twice.
pub fn duplicates(files: &[Option<Surveyed>]) -> Vec<Group> {
    let all: Vec<usize> = (0..files.len()).filter(|&index| files[index].is_some()).collect();
    let file = |index: usize| files[index].as_ref().expect("only files that can be read are compared");
    let by_bytes = equal(&all, |index| file(index).bytes);
    let by_pixels = equal(&firsts(&by_bytes), |index| file(index).pixels);
    let distinct = firsts(&by_pixels);
    let looks: Vec<&Look> = distinct.iter().map(|&index| &file(index).look).collect();
    let near: Vec<Vec<usize>> =
        near(&looks).into_iter().map(|group| group.into_iter().map(|place| distinct[place]).collect()).collect();
    [(Kind::Bytes, by_bytes), (Kind::Pixels, by_pixels), (Kind::Near, near)]
        .into_iter()
        .flat_map(|(kind, groups)| {
            groups.into_iter().filter(|members| members.len() > 1).map(move |members| Group { kind, members })
        })
        .collect()
}

/// The indices by their keys, groups of one too, in the order of each group's first.
fn equal<K: Hash + Eq>(indices: &[usize], key: impl Fn(usize) -> K) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut place_of: HashMap<K, usize> = HashMap::new();
    for &index in indices {
        let place = *place_of.entry(key(index)).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(index),
            None => groups.push(vec![index]),
        }
    }
    groups
}

/// The first of each group.
fn firsts(groups: &[Vec<usize>]) -> Vec<usize> {
    groups.iter().map(|group| group[0]).collect()
}

/// How many rows of the triangle of pairs are compared before their finds are merged; it bounds the memory for finds, which in a
/// set of flat pictures are all pairs.
const ROWS: usize = 256;

/// Groups of pictures that are near each other directly or through others, groups of one too. Every pair is compared: for 20,000
/// pictures 2·10⁸ times a popcount of 64 bits, in parallel, which takes less than reading one of them in a hundred.
pub fn near(looks: &[&Look]) -> Vec<Vec<usize>> {
    // A forest: the parent of each, itself for a root, which is the smallest of its group.
    let mut parents: Vec<usize> = (0..looks.len()).collect();
    for start in (0..looks.len()).step_by(ROWS) {
        let rows = start..looks.len().min(start + ROWS);
        let roots: Vec<usize> = (0..looks.len()).map(|index| root(&parents, index)).collect();
        let pairs: Vec<(usize, usize)> = rows
            .into_par_iter()
            .flat_map_iter(|a| {
                let roots = &roots;
                (a + 1..looks.len())
                    .filter(move |&b| roots[a] != roots[b] && looks[a].is_near(looks[b]))
                    .map(move |b| (a, b))
            })
            .collect();
        for (a, b) in pairs {
            let (a, b) = (root(&parents, a), root(&parents, b));
            parents[a.max(b)] = a.min(b);
        }
    }
    equal(&(0..looks.len()).collect::<Vec<_>>(), |index| root(&parents, index))
}

/// The smallest of the group that `index` is in.
fn root(parents: &[usize], mut index: usize) -> usize {
    while parents[index] != index {
        index = parents[index];
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream};

    /// A look with this hash, whose cells are a ramp, so that the hash alone decides.
    fn look(hash: u64) -> Look {
        Look { hash, cells: (0..=255).cycle().take(1024).collect() }
    }

    #[test]
    fn near_ones_are_found_among_twenty_thousand() {
        let mut stream = Stream::new(3, Purpose::Test, 0, 0);
        let mut draw = || u64::from(stream.next_u32()) << 32 | u64::from(stream.next_u32());
        let mut looks: Vec<Look> = (0..20_000).map(|_| look(draw())).collect();
        looks[19_999].hash = looks[17].hash ^ 0b1011;
        looks[9_000].hash = looks[19_999].hash ^ 0xF000_0000_0000_0000;
        let groups: Vec<Vec<usize>> =
            near(&looks.iter().collect::<Vec<_>>()).into_iter().filter(|group| group.len() > 1).collect();
        // Random hashes are 32 bits apart; of 2·10⁸ pairs about one in a million million is within 8 bits.
        assert_eq!(groups, [vec![17, 9_000, 19_999]]);
    }

    #[test]
    fn pictures_that_are_all_alike_are_one_group() {
        let looks = vec![look(5); 2_000];
        assert_eq!(near(&looks.iter().collect::<Vec<_>>()), [(0..2_000).collect::<Vec<_>>()]);
    }
}
