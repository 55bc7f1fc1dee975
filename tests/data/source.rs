//! Folders and zips as lists of bytes.

use std::fs;

use glassnet::Error;
use glassnet::data::catalog::Catalog;
use glassnet::data::left_out::{LeftOut, Reason};
use glassnet::data::source::Source;
use glassnet::random::{Purpose, Stream};

use super::{empty, two_classes, write_tree, write_zip};

#[test]
fn a_path_that_leads_nowhere_is_named() {
    let error = Source::open("no/such/folder").unwrap_err();
    assert!(matches!(error, Error::Missing { .. }));
    assert_eq!(error.to_string(), "no/such/folder does not exist; check the path");
}

#[test]
fn a_file_that_is_no_zip_says_so() {
    let folder = tempfile::tempdir().unwrap();
    for (name, found) in [("set.zip", "is named .zip but is not a zip"), ("set.dat", "is neither a folder nor a zip")] {
        let path = folder.path().join(name);
        fs::write(&path, "not a zip").unwrap();
        let error = Source::open(&path).unwrap_err().to_string();
        assert!(error.contains(found) && error.contains(name), "{error}");
    }
}

#[test]
fn an_empty_zip_and_a_cut_off_one_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.zip");
    write_zip(&path, &Vec::new());
    let error = Source::open(&path).unwrap_err().to_string();
    assert!(error.contains("the zip is empty"), "{error}");

    write_zip(&path, &two_classes(2, 2));
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let error = Source::open(&path).unwrap_err().to_string();
    assert!(error.contains("cannot be unpacked") && error.contains("set.zip"), "{error}");
}

#[test]
fn a_zip_with_a_name_that_leads_outside_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["../evil.png", "/evil.png", "benign/../../evil.png", "a\\..\\..\\evil.png"] {
        let path = folder.path().join("set.zip");
        write_zip(&path, &empty(&["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"[..name.len()].as_ref()]));
        // The writer may mend such a name, so it is put in afterwards, in the entry and in the table of
        // contents.
        let mut bytes = fs::read(&path).unwrap();
        for at in (0..bytes.len() - name.len()).rev() {
            if bytes[at..at + name.len()].iter().all(|&byte| byte == b'a') {
                bytes[at..at + name.len()].copy_from_slice(name.as_bytes());
            }
        }
        fs::write(&path, bytes).unwrap();
        let error = Source::open(&path).unwrap_err().to_string();
        assert!(error.contains("the zip's entry"), "{name}: {error}");
    }
}

#[test]
fn an_entry_that_unpacks_to_more_than_it_declares_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.zip");
    let real = 1_000_003u32;
    write_zip(&path, &vec![("benign/1.png".to_string(), vec![0; real as usize])]);
    let mut bytes = fs::read(&path).unwrap();
    for at in 0..bytes.len() - 4 {
        if bytes[at..at + 4] == real.to_le_bytes() {
            bytes[at..at + 4].copy_from_slice(&100u32.to_le_bytes());
        }
    }
    fs::write(&path, bytes).unwrap();
    let source = Source::open(&path).unwrap();
    let error = source.read(0).unwrap_err().to_string();
    assert!(error.contains("benign/1.png"), "{error}");
}

#[test]
fn damaged_zips_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.zip");
    write_zip(&path, &two_classes(2, 2));
    let whole = fs::read(&path).unwrap();
    let mut stream = Stream::new(1, Purpose::Test, 0, 0);
    for _ in 0..1000 {
        let mut damaged = whole.clone();
        for _ in 0..3 {
            let at = stream.below(damaged.len() as u32) as usize;
            damaged[at] = stream.below(256) as u8;
        }
        fs::write(&path, damaged).unwrap();
        if let Ok(source) = Source::open(&path) {
            for index in 0..source.len() {
                let _ = source.read(index);
            }
        }
    }
}

#[test]
fn a_folder_its_zip_and_memory_list_and_read_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = two_classes(3, 4);
    files.push(("benign/a-b/0.png".to_string(), vec![1]));
    files.push(("benign/a/b/0.png".to_string(), vec![2]));
    write_tree(&folder.path().join("set"), &files);
    write_zip(&folder.path().join("set.zip"), &files);
    let memory = Source::from_memory("memory", files).unwrap();
    for name in ["set", "set.zip"] {
        let source = Source::open(folder.path().join(name)).unwrap();
        assert!(source.names().eq(memory.names()));
        assert!(source.folders().eq(memory.folders()));
        for index in 0..source.len() {
            assert_eq!(source.read(index).unwrap(), memory.read(index).unwrap());
        }
    }
}

#[test]
fn a_zip_of_one_folder_that_holds_the_classes_is_entered_and_what_macs_add_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.zip");
    write_zip(
        &path,
        &empty(&[
            "livers/",
            "livers/benign/1.png",
            "livers/malignant/2.png",
            "livers/.DS_Store",
            "livers/README.txt",
            "__MACOSX/livers/benign/._1.png",
            "__MACOSX/livers/malignant/._2.png",
        ]),
    );
    let catalog = Catalog::from_source(&Source::open(&path).unwrap()).unwrap();
    assert_eq!(catalog.classes.two(), Some(["benign", "malignant"]));
    assert_eq!(catalog.counts(), [1, 1]);
    assert_eq!(catalog.items[0].path, "benign/1.png");
    // What systems leave, and what is there to be read, needs no word; programs are told of it.
    assert_eq!(catalog.notes, Vec::<String>::new());
    let mut left_out: Vec<&str> = catalog.left_out.iter().map(|left| left.file.as_str()).collect();
    left_out.sort_unstable();
    assert_eq!(left_out, ["README.txt", "__MACOSX", "livers/.DS_Store"]);
}

#[cfg(unix)]
#[test]
fn links_are_treated_as_keras_treats_them() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let (elsewhere, set) = (folder.path().join("elsewhere"), folder.path().join("set"));
    write_tree(&elsewhere, &empty(&["l.png", "sub/m.png"]));
    write_tree(&set, &empty(&["a/in/1.png"]));
    symlink(&elsewhere, set.join("b")).unwrap();
    symlink(&elsewhere, set.join("a/link")).unwrap();
    symlink(elsewhere.join("l.png"), set.join("a/file-link.png")).unwrap();
    symlink("/nowhere", set.join("a/broken.png")).unwrap();

    let source = Source::open(&set).unwrap();
    let recorded = ["a/broken.png", "a/file-link.png", "a/in/1.png", "b/l.png", "b/sub/m.png"];
    assert!(Catalog::from_source(&source).unwrap().items.iter().map(|item| item.path.as_str()).eq(recorded));
    let path = set.join("a/link").display().to_string();
    assert_eq!(source.left_out(), [LeftOut::new("a/link", path, Reason::Link)]);
    assert!(
        source
            .read(0)
            .unwrap_err()
            .to_string()
            .contains("broken.png cannot be read as an image: it is not there any more, or is a link to nothing")
    );
}
