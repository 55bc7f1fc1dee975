//! The Parquet files that `tests/fixtures/make_parquets.py` writes, and the images in them.

use std::fs;
use std::io::{Cursor, Read};
use std::path::Path;

use zip::ZipArchive;

/// All of them: names and bytes.
pub fn files() -> Vec<(String, Vec<u8>)> {
    let mut zip = ZipArchive::new(Cursor::new(include_bytes!("../fixtures/parquets.zip"))).unwrap();
    let count = zip.len();
    let file = |index| {
        let mut entry = zip.by_index(index).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (entry.name().unwrap().into_owned(), bytes)
    };
    (0..count).map(file).collect()
}

/// Writes them below a folder.
pub fn write(folder: &Path) {
    for (name, bytes) in files() {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}
