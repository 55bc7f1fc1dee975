//! Images of many kinds, beside what Pillow 13.0 reads in them; `tests/fixtures/make_images.py` writes both.

use glassnet::data::decode::decode;

use super::bytes_of_hex;

/// The files, by name: bytes, width, height, pixels.
fn recorded() -> impl Iterator<Item = (&'static str, Vec<u8>, [usize; 2], Vec<u8>)> {
    let lines = include_str!("../fixtures/read_images.txt").lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| {
        let [name, file, width, height, pixels] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("not five columns: {line}")
        };
        let size = [width, height].map(|number| number.parse().unwrap());
        (name, bytes_of_hex(file), size, bytes_of_hex(pixels))
    })
}

#[test]
fn every_kind_has_the_pixels_that_pillow_reads() {
    let mut faults = Vec::new();
    for (name, file, [width, height], pixels) in recorded() {
        match decode(name, &file) {
            Err(error) => faults.push(error.to_string()),
            Ok((image, _)) if [image.width, image.height] != [width, height] => {
                faults.push(format!("{name} has {} × {} pixels and not {width} × {height}", image.width, image.height));
            }
            Ok((image, _)) => {
                let differing = image.pixels.iter().zip(&pixels).filter(|(ours, pillows)| ours != pillows).count();
                if differing > 0 {
                    let first = image.pixels.iter().zip(&pixels).position(|(ours, pillows)| ours != pillows).unwrap();
                    faults.push(format!(
                        "{name} differs in {differing} of {}, first at {first}: {} for {}",
                        pixels.len(),
                        image.pixels[first],
                        pixels[first]
                    ));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
