//! numpy's arrays, written byte by byte, and the zips that `numpy.savez` puts them in.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;

/// A `.npy` file: what its numbers are, how many, and their bytes.
pub fn npy(descr: &str, shape: &[usize], numbers: &[u8]) -> Vec<u8> {
    let sizes: String = shape.iter().map(|size| format!("{size},")).collect();
    let description = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({sizes}), }}\n");
    [b"\x93NUMPY\x01\x00", &(description.len() as u16).to_le_bytes()[..], description.as_bytes(), numbers].concat()
}

/// An `.npz` file of these arrays.
pub fn npz(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        zip.start_file(format!("{name}.npy"), SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}
