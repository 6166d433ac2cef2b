import Foundation
import Testing

/// A fortnight of scheduled nights in a row, as `Benchmarks/nights/year.py` holds a year of them: its own checks
/// say whether an exchange was lost or something grows.
@Suite("Many nights", .enabled(if: Program.hasModel && YearTests.python != nil))
struct YearTests {
    static let python = ["/usr/bin/python3", "/usr/local/bin/python3", "/opt/homebrew/bin/python3"]
        .first(where: FileManager.default.isExecutableFile)

    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../Benchmarks/nights/year.py").standardizedFileURL

    @Test("After a fortnight every exchange is where it belongs, and old versions have gone")
    func fortnight() throws {
        let folder = try Program.Folder()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Self.python))
        process.arguments = [
            Self.script.path, Program.executable.path, "--nights", "14", "--no-rag", "--folder",
            folder.url.appendingPathComponent("year").path, "--out",
            folder.url.appendingPathComponent("year.jsonl").path, "--", "--no-gate", "--threads",
            "1",
            "--keep-versions", "5", "--iters", "12",
        ]
        let errors = Pipe()
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        try process.run()
        let said = String(
            decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(said.suffix(2000))")
        let rows = try folder.jsonLines("year.jsonl")
        let summary = try #require(rows.last?["summary"] as? [String: Any])
        #expect(summary["nights"] as? Int == 14 && summary["versions"] as? Int == 5)
        let counts = ["said", "trained", "held_out", "left_out"].map { summary[$0] as? Int ?? 0 }
        #expect(counts[0] > 50 && counts[1] > counts[0] / 2 && counts[2] > 0)
    }
}
