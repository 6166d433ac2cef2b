import Testing

/// Nothing grows past what a reader can take in.
@Suite struct SizeTests {
    /// Functions whose length is that of a table: one entry after the other, no logic between.
    private static let tables: Set<String> = []

    @Test func targetsHaveAtMost6000Lines() {
        for (target, files) in Dictionary(grouping: Repository.sources, by: \.target) {
            let count = files.reduce(0) { $0 + $1.lines.count }
            #expect(count <= 6000, "\(target) has \(count) lines")
        }
    }

    @Test func filesHaveAtMost550Lines() {
        for file in Repository.sources + Repository.tests + Repository.benchmarks {
            #expect(file.lines.count <= 550, "\(file.path) has \(file.lines.count) lines")
        }
    }

    @Test func functionsHaveAtMost60Lines() {
        var count = 0
        for file in Repository.sources + Repository.benchmarks
        where file.target != "ReferenceKernels" {
            for function in file.functions {
                count += 1
                guard !Self.tables.contains("\(file.path) \(function.declaration)") else {
                    continue
                }
                #expect(
                    function.lineCount <= 60,
                    "\(file.path):\(function.line): \(function.lineCount) lines")
            }
        }
        #expect(count > 2000, "only \(count) functions were recognised")
    }
}
