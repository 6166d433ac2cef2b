import Testing

/// What libraries leave to the program: printing, flags, exits. And what nothing here needs.
@Suite struct LibraryTests {
    /// Flags of other programs that libraries run or recognise, by file.
    private static let foreignFlags: [String: Set<String>] = [
        // Arguments of pip.
        "Sources/CircadiaHub/ModelStore+Pull.swift": [
            "--quiet", "--disable-pip-version-check", "--no-deps", "--dest",
        ],
        // Arguments of git.
        "Sources/CircadiaNight/CodeVersion.swift": ["--always", "--dirty"],
        // Arguments of systemd-inhibit and systemctl.
        "Sources/CircadiaApp/Schedule/Wakefulness.swift": ["--what", "--who", "--why", "--mode"],
        "Sources/CircadiaApp/Schedule/Scheduler.swift": ["--user", "--now"],
        // How people hand passwords to other programs, and what a diff looks like.
        "Sources/CircadiaAnalysis/Redaction/AddressSecrets.swift": ["--user", "--auth"],
        "Sources/CircadiaAnalysis/Routing/CodeDetector.swift": ["--git"],
    ]

    @Test func librariesNameNoFlag() {
        for file in Repository.libraries {
            let allowed = Self.foreignFlags[file.path] ?? []
            for literal in file.literals {
                for match in literal.text.matches(of: /(?<![-\w])--[a-z][a-z0-9-]*/) {
                    let flag = String(match.output)
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
            /(?<![\w.])(?:print|debugPrint|dump|fputs|puts|printf|vprintf|exit|fatalError)\(|FileHandle\.standard(?:Output|Error)/
        for file in Repository.libraries {
            for (index, line) in file.code.enumerated() where line.contains(calls) {
                Issue.record("\(file.path):\(index + 1): \(line.trimmingPrefix(/\s+/))")
            }
        }
    }

    /// The product is a program: nothing is public.
    @Test func nothingIsPublic() {
        for file in Repository.sources + Repository.tests + Repository.benchmarks {
            for (index, line) in file.code.enumerated()
            where line.contains(/(?<![\w.`])(?:public|open)\s+\w/) {
                Issue.record("\(file.path):\(index + 1): \(line.trimmingPrefix(/\s+/))")
            }
        }
    }

    /// Every declaration that other targets see has `///` above it.
    @Test func packageDeclarationsAreDocumented() {
        let declaration =
            /^\s*(?:@\w+(?:\([^)]*\))?\s+)*package\s+(?:(?:static|final|indirect|mutating|nonisolated|nonmutating|override|convenience|required|lazy|weak|unowned)(?:\([^)]*\))?\s+)*(?:func|var|let|struct|class|enum|actor|protocol|typealias|init|subscript)\b/
        for file in Repository.libraries {
            for (index, line) in file.code.enumerated() where line.contains(declaration) {
                var above = index - 1
                while above >= 0, file.code[above].contains(/^\s*@\w+(?:\(.*\))?\s*$/) { above -= 1 }
                let isDocumented =
                    above >= 0 && file.lines[above].trimmingPrefix(/\s+/).hasPrefix("///")
                #expect(isDocumented, "\(file.path):\(index + 1) has no documentation")
            }
        }
    }
}
