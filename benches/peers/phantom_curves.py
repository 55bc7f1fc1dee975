"""Train the documented network with real Keras on an image folder, once per seed, and print one line per seed.

The folder holds one sub-folder per class. What is done is what `ImageDataGenerator(rescale=1/255, validation_split=0.2)`
and `flow_from_directory(target_size=(128, 128), batch_size=16, class_mode="binary")` do: in each class the first
int(0.2 n) files by name are for validation; images become RGB, are resized by nearest neighbour and divided by 255; the
training files are shuffled every epoch. The images are decoded once for all seeds.

Needs tensorflow (Keras 3), numpy and pillow.
"""

import argparse
import statistics
from pathlib import Path

import common

SIDE = common.IMAGE_SIZE
KEYS = common.METRICS


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path, default=common.PHANTOM)
    parser.add_argument("--first-seed", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=12, help="how many, counted up from the first")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def load(folder):
    """Return (training images, training labels, validation images, validation labels)."""
    import numpy as np
    from PIL import Image

    parts = {"training": ([], []), "validation": ([], [])}
    classes = sorted(path for path in folder.iterdir() if path.is_dir())
    for label, class_folder in enumerate(classes):
        files = sorted(class_folder.glob("*.png"))
        held_out = int(common.VALIDATION_SPLIT * len(files))
        for index, file in enumerate(files):
            images, labels = parts["validation" if index < held_out else "training"]
            image = Image.open(file).convert("RGB").resize((SIDE, SIDE), Image.NEAREST)
            images.append(np.asarray(image, dtype=np.float32) * np.float32(1 / 255))
            labels.append(label)
    return [np.array(part, dtype=np.float32) for pair in parts.values() for part in pair]


def row(name, history):
    """One line: the four curves of one run, epoch by epoch."""
    curves = (" ".join(f"{value:.4f}" for value in history[key]) for key in KEYS)
    return f"{name:>6} | " + " | ".join(curves)


def main():
    """Train once per seed, print every run, then the median of all."""
    options = arguments()
    keras = common.start_keras(options.threads)
    images, labels, validation_images, validation_labels = load(options.data)
    print(f"{len(images)} training and {len(validation_images)} validation images, Keras {keras.__version__}")
    print("  seed | " + " | ".join(KEYS) + f"   (epochs 1 to {options.epochs})")
    runs = []
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        keras.backend.clear_session()
        keras.utils.set_random_seed(seed)
        history = common.documented_model(keras).fit(
            images,
            labels,
            batch_size=common.BATCH_SIZE,
            epochs=options.epochs,
            shuffle=True,
            validation_data=(validation_images, validation_labels),
            verbose=0,
        ).history
        runs.append(history)
        print(row(seed, history), flush=True)
    median = {key: [statistics.median(values) for values in zip(*(run[key] for run in runs))] for key in KEYS}
    print(row("median", median))


if __name__ == "__main__":
    main()
