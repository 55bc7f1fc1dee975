//! A TIFF written byte by byte (TIFF 6.0, sections 2 and 8), so that it can lie where a proper writer cannot.

/// A TIFF of grey pixels, 8 bits each, whose pieces are all this JPEG: tiles of this width and height, or
/// strips of one row.
pub fn tiff_of_jpegs(width: u32, height: u32, tile: Option<[u32; 2]>, jpeg: &[u8]) -> Vec<u8> {
    let count = tile.map_or(height, |[across, down]| width.div_ceil(across) * height.div_ceil(down));
    let mut bytes = b"II*\0\0\0\0\0".to_vec();
    bytes.extend(jpeg);
    let list = |bytes: &mut Vec<u8>, value: u32| {
        let place = bytes.len() as u32;
        (0..count).for_each(|_| bytes.extend(value.to_le_bytes()));
        if count == 1 { value } else { place }
    };
    let places = list(&mut bytes, 8);
    let lengths = list(&mut bytes, jpeg.len() as u32);
    let directory = bytes.len() as u32;
    bytes[4..8].copy_from_slice(&directory.to_le_bytes());
    let mut entries =
        vec![(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 7), (262, 3, 1, 1), (277, 3, 1, 1)];
    entries.extend(match tile {
        None => [(273, 4, count, places), (278, 4, 1, 1), (279, 4, count, lengths)].to_vec(),
        Some([across, down]) => {
            [(322, 4, 1, across), (323, 4, 1, down), (324, 4, count, places), (325, 4, count, lengths)].to_vec()
        }
    });
    entries.sort();
    bytes.extend(directory_of(&entries));
    bytes
}

/// A TIFF of a directory alone: tag, type, number of values and the value of each entry.
pub fn tiff_of_entries(entries: &[(u16, u16, u32, u32)]) -> Vec<u8> {
    [&b"II*\0\x08\0\0\0"[..], &directory_of(entries)].concat()
}

/// A directory, with no other behind it.
fn directory_of(entries: &[(u16, u16, u32, u32)]) -> Vec<u8> {
    let mut bytes = (entries.len() as u16).to_le_bytes().to_vec();
    for (tag, kind, count, value) in entries {
        bytes.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
        bytes.extend([count.to_le_bytes(), value.to_le_bytes()].concat());
    }
    bytes.extend([0; 4]);
    bytes
}
