#!/usr/bin/env python3
"""How do both programs train on real images, where nothing was arranged?

What   Runs the notebook in Keras and the documented run in glassnet on a folder of the
       user's own, for several seeds, and prints both curves epoch by epoch.
Why    The phantom set was made so that Keras's curve on it resembles the documented one.
       Real images were not; there only the resemblance of the two programs counts, and how
       long each of them answers as the majority class does.
How    python benches/peers/real_images.py --data FOLDER [--seeds 0 1 2] [--csv runs.csv]

       FOLDER holds two class folders. Prints Markdown: medians over the seeds (smallest to
       largest in brackets), then each run's number of epochs at the majority share.
"""

import statistics

import common

SHOWN = ("accuracy", "val_accuracy", "val_loss")


def curve(rows, program, seed, metric):
    run = [row for row in rows if row["program"] == program and row["seed"] == seed]
    return [row[metric] for row in sorted(run, key=lambda row: row["epoch"])]


def epochs_table(rows):
    header = ["epoch"] + [f"{metric}, {p}" for metric in SHOWN for p in common.PROGRAMS]
    body = []
    for epoch in sorted({row["epoch"] for row in rows}):
        cells = [str(epoch + 1)]
        for metric in SHOWN:
            for p in common.PROGRAMS:
                here = [
                    r[metric] for r in rows if r["program"] == p and r["epoch"] == epoch
                ]
                middle, low, high = statistics.median(here), min(here), max(here)
                cells.append(f"{middle:.4f} ({low:.4f}-{high:.4f})")
        body.append(cells)
    return common.markdown_table(header, body)


def leading(values, test):
    """How many values from the first on pass the test."""
    return next((i for i, value in enumerate(values) if not test(value)), len(values))


def majority_table(rows, training, validation):
    """`training` and `validation`: images per class of each subset."""
    share = {"train": max(training) / sum(training), "val": max(validation) / sum(validation)}
    half_an_image = {"train": 0.5 / sum(training), "val": 0.5 / sum(validation)}
    header = [
        "run",
        f"epochs with val_accuracy at {share['val']:.4f}",
        f"epochs with accuracy not above {share['train']:.4f}",
    ]

    def at_share(value):
        return abs(value - share["val"]) < half_an_image["val"]

    def not_above(value):
        return value < share["train"] + half_an_image["train"]

    body = []
    for program, seed in sorted({(row["program"], row["seed"]) for row in rows}):
        val = leading(curve(rows, program, seed, "val_accuracy"), at_share)
        train = leading(curve(rows, program, seed, "accuracy"), not_above)
        body.append([f"{program} seed {seed}", f"first {val}", f"first {train}"])
    return common.markdown_table(header, body)


def main():
    parser = common.argument_parser(__doc__, data=None)
    common.add_run_arguments(parser)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    args = parser.parse_args()

    rows = common.collect_runs(args, args.seeds)
    training, validation = common.class_counts(args.data)
    print(f"{sum(training)} training and {sum(validation)} validation images, medians\n")
    print(epochs_table(rows) + "\n")
    print("The majority share is the accuracy of always answering the larger class.\n")
    print(majority_table(rows, training, validation))


if __name__ == "__main__":
    main()
