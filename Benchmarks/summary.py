"""Prints the whole-model figures of a results file as a table: medians of the rounds, Circadia's share of
the peak arithmetic that the same run measured, and ratios to peers.

usage: summary.py RESULTS.jsonl
"""
import json
import statistics
import sys

speeds = {}  # work: {program: [tokens a second]}
shares = {}  # work: [share of the peak]
peaks = {}  # kernel: billions of operations a second
with open(sys.argv[1]) as file:
    for record in map(json.loads, file):
        if "work" in record:
            speeds.setdefault(record["work"], {}).setdefault(record["program"], []).append(
                record["tps"])
            if record.get("limit") in peaks:
                shares.setdefault(record["work"], []).append(
                    record["gops"] / peaks[record["limit"]])
        elif "limit" in record:
            peaks[record["limit"]] = record["rate"]

print(f"{'tokens a second, medians':28}{'Circadia':>10}{'of peak':>9}   {'peer':12}{'':>10}{'ratio':>8}")
for work, programs in speeds.items():
    medians = {program: statistics.median(values) for program, values in programs.items()}
    own = medians.pop("Circadia")
    share = f"{statistics.median(shares[work]):.0%}" if work in shares else ""
    label, figure = work, f"{own:.1f}"
    for peer, speed in medians.items() or [("", None)]:
        beside = f"{speed:10.1f}{own / speed:8.2f}" if speed else ""
        print(f"{label:28}{figure:>10}{share:>9}   {peer:12}{beside}".rstrip())
        label = figure = share = ""
