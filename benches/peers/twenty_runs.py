#!/usr/bin/env python3
"""Do glassnet's runs and Keras's runs come from the same distribution?

What   Trains the documented run twenty times in each program, with shuffling, dropout and
       initial weights drawn anew from seeds 0 to 19, and compares where the runs end.
Why    The programs draw different random numbers, so single runs differ. If both implement
       the same training, the final losses differ only as two samples of one population do.
       same_losses.py compares the arithmetic; this one also the draws: initial weights,
       shuffling, dropout masks.
How    python benches/peers/twenty_runs.py --csv runs.csv
       python benches/peers/twenty_runs.py --from-csv runs.csv     # the report again

       prints Markdown: every run, then for loss and val_loss the shift between the programs
       (Hodges-Lehmann: the median of all pairwise differences) with the 95 % interval that
       belongs to the Mann-Whitney test, and that test's two-sided p value.

A p value that is not small is no proof of equality; the interval says how large a difference
these runs would still allow.
"""

import math
import statistics

import common

# How many decimals each metric is shown with.
DECIMALS = 4


def hodges_lehmann(a, b, z=1.959964):
    """The median of a_i - b_j over all pairs, and its 95 % interval (low, high).

    The interval's ends are the k-th smallest and k-th largest difference, k from the normal
    approximation to the Mann-Whitney statistic, rounded down, so that the interval is not too
    short (Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, section 4.3).
    """
    n, m = len(a), len(b)
    differences = sorted(x - y for x in a for y in b)
    k = math.floor(n * m / 2 - z * math.sqrt(n * m * (n + m + 1) / 12))
    if k < 1:
        raise SystemExit(f"{n} and {m} runs are too few for a 95 % interval; at least 4 and 4")
    return statistics.median(differences), (differences[k - 1], differences[-k])


def final_rows(rows, program):
    """Each run's last epoch, by seed."""
    last = {}
    for row in rows:
        if row["program"] == program and row["epoch"] >= last.get(row["seed"], row)["epoch"]:
            last[row["seed"]] = row
    return dict(sorted(last.items()))


def show(value):
    return f"{value:.{DECIMALS}f}"


def runs_table(final):
    header = ["seed"] + [f"{p} {m}" for p in common.PROGRAMS for m in common.METRICS]
    seeds = sorted({seed for runs in final.values() for seed in runs})
    body = []
    for seed in seeds:
        cells = [
            show(final[p][seed][m]) if seed in final[p] else "-"
            for p in common.PROGRAMS
            for m in common.METRICS
        ]
        body.append([str(seed), *cells])
    medians = [
        show(statistics.median(row[m] for row in final[p].values()))
        for p in common.PROGRAMS
        for m in common.METRICS
    ]
    return common.markdown_table(header, [*body, ["median", *medians]])


def comparison_table(final):
    from scipy.stats import mannwhitneyu

    header = ["final", "glassnet - keras", "95 % interval", "Mann-Whitney p"]
    body = []
    for metric in ("loss", "val_loss"):
        ours, theirs = ([row[metric] for row in final[p].values()] for p in common.PROGRAMS)
        shift, (low, high) = hodges_lehmann(ours, theirs)
        p = mannwhitneyu(ours, theirs, alternative="two-sided").pvalue
        interval = f"{low:+.{DECIMALS}f} to {high:+.{DECIMALS}f}"
        body.append([metric, f"{shift:+.{DECIMALS}f}", interval, f"{p:.3f}"])
    return common.markdown_table(header, body)


def rank_line(final, metric, seed=0):
    """Where glassnet's run of this seed stands, the lowest value first."""
    value = final["glassnet"][seed][metric]

    def rank(programs):
        values = [row[metric] for p in programs for row in final[p].values()]
        return f"{1 + sum(v < value for v in values)} of {len(values)}"

    return (
        f"glassnet's seed {seed} ends at {metric} {show(value)}: rank {rank(['glassnet'])} "
        f"among its own runs and {rank(common.PROGRAMS)} among all (1 is the lowest)."
    )


def main():
    parser = common.argument_parser(__doc__)
    common.add_run_arguments(parser)
    parser.add_argument("--runs", type=int, default=20, help="seeds 0 to N-1 (default 20)")
    args = parser.parse_args()

    rows = common.collect_runs(args, range(args.runs))
    final = {program: final_rows(rows, program) for program in common.PROGRAMS}
    print("A row's two runs share a seed but no random number.\n")
    print(runs_table(final) + "\n")
    print(comparison_table(final) + "\n")
    for metric in ("loss", "val_loss"):
        print(rank_line(final, metric))


if __name__ == "__main__":
    main()
