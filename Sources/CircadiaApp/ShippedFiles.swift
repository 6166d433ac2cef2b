import Foundation

/// Finds the data files that ship with the program: `eval/harness.jsonl`, `samples/week.jsonl`.
package enum ShippedFiles {
    /// Finds a file by its path inside `data`. Looks in `./data`, then in the checkout that the
    /// program was built in, then in `../share/circadia` of the program's folder.
    ///
    /// - Returns: the file; nil if it is in none of them.
    package static func locate(_ relativePath: String) -> URL? {
        candidates.map { $0.appendingPathComponent(relativePath) }.first {
            FileManager.default.fileExists(atPath: $0.path)
        }
    }

    /// The folders to search, in order.
    package static var candidates: [URL] {
        let program = (Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0]))
            .resolvingSymlinksInPath()
        var folders = [URL(fileURLWithPath: "data", isDirectory: true)]
        var folder = program.deletingLastPathComponent()
        while folder.pathComponents.count > 1 {
            if folder.lastPathComponent == ".build" {
                folders.append(folder.deletingLastPathComponent().appendingPathComponent("data"))
                break
            }
            folder.deleteLastPathComponent()
        }
        folders.append(
            program.deletingLastPathComponent().deletingLastPathComponent()
                .appendingPathComponent("share/circadia"))
        return folders
    }
}
