"""What the comparison scripts share: the notebook's model and data in Keras, the same model in
PyTorch, and glassnet.

Keras and PyTorch are imported inside functions only. Their threads and float type can be set only
before they start, so every run of theirs happens in a process of its own (`in_fresh_process`),
and the memory is free again when glassnet's turn comes.
"""

import argparse
import contextlib
import csv
import multiprocessing
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PHANTOM = REPOSITORY / "data" / "liver-phantom"

EPOCHS = 5
BATCH_SIZE = 16
IMAGE_SIZE = 128
VALIDATION_SPLIT = 0.2
IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".tif", ".tiff"}

METRICS = ("loss", "accuracy", "val_loss", "val_accuracy")
PROGRAMS = ("glassnet", "keras")


def argument_parser(description, data=PHANTOM):
    """The arguments every script has. `data=None` makes --data obligatory."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=data,
        required=data is None,
        help="folder with two class folders" + (" (default: data/liver-phantom)" if data else ""),
    )
    parser.add_argument(
        "--glassnet",
        type=Path,
        default=REPOSITORY / "target" / "release" / "glassnet",
        help="the program (default: target/release/glassnet)",
    )
    parser.add_argument("--threads", type=int, default=2, help="for every program (default 2)")
    return parser


def in_fresh_process(function, *args, **kwargs):
    """Calls a module-level function in a new Python process and returns what it returns."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        return pool.submit(function, *args, **kwargs).result()


# Keras


def start_keras(threads, floatx="float32", onednn=True):
    """Imports Keras with these settings, which hold for the rest of the process."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1" if onednn else "0"
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(threads)
    keras.config.set_floatx(floatx)
    return keras


def documented_model(keras, dropout=0.5):
    """The notebook's network, compiled as there."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((IMAGE_SIZE, IMAGE_SIZE, 3)),
            layers.Conv2D(32, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(128, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(dropout),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return model


def image_flows(data, shuffle=True):
    """The notebook's (training, validation) batches of a folder."""
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    # float32 pixels even where the network computes in float64: both then see the same images.
    generator = ImageDataGenerator(
        rescale=1 / 255, validation_split=VALIDATION_SPLIT, dtype="float32"
    )

    def flow(subset):
        return generator.flow_from_directory(
            data,
            target_size=(IMAGE_SIZE, IMAGE_SIZE),
            batch_size=BATCH_SIZE,
            class_mode="binary",
            subset=subset,
            shuffle=shuffle,
        )

    with contextlib.redirect_stdout(sys.stderr):  # "Found 110 images belonging to 2 classes."
        return flow("training"), flow("validation")


def image_batch(data):
    """One batch for programs that have no `image_flows`: (images, labels) as numpy float32.

    Half of it is from each class, and the images are prepared as the notebook does it.
    """
    import numpy
    from PIL import Image

    def pixels(path):
        with Image.open(path) as image:
            size = (IMAGE_SIZE, IMAGE_SIZE)
            image = image.convert("RGB").resize(size, Image.Resampling.NEAREST)
            return numpy.asarray(image, numpy.float32) / 255

    half = BATCH_SIZE // 2
    paths = []
    for folder in sorted(folder for folder in Path(data).iterdir() if folder.is_dir()):
        files = (path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
        paths += sorted(files)[:half]
    if len(paths) != BATCH_SIZE:
        raise ValueError(f"{data} does not hold two class folders with {half} images in each")
    labels = numpy.repeat(numpy.array([[0], [1]], numpy.float32), half, axis=0)
    return numpy.stack([pixels(path) for path in paths]), labels


def class_counts(data):
    """Images per class of the (training, validation) subset, by Keras's rule for the split."""
    totals = [
        sum(path.suffix.lower() in IMAGE_SUFFIXES for path in folder.rglob("*"))
        for folder in sorted(Path(data).iterdir())
        if folder.is_dir()
    ]
    validation = [int(VALIDATION_SPLIT * total) for total in totals]
    return [total - part for total, part in zip(totals, validation)], validation


def named_weights(model):
    """The parameters under the names of glassnet's weights files: conv2d/kernel, ..."""
    return {
        f"{layer.name}/{variable.name}": variable
        for layer in model.layers
        for variable in layer.trainable_variables
    }


def save_weights(model, path):
    """Writes the parameters as safetensors, in Keras's shapes, float32."""
    import numpy
    from safetensors.numpy import save_file

    arrays = {
        name: numpy.ascontiguousarray(v.numpy(), numpy.float32)
        for name, v in named_weights(model).items()
    }
    save_file(arrays, path)


def load_weights(model, path):
    """Sets the parameters from such a file; both must hold the same names and shapes."""
    from safetensors.numpy import load_file

    arrays = load_file(path)
    weights = named_weights(model)
    if arrays.keys() != weights.keys():
        raise ValueError(f"{path} does not hold the parameters of the documented model")
    for name, variable in weights.items():
        variable.assign(arrays[name])


def keras_runs(data, seeds, epochs, threads):
    """The notebook as it stands, once for each seed; a list of rows (see `collect_runs`)."""
    keras = start_keras(threads)
    rows = []
    for seed in seeds:
        keras.backend.clear_session()
        keras.utils.set_random_seed(seed)
        training, validation = image_flows(data)
        model = documented_model(keras)
        history = model.fit(training, epochs=epochs, validation_data=validation, verbose=0).history
        for epoch in range(epochs):
            metrics = {name: float(history[name][epoch]) for name in METRICS}
            rows.append({"program": "keras", "seed": seed, "epoch": epoch, **metrics})
        print(f"keras seed {seed}: loss {rows[-1]['loss']:.4f}", file=sys.stderr)
    return rows


# PyTorch


def start_torch(threads):
    """Imports PyTorch with so many threads, which holds for the rest of the process."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    import torch

    torch.set_num_threads(threads)
    torch.set_num_interop_threads(threads)
    return torch


def torch_model(torch, dropout=0.5):
    """The notebook's network up to the logit, with Keras's initial weights, channels last.

    The sigmoid is left to the loss, where PyTorch computes both at once.
    """
    nn = torch.nn

    class Flatten(nn.Module):
        """Rows, columns, channels, as in Keras; with channels last that takes no copy."""

        def forward(self, x):
            return x.permute(0, 2, 3, 1).flatten(1)

    model = nn.Sequential(
        *(nn.Conv2d(3, 32, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(64, 128, 3), nn.ReLU(), nn.MaxPool2d(2)),
        Flatten(),
        *(nn.Linear(14 * 14 * 128, 128), nn.ReLU(), nn.Dropout(dropout)),
        nn.Linear(128, 1),
    )
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
        else:
            nn.init.xavier_uniform_(parameter)
    return model.to(memory_format=torch.channels_last)


# glassnet


def read_csv(path):
    """The rows of a CSV file as dicts; numbers as int or float, other fields as text."""

    def value(text):
        for kind in (int, float):
            with contextlib.suppress(ValueError):
                return kind(text)
        return text

    with open(path, newline="") as file:
        return [{key: value(text) for key, text in row.items()} for row in csv.DictReader(file)]


def check_glassnet(binary):
    """Ends the script if the program is not there."""
    if not Path(binary).is_file():
        raise SystemExit(f"{binary} is missing: run `cargo build --release` or give --glassnet")


def train_glassnet(binary, data, output, *options):
    """Runs `glassnet train DATA --out DIR ...`; returns the rows of DIR/`output`."""
    check_glassnet(binary)
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        command = [binary, "train", data, "--out", run, *options]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"glassnet failed ({done.returncode}):\n{done.stderr}")
        return read_csv(run / output)


def glassnet_runs(binary, data, seeds, epochs, threads):
    """The documented run in glassnet, once for each seed; rows as from `keras_runs`."""
    rows = []
    for seed in seeds:
        options = ("--epochs", epochs, "--seed", seed, "--threads", threads)
        for row in train_glassnet(binary, data, "history.csv", *options):
            metrics = {name: row[name] for name in METRICS}
            rows.append({"program": "glassnet", "seed": seed, "epoch": row["epoch"], **metrics})
        print(f"glassnet seed {seed}: loss {rows[-1]['loss']:.4f}", file=sys.stderr)
    return rows


# Runs of both


def add_run_arguments(parser):
    """--csv and --from-csv, for scripts that use `collect_runs`."""
    parser.add_argument("--epochs", type=int, default=EPOCHS, help=f"(default {EPOCHS})")
    parser.add_argument("--csv", type=Path, help="also save every epoch of every run here")
    parser.add_argument("--from-csv", type=Path, help="report on such a file, run nothing")


def collect_runs(args, seeds):
    """Every epoch of every run of both programs, fresh or read from --from-csv.

    A row is a dict: program, seed, epoch (from 0), loss, accuracy, val_loss, val_accuracy.
    """
    if args.from_csv:
        return read_csv(args.from_csv)
    # glassnet first: if it is missing, that shows before the long Keras runs.
    rows = glassnet_runs(args.glassnet, args.data, seeds, args.epochs, args.threads)
    rows += in_fresh_process(keras_runs, args.data, seeds, args.epochs, args.threads)
    if args.csv:
        with open(args.csv, "w", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    return rows


def markdown_table(header, rows):
    """Lines of a Markdown table; the first column to the left, the others to the right."""
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [header, rule, *rows])
