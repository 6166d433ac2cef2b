import Testing

/// Imports, the manifest and the table in docs/architecture.md agree.
@Suite struct ArrowTests {
    private let manifest = Repository.manifest
    private let table = Repository.table

    /// What a target's files import, as far as the manifest must declare it.
    private func imported(_ target: String, in files: [SwiftSource]) -> [String: String] {
        var places: [String: String] = [:]
        for file in files where file.target == target {
            for module in file.imports {
                guard let name = manifest.dependency(for: module), name != target else { continue }
                places[name] = places[name] ?? file.path
            }
        }
        return places
    }

    private func targets(of files: [SwiftSource]) -> [String] {
        Set(files.map(\.target)).filter { manifest.dependencies[$0] != nil }.sorted()
    }

    @Test func everyFolderIsATarget() {
        for file in Repository.sources {
            #expect(manifest.dependencies[file.target] != nil, "\(file.path) has no target")
        }
        #expect(manifest.dependencies.count > 30 && table.rows.count > 15)
    }

    @Test func theManifestDeclaresWhatIsImportedAndNothingElse() {
        for files in [Repository.sources, Repository.tests] {
            for target in targets(of: files) {
                let places = imported(target, in: files)
                let declared = manifest.dependencies[target] ?? []
                for (name, path) in places.sorted(by: { $0.key < $1.key }) {
                    #expect(
                        declared.contains(name), "\(path) imports \(name), undeclared by \(target)")
                }
                for name in declared.sorted() {
                    #expect(places[name] != nil, "\(target) declares \(name) and never imports it")
                }
            }
        }
    }

    @Test func theTableListsWhatTheManifestDeclares() {
        let inOrder = table.rows.map(\.target)
        for target in targets(of: Repository.sources) + ["CKernels"] {
            #expect(inOrder.contains(target), "docs/architecture.md has no row for \(target)")
        }
        for row in table.rows {
            guard let declared = manifest.dependencies[row.target] else {
                Issue.record("docs/architecture.md: the manifest has no target \(row.target)")
                continue
            }
            let packages = Set(manifest.packages.values)
            let list =
                (inOrder.filter(declared.contains) + packages.intersection(declared).sorted())
                .map { "`\($0)`" }.joined(separator: ", ")
            #expect(
                row.imports == declared, "docs/architecture.md: \(row.target) imports \(list)")
        }
    }

    @Test func noArrowPointsDown() {
        for (index, row) in table.rows.enumerated() {
            let above = Set(table.rows[..<index].map(\.target))
            for file in Repository.sources where file.target == row.target {
                for module in file.imports where manifest.dependencies[module] != nil {
                    #expect(
                        above.contains(module) || module == row.target,
                        "\(file.path) imports \(module), which is not above \(row.target)")
                }
            }
        }
    }
}
