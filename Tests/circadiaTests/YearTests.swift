import Foundation
import Testing

import CircadiaFiles
import circadia

/// The script and the Python that runs it; nil if there is no Python.
private enum YearScript {
    static let python = ["/usr/bin/python3", "/usr/local/bin/python3", "/opt/homebrew/bin/python3"]
        .first(where: FileManager.default.isExecutableFile)
    static let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../Benchmarks/nights/year.py").standardizedFileURL
}

/// Ten scheduled nights in a row with `Benchmarks/nights/year.py`, which can run a whole year. The
/// script itself checks that no exchange is lost and nothing grows.
@Suite(
    "Many nights",
    .enabled(
        if: Program.hasModel && YearScript.python != nil,
        "smollm2-135m or python3 is missing"))
struct YearTests {
    @Test("After ten nights every exchange is where it belongs, and old versions have gone")
    func tenNights() throws {
        let folder = try Program.Folder()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(YearScript.python))
        process.arguments = [
            YearScript.url.path, Program.executable.path, "--nights", "10", "--no-rag", "--folder",
            folder.url.appendingPathComponent("year").path, "--out",
            folder.url.appendingPathComponent("year.jsonl").path, "--", "--no-gate", "--threads",
            "1",
            "--keep-versions", "5", "--iters", "12", "--preference-pairs", "0",
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
        #expect(summary["nights"] as? Int == 10 && summary["versions"] as? Int == 5)
        let counts = ["said", "trained", "held_out", "left_out"].map { summary[$0] as? Int ?? 0 }
        #expect(counts[0] > 30 && counts[1] > counts[0] / 2 && counts[2] > 0)
    }
}
