//! A zip written byte by byte, so that it can lie where a proper writer cannot (PKWARE, *APPNOTE*, sections
//! 4.3.7, 4.3.12 and 4.3.16).

/// An entry and what is said of it.
#[derive(Clone)]
pub struct Entry {
    /// Its name in the table of contents.
    pub name: Vec<u8>,
    /// Its name beside its bytes.
    pub local_name: Vec<u8>,
    /// Bit 0: encrypted.
    pub flags: u16,
    /// 0: as they are, 8: deflate.
    pub method: u16,
    /// The bytes in the file.
    pub packed: Vec<u8>,
    /// How many there are, by the table.
    pub packed_size: u32,
    /// How many they unpack to, by the table.
    pub size: u32,
    /// Their checksum, by the table.
    pub crc: u32,
    /// The file's kind and rights, as Unix has them.
    pub mode: u16,
    /// Further fields in the table of contents.
    pub extra: Vec<u8>,
    /// Where its bytes start, by the table, instead of where they do.
    pub place: Option<u32>,
}

impl Entry {
    /// An honest entry of these bytes, as they are.
    pub fn new(name: impl AsRef<[u8]>, bytes: &[u8]) -> Entry {
        Entry {
            name: name.as_ref().to_vec(),
            local_name: name.as_ref().to_vec(),
            flags: 0,
            method: 0,
            packed: bytes.to_vec(),
            packed_size: bytes.len() as u32,
            size: bytes.len() as u32,
            crc: crc32(bytes),
            mode: 0o100_644,
            extra: Vec::new(),
            place: None,
        }
    }
}

/// The zip of these entries.
pub fn zip_of(entries: &[Entry]) -> Vec<u8> {
    let mut zip = Vec::new();
    let mut table = Vec::new();
    for entry in entries {
        let place = entry.place.unwrap_or(zip.len() as u32);
        // Version, flags, method, time and date.
        let common: Vec<u8> =
            [20, entry.flags, entry.method, 0, 0x5821].iter().flat_map(|field: &u16| field.to_le_bytes()).collect();
        let sizes: Vec<u8> =
            [entry.crc, entry.packed_size, entry.size].iter().flat_map(|field: &u32| field.to_le_bytes()).collect();

        zip.extend(b"PK\x03\x04");
        zip.extend(&common);
        zip.extend(&sizes);
        zip.extend((entry.local_name.len() as u16).to_le_bytes());
        zip.extend([0, 0]);
        zip.extend(&entry.local_name);
        zip.extend(&entry.packed);

        table.extend(b"PK\x01\x02");
        // Made by version 2.0 on Unix.
        table.extend([20, 3]);
        table.extend(&common);
        table.extend(&sizes);
        table.extend((entry.name.len() as u16).to_le_bytes());
        table.extend((entry.extra.len() as u16).to_le_bytes());
        // No comment, further disk or internal attributes.
        table.extend([0; 6]);
        table.extend((u32::from(entry.mode) << 16).to_le_bytes());
        table.extend(place.to_le_bytes());
        table.extend(&entry.name);
        table.extend(&entry.extra);
    }
    let (start, count) = (zip.len() as u32, entries.len() as u16);
    zip.extend(&table);
    zip.extend(b"PK\x05\x06\0\0\0\0");
    zip.extend(count.to_le_bytes());
    zip.extend(count.to_le_bytes());
    zip.extend((table.len() as u32).to_le_bytes());
    zip.extend(start.to_le_bytes());
    zip.extend([0, 0]);
    zip
}

/// The checksum of zips and PNGs: CRC-32 with the polynomial EDB88320, bit by bit.
pub fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    };
    !bytes.iter().fold(!0, step)
}
