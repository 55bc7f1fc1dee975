//! `glassnet explain`: a step in the terminal, on a page, as pictures and as a snapshot.

use super::{Here, keys};
use glassnet::snapshot::Snapshot;

#[test]
fn a_weights_chain_rule_is_printed_down_to_the_loss_after_the_step() {
    let here = Here::with_model();
    let text = here.run("explain run set/cat/00.png set/dog/03.png --weight conv2d/kernel[1,2,0,3]");
    assert_eq!((text.code, text.stderr.as_str()), (Some(0), ""), "{}", text.stdout);
    let told = &text.stdout;
    assert!(
        told.starts_with(
            "model        run: after 4 steps\nbatch        2 images, the first in focus: set/cat/00.png\n"
        ),
        "{told}"
    );
    for line in [
        "it is        cat\n",
        "step         the 5th of this optimizer, learning rate 0.001\n",
        "\nconv2d/kernel[1,2,0,3]: its gradient is a sum over 196 positions\n",
        "  share of set/cat/00.png\n",
        "  share of set/dog/03.png\n",
        " because the max-pool behind took another cell of the window\n",
        "  dL/dw; the engine has ",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let last = told.lines().last().unwrap();
    assert!(last.starts_with("loss ") && last.ends_with(" after"), "{last}");
}

#[test]
fn the_terms_of_the_object_add_up_to_the_gradient() {
    let here = Here::with_model();
    let told = here.json("explain run set/dog/03.png --weight dense/kernel[7,2]");
    assert_eq!(
        keys(&told),
        [
            "after",
            "before",
            "gradient",
            "images",
            "loss",
            "loss_after",
            "loss_promised",
            "model",
            "positions",
            "shares",
            "step",
            "terms",
            "weight",
            "weights",
            "zeros"
        ]
    );
    assert_eq!(
        (&told["positions"], &told["weight"], &told["step"]),
        (&1.into(), &"dense/kernel[7,2]".into(), &5.into())
    );
    let image = &told["images"][0];
    assert_eq!(keys(image), ["file", "label", "loss", "predicted", "probability"]);
    assert_eq!((&image["label"], &image["file"]), (&"dog".into(), &"set/dog/03.png".into()));
    let terms: f64 = told["terms"].as_array().unwrap().iter().map(|term| term["product"].as_f64().unwrap()).sum();
    let gradient = told["gradient"].as_f64().unwrap();
    assert!((terms - gradient).abs() <= 1e-6 * gradient.abs(), "{terms} {gradient}");
    assert_eq!(told["shares"].as_array().unwrap().len(), 1);
    // The same step for any number of threads.
    let command = "explain run set/dog/03.png set/cat/01.png --threads";
    assert_eq!(here.json(&format!("{command} 1")), here.json(&format!("{command} 2")));
}

#[test]
fn page_pictures_and_snapshot_are_written_and_the_page_asks_nothing_of_a_network() {
    let here = Here::with_model();
    let text = here.run("explain run set/cat/00.png --out page.html --png pictures --snapshot step.safetensors");
    assert_eq!(text.code, Some(0), "{}", text.stderr);
    let written: Vec<&str> = text.stderr.lines().collect();
    let pictures = ["input", "grad_cam", "occlusion", "conv2d_maps", "conv2d_gradients", "conv2d_filters"];
    let pictures: Vec<String> = pictures.iter().map(|name| format!("wrote pictures/{name}.png")).collect();
    assert_eq!(written.first(), Some(&"wrote step.safetensors"));
    assert_eq!(written[1..written.len() - 1], pictures[..]);
    assert_eq!(written.last(), Some(&"wrote page.html"));
    for picture in pictures {
        image::open(here.path(picture.strip_prefix("wrote ").unwrap())).unwrap();
    }
    let page = here.text("page.html");
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("default-src 'none'"));
    // Names of what elements are, which nobody opens.
    let page = page.replace("http://www.w3.org/", "");
    let outside = ["http://", "https://", "src=\"/", "@import", "url("];
    assert!(outside.iter().all(|text| !page.contains(text)), "the page asks for something");
    let snapshot = Snapshot::read(&here.path("step.safetensors")).unwrap();
    assert!(page.contains(&format!("<data value=\"{}\" data-of=\"loss\">", snapshot.loss())));
}

#[test]
fn an_image_in_no_class_folder_is_taken_for_the_models_answer_unless_a_label_is_given() {
    let here = Here::with_model();
    std::fs::copy(here.path("set/cat/00.png"), here.path("some.png")).unwrap();
    let guessed = here.run("explain run some.png");
    assert_eq!(guessed.code, Some(0));
    assert!(guessed.stderr.contains("an image is in no folder with the name of a class"), "{}", guessed.stderr);
    let given = here.json("explain run some.png --label dog");
    assert_eq!(given["images"][0]["label"], "dog");
}

#[test]
fn a_spec_has_its_initial_weights_and_its_first_step() {
    let here = Here::with_set();
    let told = here.json("explain tiny.toml set/cat/00.png --seed 3 --label class-1");
    assert_eq!((&told["step"], &told["weights"]), (&1.into(), &"initial weights".into()));
    assert_ne!(told["gradient"], here.json("explain tiny.toml set/cat/00.png --seed 4 --label class-1")["gradient"]);
}

#[test]
fn what_cannot_be_explained_is_told_in_a_sentence() {
    let here = Here::with_model();
    for (command, code, sentence) in [
        (
            "explain run set/cat/00.png --weight conv2d/kernel[9,0,0,0]",
            2,
            "'conv2d/kernel' is 3×3×3×4; its places count from 0 along each",
        ),
        (
            "explain run set/cat/00.png --weight conv9/kernel[0]",
            2,
            "the network has no weights 'conv9/kernel'; it has conv2d/kernel, ",
        ),
        ("explain run set/cat/00.png --label cow", 2, "the model knows no class 'cow'; it knows 'cat' and 'dog'"),
        ("explain set/cat/00.png run", 2, "it is an image, and the model comes first: explain MODEL IMAGE…"),
        ("explain run set/cat", 2, "it is a folder; give image files"),
        ("explain run nothing.png", 2, "nothing.png"),
        ("explain run set/cat/00.png --out set/cat/00.png", 2, "set/cat/00.png"),
        ("explain run", 2, "IMAGE"),
    ] {
        let text = here.run(command);
        assert_eq!(text.code, Some(code), "{command}: {}", text.stderr);
        assert!(text.stderr.contains(sentence), "{command}: {}", text.stderr);
    }
}
