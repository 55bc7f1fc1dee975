//! One file of each kind that is not read, or damaged, and the sentence that says so: what it is, what is not
//! read, what to do. `tests/fixtures/make_images.py` writes the files.

use expect_test::expect;
use glassnet::data::decode::decode;

use super::bytes_of_hex;

#[test]
fn what_is_not_read_is_named_and_a_remedy_given_in_words_of_ours() {
    let lines = include_str!("../fixtures/refused_images.txt").lines().filter(|line| !line.starts_with('#'));
    let told = lines.map(|line| {
        let (name, file) = line.split_once(' ').expect("two columns");
        match decode(name, &bytes_of_hex(file)) {
            Ok(_) => format!("{name} was read\n"),
            Err(error) => format!("{error}\n").replace(" cannot be read as an image: ", ": "),
        }
    });
    expect![[""]].assert_eq(&told.collect::<String>());
}
