//! `glassnet reproduce`.

use super::{Here, Ran, without_times};
use glassnet::report::documented::DOCUMENTED_RUN;

#[test]
fn it_prints_five_epochs_beside_the_documented_ones_from_any_folder() {
    let here = Here::empty();
    let away = here.run("reproduce --out away");
    assert_eq!(away.code, Some(0), "{}", away.stderr);
    let drawn = "The synthetic phantom set, drawn in memory: there is no data/liver-phantom here.\n";
    assert_eq!(away.stderr, drawn);

    let printed = without_times(&away.stdout);
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines[0], "Found 110 images belonging to 2 classes.");
    assert_eq!(lines[1], "Found 26 images belonging to 2 classes.");
    let history = here.text("away/history.csv");
    for (epoch, row) in history.lines().skip(1).enumerate() {
        let numbers: Vec<f64> = row.split(',').map(|number| number.parse().unwrap()).collect();
        let [_, accuracy, loss, val_accuracy, val_loss] = numbers[..] else { panic!("{row}") };
        assert_eq!(lines[2 + 2 * epoch], format!("Epoch {}/5", epoch + 1));
        assert_eq!(
            lines[3 + 2 * epoch],
            format!(
                "7/7 [==============================] - TIME - loss: {loss:.4} - accuracy: {accuracy:.4} - val_loss: {val_loss:.4} - val_accuracy: {val_accuracy:.4}"
            )
        );
        let documented = DOCUMENTED_RUN[epoch];
        let beside = format!(
            "{:>5}  {loss:>8.4}  {accuracy:>8.4}  {val_loss:>8.4}  {val_accuracy:>12.4} │ {:>8.4}  {:>8.4}  {:>8.4}  {:>12.4}",
            epoch + 1,
            documented.loss,
            documented.accuracy,
            documented.val_loss.unwrap(),
            documented.val_accuracy.unwrap()
        );
        assert!(lines.contains(&beside.as_str()), "{beside}\nis not in\n{}", away.stdout);
    }
    assert_eq!(history.lines().count(), 6);
    assert!(away.stdout.contains("The set is synthetic") && away.stdout.contains("by construction"), "{}", away.stdout);

    // Where the files are at hand they are read, and they are the very same set.
    let out = here.path("home").display().to_string();
    let mut home = here.command();
    let home =
        Ran::of(home.current_dir(env!("CARGO_MANIFEST_DIR")).args(["reproduce", "--threads", "1", "--out", &out]));
    assert_eq!((home.code, home.stderr.as_str()), (Some(0), "The synthetic phantom set in data/liver-phantom.\n"));
    assert_eq!(here.text("home/steps.csv"), here.text("away/steps.csv"));
    assert!(here.read("home/weights/last.safetensors") == here.read("away/weights/last.safetensors"));
}
