#!/usr/bin/env python3
"""Do glassnet and Keras compute the same losses from the same weights?

What   Trains the documented model five epochs in both, from the same initial weights, on the
       same batches in the same order (no shuffling) and without dropout, and compares the loss
       of each of the 35 steps, taken before the step's update.
Why    Nothing random is left, so every difference is arithmetic: an error in any layer, any
       gradient or Adam shows in the second loss or soon after. Rounding shows too, and training
       amplifies it, more on some images and initial weights than on others. So Keras runs three
       more times: on one thread, without oneDNN (that is, with its other kernels), and in
       float64. How far these are from the first is how far rounding alone leads.
How    python benches/peers/same_losses.py [--data FOLDER] [--seeds 1 2 3]

       prints one table for each of Keras's initial weights, and exits with 1 unless glassnet is
       within 3e-6 of Keras in the first 7 steps and 1e-3 in all 35 (relative), for every seed;
       or, where Keras itself is not, within three times as far from Keras as Keras from itself, by
       the medians over the seeds (give it six seeds or more: single ones differ a thousandfold).
"""

import sys
import tempfile
from pathlib import Path

import common
import numpy

OURS = "glassnet"
ONE_THREAD, OTHER_KERNELS, FLOAT64 = "Keras, 1 thread", "Keras, no oneDNN", "Keras, float64"

FIRST_STEPS = 7
# Relative distances allowed in the first steps and in all, where a run amplifies rounding little.
LIMITS = (3e-6, 1e-3)
# Elsewhere: how many times Keras's own median distance. It is one draw against another of a
# quantity that spreads over orders of magnitude.
NOISE_FACTOR = 3


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


def largest(distances):
    """The largest distance in the first steps, and in all. NaN, unlike with max(), stays."""
    distances = numpy.array(distances)
    return distances[:FIRST_STEPS].max(), distances.max()


def compare(args, weights):
    """One set of initial weights: {name: its largest distances from Keras}."""
    run = common.in_fresh_process
    threads = args.threads
    ours = glassnet_losses(args.glassnet, args.data, weights, threads)
    keras = run(keras_losses, args.data, weights, threads=threads)
    others = {
        ONE_THREAD: run(keras_losses, args.data, weights, threads=1),
        OTHER_KERNELS: run(keras_losses, args.data, weights, threads=threads, onednn=False),
        FLOAT64: run(keras_losses, args.data, weights, threads=threads, floatx="float64"),
    }
    from_keras = {OURS: distances(ours, keras)}
    from_keras.update((name, distances(losses, keras)) for name, losses in others.items())
    rows = [
        [str(step + 1), f"{ours[step]:.9f}", f"{keras[step]:.9f}"]
        + [f"{values[step]:.1e}" for values in from_keras.values()]
        for step in range(len(ours))
    ]
    header = ["step", "loss, glassnet", "loss, Keras", *(f"distance, {n}" for n in from_keras)]
    print(common.markdown_table(header, rows) + "\n", flush=True)
    return {name: largest(values) for name, values in from_keras.items()}


def judge(results):
    """The table of all seeds and the verdict on it; True if it is good."""
    names = list(next(iter(results.values())))
    medians = {
        name: numpy.median([result[name] for result in results.values()], axis=0)
        for name in names
    }
    rows = [
        [str(seed), *(f"{a:.1e} / {b:.1e}" for a, b in (result[name] for name in names))]
        for seed, result in [*results.items(), ("median", medians)]
    ]
    print(f"## Largest relative distances from Keras: steps 1-{FIRST_STEPS} / all steps\n")
    print(common.markdown_table(["seed", *names], rows) + "\n")

    good = True
    for which, (steps, limit) in enumerate(zip((f"steps 1-{FIRST_STEPS}", "all steps"), LIMITS)):
        own = max(medians[name][which] for name in names if name != OURS)
        # `<=` in this direction, so that NaN fails.
        if all(result[OURS][which] <= limit for result in results.values()):
            print(f"{steps}: within {limit:.0e} for every seed")
        elif medians[OURS][which] <= NOISE_FACTOR * own:
            print(f"{steps}: not within {limit:.0e} for every seed, but by the median within")
            print(f"    {NOISE_FACTOR} times Keras's own distance: {medians[OURS][which]:.1e} against {own:.1e}")
        else:
            print(f"{steps}: FURTHER from Keras than {limit:.0e} and than Keras from itself")
            good = False
    return good


def main():
    parser = common.argument_parser(__doc__)
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[1, 2, 3], help="of Keras's initial weights"
    )
    args = parser.parse_args()

    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for seed in args.seeds:
            weights = Path(folder) / f"keras-{seed}.safetensors"
            common.in_fresh_process(write_initial_weights, seed, weights)
            print(f"## Initial weights of Keras seed {seed}\n")
            results[seed] = compare(args, weights)
    sys.exit(0 if judge(results) else 1)


if __name__ == "__main__":
    main()
