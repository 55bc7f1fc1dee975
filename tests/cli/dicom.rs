//! Files of scanners as DATA: nothing that they tell of a person comes out of them.

use super::{Here, LONGEST_RUN, set};
use std::path::Path;

/// A DICOM of 8 bits of these pixels, of a patient of a telling name.
fn dicom(pixels: &[u8], width: u16, height: u16) -> Vec<u8> {
    let mut file = vec![0; 128];
    file.extend(b"DICM");
    let mut element = |tag: [u16; 2], vr: &[u8; 2], value: &[u8]| {
        file.extend(tag.iter().flat_map(|part| part.to_le_bytes()));
        file.extend(vr);
        match vr {
            b"OB" => file.extend([&[0, 0][..], &(value.len() as u32).to_le_bytes()].concat()),
            _ => file.extend((value.len() as u16).to_le_bytes()),
        }
        file.extend(value);
    };
    element([2, 0x10], b"UI", b"1.2.840.10008.1.2.1\0");
    element([8, 0x20], b"DA", b"19910422");
    element([8, 0x18], b"UI", b"1.2.19910422");
    element([0x10, 0x10], b"PN", b"Lebowski^Jeffrey");
    element([0x10, 0x20], b"LO", b"LEBOWSKI-1");
    element([0x28, 2], b"US", &[1, 0]);
    element([0x28, 4], b"CS", b"MONOCHROME2 ");
    element([0x28, 0x10], b"US", &height.to_le_bytes());
    element([0x28, 0x11], b"US", &width.to_le_bytes());
    element([0x28, 0x100], b"US", &[8, 0]);
    element([0x28, 0x1050], b"DS", b"100 ");
    element([0x28, 0x1051], b"DS", b"190 ");
    element([0x7FE0, 0x10], b"OB", pixels);
    file
}

/// All files below a folder.
fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// Returns whether bytes tell of the patient.
fn tells(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    ["lebowski", "19910422"].iter().any(|telling| text.contains(telling))
}

#[test]
fn a_patients_name_reaches_no_run_folder_no_message_and_no_log() {
    let here = Here::empty();
    for (name, file) in set() {
        let grey = image::load_from_memory(&file).unwrap().to_luma8();
        let name = name.replace(".png", "");
        here.write(&format!("set/{name}"), dicom(grey.as_raw(), grey.width() as u16, grey.height() as u16));
    }
    // One that is cut, and one of no picture.
    let cut = dicom(&[0; 100], 16, 16);
    assert!(tells(&cut));
    here.write("bad/cat/1.dcm", &cut);
    here.write("bad/dog/1", &cut[..400.min(cut.len() - 120)]);
    for arguments in [
        "train set --model tiny.toml --epochs 2 --out out/run --watch --tensorboard",
        "evaluate out/run set --out out/judged",
        "predict out/run set/cat/00 set/dog --csv out/answers.csv --plot out/answers.png",
        "inspect set --list",
        "inspect bad --json",
        "pack set --size 16 --out out/set.pack",
        "explain out/run set/cat/00 --out out/page.html --png out/pictures --snapshot out/step.safetensors",
        "samples set --out out/samples.png",
        "export out/run set/cat/00 --format onnx --out out/model.onnx",
        "predict out/run bad/cat/1.dcm bad/dog/1",
        "train bad --model tiny.toml --out out/none",
    ] {
        let mut command = here.process();
        command.env("GLASSNET_LOG", "trace").args(arguments.split(' '));
        let output = assert_cmd::Command::from_std(command).timeout(LONGEST_RUN).output().unwrap();
        // What cannot be read is a finding of inspect, and no failure.
        let fails = arguments.contains("bad") && !arguments.starts_with("inspect");
        assert_eq!(output.status.success(), !fails, "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(!tells(&output.stdout) && !tells(&output.stderr), "{arguments}");
    }
    let written = files_below(&here.path("out"));
    assert!(written.len() > 20, "{written:?}");
    for path in written {
        assert!(!tells(&std::fs::read(&path).unwrap()), "{}", path.display());
    }
}
