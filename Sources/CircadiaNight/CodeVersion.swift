import Foundation

/// The version that records of a night name.
package enum CodeVersion {
    /// The released version.
    package static let release = "0.1.0"

    /// The release. If the program runs from a checkout, the commit follows: `0.1.0+1a2b3c4`, with
    /// `-dirty` if files were changed.
    package static let current: String = {
        var folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        while folder.pathComponents.count > 1 {
            folder.deleteLastPathComponent()
            guard folder.lastPathComponent == ".build" else { continue }
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = [
                "git", "-C", folder.deletingLastPathComponent().path, "describe", "--always",
                "--dirty",
            ]
            let output = Pipe()
            process.standardOutput = output
            process.standardError = FileHandle.nullDevice
            guard (try? process.run()) != nil else { return release }
            let data = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            let commit = String(decoding: data, as: UTF8.self)
                .trimmingCharacters(in: .whitespacesAndNewlines)
            return process.terminationStatus == 0 && !commit.isEmpty
                ? "\(release)+\(commit)" : release
        }
        return release
    }()
}
