import Foundation

/// The files of this repository, as far as the architecture goes.
enum Repository {
    /// Its folder.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The Swift files below `Sources`.
    static let sources = swiftFiles(below: "Sources")
    /// The Swift files below `Tests`.
    static let tests = swiftFiles(below: "Tests")
    /// The Swift files below `Benchmarks`.
    static let benchmarks = swiftFiles(below: "Benchmarks")
    /// What the manifest declares.
    static let manifest = Manifest(text(of: "Package.swift"))
    /// What docs/architecture.md says.
    static let table = ArchitectureTable(text(of: "docs/architecture.md"))

    /// The program: the one target of `Sources` that may print and name flags.
    static let program = "circadia"

    /// The files of all libraries.
    static var libraries: [SwiftSource] { sources.filter { $0.target != program } }

    /// The text of a file; empty where there is none.
    static func text(of path: String) -> String {
        (try? String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)) ?? ""
    }

    /// The paths below a folder whose names end in one of `extensions`, sorted.
    static func paths(below folder: String, extensions: Set<String>) -> [String] {
        let all = FileManager.default.enumerator(
            atPath: root.appendingPathComponent(folder).path)
        return (all?.compactMap { $0 as? String } ?? [])
            .filter { extensions.contains(($0 as NSString).pathExtension) }
            .map { "\(folder)/\($0)" }.sorted()
    }

    private static func swiftFiles(below folder: String) -> [SwiftSource] {
        paths(below: folder, extensions: ["swift"])
            .map { SwiftSource(path: $0, text: text(of: $0)) }
    }
}

/// The targets of a manifest and what each depends on.
struct Manifest {
    /// The dependencies of each target: names of targets, and of packages for products.
    private(set) var dependencies: [String: Set<String>] = [:]
    /// The products of packages: the package of each.
    private(set) var packages: [String: String] = [:]

    init(_ text: String) {
        let declaration = /\.(?:target|executableTarget|testTarget)\(\s*name: "(\w+)"/
        let starts = text.matches(of: declaration)
        for (index, match) in starts.enumerated() {
            let end = index + 1 < starts.count ? starts[index + 1].range.lowerBound : text.endIndex
            let body = String(text[match.range.upperBound..<end])
            dependencies[String(match.output.1)] = declared(in: body)
        }
    }

    /// The names in a target's list of dependencies.
    private mutating func declared(in body: String) -> Set<String> {
        guard let start = body.range(of: "dependencies: [") else { return [] }
        var list = ""
        var depth = 1
        for character in body[start.upperBound...] {
            if character == "[" { depth += 1 }
            if character == "]" { depth -= 1 }
            if depth == 0 { break }
            list.append(character)
        }
        var names: Set<String> = []
        for match in list.matches(of: /\.product\(name: "(\w+)",\s*package: "([^"]+)"/) {
            packages[String(match.output.1)] = String(match.output.2)
            names.insert(String(match.output.2))
        }
        let rest = list.replacing(/\.product\([^)]*\)/, with: "")
        for match in rest.matches(of: /"(\w+)"/) { names.insert(String(match.output.1)) }
        return names
    }

    /// What a module's name stands for in a list of dependencies: a target or a package of this
    /// manifest; nil for what comes with the toolchain or the system.
    func dependency(for module: String) -> String? {
        if let package = packages[module] { return package }
        return dependencies[module] == nil ? nil : module
    }
}

/// The table of targets in docs/architecture.md: `| Target | One idea | Imports |`.
struct ArchitectureTable {
    /// A row.
    struct Row {
        var target: String
        var imports: Set<String>
    }

    /// The rows in order: a target imports only from rows above its own.
    private(set) var rows: [Row] = []

    init(_ text: String) {
        var isTable = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let cells = line.split(separator: "|", omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: .whitespaces) }
            if cells.count == 5 && cells[1] == "Target" && cells[3] == "Imports" {
                isTable = true
            } else if !line.hasPrefix("|") {
                isTable = false
            } else if isTable, cells.count == 5, let target = Self.names(cells[1]).first {
                rows.append(Row(target: target, imports: Set(Self.names(cells[3]))))
            }
        }
    }

    /// The names between backticks.
    private static func names(_ cell: String) -> [String] {
        cell.matches(of: /`([^`]+)`/).map { String($0.output.1) }
    }
}
