//! A TIFF written byte by byte (TIFF 6.0, sections 2 and 8), so that it can lie where a proper writer cannot.

/// A TIFF of grey pixels, 8 bits each, whose strips of one row are all this JPEG.
pub fn tiff_of_jpegs(width: u32, height: u32, jpeg: &[u8]) -> Vec<u8> {
    let mut bytes = b"II*\0\0\0\0\0".to_vec();
    bytes.extend(jpeg);
    let list = |bytes: &mut Vec<u8>, value: u32| {
        let place = bytes.len() as u32;
        (0..height).for_each(|_| bytes.extend(value.to_le_bytes()));
        if height == 1 { value } else { place }
    };
    let places = list(&mut bytes, 8);
    let lengths = list(&mut bytes, jpeg.len() as u32);
    let directory = bytes.len() as u32;
    bytes[4..8].copy_from_slice(&directory.to_le_bytes());
    let entries: [(u16, u16, u32, u32); 9] = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 8),
        (259, 3, 1, 7),
        (262, 3, 1, 1),
        (273, 4, height, places),
        (277, 3, 1, 1),
        (278, 4, 1, 1),
        (279, 4, height, lengths),
    ];
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
