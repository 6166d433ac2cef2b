import Testing

/// What libraries leave to the program: printing, flags, exits. And what nothing here needs.
@Suite struct LibraryTests {
    /// Flags of other programs that libraries run or recognise, by file.
    private static let foreignFlags: [String: Set<String>] = [
        // Arguments of pip.
        "Sources/CircadiaHub/ModelStore+Pull.swift": [
            "--quiet", "--disable-pip-version-check", "--no-deps", "--dest",
        ],
        // Commands that the router takes for code.
        "Sources/CircadiaAnalysis/Routing/CodeDetector.swift": ["--git"],
        // Names of settings in night.json and nights.jsonl: a file format of version 0.1.0.
        "Sources/CircadiaNight/Outcome/RecipeFormat.swift": recipeNames,
        // Arguments of git.
        "Sources/CircadiaNight/CodeVersion.swift": ["--always", "--dirty"],
        // Arguments of systemd-inhibit and systemctl.
        "Sources/CircadiaApp/Schedule/Wakefulness.swift": ["--what", "--who", "--why", "--mode"],
        "Sources/CircadiaApp/Schedule/Scheduler.swift": ["--user", "--now"],
        // How people hand passwords to other programs.
        "Sources/CircadiaAnalysis/Redaction/AddressSecrets.swift": ["--user", "--auth"],
        // Properties of the page's style sheet.
        "Sources/CircadiaReport/ReportStyle.swift": [
            "--bad", "--card", "--good", "--ground", "--heldout", "--line", "--soft", "--text",
            "--track", "--training",
        ],
    ]

    private static let recipeNames: Set<String> = [
        "--iters", "--epochs", "--learning-rate", "--batch-size", "--grad-accumulation",
        "--schedule", "--optimizer", "--weight-decay", "--no-bias-correction", "--clip",
        "--dropout", "--eval-every", "--patience", "--memory-limit", "--lora-r", "--lora-scale",
        "--lora-layers", "--lora-keys", "--dora", "--mlx-compat", "--max-seq-len", "--warmup",
        "--reset-adapter", "--augment", "--preference-pairs", "--rehearsal", "--replay-share",
        "--kl-weight", "--held-out", "--no-gate", "--quick-gate", "--seed",
    ]

    @Test func librariesNameNoFlag() {
        for file in Repository.libraries {
            let allowed = Self.foreignFlags[file.path] ?? []
            for literal in file.literals where literal.text.contains("--") {
                for match in literal.text.matches(of: /(?:^|[^-\w])(--[a-z][a-z0-9-]*)/) {
                    let flag = String(match.output.1)
                    #expect(allowed.contains(flag), "\(file.path):\(literal.line) names \(flag)")
                }
            }
        }
    }

    /// An exemption that nothing needs any more is taken away.
    @Test func everyExemptionIsNeeded() {
        for (path, flags) in Self.foreignFlags {
            let texts = Repository.libraries.first { $0.path == path }?.literals.map(\.text) ?? []
            for flag in flags {
                #expect(texts.contains { $0.contains(flag) }, "\(path) does not name \(flag)")
            }
        }
    }

    @Test func librariesDoNotPrintOrExit() {
        let calls =
            /(?:^|[^\w.])(?:print|debugPrint|dump|fputs|puts|printf|vprintf|exit|fatalError)\(|FileHandle\.standard(?:Output|Error)/
        for file in Repository.libraries {
            for (index, line) in file.code.enumerated()
            where Self.mayPrint(line) && line.contains(calls) {
                Issue.record("\(file.path):\(index + 1): \(line.trimmingPrefix(/\s+/))")
            }
        }
    }

    /// Whether a line holds a word of such a call: regular expressions are slow.
    private static func mayPrint(_ line: String) -> Bool {
        ["print", "put", "dump", "exit", "fatalError", "FileHandle"].contains { line.contains($0) }
    }

    /// The product is a program: nothing is public.
    @Test func nothingIsPublic() {
        for file in Repository.sources + Repository.tests + Repository.benchmarks {
            for (index, line) in file.code.enumerated()
            where line.contains("public ") && line.contains(/(?:^|[^\w.`])public\s+\w/) {
                Issue.record("\(file.path):\(index + 1): \(line.trimmingPrefix(/\s+/))")
            }
        }
    }

    /// Every declaration that other targets see has `///` above it.
    @Test func packageDeclarationsAreDocumented() {
        let declaration =
            /^\s*(?:@\w+(?:\([^)]*\))?\s+)*package\s+(?:(?:static|final|indirect|mutating|nonisolated|nonmutating|override|convenience|required|lazy|weak|unowned)(?:\([^)]*\))?\s+)*(?:func|var|let|struct|class|enum|actor|protocol|typealias|init|subscript)\b/
        for file in Repository.libraries {
            for (index, line) in file.code.enumerated()
            where line.contains("package ") && line.contains(declaration) {
                var above = index - 1
                while above >= 0, file.code[above].contains(/^\s*@\w+(?:\(.*\))?\s*$/) {
                    above -= 1
                }
                let isDocumented =
                    above >= 0 && file.lines[above].trimmingPrefix(/\s+/).hasPrefix("///")
                #expect(isDocumented, "\(file.path):\(index + 1) has no documentation")
            }
        }
    }
}
