import Foundation

/// Finds the data files that ship with the program: `eval/harness.jsonl`, `samples/week.jsonl`.
package enum ShippedFiles {
    /// The first of: `./data`, the checkout that the program was built in, and `share/circadia` beside
    /// the folder it is installed in. Nil where none has the file.
    package static func locate(_ relativePath: String) -> URL? {
        candidates.map { $0.appendingPathComponent(relativePath) }.first {
            FileManager.default.fileExists(atPath: $0.path)
        }
    }

    /// The folders that are looked at, in order.
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
