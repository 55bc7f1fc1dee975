#!/usr/bin/env python3
"""Do glassnet and Keras compute the same losses from the same weights?

What   Trains the documented model five epochs in both, from the same initial weights, on the
       same batches in the same order (no shuffling) and without dropout, and compares the loss
       of each of the 35 steps, taken before the step's update.
Why    Nothing random is left, so every difference is arithmetic: an error in any layer, any
       gradient or Adam shows in the second loss or soon after. Rounding shows too, and training
       amplifies it. How much of that is usual is seen in Keras itself, computing in float64.
How    python benches/peers/same_losses.py [--seeds 1 2 3]

       prints one table for each of Keras's initial weights, and exits with 1 if glassnet is
       further from Keras than 3e-6 in the first 7 steps or 1e-3 in all 35 (relative).

           python benches/peers/same_losses.py --self

       needs no glassnet: it compares Keras on one thread with Keras on two, without oneDNN,
       and in float64. This is the yardstick behind the two limits.

Equality holds for PNG images; JPEG decoders differ by a level here and there.
"""

import sys
import tempfile
from pathlib import Path

import common

FIRST_STEPS, FIRST_LIMIT = 7, 3e-6
ALL_LIMIT = 1e-3


def write_initial_weights(seed, path):
    """In a fresh process: the documented model as Keras draws it from this seed."""
    keras = common.start_keras(threads=1)
    keras.utils.set_random_seed(seed)
    common.save_weights(common.documented_model(keras), path)


def keras_losses(data, weights, **settings):
    """In a fresh process: the loss of each step, `settings` as `common.start_keras` takes them."""
    keras = common.start_keras(**settings)
    model = common.documented_model(keras, dropout=0)
    common.load_weights(model, weights)
    training, _ = common.image_flows(data, shuffle=False)
    batches = [training[i] for i in range(len(training))]
    losses = []
    for _ in range(common.EPOCHS):
        # train_on_batch resets the metrics, so this is the loss of the one batch.
        losses += [float(model.train_on_batch(x, y)[0]) for x, y in batches]
    return losses


def glassnet_losses(binary, data, weights, threads):
    options = ("--epochs", common.EPOCHS, "--init-weights", weights, "--no-shuffle")
    options += ("--dropout", 0, "--seed", 0, "--threads", threads)
    return [row["loss"] for row in common.train_glassnet(binary, data, "steps.csv", *options)]


def distances(losses, reference):
    """|a - b| / |b| for each step."""
    if len(losses) != len(reference):
        raise SystemExit(f"{len(losses)} steps against Keras's {len(reference)}")
    return [abs(a - b) / abs(b) for a, b in zip(losses, reference)]


def print_steps(losses, compared):
    """Losses by name, and the distances of `compared`: {title: (name, name of reference)}."""
    differences = {t: distances(losses[a], losses[b]) for t, (a, b) in compared.items()}
    header = ["step", *losses, *differences]
    rows = [
        [str(step + 1)]
        + [f"{values[step]:.9f}" for values in losses.values()]
        + [f"{values[step]:.1e}" for values in differences.values()]
        for step in range(len(next(iter(losses.values()))))
    ]
    print(common.markdown_table(header, rows) + "\n")
    for title, values in differences.items():
        first, all_steps = max(values[:FIRST_STEPS]), max(values)
        print(f"{title}: at most {first:.1e} in steps 1-{FIRST_STEPS}, {all_steps:.1e} in all")
    print()
    return differences


def within_limits(values):
    # `<=` in this direction, so that NaN fails.
    return all(v <= FIRST_LIMIT for v in values[:FIRST_STEPS]) and all(
        v <= ALL_LIMIT for v in values
    )


def compare_with_glassnet(args, weights):
    """One set of initial weights; True if glassnet is within the limits."""
    run = common.in_fresh_process
    losses = {
        "glassnet": glassnet_losses(args.glassnet, args.data, weights, args.threads),
        "Keras": run(keras_losses, args.data, weights, threads=args.threads),
        "Keras f64": run(
            keras_losses, args.data, weights, threads=args.threads, floatx="float64"
        ),
    }
    differences = print_steps(
        losses,
        {
            "glassnet - Keras": ("glassnet", "Keras"),
            "glassnet - f64": ("glassnet", "Keras f64"),
            "Keras - f64": ("Keras", "Keras f64"),
        },
    )
    good = within_limits(differences["glassnet - Keras"])
    verdict = "within" if good else "EXCEEDS"
    print(f"{verdict} the limits {FIRST_LIMIT:.0e} (steps 1-{FIRST_STEPS}) and {ALL_LIMIT:.0e}\n")
    return good


def compare_keras_with_itself(args, weights):
    run = common.in_fresh_process
    losses = {
        "2 threads": run(keras_losses, args.data, weights, threads=2),
        "1 thread": run(keras_losses, args.data, weights, threads=1),
        "no oneDNN": run(keras_losses, args.data, weights, threads=2, onednn=False),
        "f64": run(keras_losses, args.data, weights, threads=2, floatx="float64"),
    }
    compared = {f"2 threads - {name}": ("2 threads", name) for name in list(losses)[1:]}
    print_steps(losses, compared)


def main():
    parser = common.argument_parser(__doc__)
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[1, 2, 3], help="of Keras's initial weights"
    )
    parser.add_argument("--self", action="store_true", help="compare Keras with itself")
    args = parser.parse_args()

    good = True
    with tempfile.TemporaryDirectory() as folder:
        for seed in args.seeds:
            weights = Path(folder) / f"keras-{seed}.safetensors"
            common.in_fresh_process(write_initial_weights, seed, weights)
            print(f"## Initial weights of Keras seed {seed}\n")
            if args.self:
                compare_keras_with_itself(args, weights)
            else:
                good &= compare_with_glassnet(args, weights)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
