#!/usr/bin/env python3
"""How fast is each pass of each convolution beside oneDNN's own primitive?

What   The forward pass, the input's gradient and the weights' gradient of every convolution of the
       seven networks of nets.py, by the algorithm that glassnet takes in training, beside PyTorch's
       channels-last convolution, which is oneDNN's, on the same sizes and threads.
Why    A step may be fast for other reasons. Where a pass is slower than oneDNN's, it is here.
How    python benches/peers/primitives.py [--rounds 3] [--threads 2] [--only mnist,lenet] [--csv FILE]

       prints one Markdown table; times are the least of all rounds, in which both take their turn,
       each in a process of its own. Behind a max-pool most of the output's gradient is zero, of
       which our passes make use and oneDNN's cannot; such passes are marked "pooled". Let nothing
       else run beside it. Exits with 1 only if something failed to run.
"""

import argparse
import csv
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

import common
import nets

PASSES = {"forward": "forward", "grad_input": "input's gradient", "grad_weights": "weights' gradient"}


def output_length(length, kernel, stride, padding):
    """The length of a convolution's or a pool's output along one axis."""
    return -(-length // stride) if padding == "same" else (length - kernel) // stride + 1


def convolutions(name):
    """The convolutions of a network: for each the text by which `bench conv` knows it, and its sizes."""
    (height, width, channels), layers, batch = nets.NETWORKS[name]
    found = []
    for layer in layers:
        if layer["type"] == "conv2d":
            kernel, stride, padding = layer["kernel"], layer["stride"], layer["padding"]
            filters = layer["filters"]
            text = f"n{batch}h{height}w{width}c{channels}f{filters}k{kernel}"
            text += (f"s{stride}" if stride > 1 else "") + ("psame" if padding == "same" else "")
            found.append((text, (batch, height, width, channels, filters, kernel, stride, padding)))
            height, width = (output_length(length, kernel, stride, padding) for length in (height, width))
            channels = filters
        elif layer["type"] == "max_pool":
            height, width = (output_length(length, layer["window"], layer["stride"], "valid") for length in (height, width))
    return found


def algorithms(glassnet, name, folder):
    """What glassnet takes in training for each pass of each convolution, as its debug lines tell."""
    shape, layers, batch = nets.NETWORKS[name]
    path = Path(folder) / f"{name}.toml"
    path.write_text(nets.model_toml(shape, layers))
    command = [glassnet, "bench", "step", "--model", path, "--batch-size", str(batch), "--steps", "1", "--json"]
    environment = {**os.environ, "GLASSNET_LOG": "debug"}
    told = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stderr
    taken = {}
    for layer, line in re.findall(r"plan: (conv2d\w*)\b.*?: (forward .*)", told):
        parts, _, why = line.partition("; ")
        if PASSES["grad_weights"] in parts and layer not in taken:
            found = {key: re.search(rf"{words} (\w+)", parts) for key, words in PASSES.items()}
            taken[layer] = ({key: match.group(1) for key, match in found.items() if match}, "max-pool" in why)
    return list(taken.values())


def time_glassnet(glassnet, text, threads):
    """The least milliseconds of each pass, algorithm and kind of gradient."""
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        command = [glassnet, "bench", "conv", text, "--threads", str(threads), "--rounds", str(nets.STEPS), "--csv", file.name]
        subprocess.run(command, capture_output=True, check=True)
        rows = list(csv.DictReader(open(file.name)))
    return {(row["pass"], row["algorithm"], row["gradient"]): float(row["min_ms"]) for row in rows}


def time_torch(sizes, threads):
    """The least milliseconds of oneDNN's three passes; runs in a process of its own."""
    import torch

    torch.set_num_threads(threads)
    batch, height, width, channels, filters, kernel, stride, padding = sizes
    outputs = [output_length(length, kernel, stride, padding) for length in (height, width)]
    over = [max((out - 1) * stride + kernel - length, 0) for out, length in zip(outputs, (height, width))]
    # oneDNN pads both sides alike; where TensorFlow's rows below are one more, the image is that much larger.
    pad = [0 if padding == "valid" else total // 2 for total in over]
    extra = [0 if padding == "valid" else total - 2 * (total // 2) for total in over]
    last = torch.channels_last
    images = torch.rand(batch, channels, height + extra[0], width + extra[1]).to(memory_format=last)
    weights = torch.rand(filters, channels, kernel, kernel).to(memory_format=last)
    bias = torch.rand(filters)
    grad = torch.rand(batch, filters, *outputs).to(memory_format=last)
    backward = torch.ops.aten.convolution_backward

    def gradient(mask):
        return lambda: backward(grad, images, weights, [filters], [stride] * 2, pad, [1, 1], False, [0, 0], 1, mask)

    calls = {
        "forward": lambda: torch.conv2d(images, weights, bias, stride, pad),
        "grad_input": gradient([True, False, False]),
        "grad_weights": gradient([False, True, True]),
    }
    return {name: nets.times_ms(call)["min"] for name, call in calls.items()}


def time_torch_apart(sizes, threads):
    return nets.answer_apart(__file__, "--torch", json.dumps(sizes), "--threads", str(threads))


def least(tables):
    """The least of each entry of several tables."""
    return {key: min(table[key] for table in tables) for key in tables[0]}


def rows(name, options, folder):
    """The rows of a network: layer, pass, algorithm, our milliseconds and oneDNN's."""
    found = convolutions(name)
    taken = algorithms(options.glassnet, name, folder)
    for number, ((text, sizes), (chosen, pooled)) in enumerate(zip(found, taken, strict=True)):
        ours, theirs = [], []
        for turn in range(options.rounds):
            programs = [
                lambda: ours.append(time_glassnet(options.glassnet, text, options.threads)),
                lambda: theirs.append(time_torch_apart(sizes, options.threads)),
            ]
            for program in programs if turn % 2 == 0 else reversed(programs):
                program()
        ours, theirs = least(ours), least(theirs)
        for key, algorithm in chosen.items():
            # The first layer of a network has no gradient of its input to compute.
            kinds = [""] if key == "forward" else ["pooled", "dense"] if pooled else ["dense"]
            kind = next(kind for kind in kinds if (key, algorithm, kind) in ours)
            told = f"{algorithm}, pooled" if kind == "pooled" else algorithm
            yield name, number, text, key, told, ours[key, algorithm, kind], theirs[key]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--glassnet", default=str(common.REPOSITORY / "target" / "release" / "glassnet"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", help="names of networks, separated by commas")
    parser.add_argument("--csv", type=Path, help="also write the figures here")
    parser.add_argument("--torch", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.torch:
        print(json.dumps(time_torch(json.loads(options.torch), options.threads)))
        return
    found = []
    print("| network | convolution | pass | by | ms | oneDNN, ms | ratio |")
    print("|---|---|---|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for name in options.only.split(",") if options.only else nets.NETWORKS:
            for row in rows(name, options, folder):
                found.append(row)
                _, _, text, key, told, ours, theirs = row
                print(f"| {name} | {text} | {PASSES[key]} | {told} | {ours:.2f} | {theirs:.2f} | {ours / theirs:.2f} |", flush=True)
    if options.csv:
        with open(options.csv, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["network", "layer", "convolution", "pass", "algorithm", "ms", "onednn_ms"])
            writer.writerows(found)


if __name__ == "__main__":
    main()
