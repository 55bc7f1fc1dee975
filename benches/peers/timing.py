#!/usr/bin/env python3
"""How long does glassnet take, and how long do Keras and PyTorch for the same work?

What   The documented model, 16 images of 128 x 128 x 3, float32, on the same number of threads:
       a training step with dropout, the inference of the batch, and the whole documented run of
       five epochs as a process, with its peak memory. Then glassnet's training step on one thread
       against two. The peers are Keras on TensorFlow, PyTorch (channels last, fused Adam), and
       the same with torch.compile; the whole run is compared with Keras only, the notebook's own.
Why    A time says little without the machine and what else ran on it. Here every program takes
       its turn in every round, in a fresh process, and the order is reversed from round to round,
       so that what slows the machine down for a while slows all of them; what stays is the ratio.
How    python benches/peers/timing.py [--rounds 5] [--threads 2] [--json FILE]
       python benches/peers/timing.py --peers keras --skip-run      # quicker

       prints one Markdown table and then, for each of the project's targets, whether it is met.
       Times are evidence: the script exits with 1 only if something failed to run. Peers that are
       not installed are left out, with a line that says so.

The peers' steps run with glibc told to keep freed memory (`KEEP_MEMORY`), since otherwise much of
PyTorch's training step is page faults. The whole run is left as a user would start it.

Of each round's steps the median and the least are taken; the table shows the median of these
medians over the rounds and, in brackets, the least of all. A ratio is taken within each round,
and its median is shown, so it may differ a little from the quotient of the figures beside it.
"""

import importlib.metadata
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import common

WARM_UP = 10  # calls before the clock counts: graphs are traced, memory is laid out
TIMED = 60  # calls that are timed one by one

# No mmap for large blocks, nothing handed back to the system. glibc reads it when a process starts;
# elsewhere it is without effect.
KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**32)}

OURS = "glassnet"
PEERS = {"keras": "Keras", "torch": "PyTorch", "compile": "torch.compile"}
PACKAGES = {"keras": ("keras", "tensorflow"), "torch": ("torch",), "compile": ("torch",)}

TRAINING, INFERENCE = "training step", "inference"
RUN, FIT, MEMORY = "five epochs, process", "five epochs, fit only", "five epochs, peak memory"
UNITS = {TRAINING: "ms", INFERENCE: "ms", RUN: "s", FIT: "s", MEMORY: "MiB"}
SPEED_UP = "speed-up of the training step, 1 to 2 threads"

KERAS, BEST = "÷ Keras", "÷ best peer"


# One turn of one program. Its figures are {what was measured: {"median": number, "min": number}}.


def summary(samples):
    return {"median": statistics.median(samples), "min": min(samples)}


def peer_steps(function, *args, **kwargs):
    """Calls it in a fresh process that keeps its memory."""
    os.environ.update(KEEP_MEMORY)
    try:
        return common.in_fresh_process(function, *args, **kwargs)
    finally:
        for name in KEEP_MEMORY:
            del os.environ[name]


def call_times(function):
    """The duration of each of the timed calls, in milliseconds."""
    for _ in range(WARM_UP):
        function()
    times = []
    for _ in range(TIMED):
        started = time.perf_counter()
        function()
        times.append(1000 * (time.perf_counter() - started))
    return times


def glassnet_steps(binary, threads):
    output, _, _ = run_process([binary, "bench", "step", "--json", "--threads", threads])
    measured = json.loads(output)
    return {TRAINING: measured["train_step_ms"], INFERENCE: measured["inference_ms"]}


def keras_steps(data, threads):
    """In a fresh process: the function that fit() calls for each step, and the model's graph."""
    keras = common.start_keras(threads)
    import tensorflow

    keras.utils.set_random_seed(0)
    images, labels = common.image_batch(data)
    model = common.documented_model(keras)
    batches = tensorflow.data.Dataset.from_tensors((images, labels)).repeat()
    model.fit(batches, steps_per_epoch=1, shuffle=False, verbose=0)  # makes train_function
    iterator = iter(batches)
    training = call_times(lambda: float(model.train_function(iterator)["loss"]))

    def infer(batch):
        return model(batch, training=False)

    batch = tensorflow.constant(images)
    ways = [tensorflow.function(infer), tensorflow.function(infer, jit_compile=True)]
    inference = [summary(call_times(lambda way=way: way(batch).numpy())) for way in ways]
    best = min(inference, key=lambda times: times["median"])
    return {TRAINING: summary(training), INFERENCE: best}


def torch_steps(data, threads, compiled):
    """In a fresh process: a training step as its users write it, and inference."""
    torch = common.start_torch(threads)
    torch.manual_seed(0)
    images, labels = (torch.from_numpy(array) for array in common.image_batch(data))
    images = images.permute(0, 3, 1, 2)  # N C H W in name, channels last in memory
    model = common.torch_model(torch)
    optimizer = torch.optim.Adam(model.parameters(), eps=1e-7, fused=True)

    def mean_loss(images, labels):
        return torch.nn.functional.binary_cross_entropy_with_logits(model(images), labels)

    def probabilities(images):
        return torch.sigmoid(model(images))

    if compiled:
        mean_loss, probabilities = torch.compile(mean_loss), torch.compile(probabilities)

    def step():
        optimizer.zero_grad()
        loss = mean_loss(images, labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    training = call_times(step)
    model.eval()
    with torch.inference_mode():
        inference = call_times(lambda: probabilities(images).numpy())
    return {TRAINING: summary(training), INFERENCE: summary(inference)}


def run_process(command):
    """Runs a command: (what it printed, wall-clock seconds, peak memory in MiB).

    The peak counts from the moment of forking, so it can not be less than what this script takes.
    That is little as long as nothing large is imported here.
    """
    with tempfile.TemporaryFile("w+") as errors:
        started = time.perf_counter()
        command = [str(part) for part in command]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as child:
            output = child.stdout.read()
            _, status, usage = os.wait4(child.pid, 0)
            seconds = time.perf_counter() - started
            child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            errors.seek(0)
            called = " ".join(command)
            raise RuntimeError(f"{called} ended with {child.returncode}:\n{errors.read()}")
    unit = 1 if sys.platform == "darwin" else 1024  # bytes of one ru_maxrss
    return output, seconds, usage.ru_maxrss * unit / 2**20


def run_figures(seconds, fit_seconds, peak):
    return {RUN: summary([seconds]), FIT: summary([fit_seconds]), MEMORY: summary([peak])}


def glassnet_run(binary, data, threads):
    with tempfile.TemporaryDirectory() as folder:
        command = [binary, "train", data, "--out", Path(folder) / "run", "--json"]
        command += ["--epochs", common.EPOCHS, "--threads", threads]
        output, seconds, peak = run_process(command)
    fit_seconds = sum(epoch["seconds"] for epoch in json.loads(output)["epochs"])
    return run_figures(seconds, fit_seconds, peak)


def keras_run(data, threads):
    code = "import sys; sys.path[0], *args = sys.argv[1:]; import timing; timing.notebook(*args)"
    command = [sys.executable, "-c", code, Path(__file__).resolve().parent, data, threads]
    output, seconds, peak = run_process(command)
    return run_figures(seconds, float(output.split()[-1]), peak)


def notebook(data, threads):
    """The notebook as a program; prints the seconds that fit() took."""
    keras = common.start_keras(int(threads))
    keras.utils.set_random_seed(0)
    training, validation = common.image_flows(data)
    model = common.documented_model(keras)
    started = time.perf_counter()
    model.fit(training, epochs=common.EPOCHS, validation_data=validation, verbose=0)
    print(time.perf_counter() - started)


# All rounds. The results are {program: {what was measured: [one round's figures, ...]}}.


def missing(peer):
    """Why a peer cannot run, or None."""
    for package in PACKAGES[peer]:
        if importlib.util.find_spec(package) is None:
            return f"{package} is not installed"
    compiler = os.environ.get("CXX", "g++")
    if peer == "compile" and shutil.which(compiler) is None:
        return f"torch.compile needs a C++ compiler, and there is no {compiler}"
    return None


def on_threads(threads):
    """The name of glassnet on so many threads, beside glassnet on as many as the peers."""
    return f"{OURS}, {threads} thread" + ("s" if threads > 1 else "")


def jobs(args, peers):
    """(program, function that measures it once), one after the other in a round."""
    data, threads = args.data, args.threads
    measure = {
        "keras": lambda: peer_steps(keras_steps, data, threads),
        "torch": lambda: peer_steps(torch_steps, data, threads, compiled=False),
        "compile": lambda: peer_steps(torch_steps, data, threads, compiled=True),
    }
    listed = [(OURS, lambda: glassnet_steps(args.glassnet, threads))]
    for other in {1, 2} - {threads}:
        listed.append((on_threads(other), lambda n=other: glassnet_steps(args.glassnet, n)))
    listed += [(PEERS[peer], measure[peer]) for peer in peers]
    if not args.skip_run:
        listed.append((OURS, lambda: glassnet_run(args.glassnet, data, threads)))
        if "keras" in peers:
            listed.append((PEERS["keras"], lambda: keras_run(data, threads)))
    return listed


def all_rounds(listed, rounds):
    """(the results, the peers that failed). One that failed has no further turn and no results."""
    results, failed = {}, []
    for number in range(rounds):
        for program, measure in listed if number % 2 == 0 else reversed(listed):
            if program in failed:
                continue
            try:
                figures = measure()
            except Exception as error:  # a framework may raise anything; the others go on
                if program not in PEERS.values():
                    raise SystemExit(f"{program} failed: {error}")
                print(f"{program} failed, and is left out: {error}", file=sys.stderr)
                failed.append(program)
                continue
            for name, figure in figures.items():
                results.setdefault(program, {}).setdefault(name, []).append(figure)
            shown = ", ".join(f"{n} {f['median']:.4g} {UNITS[n]}" for n, f in figures.items())
            print(f"round {number + 1}, {program}: {shown}", file=sys.stderr, flush=True)
    return {program: rows for program, rows in results.items() if program not in failed}, failed


# The report


def medians(results, program, name):
    """Each round's median, or nothing where the program has no such figure."""
    return [figure["median"] for figure in results.get(program, {}).get(name, [])]


def median_ratio(numerators, denominators):
    """Round by round; None where one of them was not measured."""
    ratios = [a / b for a, b in zip(numerators, denominators)]
    return statistics.median(ratios) if ratios else None


def ratios(results, name):
    """glassnet's figure by Keras's and by that of the peer with the least."""
    measured = [(medians(results, peer, name), peer) for peer in PEERS.values()]
    peers = [(statistics.median(values), peer) for values, peer in measured if values]
    best = min(peers)[1] if peers else None
    ours = medians(results, OURS, name)
    return {
        KERAS: median_ratio(ours, medians(results, PEERS["keras"], name)),
        BEST: median_ratio(ours, medians(results, best, name)),
    }


def speed_up(results, threads):
    one, two = (
        medians(results, OURS if n == threads else on_threads(n), TRAINING) for n in (1, 2)
    )
    return median_ratio(one, two)


def verdicts(results, threads):
    """The project's targets, on two threads: (what, measured or None, target, met)."""
    memory = medians(results, OURS, MEMORY)
    limits = [
        ("training step ÷ Keras", ratios(results, TRAINING)[KERAS], 0.50),
        ("inference ÷ best peer", ratios(results, INFERENCE)[BEST], 0.65),
        ("five epochs, process ÷ Keras", ratios(results, RUN)[KERAS], 0.20),
        ("peak memory, MiB", statistics.median(memory) if memory else None, 160),
    ]
    listed = []
    for what, measured, limit in limits:
        met = measured is not None and measured <= limit
        listed.append((what, measured, f"≤ {limit:.4g}", met))
    gain = speed_up(results, threads)
    return [*listed, (SPEED_UP, gain, "≥ 1.85", gain is not None and gain >= 1.85)]


def show(number):
    """Three significant digits, or all of a larger whole number."""
    if number is None:
        return "–"
    return f"{number:.0f}" if number >= 100 else f"{number:#.3g}"


def cell(figures):
    if not figures:
        return "–"
    middle = statistics.median(figure["median"] for figure in figures)
    return f"{show(middle)} ({show(min(figure['min'] for figure in figures))})"


def main_table(results, threads):
    programs = [p for p in (OURS, *PEERS.values()) if p in results]
    header = ["median (least)", *programs, KERAS, BEST]
    rows = []
    for name, unit in UNITS.items():
        cells = [cell(results[program].get(name)) for program in programs]
        if any(c != "–" for c in cells):
            rows.append([f"{name}, {unit}", *cells, *map(show, ratios(results, name).values())])
    blanks = ["–"] * (len(header) - 2)
    for other in sorted({1, 2} - {threads}):
        own = cell(results.get(on_threads(other), {}).get(TRAINING))
        rows.append([f"{TRAINING}, {on_threads(other)}, {UNITS[TRAINING]}", own, *blanks])
    rows.append([SPEED_UP, show(speed_up(results, threads)), *blanks])
    return common.markdown_table(header, rows)


def verdicts_table(listed):
    rows = []
    for what, measured, target, met in listed:
        verdict = "not measured" if measured is None else "met" if met else "missed"
        rows.append([what, show(measured), target, verdict])
    return common.markdown_table(["target", "measured", "wanted", ""], rows)


def versions(peers):
    """{package: version}, read without importing anything large."""
    distributions = importlib.metadata.packages_distributions()  # tensorflow: [tensorflow-cpu]
    packages = dict.fromkeys(package for peer in peers for package in PACKAGES[peer])
    return {name: importlib.metadata.version(distributions[name][0]) for name in packages}


def save_json(args, found, results, listed):
    """Everything that was measured, round by round, so that other ratios can be taken later."""
    keys = ("target", "measured", "wanted", "met")
    saved = {
        "threads": args.threads,
        "cores": os.cpu_count(),
        "versions": found,
        "units": UNITS,
        "results": results,
        "ratios": {name: ratios(results, name) for name in UNITS},
        "targets": [dict(zip(keys, values)) for values in listed],
    }
    args.json.write_text(json.dumps(saved, indent=2, ensure_ascii=False) + "\n")


def arguments():
    parser = common.argument_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each program (default 5)")
    parser.add_argument(
        "--peers", nargs="*", choices=PEERS, default=list(PEERS), help="(default: all of them)"
    )
    parser.add_argument("--skip-run", action="store_true", help="leave out the five-epoch run")
    parser.add_argument("--json", type=Path, help="also save every round's figures here")
    args = parser.parse_args()
    if args.rounds < 1:
        parser.error("--rounds needs at least 1")
    args.data, args.glassnet = args.data.resolve(), args.glassnet.resolve()
    return args


def main():
    args = arguments()
    common.check_glassnet(args.glassnet)
    for peer in args.peers:
        if reason := missing(peer):
            print(f"{PEERS[peer]} is left out: {reason}")
    peers = [peer for peer in args.peers if not missing(peer)]
    results, failed = all_rounds(jobs(args, peers), args.rounds)
    found = versions(peers)
    listed = verdicts(results, args.threads)
    settings = [f"{args.threads} threads on {os.cpu_count()} cores", f"{args.rounds} rounds"]
    settings += [f"{name} {version}" for name, version in found.items()]
    print("\n" + ", ".join(settings) + "\n")
    print(main_table(results, args.threads) + "\n")
    print(f"The project's targets, set for 2 threads, by these figures for {args.threads}:\n")
    print(verdicts_table(listed))
    if args.json:
        save_json(args, found, results, listed)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
