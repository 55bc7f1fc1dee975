#!/usr/bin/env python3
"""How fast is glassnet beside Keras on networks other than the documented one?

What   A training step with Adam, and the inference of a batch, of seven networks: the documented
       one, one like MNIST's at batch 128, one like VGG, LeNet, one of strided convolutions, one
       like AlexNet, and 1 x 1 convolutions in turn with 3 x 3. Random inputs, the same threads.
Why    A fast path that serves one network alone is no fast engine.
How    python benches/peers/nets.py [--rounds 3] [--threads 2] [--only mnist,lenet] [--json FILE]

       prints one Markdown table; with --fastest of the fastest steps, not the median ones, which
       is what remains comparable where other machines share the processor. Both programs take their turn in every round, each in a fresh
       process, the order reversed from round to round; a ratio is taken within each round and its
       median shown. Keras is timed by the function that fit() calls for each step. Let nothing
       else run beside it. Exits with 1 only if something failed to run.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import common

# Steps that are timed of each program, and those before that warm it up.
STEPS = 25
WARM_UP = 5


def conv(filters, kernel=3, stride=1, padding="valid"):
    return {"type": "conv2d", "filters": filters, "kernel": kernel, "stride": stride, "padding": padding}


def pool(window=2, stride=2):
    return {"type": "max_pool", "window": window, "stride": stride}


def dense(units):
    return {"type": "dense", "units": units}


def dropout(rate):
    return {"type": "dropout", "rate": rate}


RELU, FLATTEN = {"type": "relu"}, {"type": "flatten"}

# Of each network the input, the layers and the batch size.
NETWORKS = {
    "documented": (
        (128, 128, 3),
        [conv(32), RELU, pool(), conv(64), RELU, pool(), conv(128), RELU, pool()]
        + [FLATTEN, dense(128), RELU, dropout(0.5), dense(1)],
        16,
    ),
    "mnist": (
        (28, 28, 3),
        [conv(32), RELU, conv(64), RELU, pool(), FLATTEN, dropout(0.25), dense(128), RELU, dropout(0.5), dense(1)],
        128,
    ),
    "vgg": (
        (64, 64, 3),
        [
            layer
            for filters in (32, 64, 128)
            for layer in (conv(filters, padding="same"), RELU, conv(filters, padding="same"), RELU, pool())
        ]
        + [FLATTEN, dense(256), RELU, dropout(0.5), dense(1)],
        32,
    ),
    "lenet": (
        (32, 32, 3),
        [conv(6, 5), RELU, pool(), conv(16, 5), RELU, pool(), FLATTEN, dense(120), RELU, dense(84), RELU, dense(1)],
        64,
    ),
    "strided": (
        (128, 128, 3),
        [conv(32, 5, 2, "same"), RELU]
        + [layer for filters in (64, 128, 128) for layer in (conv(filters, 3, 2, "same"), RELU)]
        + [FLATTEN, dense(128), RELU, dense(1)],
        16,
    ),
    "alexnet": (
        (128, 128, 3),
        [conv(64, 11, 4, "same"), RELU, pool(3, 2), conv(128, 5, 1, "same"), RELU, pool(3, 2)]
        + [conv(192, 3, 1, "same"), RELU, conv(128, 3, 1, "same"), RELU, pool(3, 2)]
        + [FLATTEN, dense(512), RELU, dropout(0.5), dense(1)],
        16,
    ),
    "one-by-one": (
        (64, 64, 3),
        [conv(32), RELU, conv(64, 1), RELU, pool(), conv(64), RELU, conv(128, 1), RELU, pool()]
        + [FLATTEN, dense(64), RELU, dense(1)],
        16,
    ),
}


def model_toml(shape, layers):
    """The network as glassnet reads it."""
    rows = ["  { " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in layer.items()) + " },\n" for layer in layers]
    return f"input = {list(shape)}\nlayers = [\n" + "".join(rows) + "]\n"


def keras_model(shape, layers):
    """The network in Keras; a ReLU is the activation of the layer before it."""
    import keras
    from keras import layers as kinds

    make = {
        "conv2d": lambda l: kinds.Conv2D(l["filters"], l["kernel"], strides=l["stride"], padding=l["padding"]),
        "max_pool": lambda l: kinds.MaxPooling2D(l["window"], l["stride"]),
        "flatten": lambda l: kinds.Flatten(),
        "dense": lambda l: kinds.Dense(l["units"]),
        "dropout": lambda l: kinds.Dropout(l["rate"]),
    }
    model = keras.Sequential([kinds.Input(shape)])
    for layer in layers:
        if layer["type"] == "relu":
            model.layers[-1].activation = keras.activations.relu
        else:
            model.add(make[layer["type"]](layer))
    model.layers[-1].activation = keras.activations.sigmoid
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return model


def times_ms(call):
    """The median and the least of some calls."""
    for _ in range(WARM_UP):
        call()
    times = []
    for _ in range(STEPS):
        start = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - start))
    return {"median": statistics.median(times), "min": min(times)}


def time_keras(name, threads):
    """Milliseconds of a training step and of an inference; runs in a process of its own."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import numpy as np
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    shape, layers, batch = NETWORKS[name]
    model = keras_model(shape, layers)
    random = np.random.default_rng(0)
    images = tf.constant(random.random((batch, *shape), "float32"))
    labels = tf.constant((random.random(batch) > 0.5).astype("float32"))
    model.make_train_function()
    batches = iter(tf.data.Dataset.from_tensors((images, labels)).repeat())
    infer = tf.function(lambda batch: model(batch, training=False))
    return times_ms(lambda: model.train_function(batches)), times_ms(lambda: infer(images).numpy())


def answer_apart(script, *arguments):
    """What a script prints last, as JSON, in a process of its own."""
    done = subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def time_keras_apart(name, threads, statistic):
    return [times[statistic] for times in answer_apart(__file__, "--keras", name, "--threads", str(threads))]


def time_glassnet(glassnet, path, batch, threads, statistic):
    command = [glassnet, "bench", "step", "--model", path, "--batch-size", str(batch), "--threads", str(threads)]
    command += ["--steps", str(STEPS), "--json"]
    done = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return done["train_step_ms"][statistic], done["inference_ms"][statistic]


def measure(name, options, folder):
    """For each round our step and inference, and Keras's."""
    shape, layers, batch = NETWORKS[name]
    path = Path(folder) / f"{name}.toml"
    path.write_text(model_toml(shape, layers))
    statistic = "min" if options.fastest else "median"
    programs = [
        lambda: time_glassnet(options.glassnet, path, batch, options.threads, statistic),
        lambda: time_keras_apart(name, options.threads, statistic),
    ]
    rounds = []
    for number in range(options.rounds):
        order = (0, 1) if number % 2 == 0 else (1, 0)
        times = {program: programs[program]() for program in order}
        rounds.append((times[0], times[1]))
    return rounds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--glassnet", default=str(common.REPOSITORY / "target" / "release" / "glassnet"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", help="names of networks, separated by commas")
    parser.add_argument("--fastest", action="store_true", help="compare the fastest steps, not the median ones")
    parser.add_argument("--json", type=Path, help="also save the ratios here")
    parser.add_argument("--keras", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.keras:
        print(json.dumps(time_keras(options.keras, options.threads)))
        return
    names = options.only.split(",") if options.only else list(NETWORKS)
    found = {}
    print("| network | step, ms | Keras | ratio | inference, ms | Keras | ratio |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            rounds = measure(name, options, folder)
            cells = []
            for what in (0, 1):
                ours = statistics.median(our[what] for our, _ in rounds)
                theirs = statistics.median(their[what] for _, their in rounds)
                ratio = statistics.median(our[what] / their[what] for our, their in rounds)
                found.setdefault(name, []).append(ratio)
                cells += [f"{ours:.1f}", f"{theirs:.1f}", f"{ratio:.2f}"]
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    if options.json:
        options.json.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
