#!/usr/bin/env python3
"""Finds symbols of the standard library that are newer than the macOS that Package.swift declares.

On Linux the compiler accepts every symbol of its toolchain, so `String(validating:as:)` (macOS 15)
builds under `platforms: [.macOS(.v14)]` and fails only on a Mac. Type checking for a Mac on Linux is
not possible either: `-target arm64-apple-macosx15.0` needs Apple's SDK. The toolchain's interfaces,
however, carry the availability of every symbol on every platform. This script

1. reads all declarations, with their argument labels and the macOS version that they need, from the
   `.swiftinterface` files of the toolchain, and those of Foundation and Dispatch, which have none, from
   the symbol graphs that the toolchain's `swift-symbolgraph-extract` prints of them;
2. finds the uses of these names in the sources, token by token;
3. prints `file:line: symbol needs macOS X, …` for each use that is too new, and then exits with 1.

How a use is matched. There are no types here, so a use matches every declaration that its spelling
fits: `T(a:b:)` and `T.name(a:)` match members of `T` and of all protocols, `x.name(a:)` matches members
of any type. A use counts as too new only if *all* declarations that it fits are too new, and if no
declaration of this repository fits. So a report is nearly always right, and some uses escape: a new
overload with the labels of an old one, subscripts, operators, `.init(…)` without its type, members of
`self` without `self.`, conformances. Symbols of Foundation after macOS 15 escape as well: the Linux
build of Foundation marks them as macOS 15.

Code that a Mac does not compile (`#if os(Linux)`) is left out, and so is code after a sufficient
`@available` or `#available`.

usage: availability.py [--self-test] [FOLDER…]
"""

import bisect
import json
import pathlib
import re
import subprocess
import sys
import tempfile
from collections import defaultdict, namedtuple

FOLDERS = ["Sources", "Tests", "Benchmarks"]

# `use (as printed): why it is no use of the standard library's symbol`
ALLOWED: dict[str, str] = {}

# Types that literals, slices and closures make without naming them.
UNNAMED = {
    "String", "Substring", "Character", "Array", "ArraySlice", "Dictionary", "Set", "Optional", "Int",
    "Double", "Bool", "Range", "ClosedRange", "Slice", "ReversedCollection", "EnumeratedSequence",
}

# Every file sees these; symbols of other modules count only in files that import them.
IMPLICIT = {"Swift", "_Concurrency", "_StringProcessing"}
INTERFACES = sorted(IMPLICIT) + [
    "Synchronization", "Observation", "RegexBuilder", "Distributed", "Runtime", "Testing",
]
# Modules without an interface, and the import that brings them on a Mac.
GRAPHS = {
    "Dispatch": "Dispatch", "Foundation": "Foundation", "FoundationEssentials": "Foundation",
    "FoundationInternationalization": "Foundation", "FoundationNetworking": "Foundation",
    "FoundationXML": "Foundation",
}
REEXPORTS = {"Foundation": {"Dispatch"}}

ALWAYS = (0,)

# A symbol. `owner`: the type's path, `()` for a global. `parameters`: None for types and properties.
Declaration = namedtuple("Declaration", "module owner kind name parameters version")
Parameter = namedtuple("Parameter", "label optional variadic")
Token = namedtuple("Token", "text line")


# MARK: Tokens

TOKEN = re.compile(
    r"""(?P<skip>\s+|//[^\n]*|/\*.*?\*/)
      | (?P<string>\#*\"\"\"|\#*\")
      | (?P<regex>\#+/(?:[^\n\\]|\\.)*?/\#+)
      | (?P<token>[@\#$]?`?[^\W\d]\w*`?|\$\d+|0[xbo][\w.]+|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?
                  |->|\.\.\.|\.\.<|.)""",
    re.VERBOSE | re.DOTALL)


def tokens_of(text):
    """The tokens of Swift source; a string is one token, followed by its interpolations in parens."""
    result = []
    position, line = 0, 1
    while position < len(text):
        match = TOKEN.match(text, position)
        end = match.end()
        if match["string"]:
            result.append(Token('"', line))
            end, interpolations = string_end(text, position, match["string"])
            for start, stop in interpolations:
                first = line + text.count("\n", position, start)
                inner = tokens_of(text[start:stop])
                result += [Token("(", first)]
                result += [Token(token.text, token.line + first - 1) for token in inner]
                result += [Token(")", first)]
        elif match["regex"]:
            result.append(Token('"', line))
        elif match["token"] and match["token"] != "`":  # one alone stands in a regex literal
            result.append(Token(match["token"].replace("`", ""), line))
        line += text.count("\n", position, end)
        position = end
    return result


def string_end(text, start, opening):
    """Where the literal that starts with `opening` ends, and the ranges of its interpolations."""
    hashes = "#" * opening.count("#")
    closing = opening.lstrip("#") + hashes
    escape = "\\" + hashes
    position = start + len(opening)
    interpolations = []
    while position < len(text):
        if text.startswith(closing, position):
            return position + len(closing), interpolations
        if text.startswith(escape + "(", position):
            inside = position + len(escape) + 1
            position = paren_end(text, inside)
            interpolations.append((inside, position - 1))
        elif text.startswith(escape, position):
            position += len(escape) + 1
        elif text[position] == "\n" and '"""' not in opening:
            return position, interpolations  # not a string after all
        else:
            position += 1
    return len(text), interpolations


def paren_end(text, position):
    """Behind the paren that closes the one before `position`."""
    depth = 1
    while position < len(text) and depth:
        if text[position] == '"':
            position, _ = string_end(text, position, '"')
            continue
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        position += 1
    return position


def brackets(tokens):
    """For each opening bracket's index, the index of the bracket that closes it."""
    closes, open_ones = {}, []
    for index, token in enumerate(tokens):
        if token.text in "([{":
            open_ones.append(index)
        elif token.text in ")]}" and open_ones:
            closes[open_ones.pop()] = index
    for index in open_ones:
        closes[index] = len(tokens)
    return closes


def is_name(text):
    return text[0].isalpha() or text[0] == "_"


def generics_end(tokens, index):
    """Behind the `<…>` that starts at `index`, or `index` where none does."""
    if index >= len(tokens) or tokens[index].text != "<":
        return index
    depth = 0
    for position in range(index, min(index + 200, len(tokens))):
        text = tokens[position].text
        depth += {"<": 1, ">": -1}.get(text, 0)
        if depth == 0:
            return position + 1
        if text in "{};=" and text != "=":
            break
    return index


def arguments(tokens, start, end):
    """The ranges between the commas of `start..<end`."""
    ranges, depth, first = [], 0, start
    for index in range(start, end):
        text = tokens[index].text
        if text in ("(", "[", "{", "<"):
            depth += 1
        elif text in (")", "]", "}", ">"):
            depth -= 1
        elif text == "," and depth == 0:
            ranges.append((first, index))
            first = index + 1
    return ranges + [(first, end)] if end > start else ranges


# MARK: Declarations

TYPES = {"struct", "class", "enum", "protocol", "actor", "extension"}
MEMBERS = {"func", "var", "let", "init", "subscript"}
NAMED = TYPES | {"func", "var", "let", "typealias", "associatedtype", "macro"}
HIDDEN = {"private", "fileprivate", "internal"}


def version_of(words):
    """The macOS version in the words of an `@available` or `#available`, None where there is none."""
    match = re.search(r"\bmacOS (?:, introduced : )?(\d+(?: ?\. ?\d+)*)", " ".join(words))
    return version(match[1].replace(" ", "").split(".")) if match else None


def version(parts):
    """Comparable: 15 is 15.0."""
    numbers = [int(part) for part in parts]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def parameters_of(tokens, start, end):
    parameters = []
    for first, last in arguments(tokens, start, end):
        words = [token.text for token in tokens[first:last]]
        colon = words.index(":") if ":" in words else 0
        names = [word for word in words[:colon] if is_name(word) and not word.startswith("__")]
        label = names[-2:][0] if names else "_"  # `case some(Wrapped)` has no label
        parameters.append(Parameter(label, "=" in words, "..." in words))
    return tuple(parameters)


class DeclarationReader:
    """Reads what a file declares in types and outside of functions."""

    def __init__(self, module, tokens, hidden=HIDDEN):
        self.module, self.tokens, self.hidden = module, tokens, hidden
        self.closes = brackets(tokens)
        self.found = []

    def read(self, start=0, end=None, owner=(), kind="", floor=ALWAYS):
        """Adds the declarations in `start..<end`, members of `owner` (a `kind`), to `found`."""
        tokens = self.tokens
        end = len(tokens) if end is None else end
        index, needed, skipped = start, floor, False
        while index < end:
            text = tokens[index].text
            index += 1
            following = tokens[index].text if index < end else ""
            if text == "@available" and following == "(":
                stop = self.closes[index]
                words = [token.text for token in tokens[index + 1:stop]]
                needed = max(needed, version_of(words) or ALWAYS)
                skipped |= words[:1] == ["*"] and "unavailable" in words
                index = stop + 1
            elif text in self.hidden:
                skipped |= following != "("  # `private(set) var` can be read
            elif text in "([{":
                index = self.closes[index - 1] + 1
            elif text == "import":
                index += 1
            elif text in TYPES and following not in MEMBERS and is_name(following or "-"):
                index = self.type(text, index, end, owner, needed, skipped)
                needed, skipped = floor, False
            elif text in NAMED | MEMBERS and text not in TYPES or text == "case" and kind == "enum":
                if not skipped:
                    self.member(text, index, owner, needed)
                if text == "func":
                    index += 1  # a name that may be a bracket or keyword
                needed, skipped = floor, False

    def type(self, kind, index, end, owner, needed, skipped):
        path = [self.tokens[index].text]
        index += 1
        while index + 1 < end and self.tokens[index].text == ".":
            path.append(self.tokens[index + 1].text)
            index += 2
        if kind == "extension":
            path = path[1:] if len(path) > 1 and path[0] in INTERFACES else path
        elif not skipped:
            self.add(owner, kind, path[0], None, needed)
        while index < end and self.tokens[index].text != "{":
            index += 1
        stop = self.closes.get(index, end)
        self.read(index + 1, stop, owner + tuple(path), kind, needed)
        return stop + 1

    def member(self, kind, index, owner, needed):
        tokens = self.tokens
        name = kind if kind in ("init", "subscript") else tokens[index].text
        if kind not in ("init", "subscript"):
            index += 1
        elif index < len(tokens) and tokens[index].text in "?!":
            index += 1
        index = generics_end(tokens, index)
        parameters = None
        if kind not in ("var", "let") and index < len(tokens) and tokens[index].text == "(":
            parameters = parameters_of(tokens, index + 1, self.closes[index])
        self.add(owner, kind, name, parameters, needed)
        if kind == "case":
            while index < len(tokens) and tokens[index].text in "(,=":
                if tokens[index].text == ",":
                    return self.member(kind, index + 1, owner, needed)
                index = self.closes[index] + 1 if tokens[index].text == "(" else index + 2

    def add(self, owner, kind, name, parameters, needed):
        if not self.module or not any(part.startswith("_") for part in owner + (name,)):
            self.found.append(Declaration(self.module, owner, kind, name, parameters, needed))


def declarations_in(module, text, hidden=HIDDEN):
    reader = DeclarationReader(module, tokens_of(text), hidden)
    reader.read()
    return reader.found


def toolchain():
    """The folder of the toolchain's modules, and the target that they are for."""
    info = json.loads(
        subprocess.run(
            ["swift", "-print-target-info"], check=True, stdout=subprocess.PIPE).stdout)
    folder = pathlib.Path(info["paths"]["runtimeResourcePath"]) / "linux"
    return folder, info["target"]["unversionedTriple"]


def interface_declarations(folder):
    for module in INTERFACES:
        files = sorted((folder / f"{module}.swiftmodule").glob("*.swiftinterface"))
        files = [file for file in files if ".private." not in file.name]
        if not files:
            sys.exit(f"availability: the toolchain has no interface of {module} in {folder}")
        yield from declarations_in(module, files[0].read_text())


def graph_declarations(target):
    """What Foundation and Dispatch declare: each symbol's own declaration, read like an interface."""
    with tempfile.TemporaryDirectory() as folder:
        for module, imported in GRAPHS.items():
            subprocess.run(
                ["swift", "symbolgraph-extract", "-module-name", module, "-target", target,
                 "-output-dir", folder, "-minimum-access-level", "public"],
                check=True, stdout=subprocess.DEVNULL)
            for file in pathlib.Path(folder).glob(f"{module}[.@]*symbols.json"):
                for symbol in json.loads(file.read_bytes())["symbols"]:
                    yield from graph_declaration(imported, symbol)


def graph_declaration(module, symbol):
    needed = ALWAYS
    for entry in symbol.get("availability", []):
        introduced = entry.get("introduced")
        if entry.get("domain") == "macOS" and introduced:
            needed = version(introduced.get(part, 0) for part in ("major", "minor", "patch"))
    text = "".join(part["spelling"] for part in symbol["declarationFragments"])
    *owner, _ = symbol["pathComponents"]
    reader = DeclarationReader(module, tokens_of(text))
    kind = symbol["kind"]["identifier"].removeprefix("swift.")
    reader.read(owner=tuple(owner), kind="enum" if kind == "enum.case" else "", floor=needed)
    return reader.found[:1]


class Table:
    """Declarations by name."""

    def __init__(self, declarations):
        self.members = defaultdict(set)
        self.globals = defaultdict(set)
        self.types = defaultdict(set)
        self.protocols = set()
        for declaration in declarations:
            if declaration.kind in TYPES | {"typealias"}:
                path = declaration.owner + (declaration.name,)
                self.types[path].add(declaration)
                if declaration.kind == "protocol":
                    self.protocols.add(path)
            (self.members if declaration.owner else self.globals)[declaration.name].add(declaration)


# MARK: Uses

# A use: `path` before the last dot (empty for a global, ("",) for a value of unknown type), its name,
# and for a call the labels in parens and the number of trailing closures.
Use = namedtuple("Use", "path name labels closures line index")


def inactive_ranges(tokens):
    """The ranges of tokens that a Mac does not compile, as far as one condition decides it."""
    ranges, stack = [], []  # of [start of the branch, whether it is active: True, False or None]
    for index, token in enumerate(tokens):
        if token.text not in ("#if", "#elseif", "#else", "#endif"):
            continue
        taken = False
        if token.text != "#if" and stack:
            start, active, taken = stack.pop()
            if active is False:
                ranges.append((start, index))
            taken |= active is True
        if token.text in ("#if", "#elseif"):
            words = [t.text for t in tokens[index + 1:index + 6] if t.line == token.line]
            active = False if taken else condition(words)
            stack.append((index, active, taken))
        elif token.text == "#else":
            stack.append((index, False if taken else None, taken))
    return ranges


def condition(words):
    """Whether `os(X)` or `canImport(X)` holds on a Mac; None where that is not known."""
    negated = words[:1] == ["!"]
    words = words[1:] if negated else words
    if len(words) != 4 or words[1] != "(" or words[0] not in ("os", "canImport"):
        return None
    elsewhere = {"Linux", "Glibc", "Musl", "Android", "Windows", "FoundationNetworking"}
    known = {"macOS", "Darwin"} | elsewhere
    return (words[2] not in elsewhere) != negated if words[2] in known else None


def available_ranges(tokens, closes):
    """(start, end, version) for code that runs on newer systems only."""
    ranges, blocks = [], []
    for index, token in enumerate(tokens):
        if token.text == "{":
            blocks.append(index)
        elif token.text == "}" and blocks:
            blocks.pop()
        elif token.text in ("@available", "#available") and index + 1 < len(tokens):
            stop = closes.get(index + 1, index + 1)
            needed = version_of([t.text for t in tokens[index + 1:stop]])
            body = next((i for i in range(stop, len(tokens)) if tokens[i].text == "{"), None)
            if needed is None or body is None:
                continue
            if "else" in (t.text for t in tokens[stop:body]):  # of a guard
                ranges.append((index, closes[blocks[-1]] if blocks else len(tokens), needed))
            else:
                ranges.append((index, closes[body], needed))
    return ranges


def uses_in(tokens, closes):
    """The uses of names in a file, in order."""
    for index, token in enumerate(tokens):
        text = token.text
        if not (is_name(text) or text[0] == "@" and len(text) > 1):
            continue
        before = tokens[index - 1].text if index else ""
        after = tokens[index + 1].text if index + 1 < len(tokens) else ""
        if before in NAMED and before != "extension" or text in ("init", "self", "Self", "Type"):
            if not (text == "init" and before == "."):
                continue
        path = receiver(tokens, index - 1) if before == "." else ()
        if text == "init" and path in ((), ("",)):
            continue
        if not path and after == ":" and before in ("(", ",", "[", "_") and text[0].islower():
            continue  # a label
        labels, closures = call(tokens, closes, index + 1, text)
        yield Use(path, text.lstrip("@"), labels, closures, token.line, index)


def receiver(tokens, index):
    """The path before the dot at `index`, where it starts with a type's name; else ("",)."""
    path = []
    while index > 0 and tokens[index].text == "." and is_name(tokens[index - 1].text):
        path.insert(0, tokens[index - 1].text)
        index -= 2
    if path and tokens[index].text != "." and path[0][0].isupper():
        return tuple(path)
    return ("",)


def call(tokens, closes, index, name):
    """The labels of a call's arguments (None without parens) and the number of trailing closures."""
    if name[0].isupper():
        index = generics_end(tokens, index)
    labels, closures = None, 0
    if index < len(tokens) and tokens[index].text == "(":
        labels = []
        for first, last in arguments_of_call(tokens, closes, index):
            named = last - first > 1 and tokens[first + 1].text == ":"
            labels.append(tokens[first].text if named else "_")
        index = closes[index] + 1
    while index < len(tokens) and tokens[index].text == "{":
        closures += 1
        index = closes[index] + 1
        if index + 2 < len(tokens) and [t.text for t in tokens[index + 1:index + 3]] == [":", "{"]:
            index += 2
    return labels, closures


def arguments_of_call(tokens, closes, index):
    ranges, first, position, end = [], index + 1, index + 1, closes[index]
    while position < end:
        if tokens[position].text == ",":
            ranges.append((first, position))
            first = position + 1
        position = closes[position] + 1 if position in closes else position + 1
    return ranges + [(first, end)] if end > index + 1 else ranges


def fits(use, declaration):
    """Whether the spelling of a use can mean a declaration."""
    if declaration.parameters is None:
        return use.labels is None
    if use.labels is None and use.closures == 0:
        return True  # the function as a value
    rest, closures = list(use.labels or []), use.closures
    for parameter in declaration.parameters:
        if rest and rest[0] == parameter.label:
            rest.pop(0)
            while parameter.variadic and rest and rest[0] == "_":
                rest.pop(0)
        elif not (parameter.optional or parameter.variadic):
            if closures == 0:
                return False
            closures -= 1
    return not rest


def candidates(use, table):
    """The declarations that a use may mean."""
    if use.path == ("",):
        found = table.members[use.name]
    elif use.path:
        if use.path not in table.types:
            return set(candidates(use._replace(path=("",)), table))
        owners = {use.path} | table.protocols
        found = {d for d in table.members[use.name] if d.owner in owners}
    else:
        found = table.globals[use.name]
        if use.labels is not None or use.closures:
            if (use.name,) in table.types:
                owners = {(use.name,)} | table.protocols
                inits = {d for d in table.members["init"] if d.owner in owners and fits(use, d)}
                return {d for d in found if d.kind in TYPES | {"macro"}} | inits
    return {declaration for declaration in found if fits(use, declaration)}


class Checker:
    """Compares the uses in a file with what the toolchain and the repository declare."""

    def __init__(self, library, own, named):
        """`named`: the words of all sources, to tell which types they use at all."""
        self.library, self.own, self.named = library, own, named | UNNAMED
        self.used_allowances = set()

    def check(self, text, declared):
        """(line, symbol, version) for each symbol that needs more than macOS `declared`."""
        tokens = tokens_of(text)
        closes = brackets(tokens)
        imported = set(IMPLICIT)
        for index, token in enumerate(tokens[:-1]):
            if token.text == "import":
                imported |= {tokens[index + 1].text}
                imported |= REEXPORTS.get(tokens[index + 1].text, set())
        inactive = inactive_ranges(tokens)
        available = available_ranges(tokens, closes)
        for use in uses_in(tokens, closes):
            if any(start <= use.index < end for start, end in inactive):
                continue
            floor = max(
                [v for start, end, v in available if start <= use.index < end] + [declared])
            found = self.too_new(use, floor, imported)
            if found:
                yield (use.line, *found)

    def too_new(self, use, floor, imported):
        if use.name not in self.library.members and use.name not in self.library.globals:
            return None
        for found in self.readings(use, floor):
            if any(d.version <= floor and self.is_in_use(d) for d in found):
                continue
            found = {d for d in found if d.version > floor and d.module in imported}
            if not found or self.is_own(use):
                continue
            oldest = min(found, key=lambda d: (d.version, len(d.parameters or ()), str(d)))
            symbol = spelling(oldest)
            if symbol in ALLOWED:
                self.used_allowances.add(symbol)
                continue
            return symbol, oldest.version
        return None

    def is_in_use(self, declaration):
        """Whether a value of the declaration's type can be meant: `Span` only where it is named."""
        owner = declaration.owner
        return not owner or owner[0] in self.named or owner in self.library.protocols

    def readings(self, use, floor):
        """What a use may mean: for `T(…)` the type and its initializer, which both must be there."""
        if use.path and use.path != ("",) and (use.path[0],) in self.library.types:
            types = self.library.types[use.path[:1]]
            if types and min(d.version for d in types) > floor:
                return  # reported as the use of that type
        found = candidates(use, self.library)
        inits = {d for d in found if d.name == "init" and use.name != "init"}
        if inits or not use.path and (use.name,) in self.library.types:
            yield self.library.globals[use.name]
        yield inits if inits else found

    def is_own(self, use):
        if use.path and use.path != ("",) and use.path in self.own.types:
            return True
        if not use.path and self.own.globals[use.name]:
            return True
        return bool(candidates(use, self.own)) or not use.path and any(
            d.kind in TYPES | {"typealias", "associatedtype"} for d in self.own.members[use.name])


def spelling(declaration):
    name = ".".join(declaration.owner + (declaration.name,))
    if declaration.parameters is None:
        return name
    return f"{name}({''.join(p.label + ':' for p in declaration.parameters)})"


def text_of(numbers):
    return ".".join(map(str, numbers))


# MARK: Programs


def declared_version(manifest):
    match = re.search(r'\.macOS\((?:\.v([\d_]+)|"([\d.]+)")\)', manifest)
    if not match:
        sys.exit("availability: Package.swift declares no macOS version in `platforms:`")
    return version(re.split(r"[._]", match[1] or match[2]))


def check_folders(library, folders):
    """Prints what is too new in the Swift files of the folders; whether there was anything."""
    declared = declared_version(pathlib.Path("Package.swift").read_text())
    files = sorted(file for folder in folders for file in pathlib.Path(folder).rglob("*.swift"))
    if not files:
        sys.exit(f"availability: no Swift file in {', '.join(folders)}")
    own, named = [], set()
    for file in files:
        text = file.read_text()
        own += declarations_in("", text, hidden=set())
        named |= set(re.findall(r"\w+", text))
    checker = Checker(library, Table(own), named)
    failed = False
    for file in files:
        for line, symbol, needed in checker.check(file.read_text(), declared):
            print(f"{file}:{line}: {symbol} needs macOS {text_of(needed)}, and Package.swift "
                  f"declares macOS {text_of(declared)}")
            failed = True
    for symbol in sorted(set(ALLOWED) - checker.used_allowances):
        print(f"Scripts/availability.py: nothing needs the entry '{symbol}' of ALLOWED any more")
        failed = True
    return failed


# (what is planted, declared macOS, what must be found, declarations of the repository)
PLANTED = [
    ("let a = String(validating: bytes, as: UTF8.self)", (14,), ["String.init(validating:as:)"], ""),
    ("let a = String(\n  validating: bytes[0..<4],\n  as: UTF8.self)!", (14,),
     ["String.init(validating:as:)"], ""),
    ("let a = String.init(validating: bytes, as: UTF8.self)", (14,),
     ["String.init(validating:as:)"], ""),
    (r'print("so: \(String(validating: bytes, as: UTF8.self) ?? "-")")', (14,),
     ["String.init(validating:as:)"], ""),
    ("let a = String(validating: bytes, as: UTF8.self)", (15,), [], ""),
    ("let a = String(decoding: bytes, as: UTF8.self)", (10, 15), [], ""),
    ("// String(validating: bytes, as: UTF8.self)\nlet a = \"String(validating: 1, as: 2)\"", (14,),
     [], ""),
    ("import Synchronization\nlet a = Mutex(0)", (14,), ["Mutex"], ""),
    ("import Synchronization\nlet a = Atomic<Int>(0)", (14,), ["Atomic"], ""),
    ("import Synchronization\nlet a = Mutex(0)", (15,), [], ""),
    ("let a = Mutex(0)", (14,), [], "struct Mutex { init(_ value: Int) {} }"),
    ("let a = text.utf8Span", (15,), ["String.utf8Span"], ""),
    ("let a = text.utf8Span", (26,), [], ""),
    ("let a = table.utf8Span", (15,), [], "struct Table { let utf8Span: Int }"),
    ("let a = list.indices(of: 3)", (14,), ["Collection.indices(of:)"], ""),
    ("let a = list.indices.count", (10, 15), [], ""),
    ("let a = String(copying: slice)", (15,), ["String.init(copying:)"], ""),
    ("let a: InlineArray<4, Int>", (15,), ["InlineArray"], ""),
    ("let a = Duration.seconds(1)", (12,), ["Duration"], ""),
    ("import Observation\n@Observable final class A {}", (13,), ["Observable()"], ""),
    ("import Foundation\nlet a = URL(filePath: path)", (12,),
     ["URL.init(filePath:directoryHint:relativeTo:)"], ""),
    ("import Foundation\nlet a = URL(fileURLWithPath: path)", (12,), [], ""),
    ("#if os(Linux)\nlet a = text.utf8Span\n#else\nlet b = text.utf8Span\n#endif", (15,),
     ["String.utf8Span"], ""),
    ("if #available(macOS 26, *) { use(text.utf8Span) }\nuse(text.utf8Span)", (15,), ["String.utf8Span"], ""),
    ("@available(macOS 26, *) func a() { use(text.utf8Span) }", (15,), [], ""),
]


def self_test(library):
    """Whether each planted use is found, and nothing else."""
    failed = False
    for planted, declared, expected, own in PLANTED:
        table = Table(declarations_in("", own, hidden=set()))
        checker = Checker(library, table, set(re.findall(r"\w+", planted)))
        found = sorted({symbol for _, symbol, _ in checker.check(planted, declared)})
        if found != expected:
            print(f"availability: self-test: macOS {text_of(declared)}: {planted!r}: found {found}, "
                  f"expected {expected}")
            failed = True
    return failed


def main(arguments_given):
    if sys.platform == "darwin":
        print("availability: nothing to do on a Mac; its compiler checks availability itself")
        return 0
    folder, target = toolchain()
    library = Table([*interface_declarations(folder), *graph_declarations(target)])
    if self_test(library):
        return 1
    if "--self-test" in arguments_given:
        return 0
    return int(check_folders(library, arguments_given or FOLDERS))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
