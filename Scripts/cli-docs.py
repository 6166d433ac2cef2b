#!/usr/bin/env python3
"""Writes docs/cli.md: every command and option of the program, from the program's own help.

    Scripts/cli-docs.py PROGRAM > docs/cli.md
    Scripts/cli-docs.py PROGRAM --check docs/cli.md

With --check nothing is written. The exit code is 1 where the file differs from the program's help, and the
differing lines go to standard error.
"""
import argparse
import difflib
import json
import re
import subprocess
import sys

# Every command takes these, so they are described once.
EVERYWHERE = {"help", "version"}
HEAD = """# The command line

<!-- `make docs` writes this file from the program's own help. Edit the help texts, not this file. -->

`circadia help COMMAND` prints the same text in a terminal. Every command takes `-h` or `--help`, which
prints its help, and `--version`, which prints the version of the program.

| Exit code | Meaning |
|---|---|
| 0 | The command did its work, or there was nothing to do. |
| 1 | The command failed. A message says what failed, where, and what to do. |
| 2 | The command refused: the gate rejected a night, another night is running, or nothing matched. |
| 64 | The command line has an error. |
| 75 | A night was put off or interrupted. It resumes later. |
"""


def output(program, *arguments):
    """What the program prints on standard output."""
    return subprocess.run(
        [program, *arguments], check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def groups(program, commands):
    """The headings of `circadia help`, each with its commands, in the order of the help."""
    found = []
    for line in output(program, "help").splitlines():
        heading = re.fullmatch(r"(?:(.+): )?SUBCOMMANDS:", line)
        entry = re.match(r"  ([a-z][a-z-]*)(?:  |$)", line)
        if heading:
            found.append(((heading[1] or "Commands").capitalize(), []))
        elif entry and found and entry[1] in commands:
            found[-1][1].append(entry[1])
    return found


def cell(text):
    """Text for a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def row(*cells):
    """A line of a table."""
    return "|" + "".join(f" {one} |" if one else " |" for one in cells)


def code(text):
    """A code span for a cell of a table."""
    return "`" + text.replace("|", "\\|") + "`"


def spelled(name):
    """A name as it is typed."""
    return ("--" if name["kind"] == "long" else "-") + name["name"]


def value(argument):
    """The placeholder of an option's value, or nothing for a flag."""
    return "" if argument["kind"] == "flag" else f" <{argument['valueName']}>"


def visible(command):
    """The arguments that the help shows, without those that every command takes."""
    return [
        argument for argument in command.get("arguments", [])
        if argument.get("shouldDisplay", True)
        and not any(name["name"] in EVERYWHERE for name in argument.get("names", []))
    ]


def sentence(argument):
    """What an argument does, and its default, which some texts hold in brackets at their end."""
    text = argument.get("abstract", "")
    if argument.get("discussion"):
        text += " " + argument["discussion"]
    default = argument.get("defaultValue", "")
    bracket = re.search(r"\s*\(default: ([^()]*(?:\([^()]*\)[^()]*)*)\)", text)
    if bracket:
        default = bracket[1]
        text = text[:bracket.start()] + text[bracket.end():]
    elif default:
        default = code(default)
    if argument.get("allValues"):
        text += " Values: " + ", ".join(code(one) for one in argument["allValues"]) + "."
    if (argument.get("isRepeating") and argument["kind"] != "positional"
            and "several times" not in text):
        text += " Repeatable."
    return text, default


def row_pairs(arguments):
    """Rows of a table: names, text, default. A flag and its opposite share a row."""
    rows = []
    for argument in arguments:
        spellings = [spelled(name) for name in argument["names"]]
        names = ", ".join(sorted(spellings, key=lambda name: name.startswith("--")))
        text, default = sentence(argument)
        opposite = rows and argument["kind"] == "flag" and rows[-1][1] == text and (
            argument["preferredName"]["name"] == "no-" + rows[-1][3])
        if opposite:
            rows[-1][0] += ", " + names
        else:
            preferred = argument["preferredName"]["name"]
            rows.append([names + value(argument), text, default, preferred])
    return rows


def usage(path, command):
    """The command with its positional arguments."""
    words = [" ".join(path)]
    arguments = visible(command)
    if any(argument["kind"] != "positional" for argument in arguments):
        words.append("[OPTIONS]")
    for argument in arguments:
        if argument["kind"] == "positional":
            word = f"<{argument['valueName']}>"
            if argument.get("isRepeating"):
                word += " …"
            if argument.get("parsingStrategy") == "postTerminator":
                word = f"-- {word}"
            words.append(f"[{word}]" if argument.get("isOptional") else word)
    return " ".join(words)


def section(path, command, level):
    """The section of a command and those of its subcommands."""
    lines = ["#" * level + f" `{' '.join(path)}`", "", command.get("abstract", "")]
    if command.get("discussion"):
        lines += ["", " ".join(command["discussion"].split())]
    children = [child for child in command.get("subcommands", []) if child["commandName"] != "help"]
    if children:
        lines += ["", "| Subcommand | What it does |", "|---|---|"]
        lines += [
            f"| {code(child['commandName'])} | {cell(child.get('abstract', ''))} |"
            for child in children
        ]
    else:
        lines += ["", "```", usage(path, command), "```"]
    arguments = visible(command)
    positional = [argument for argument in arguments if argument["kind"] == "positional"]
    if positional:
        lines += ["", "| Argument | What it is |", "|---|---|"]
        for argument in positional:
            text, default = sentence(argument)
            if default:
                text += f" Default: {default}."
            lines.append(f"| {code('<' + argument['valueName'] + '>')} | {cell(text)} |")
    options = [argument for argument in arguments if argument["kind"] != "positional"]
    if options:
        lines += ["", "| Option | What it does | Default |", "|---|---|---|"]
        for names, text, default, _ in row_pairs(options):
            lines.append(row(code(names), cell(text), cell(default)))
    lines.append("")
    for child in children:
        lines += section(path + [child["commandName"]], child, level + 1)
    return lines


def document(program):
    """The whole page."""
    root = json.loads(output(program, "--experimental-dump-help"))["command"]
    commands = {child["commandName"]: child for child in root["subcommands"]}
    lines = [HEAD]
    found = groups(program, commands)
    listed = {name for _, names in found for name in names}
    missing = sorted(set(commands) - listed - {"help"})
    if missing:
        sys.exit(f"cli-docs: the help does not list these commands: {', '.join(missing)}")
    for title, names in found:
        lines += [f"## {title}", "", "| Command | What it does |", "|---|---|"]
        for name in names:
            lines.append(f"| [`circadia {name}`](#circadia-{name}) | "
                         f"{cell(commands[name].get('abstract', ''))} |")
        lines.append("")
        for name in names:
            lines += section([root["commandName"], name], commands[name], 3)
    return "\n".join(lines).rstrip() + "\n"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the built program")
    parser.add_argument("--check", metavar="FILE", help="compare with this file, write nothing")
    arguments = parser.parse_args()
    wanted = document(arguments.program)
    if arguments.check is None:
        sys.stdout.reconfigure(encoding="utf-8")
        sys.stdout.write(wanted)
        return
    with open(arguments.check, encoding="utf-8") as file:
        found = file.read()
    if found == wanted:
        return
    difference = difflib.unified_diff(
        found.splitlines(), wanted.splitlines(), arguments.check, "the program's help", lineterm="")
    print("\n".join(difference), file=sys.stderr)
    sys.exit(f"cli-docs: {arguments.check} is not what the program's help says; run: make docs")


if __name__ == "__main__":
    main()
