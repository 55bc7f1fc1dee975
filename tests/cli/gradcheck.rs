//! `glassnet gradcheck`: both links, the sweep, and the lessons.

use super::{Here, keys};

#[test]
fn both_links_hold_at_initial_and_at_trained_weights() {
    let here = Here::with_model();
    for (model, weights) in [("tiny.toml", "initial"), ("run", "trained"), ("run/weights/last.safetensors", "trained")]
    {
        let text = here.run(&format!("gradcheck {model} set/cat/00.png set/dog/03.png"));
        assert_eq!(text.code, Some(0), "{}{}", text.stdout, text.stderr);
        let first = format!(
            "{model} at {weights} weights, set/cat/00.png, set/dog/03.png, seed 0; dropout on, its masks fixed\n"
        );
        assert!(text.stdout.starts_with(&first), "{}", text.stdout);
        assert!(text.stdout.ends_with("Both links hold: the engine computes the derivative.\n"), "{}", text.stdout);
        assert!(!text.stdout.contains('✘'), "{}", text.stdout);
        for row in ["images ", "conv2d/kernel ", "conv2d/bias ", "dense/kernel ", "dense_1/bias ", "winograd2x2 "] {
            assert!(text.stdout.contains(&format!("\n{row}")), "{row}: {}", text.stdout);
        }
    }
}

#[test]
fn with_json_every_tensor_and_every_algorithm_and_instruction_set_is_told() {
    let here = Here::empty();
    let told = here.json("gradcheck tiny.toml --coordinates 20");
    assert_eq!(
        keys(&told),
        ["differences", "engine", "images", "labels", "loss", "model", "passed", "seed", "weights"]
    );
    assert_eq!(
        (&told["passed"], &told["model"], &told["weights"]),
        (&true.into(), &"tiny.toml".into(), &"initial".into())
    );
    let tensors = told["differences"]["tensors"].as_array().unwrap();
    let names: Vec<&str> = tensors.iter().map(|tensor| tensor["name"].as_str().unwrap()).collect();
    let weights = ["conv2d/kernel", "conv2d/bias", "dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"];
    assert_eq!(names, [&["images"][..], &weights].concat());
    for tensor in tensors {
        let elements: u64 = tensor["shape"].as_array().unwrap().iter().map(|size| size.as_u64().unwrap()).product();
        let counted = tensor["compared"].as_u64().unwrap() + tensor["set_aside"].as_u64().unwrap();
        assert_eq!(counted + tensor["ties"].as_u64().unwrap().min(elements), elements.min(20), "{tensor}");
        assert!(tensor["error"].as_f64().unwrap() <= told["differences"]["tolerance"].as_f64().unwrap());
    }
    let checks = told["engine"]["checks"].as_array().unwrap();
    let sets: std::collections::BTreeSet<&str> =
        checks.iter().map(|check| check["instruction_set"].as_str().unwrap()).collect();
    assert!(sets.contains("portable"));
    assert_eq!(checks.len(), 5 * sets.len());
    assert!(checks.iter().all(|check| check["passed"] == true && check["tensors"].as_array().unwrap().len() == 15));
    // The same for any number of threads.
    let [one, two] =
        [1, 2].map(|threads| here.json(&format!("gradcheck tiny.toml --only differences --threads {threads}")));
    assert_eq!(one, two);
    assert_eq!((&one["engine"], &one["passed"]), (&serde_json::Value::Null, &true.into()));
}

#[test]
fn one_instruction_set_that_is_asked_for_is_the_only_one() {
    let here = Here::empty();
    let mut command = here.command();
    let ran =
        super::Ran::of(command.env("GLASSNET_SIMD", "portable").args(["gradcheck", "tiny.toml", "--only", "engine"]));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.contains("\nalgorithm     portable  worst tensor\n"), "{}", ran.stdout);
    assert!(
        ran.stdout.ends_with("The second link holds: the engine computes what the textbook does.\n"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_sweep_has_twelve_steps_of_the_coordinate_that_is_asked_for() {
    let here = Here::empty();
    let told = here.json("gradcheck tiny.toml --sweep=dense/kernel[17,3]");
    assert_eq!(told["coordinate"], "dense/kernel[17,3]");
    let steps: Vec<f64> = told["sweep"].as_array().unwrap().iter().map(|point| point["h"].as_f64().unwrap()).collect();
    assert_eq!((steps.len(), steps[0], steps[11]), (12, 1e-1, 1e-12));
    let text = here.done("gradcheck tiny.toml --sweep");
    assert!(
        text.contains("\nconv2d/kernel[") && text.contains("\n1e-12 ") && text.contains("Least at h = 1e-"),
        "{text}"
    );
    let sentence = "--sweep dense/kernel[300,0]: the last element of dense/kernel is dense/kernel[195,7]";
    here.refused("gradcheck tiny.toml --sweep=dense/kernel[300,0]", 2, sentence);
}

#[test]
fn a_lesson_fails_without_naming_the_mistake_and_reveal_names_it() {
    let here = Here::empty();
    let list = here.done("gradcheck --lesson");
    assert_eq!(list.lines().filter(|line| line.contains('★')).count(), 12, "{list}");
    let ran = here.run("gradcheck --lesson 4");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""), "{}", ran.stdout);
    assert!(ran.stdout.contains('✘') && ran.stdout.contains('✔'), "{}", ran.stdout);
    assert!(!ran.stdout.contains("mirrored"), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("Which layer is wrong, and how? The answer: gradcheck --lesson 4 --reveal\n"));
    let told = here.run("gradcheck --lesson 4 --json").json();
    assert_eq!((&told["passed"], told["tensors"].as_array().unwrap().len()), (&false.into(), 11));
    let reveal = here.done("gradcheck --lesson 4 --reveal");
    assert!(
        reveal.starts_with("Lesson 4 ★★  conv2d and conv2d_1: ∂L/∂input is taken with the kernel mirrored\n"),
        "{reveal}"
    );
    assert!(
        reveal.contains("right   grad_input.values[from] += grad_output.values[to] * kernel[weight];\n"),
        "{reveal}"
    );
    assert!(reveal.contains("wrong   grad_input.values[from] += grad_output.values[to] * kernel[mirrored(weight)];\n"));
    assert_eq!(reveal.lines().filter(|line| line.contains('█')).count(), 5, "{reveal}");
    for unseen in [11, 12] {
        let text = here.done(&format!("gradcheck --lesson {unseen}"));
        assert!(text.contains("Every tensor agrees. Is all right, then?"), "{text}");
        let told = here.json(&format!("gradcheck --lesson {unseen} --reveal"));
        assert_eq!(told["seen_by_a_gradient_check"], false);
        assert_eq!(told["epochs_wrong"].as_array().unwrap().len(), 5);
    }
}

#[test]
fn what_cannot_be_checked_is_refused_in_a_sentence() {
    let here = Here::with_set();
    here.refused(
        "gradcheck set/cat/00.png",
        2,
        "set/cat/00.png: it is an image, and the model comes first: gradcheck MODEL IMAGE…",
    );
    here.refused("gradcheck tiny.toml set/cat", 2, "set/cat: it is a folder; give image files");
    let many = vec!["set/cat/00.png"; 17].join(" ");
    here.refused(
        &format!("gradcheck tiny.toml {many}"),
        2,
        "IMAGE: 17 images, and 16 are the most that are looked at together; give fewer",
    );
    here.refused("gradcheck gone.toml", 2, "gone.toml does not exist; check the path");
    here.misused(
        "gradcheck --lesson 13",
        "invalid value '13' for '--lesson [<N>]': it must be a whole number from 1 to 12",
    );
}
