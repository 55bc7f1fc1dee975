#!/usr/bin/env python3
"""Do models that go from glassnet to Keras, and from Keras and PyTorch to glassnet, answer the same, and train on alike?

What   Trains the documented model in glassnet without dropout, exports it with its optimizer's state, loads it in real Keras,
       and compares the answers on every image of FOLDER, and the losses of the next epoch's steps on the same batches. Lets
       Keras train it on and save it, and imports that. Then models that Keras and PyTorch made themselves are saved in each
       of their formats, imported, and compared on every image.
Why    The formats are other people's, so the proof is their own programs.
How    python benches/peers/exchanged.py --data FOLDER

       FOLDER holds two class folders. Prints a Markdown table of the largest differences, and exits with 1 if one is above 1e-6
       (of a loss: relatively; of the losses of an epoch 3e-6).
"""

import json
import subprocess
import tempfile
from pathlib import Path

import common

MOST = 1e-6
MOST_OF_STEPS = 3e-6  # rounding moves the weights a little apart in each step
TOML = """input = [128, 128, 3]
layers = [
    { type = "conv2d", filters = 32, kernel = 3 }, { type = "batch_normalization", epsilon = 1e-5 }, { type = "relu" },
    { type = "max_pool", window = 2 }, { type = "conv2d", filters = 64, kernel = 3 }, { type = "relu" },
    { type = "max_pool", window = 2 }, { type = "depthwise_conv2d", kernel = 3, depth_multiplier = 2 },
    { type = "leaky_relu", negative_slope = 0.01 }, { type = "max_pool", window = 2 }, { type = "flatten" },
    { type = "dense", units = 16 }, { type = "relu" }, { type = "dropout", rate = 0.5 }, { type = "dense", units = 1 },
]
"""


def glassnet(args, *command):
    done = subprocess.run([str(part) for part in (args.glassnet, *command)], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"glassnet {' '.join(map(str, command))} failed ({done.returncode}):\n{done.stderr}")
    return done.stdout


def image_paths(data):
    folders = sorted(folder for folder in Path(data).iterdir() if folder.is_dir())
    return [path for folder in folders for path in sorted(folder.rglob("*")) if path.suffix.lower() in common.IMAGE_SUFFIXES]


def pixels(paths):
    """Images as glassnet reads them by default, bytes as float32."""
    import numpy
    from PIL import Image

    size = (common.IMAGE_SIZE, common.IMAGE_SIZE)
    images = [Image.open(path).convert("RGB").resize(size, Image.Resampling.NEAREST) for path in paths]
    return numpy.stack([numpy.asarray(image, numpy.float32) for image in images])


def our_answers(args, model, paths):
    """The probability of the second class of each image."""
    answers = json.loads(glassnet(args, "predict", model, *paths, "--json", "--quiet", "--threads", args.threads))
    return [answer["probability"] for answer in answers["predictions"]]


# Each of these runs in a process of its own, and saves what it makes into `folder`.


def keras_goes_on(file, data, paths, folder, threads):
    """The answers of a file in Keras; the losses of one epoch more; and the answers afterwards."""
    keras = common.start_keras(threads)
    model = keras.models.load_model(file)
    before = model.predict(pixels(paths) / 255, verbose=0).ravel().tolist()
    steps = int(model.optimizer.iterations.numpy())
    training, _ = common.image_flows(data, shuffle=False)
    # train_on_batch resets the metrics, so this is the loss of the one batch.
    losses = [float(model.train_on_batch(*training[index], return_dict=True)["loss"]) for index in range(len(training))]
    model.save(folder / "retrained.keras")
    after = model.predict(pixels(paths) / 255, verbose=0).ravel().tolist()
    return before, steps, losses, after


def keras_makes(data, paths, folder, threads):
    """Models of Keras's own in each format, and their answers."""
    keras = common.start_keras(threads)
    keras.utils.set_random_seed(1)
    layers = keras.layers
    training, _ = common.image_flows(data)
    plain = common.documented_model(keras)
    plain.fit(training, epochs=1, verbose=0)
    plain.save(folder / "plain.keras")
    plain.save(folder / "plain.h5")
    plain.save_weights(folder / "plain.weights.h5")

    inputs = keras.Input((common.IMAGE_SIZE, common.IMAGE_SIZE, 3))
    x = keras.Sequential([layers.RandomFlip("horizontal"), layers.Rescaling(1 / 127.5, offset=-1.0)])(inputs)
    for filters in (16, 32):
        x = layers.Conv2D(filters, 3, use_bias=False)(x)
        x = layers.BatchNormalization()(x)
        x = layers.Activation("relu")(x)
        x = layers.DepthwiseConv2D(3, strides=2, padding="same", activation="leaky_relu")(x)
        x = layers.AveragePooling2D(2)(x)
    x = layers.GlobalAveragePooling2D()(x)
    graph = keras.Model(inputs, layers.Dense(2, activation="softmax")(layers.Dropout(0.3)(x)))
    graph.compile(optimizer=keras.optimizers.SGD(0.01, momentum=0.9), loss="sparse_categorical_crossentropy")
    images = pixels(paths)
    labels = [int(path.parent != paths[0].parent) for path in paths]
    graph.fit(images, keras.ops.array(labels), epochs=1, verbose=0)
    graph.save(folder / "graph.keras")
    graph.save(folder / "graph.h5")
    plain_answers = plain.predict(images / 255, verbose=0).ravel().tolist()
    graph_answers = graph.predict(images, verbose=0)[:, 1].tolist()
    return plain_answers, graph_answers


def pytorch_makes(paths, folder, threads):
    """A model of PyTorch in each format, and its answers."""
    torch = common.start_torch(threads)
    from safetensors.torch import save_file

    torch.manual_seed(1)
    nn = torch.nn
    model = nn.Sequential(
        *(nn.Conv2d(3, 32, 3), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(64, 128, 3, groups=64), nn.LeakyReLU(0.01), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(14 * 14 * 128, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 1)),
    )
    images = torch.tensor(pixels(paths) / 255).permute(0, 3, 1, 2).contiguous()
    labels = torch.tensor([[float(path.parent != paths[0].parent)] for path in paths])
    optimizer = torch.optim.Adam(model.parameters())
    for index in torch.randperm(len(paths)).split(common.BATCH_SIZE):
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(model(images[index]), labels[index]).backward()
        optimizer.step()
    model.eval()
    state = model.state_dict()
    torch.save(state, folder / "state.pt")
    torch.save(state, folder / "old.pth", _use_new_zipfile_serialization=False)
    torch.save({"epoch": 1, "model_state_dict": state, "optimizer": optimizer.state_dict()}, folder / "checkpoint.pt")
    save_file(state, folder / "state.safetensors")
    with torch.no_grad():
        return torch.sigmoid(model(images)).ravel().tolist()


def largest(ours, theirs):
    assert len(ours) == len(theirs)
    return max(abs(a - b) for a, b in zip(ours, theirs))


def main():
    parser = common.argument_parser(__doc__, data=None)
    parser.add_argument("--epochs", type=int, default=2, help="of glassnet's run before the export (default 2)")
    args = parser.parse_args()
    common.check_glassnet(args.glassnet)
    paths = image_paths(args.data)
    rows = []

    def row(model, what, difference, most=MOST):
        rows.append([model, what, f"{difference:.1e}"])
        print(f"{model}: {what}: {difference:.1e}", flush=True)
        return difference <= most

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run, last = folder / "run", folder / "run" / "weights" / "last.safetensors"
        options = ("--no-shuffle", "--dropout", 0, "--threads", args.threads, "--quiet")
        glassnet(args, "train", args.data, "--out", run, "--epochs", args.epochs, *options)
        glassnet(args, "export", last, "--format", "keras", "--out", folder / "ours.keras", "--quiet")
        ours = our_answers(args, last, paths)
        before, steps, losses, after = common.in_fresh_process(
            keras_goes_on, folder / "ours.keras", args.data, paths, folder, args.threads
        )
        images = f"answers on {len(paths)} images"
        fine = row("glassnet to Keras", images, largest(ours, before))
        glassnet(args, "train", args.data, "--resume", run, "--epochs", args.epochs + 1, *options)
        ours = [step["loss"] for step in common.read_csv(run / "steps.csv")]
        relative = [abs(a - b) / b for a, b in zip(ours[steps:], losses)]
        fine &= row("glassnet to Keras", "loss of the next step", relative[0])
        # From the second on they depend on the optimizer's state too.
        fine &= row("glassnet to Keras", f"losses of the next {len(losses)} steps", max(relative), MOST_OF_STEPS)
        glassnet(args, "import", folder / "retrained.keras", "--out", folder / "retrained.safetensors", "--quiet")
        ours = our_answers(args, folder / "retrained.safetensors", paths)
        fine &= row("trained on by Keras, and back", images, largest(ours, after))

        plain, graph = common.in_fresh_process(keras_makes, args.data, paths, folder, args.threads)
        (folder / "documented.toml").write_text(glassnet(args, "init", "--preset", "documented"))
        for file, theirs, extra in (
            ("plain.keras", plain, ()),
            ("plain.h5", plain, ()),
            ("plain.weights.h5", plain, ("--model", folder / "documented.toml")),
            ("graph.keras", graph, ()),
            ("graph.h5", graph, ()),
        ):
            out = folder / f"{file}.safetensors"
            glassnet(args, "import", folder / file, "--out", out, "--quiet", *extra)
            fine &= row(f"Keras, {file}", images, largest(our_answers(args, out, paths), theirs))

        theirs = common.in_fresh_process(pytorch_makes, paths, folder, args.threads)
        (folder / "net.toml").write_text(TOML)
        for file in ("state.pt", "old.pth", "checkpoint.pt", "state.safetensors"):
            out = folder / f"{file}.imported"
            glassnet(args, "import", folder / file, "--out", out, "--model", folder / "net.toml", "--quiet")
            fine &= row(f"PyTorch, {file}", images, largest(our_answers(args, out, paths), theirs))
    print()
    print(common.markdown_table(["model", "compared", "largest difference"], rows))
    raise SystemExit(0 if fine else 1)


if __name__ == "__main__":
    main()
