//! Inputs made to do harm, given to the real binary: it says one sentence, and neither crashes nor takes all
//! memory.

use super::{Here, Ran, known};
use expect_test::expect;

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
        (
            "header-too-long",
            [&u64::MAX.to_le_bytes()[..], b"{}"].concat(),
            "it does not begin with the length of a header",
        ),
        ("header-beyond-the-end", [&100u64.to_le_bytes()[..], b"{}"].concat(), "it ends within its header"),
        (
            "overlap",
            safetensors(&two(&tensor("[2]", 0, 8), &tensor("[2]", 4, 12)), 12),
            "its header is no list of tensors whose types, shapes and places agree",
        ),
        (
            "gap",
            safetensors(&two(&tensor("[1]", 0, 4), &tensor("[1]", 8, 12)), 12),
            "its header is no list of tensors whose types, shapes and places agree",
        ),
        (
            "beyond-the-end",
            safetensors(&one(&tensor("[274877906944]", 0, 1 << 40)), 0),
            "it ends before the tensors that its header tells of",
        ),
        (
            "backwards",
            safetensors(&one(&tensor("[2]", 8, 0)), 8),
            "its header is no list of tensors whose types, shapes and places agree",
        ),
        (
            "not-its-shape",
            safetensors(&one(&tensor("[3]", 0, 8)), 8),
            "its header is no list of tensors whose types, shapes and places agree",
        ),
        (
            "overflow",
            safetensors(&one(&tensor(&format!("[{huge},{huge}]"), 0, 8)), 8),
            "its header is no list of tensors whose types, shapes and places agree",
        ),
        (
            "negative",
            safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,8]}}", 8),
            "its header is no list of tensors whose types, shapes and places agree",
        ),
        (
            "no-type",
            safetensors("{\"a\":{\"dtype\":\"Q9\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8),
            "its header is no list of tensors whose types, shapes and places agree",
        ),
        ("bytes-left", safetensors(&one(&tensor("[1]", 0, 4)), 8), "more follows than its header tells of"),
        (
            "deep",
            safetensors(&"[".repeat(100_000), 0),
            "its header is no list of tensors whose types, shapes and places agree",
        ),
        (
            "no-text",
            safetensors("{", 0).into_iter().chain([0xFF, 0xFE]).collect(),
            "its header is no list of tensors whose types, shapes and places agree",
        ),
    ];
    for (name, content, fault) in cases {
        here.write(name, content);
        let sentence = format!(
            "weights file {name}: it is not a whole safetensors file ({fault}); give one that 'glassnet train' wrote"
        );
        here.refused(&format!("predict {name} set/cat/00.png"), 1, &sentence);
        here.refused(&format!("train set --model tiny.toml --init-weights {name} --out new"), 1, &sentence);
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
    for (threshold, sentence) in [
        ("7.5", "weights file changed: its threshold is 7.5, and a probability is from 0 to 1; take another"),
        ("-1.0", "weights file changed: its threshold is -1, and a probability is from 0 to 1; take another"),
    ] {
        let header = header.replace("\\\"threshold\\\":0.5", &format!("\\\"threshold\\\":{threshold}"));
        here.write("changed", with_header(header));
        here.refused("predict changed set/cat/00.png", 1, sentence);
    }
}

#[test]
fn a_model_file_of_absurd_numbers_is_refused_in_one_sentence() {
    let here = Here::with_set();
    let dense = "{ type = \"dense\", units = 1 },\n";
    let cases = [
        (
            "layers = [{ type = \"conv2d\", filters = 9223372036854775807, kernel = 3 }]".to_string(),
            "no such network can be built: layer conv2d in line 1: it would have 9223372036854775807 floats, and 2147483648 is the most; make it smaller",
        ),
        (
            "layers = [{ type = \"conv2d\", filters = 4, kernel = 9223372036854775807, padding = \"same\" }]"
                .to_string(),
            "no such network can be built: layer conv2d in line 1: it would have 9223372036854775807 floats, and 2147483648 is the most; make it smaller",
        ),
        (
            "layers = [{ type = \"conv2d\", filters = 4, kernel = 3, stride = 9223372036854775807 }]".to_string(),
            "no such network can be built: layer conv2d in line 1: it would have 9223372036854775807 floats, and 2147483648 is the most; make it smaller",
        ),
        (
            "layers = [{ type = \"conv2d\", filters = 4, kernel = 3, stride = 0 }]".to_string(),
            "no such network can be built: layer conv2d in line 1: a kernel with stride 0×0; it needs at least 1×1",
        ),
        (
            "layers = [{ type = \"conv2d\", filters = -4, kernel = 3 }]".to_string(),
            "it is not a model: line 1: invalid value: integer `-4`, expected a whole number",
        ),
        (
            "layers = [{ type = \"max_pool\", window = 9223372036854775807 }]".to_string(),
            "no such network can be built: layer max_pooling2d in line 1: a window of 9223372036854775807×9223372036854775807 with stride 9223372036854775807×9223372036854775807 does not fit an input of 128×128×3 (height × width × channels); use larger images or a smaller window",
        ),
        (
            "layers = [{ type = \"dropout\", rate = nan }]".to_string(),
            "no such network can be built: layer dropout in line 1: a dropout rate of NaN; it must be at least 0 and below 1",
        ),
        (
            "layers = [{ type = \"dropout\", rate = inf }]".to_string(),
            "no such network can be built: layer dropout in line 1: a dropout rate of inf; it must be at least 0 and below 1",
        ),
        (
            format!(
                "input = [9223372036854775807, 9223372036854775807, 3]\nlayers = [{{ type = \"flatten\" }}, {dense}]"
            ),
            "no such network can be built: layer input: it would have 9223372036854775807×9223372036854775807 floats, and 2147483648 is the most; make it smaller",
        ),
        (
            format!("layers = [{{ type = \"flatten\" }}, {}]", dense.repeat(1000)),
            "no such network can be built: layer input: the model has 1001 layers, and 1000 are the most; use fewer",
        ),
        (
            format!("layers = {}", "[".repeat(100_000)),
            "it is not a model: line 1: cannot recurse further; max recursion depth met",
        ),
        (
            format!("layers = [{{ type = \"flatten\" }}, {dense}]\n# {}", "x".repeat(1 << 20)),
            "it has more than 1 MiB; a model.toml lists layers, and weights go to --init-weights",
        ),
    ];
    for (model, fault) in cases {
        here.write("absurd.toml", &model);
        for command in ["train set --model absurd.toml --out new", "summary absurd.toml"] {
            here.refused(command, 2, &format!("absurd.toml: {fault}"));
        }
    }
    assert!(!here.path("new").exists());
}

/// Eight pictures of 8192 × 8192 pixels, in files of 64 KiB, decoded by eight threads: one takes 256 MiB at
/// its peak, so without a bound on all of them together they would take 2 GiB. The system gives the process
/// 1.6 GiB of addresses and no more.
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
    let ran = with_addresses(&here, 1_677_721, "inspect large --threads 8 --validation-split 0");
    expect![[r#"
        large

        class                      training validation        all
        0 cat                             4          0          4
        1 dog                             4          0          4
        both                              8          0          8
        The positive class is 'dog'.

        Sizes (width×height): 8 of 8192×8192
        Formats: 8 PNG grey
        Unreadable files: 0
        Duplicates: 1 group
          cat/0.png, cat/2.png, cat/4.png, cat/6.png, dog/1.png, dog/3.png and 2 more (the same bytes, in both classes)
        Near duplicates: 0 groups
        Attributes that give the class away: none of size, aspect, format, mode and orientation

        What to do
        - 1 group of images that are the same has images in both classes: decide which class is right, and remove the others: no network can learn both
        - no image of 'cat' or 'dog' validates: sensitivity, specificity and ROC AUC need images of both classes that the network did not learn from: put more images into the class, or take a larger --validation-split. `train --folds 4` validates each of all 4 once, where the interval of a perfect 4 of 4 reaches from 0.5101
    "#]].assert_eq(&ran.shown());
}

/// Runs the binary with so many KiB of addresses and no more.
#[cfg(target_os = "linux")]
fn with_addresses(here: &Here, kibibytes: usize, arguments: &str) -> Ran {
    let mut shell = assert_cmd::Command::new("sh");
    let binary = assert_cmd::cargo::cargo_bin!("glassnet");
    // The allocator's pools for each thread would take addresses of their own.
    let shell = shell.current_dir(here.path("")).env("MALLOC_ARENA_MAX", "1");
    let shell = shell.args(["-c", &format!("ulimit -v {kibibytes} && exec \"$0\" \"$@\"")]).arg(binary);
    Ran::of(shell.args(arguments.split(' ')))
}

/// A file of 9 kB holds a network whose batch takes gigabytes.
#[cfg(target_os = "linux")]
#[test]
fn what_takes_more_than_ulimit_allows_is_refused_in_a_sentence_that_names_the_limit() {
    let here = known::with_known_answers();
    let spec = r#"
        input = [4096, 4096, 3]
        layers = [
            { type = "conv2d", filters = 8, kernel = 3, padding = "same" },
            { type = "relu" },
            { type = "max_pool", window = 256 },
            { type = "flatten" },
            { type = "dense", units = 1 },
        ]
    "#;
    known::write_model(&here, "large.safetensors", spec, &["cat", "dog"], |_| ());
    here.write("large.toml", spec);
    let size = here.read("large.safetensors").len();
    assert!(size < 12_000, "{size}");
    let limit = regex::Regex::new(
        r"takes [\d.]+ GiB of memory, and this process may take 1\.\d GiB more \(ulimit -v is 2\.0 GiB, less what the program and its threads take\); use .*smaller model\n$",
    )
    .unwrap();
    for (arguments, code) in [
        ("predict large.safetensors greys/cat/80.png", 1),
        ("evaluate large.safetensors greys", 1),
        ("train greys --model large.toml --out run", 2),
    ] {
        let ran = with_addresses(&here, 2 << 20, arguments);
        assert_eq!(ran.code, Some(code), "{arguments}: {}", ran.stderr);
        assert!(limit.is_match(&ran.stderr) && ran.stderr.lines().count() == 1, "{arguments}: {}", ran.stderr);
    }
    // What fits is done.
    let ran = with_addresses(&here, 2 << 20, "predict known.safetensors greys/cat/80.png");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
}

/// 256 MiB of addresses hold the program and not the 256 MiB that this picture takes.
#[cfg(target_os = "linux")]
#[test]
fn a_picture_that_takes_more_than_ulimit_allows_is_told_as_unreadable() {
    let here = Here::with_set();
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::GrayImage::new(8192, 8192).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    here.write("set/cat/00.png", bytes.get_ref());
    let ran = with_addresses(&here, 256 << 10, "inspect set --threads 2");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let sentence =
        "set/cat/00.png cannot be read as an image: decoding it takes 256 MiB of memory, and this process may take ";
    assert!(ran.stdout.contains(sentence), "{}", ran.stdout);
}
