//! `predict --csv --sort-into --unsure --tta`.

use super::{Here, csv};

#[test]
fn the_table_has_every_class_and_the_copies_lie_in_folders_of_their_answers() {
    let here = Here::with_model();
    let printed = here.done("predict run set --csv answers.csv --sort-into sorted");
    let answers = here.text("answers.csv");
    let rows = csv(&answers);
    assert_eq!(rows[0], ["file", "class", "p(cat)", "p(dog)"]);
    assert_eq!(rows.len(), 1 + 24);
    for (row, line) in rows[1..].iter().zip(printed.lines().skip(1)) {
        let told: Vec<&str> = line.split('\t').collect();
        let [cat, dog] = [row[2], row[3]].map(|p| p.parse::<f64>().unwrap());
        assert_eq!((row[0], row[1]), (told[0], told[1]));
        assert!((dog - told[2].parse::<f64>().unwrap()).abs() < 1e-6, "{line}");
        assert!((cat + dog - 1.0).abs() < 1e-6);
        // cat/00.png and dog/00.png have one name; the first keeps it.
        let name = row[0].rsplit('/').next().unwrap();
        let copies = [format!("sorted/{}/{name}", row[1]), format!("sorted/{}/{}", row[1], name.replace('.', "-2."))];
        let original = here.read(row[0]);
        assert!(copies.iter().any(|copy| here.path(copy).is_file() && here.read(copy) == original), "{}", row[0]);
    }
    let again = "--sort-into: sorted is not empty, and nothing is overwritten; name a new folder";
    here.refused("predict run set --sort-into sorted", 2, again);
}

#[test]
fn between_two_probabilities_there_is_no_answer_and_it_is_told_how_often_that_would_have_been() {
    let here = Here::with_model();
    let all = here.done("predict run set");
    let ran = here.run("predict run set --unsure 0.4,0.6 --sort-into sorted");
    let validated = csv(&here.text("run/predictions.csv"))[1..]
        .iter()
        .filter(|row| (0.4..0.6).contains(&row[2].parse::<f64>().unwrap()))
        .count();
    assert!(
        ran.stderr.starts_with(&format!("Of 4 images that the run was validated on, {validated} would")),
        "{}",
        ran.stderr
    );
    for (line, before) in ran.stdout.lines().zip(all.lines()).skip(1) {
        let ([file, class, p], [_, before, _]) = (parts(line), parts(before));
        let inside = (0.4..0.6).contains(&p.parse::<f64>().unwrap());
        assert_eq!(class, if inside { "unsure" } else { before }, "{file}");
    }
    let wrong = "invalid value '0.6,0.4' for '--unsure <LOW,HIGH>': 0.6 must be below 0.4";
    here.misused("predict run set --unsure 0.6,0.4", wrong);
}

#[test]
fn an_answer_with_its_mirror_image_is_the_mean_of_the_two() {
    let here = Here::with_model();
    let picture = image::open(here.path("set/cat/03.png")).unwrap();
    picture.fliph().save(here.path("mirrored.png")).unwrap();
    let p = |arguments: &str| -> f64 {
        let printed = here.done(arguments);
        parts(printed.lines().nth(1).unwrap())[2].parse().unwrap()
    };
    let (one, other) = (p("predict run set/cat/03.png"), p("predict run mirrored.png"));
    let both = p("predict run set/cat/03.png --tta flip");
    assert!(one != other && (both - (one + other) / 2.0).abs() < 2e-6, "{one} {other} {both}");
}

fn parts(line: &str) -> [&str; 3] {
    line.split('\t').collect::<Vec<_>>().try_into().unwrap()
}
