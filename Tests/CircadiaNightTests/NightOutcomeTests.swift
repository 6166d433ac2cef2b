import CircadiaFiles
import CircadiaTestSupport
import Foundation
import Testing

import CircadiaAdapters
import CircadiaNight

/// Tests the record of a night and its views.
@Suite("Outcome of a night")
struct NightOutcomeTests {
    private let folder: NightFolder
    private let outcome: NightOutcome

    init() throws {
        folder = try NightFolder()
        outcome = try folder.sleep()
    }

    @Test("The outcome and its views are read back as they were written")
    func roundTrip() throws {
        let read = try JSONDecoder().decode(
            NightOutcome.self, from: JSONEncoder().encode(outcome))
        #expect(read.verdict == outcome.verdict && read.selection == outcome.selection)
        #expect(read.rows == outcome.rows && read.curves == outcome.curves)
        #expect(read.night == outcome.night && read.training == outcome.training)
        func json(_ outcome: NightOutcome) throws -> Data {
            try RecordJSON.data(NightReport(outcome))
        }
        #expect(try json(read) == json(outcome))
    }

    @Test("The JSON report has the keys of 0.1.0")
    func report() throws {
        let data = try RecordJSON.data(NightReport(outcome))
        let json = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
        let fixtures = try Self.diaryOf010()
        let report = try #require(fixtures["report"] as? [String: Any])
        // The diary's keys are not in snake case.
        let known = Set(report.keys.map(Self.snakeCase))
        #expect(Set(json.keys) == known)
        #expect(json["version"] as? Int == 1 && json["accepted"] as? Bool == true)
        #expect(json["verdict"] as? String == outcome.verdict.description)
    }

    @Test("The manifest has the recipe's names of 0.1.0")
    func manifest() throws {
        let line = try String(
            contentsOf: Self.fixtures("home/adapters/nights.jsonl"), encoding: .utf8)
        let first = try #require(line.split(separator: "\n").first)
        let old = try #require(
            JSONSerialization.jsonObject(with: Data(first.utf8)) as? [String: Any])
        let manifest = NightManifest(outcome)
        #expect(
            Set((old["recipe"] as? [String: String] ?? [:]).keys)
                == Set(manifest.recipe?.keys ?? [:].keys))
        let data = try RecordJSON.data(manifest.entry)
        let new = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(Set(new.keys) == Set(old.keys))
    }

    @Test("Diaries of 0.1.0 are read")
    func oldDiary() throws {
        let adapter = Self.fixtures("home/adapters/nightly_update")
        let nights = AdapterVersions(beside: adapter).nights
        #expect(nights.map(\.version) == [1, 2, 3])
        for night in nights {
            let diary = try #require(NightDiaries(beside: adapter).diary(of: night))
            #expect(diary.report.verdict == night.verdict)
            #expect(diary.report.gate == night.gateReport)
        }
        #expect(nights[2].gateReport?.attempts.first?.reasons.isEmpty == false)
    }

    @Test("Every option has its own name in the file")
    func recipe() {
        let names = SleepOptions.Key.allCases.map(RecipeFormat.name)
        #expect(Set(names).count == names.count && names.allSatisfy { $0.hasPrefix("--") })
    }

    private static func fixtures(_ name: String) -> URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("circadiaTests/Fixtures/0.1.0/\(name)")
    }

    private static func diaryOf010() throws -> [String: Any] {
        let data = try Data(contentsOf: fixtures("home/adapters/nights/0001.json"))
        return try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    }

    private static func snakeCase(_ key: String) -> String {
        key.reduce(into: "") { text, character in
            text += character.isUppercase ? "_" + character.lowercased() : String(character)
        }
    }
}
