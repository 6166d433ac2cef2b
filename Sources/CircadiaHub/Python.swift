import CircadiaFormats
import Foundation
import Subprocess

#if canImport(System)
    import System
#else
    import SystemPackage
#endif

/// Runs Python's own modules, which know how to reach their package registry.
package struct Python: Sendable {
    private let interpreter: String

    /// An interpreter, by name or path.
    package init(_ interpreter: String) {
        self.interpreter = interpreter
    }

    /// Bytes of a module's output that are kept for its error message.
    private static let outputLimit = 1 << 24

    /// Runs a module and waits.
    ///
    /// Python runs isolated (`-I`): neither modules that lie in the folder where the program was
    /// started nor `PYTHONPATH` take the place of its own.
    ///
    /// - Parameters:
    ///   - module: the module's name.
    ///   - arguments: what it is given.
    ///   - folder: the folder to run in.
    /// - Throws: `FormatError.store` with `.toolMissing` or `.toolFailed`.
    func run(module: String, _ arguments: [String], in folder: URL) async throws(FormatError) {
        let shown = "\(interpreter) -m \(module) \(arguments.first ?? "")"
        let executable: Executable =
            interpreter.contains("/") ? .path(FilePath(interpreter)) : .name(interpreter)
        let outcome: (status: TerminationStatus, output: String?)
        do {
            let result = try await Subprocess.run(
                executable, arguments: Arguments(["-I", "-m", module] + arguments),
                workingDirectory: FilePath(folder.path), input: .none,
                output: .string(limit: Self.outputLimit), error: .combinedWithOutput)
            outcome = (result.terminationStatus, result.standardOutput)
        } catch let error as SubprocessError where error.code == .executableNotFound {
            throw .store(.toolMissing(tool: shown, reason: "\(interpreter) was not found"))
        } catch {
            throw .store(.toolMissing(tool: shown, reason: "\(error)"))
        }
        let status: Int32
        switch outcome.status {
        case .exited(let code): status = Int32(code)
        case .signaled(let signal): status = Int32(signal)
        }
        if outcome.status.isSuccess { return }
        let lines = (outcome.output ?? "").split(separator: "\n").suffix(5).joined(separator: "\n")
        throw .store(.toolFailed(tool: shown, status: status, output: lines))
    }
}
