#!/usr/bin/env python3
"""Runs the test suite and ends with the ten slowest tests, every skip and its reason, and a closing line.

usage: run-tests.py CONFIGURATION [FILTER]

Two runs of `swift test`: the libraries' tests one after the other, because kernels use every core and some
tests count allocations or threads; then the tests that start the program, also one after the other, because a
night uses every core. FILTER is a regular expression that takes the place of both. The exit code is not 0 if a run failed.
"""
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET

PROGRAM_TESTS = "circadiaTests"
SKIPPED = re.compile(r"^\S+ (?:Test|Suite) (.+?) skipped(?:: (.*))?$")
CLOSING = re.compile(r"^\S+ Test run with .*")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def run(arguments, environment, skipped, closing):
    """Runs `swift test`, shows what it prints as it comes, and returns its exit code."""
    process = subprocess.Popen(["swift", "test", *arguments], env={**os.environ, **environment},
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    for line in process.stdout:
        sys.stdout.write(line)
        sys.stdout.flush()
        plain = COLOURS.sub("", line).strip()
        if match := SKIPPED.match(plain):
            skipped[match[1]] = (match[2] or "no reason given").strip('"')
        elif CLOSING.match(plain):
            closing.append(plain)
    return process.wait()


def cases(folder):
    """Every test of the runs' reports: seconds, name, and whether it failed."""
    found = []
    for name in sorted(os.listdir(folder)):
        for case in ET.parse(os.path.join(folder, name)).iter("testcase"):
            if case.find("skipped") is None:
                label = f"{case.get('classname', '')}.{case.get('name', '')}"
                found.append((float(case.get("time") or 0), label, case.find("failure") is not None))
    return found


def main():
    configuration, only = sys.argv[1], sys.argv[2:3]
    common = ["-c", configuration, "--skip-build"]
    runs = ([(["--no-parallel", "--filter", only[0]], {})] if only else
            [(["--no-parallel", "--skip", f"^{PROGRAM_TESTS}\\."], {}),
             (["--no-parallel", "--filter", f"^{PROGRAM_TESTS}\\."], {})])
    skipped, closing, codes = {}, [], []
    with tempfile.TemporaryDirectory() as folder:
        for number, (arguments, environment) in enumerate(runs):
            report = os.path.join(folder, f"{number}.xml")
            codes.append(run([*common, *arguments, "--xunit-output", report], environment, skipped, closing))
        tests = cases(folder)
    print("\nThe ten slowest tests:")
    for seconds, label, _ in sorted(tests, reverse=True)[:10]:
        print(f"{seconds:8.1f} s  {label}")
    for name, reason in sorted(skipped.items()):
        print(f"skipped: {name}: {reason}")
    failed = sum(1 for test in tests if test[2])
    # A run that broke off reports no failure of its own.
    broken = any(codes) and failed == 0 or len(closing) < len(runs)
    print()
    for line in closing:
        print(line)
    print(f"{len(tests) - failed} passed, {failed} failed, {len(skipped)} skipped"
          + (", and a run broke off" if broken else ""))
    return 1 if any(codes) or failed or broken else 0


if __name__ == "__main__":
    sys.exit(main())
