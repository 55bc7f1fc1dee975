//! Inputs made to do harm, given to the real binary: it says one sentence, and neither crashes nor takes all memory.

use super::{Here, Ran};

/// A safetensors file of this header and so many zero bytes.
fn safetensors(header: &str, bytes: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![0; bytes]].concat()
}

#[test]
fn weights_whose_header_lies_are_refused_by_the_header() {
    let here = Here::with_set();
    let tensor = |shape: &str, from: u64, to: u64| {
        format!("{{\"dtype\":\"F32\",\"shape\":{shape},\"data_offsets\":[{from},{to}]}}")
    };
    let two = |a: &str, b: &str| format!("{{\"a\":{a},\"b\":{b}}}");
    let one = |a: &str| format!("{{\"a\":{a}}}");
    let huge = 1u64 << 62;
    let cases = [
        ("header-too-long", [&u64::MAX.to_le_bytes()[..], b"{}"].concat()),
        ("header-beyond-the-end", [&100u64.to_le_bytes()[..], b"{}"].concat()),
        ("overlap", safetensors(&two(&tensor("[2]", 0, 8), &tensor("[2]", 4, 12)), 12)),
        ("gap", safetensors(&two(&tensor("[1]", 0, 4), &tensor("[1]", 8, 12)), 12)),
        ("beyond-the-end", safetensors(&one(&tensor("[274877906944]", 0, 1 << 40)), 0)),
        ("backwards", safetensors(&one(&tensor("[2]", 8, 0)), 8)),
        ("not-its-shape", safetensors(&one(&tensor("[3]", 0, 8)), 8)),
        ("overflow", safetensors(&one(&tensor(&format!("[{huge},{huge}]"), 0, 8)), 8)),
        ("negative", safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,8]}}", 8)),
        ("no-type", safetensors("{\"a\":{\"dtype\":\"Q9\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8)),
        ("bytes-left", safetensors(&one(&tensor("[1]", 0, 4)), 8)),
        ("deep", safetensors(&"[".repeat(100_000), 0)),
        ("no-text", safetensors("{", 0).into_iter().chain([0xFF, 0xFE]).collect()),
    ];
    for (name, content) in cases {
        here.write(name, content);
        for command in [
            format!("predict {name} set/cat/00.png"),
            format!("train set --model tiny.toml --init-weights {name} --out new"),
        ] {
            let ran = here.run(&command);
            let start = format!("error: weights file {name}: it is not a whole safetensors file (");
            assert!(ran.stderr.starts_with(&start), "{command}: {}", ran.stderr);
            assert!(ran.stderr.ends_with("); give one that 'glassnet train' wrote\n"), "{}", ran.stderr);
            assert_eq!((ran.code, ran.stderr.lines().count(), ran.stdout.as_str()), (Some(1), 1, ""), "{command}");
        }
    }
    assert!(!here.path("new").exists());
}

#[test]
fn tensors_that_are_missing_too_many_or_of_another_type_are_named() {
    let here = Here::with_model();
    let whole = here.read("run/weights/last.safetensors");
    let length = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let header = std::str::from_utf8(&whole[8..8 + length]).unwrap();
    let with_header =
        |header: String| [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &whole[8 + length..]].concat();
    let tail = "give weights of the same layers and image size";
    for (from, to, fault) in [
        ("\"dense_1/bias\"", "\"extra/bias\"", "it has a tensor 'extra/bias', which this network has not"),
        (
            "\"dense_1/bias\":{\"dtype\":\"F32\"",
            "\"dense_1/bias\":{\"dtype\":\"I32\"",
            "its tensor 'dense_1/bias' is I32 [1], but this network needs F32 [1]",
        ),
        (
            "\"dense_1/bias\":{\"dtype\":\"F32\",\"shape\":[1]",
            "\"dense_1/bias\":{\"dtype\":\"F32\",\"shape\":[1,1]",
            "its tensor 'dense_1/bias' is F32 [1, 1], but this network needs F32 [1]",
        ),
    ] {
        let changed = header.replace(from, to);
        assert_ne!(changed, header, "{from} is not in {header}");
        here.write("changed", with_header(changed));
        let sentence = format!("weights file changed: {fault}; {tail}");
        here.refused("predict changed set/cat/00.png", 1, &sentence);
        here.refused("train set --model tiny.toml --init-weights changed --out new", 1, &sentence);
    }
    for threshold in ["7.5", "-1.0"] {
        here.write(
            "changed",
            with_header(header.replace("\\\"threshold\\\":0.5", &format!("\\\"threshold\\\":{threshold}"))),
        );
        let ran = here.run("predict changed set/cat/00.png");
        assert!(ran.stderr.contains(": its threshold is ") && ran.code == Some(1), "{}", ran.stderr);
    }
}

#[test]
fn a_model_file_of_absurd_numbers_is_refused_in_one_sentence() {
    let here = Here::with_set();
    let dense = "{ type = \"dense\", units = 1 },\n";
    let cases = [
        "layers = [{ type = \"conv2d\", filters = 9223372036854775807, kernel = 3 }]".to_string(),
        "layers = [{ type = \"conv2d\", filters = 4, kernel = 9223372036854775807, padding = \"same\" }]".to_string(),
        "layers = [{ type = \"conv2d\", filters = 4, kernel = 3, stride = 9223372036854775807 }]".to_string(),
        "layers = [{ type = \"conv2d\", filters = 4, kernel = 3, stride = 0 }]".to_string(),
        "layers = [{ type = \"conv2d\", filters = -4, kernel = 3 }]".to_string(),
        "layers = [{ type = \"max_pool\", window = 9223372036854775807 }]".to_string(),
        "layers = [{ type = \"dropout\", rate = nan }]".to_string(),
        "layers = [{ type = \"dropout\", rate = inf }]".to_string(),
        format!("input = [9223372036854775807, 9223372036854775807, 3]\nlayers = [{{ type = \"flatten\" }}, {dense}]"),
        format!("layers = [{{ type = \"flatten\" }}, {}]", dense.repeat(1000)),
        format!("layers = {}", "[".repeat(100_000)),
        format!("layers = [{{ type = \"flatten\" }}, {dense}]\n# {}", "x".repeat(1 << 20)),
    ];
    for model in cases {
        here.write("absurd.toml", &model);
        let shown = &model[..model.len().min(100)];
        for command in ["train set --model absurd.toml --out new", "summary absurd.toml"] {
            let ran = here.run(command);
            assert_eq!((ran.code, ran.stderr.lines().count()), (Some(2), 1), "{shown}: {}", ran.stderr);
            assert!(ran.stderr.starts_with("error: absurd.toml: "), "{shown}: {}", ran.stderr);
        }
    }
    assert!(!here.path("new").exists());
}

/// Eight pictures of 8192 × 8192 pixels, in files of 64 KiB, decoded by eight threads: one takes 256 MiB at its peak, so without
/// a bound on all of them together they would take 2 GiB. The system gives the process 1.6 GiB of addresses and no more.
#[cfg(target_os = "linux")]
#[test]
fn large_pictures_take_turns_however_many_threads_there_are() {
    let here = Here::empty();
    let picture = image::GrayImage::from_pixel(8192, 8192, image::Luma([90]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    drop(picture);
    for index in 0..8 {
        here.write(&format!("large/{}/{index}.png", ["cat", "dog"][index % 2]), bytes.get_ref());
    }
    let mut shell = assert_cmd::Command::new("sh");
    let binary = assert_cmd::cargo::cargo_bin!("glassnet");
    // The allocator's pools for each thread would take addresses of their own.
    let ran = Ran::of(
        shell
            .current_dir(here.path(""))
            .env("MALLOC_ARENA_MAX", "1")
            .args(["-c", "ulimit -v 1677721 && exec \"$0\" \"$@\""])
            .arg(binary)
            .args(["inspect", "large", "--threads", "8", "--validation-split", "0"]),
    );
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("8 of 8192×8192"), "{}", ran.stdout);
    assert!(ran.stdout.contains("Unreadable files: 0"), "{}", ran.stdout);
}
