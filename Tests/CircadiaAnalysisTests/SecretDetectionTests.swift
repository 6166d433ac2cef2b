import CircadiaTestSupport
import Foundation
import Testing

import CircadiaAnalysis

/// How well secrets are found, on cases written for this project: `Tools/write_secret_cases.py`.
@Suite("Secrets")
struct SecretDetectionTests {
    private static let fixtures = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("Fixtures/Secrets")

    /// What is secret, what of it is found, and what is found besides.
    private struct Score {
        var secrets = 0
        var found = 0
        var rightFindings = 0
        var wrongFindings = 0
        var missed: [String] = []

        var recall: Double { Double(found) / Double(max(1, secrets)) }
        var precision: Double {
            Double(rightFindings) / Double(max(1, rightFindings + wrongFindings))
        }

        /// A secret counts as found only where all of it is; every finding that touches none is wrong.
        mutating func count(_ labelled: LabelledText) {
            let findings = SecretDetector.secrets(in: labelled.text)
            for secret in labelled.secrets {
                secrets += 1
                let isFound = findings.contains {
                    $0.range.lowerBound <= secret.lowerBound
                        && $0.range.upperBound >= secret.upperBound
                }
                if isFound { found += 1 } else { missed.append(labelled.text) }
            }
            for finding in findings {
                if labelled.secrets.contains(where: { $0.overlaps(finding.range) }) {
                    rightFindings += 1
                } else {
                    wrongFindings += 1
                    missed.append("not secret: " + labelled.text)
                }
            }
        }
    }

    private static func cases(_ name: String, seed: UInt64) throws -> [LabelledText] {
        try LabelledText.read(fixtures.appendingPathComponent(name + ".tsv"), seed: seed)
    }

    @Test("There are 300 positives and 1,000 hard negatives at least")
    func sizes() throws {
        let positives = try Self.cases("positive", seed: 1)
        #expect(positives.count >= 300 && positives.allSatisfy { !$0.secrets.isEmpty })
        let negatives = try Self.cases("negative", seed: 1)
        #expect(negatives.count >= 1000 && negatives.allSatisfy { $0.secrets.isEmpty })
    }

    @Test(
        "Recall is at least 0.98, precision at least 0.95, also on what was not tuned on",
        arguments: ["tuning", "heldout"], [UInt64(1), 2, 3])
    func measured(part: String, seed: UInt64) throws {
        var score = Score()
        for name in ["positive", "negative"] {
            for labelled in try Self.cases(name, seed: seed) where labelled.part == part {
                score.count(labelled)
            }
        }
        print(
            "secrets, \(part), seed \(seed): \(score.found) of \(score.secrets) found, "
                + "\(score.wrongFindings) wrong; recall \(score.recall), "
                + "precision \(score.precision)")
        #expect(score.recall >= 0.98, "\(score.missed.prefix(20))")
        #expect(score.precision >= 0.95, "\(score.missed.prefix(20))")
    }

    @Test("A redacted text holds no secret, and redacting it again changes nothing")
    func idempotent() throws {
        var (secrets, gone) = (0, 0)
        for labelled in try Self.cases("positive", seed: 4) {
            let (text, kinds) = Redactor.redact(labelled.text)
            secrets += labelled.secrets.count
            gone += labelled.secrets.count { !text.contains(labelled.text[$0]) }
            #expect(Redactor.isMarked(text) == !kinds.isEmpty)
            let again = Redactor.redact(text)
            #expect(again.text == text, "\(labelled.kind): \(text) became \(again.text)")
            for secret in labelled.secrets where kinds.count >= labelled.secrets.count {
                #expect(!text.contains(labelled.text[secret]))
            }
        }
        #expect(secrets > 100)
        #expect(Double(gone) >= 0.98 * Double(secrets), "\(gone) of \(secrets) are gone")
    }

    @Test("What is around a secret stays as it was")
    func surroundings() {
        let key = "gsk" + "_" + String(repeating: "aB3", count: 17)
        #expect(
            Redactor.redact("Mein Schlüssel 🔑 „\(key)“, bitte.").text
                == "Mein Schlüssel 🔑 „[redacted: API key]“, bitte.")
        #expect(Redactor.redact("nothing here").text == "nothing here")
        #expect(Redactor.redact("").kinds.isEmpty)
    }

    @Test("A long text takes time in proportion")
    func speed() {
        // Quadratic patterns would take hours here.
        let line =
            "key: value, a token of words = and \"quoted\" text: http://example.org/a@b 1234 "
        let text = String(repeating: line, count: 4000)
        #expect(SecretDetector.secrets(in: text).isEmpty)
        #expect(SecretDetector.secrets(in: String(repeating: "a", count: 200_000)).isEmpty)
        #expect(SecretDetector.secrets(in: String(repeating: "-----BEGIN ", count: 5000)).isEmpty)
    }
}
