import CircadiaFiles
import Foundation

extension Dataset {
    /// Turns the published file into ShareGPT lines, which every command here reads as a log:
    /// `{"conversations":[{"from":"human","value":…},{"from":"gpt","value":…}]}`.
    ///
    /// - Parameters:
    ///   - source: the published file.
    ///   - output: where the lines go; it appears whole or not at all.
    /// - Returns: how many records were written; those without an answer are left out.
    /// - Throws: `unreadable`, `unwritable`, `datasetMalformed` with the record (Dolly: the line)
    ///   that is wrong.
    @discardableResult
    package func convert(_ source: URL, to output: URL) throws -> Int {
        let file = try OpenFile(source, flags: O_RDONLY, failure: .read)
        try Folder.create(output.deletingLastPathComponent())
        let written = try FileReplacement(of: output)
        let count = try write(from: file, to: written)
        try written.commit()
        return count
    }

    private func write(from file: OpenFile, to written: FileReplacement) throws -> Int {
        var pending: [UInt8] = []
        var count = 0
        func take(_ record: Record) throws {
            guard let line = record.line else { return }
            pending += line
            count += 1
            if pending.count > 1 << 20 {
                try pending.withUnsafeBytes { try written.write($0) }
                pending.removeAll(keepingCapacity: true)
            }
        }
        let bytes = try file.bytes(at: 0, count: try file.size())
        for (index, record) in try records(in: bytes, path: file.path).enumerated() {
            guard let record else { throw malformed(file.path, index + 1) }
            try take(record)
        }
        guard count > 0 else { throw malformed(file.path, 1) }
        try pending.withUnsafeBytes { try written.write($0) }
        return count
    }

    private func malformed(_ path: String, _ record: Int) -> DownloadError {
        .datasetMalformed(path: path, record: record, expected: expected)
    }

    private var expected: String {
        switch self {
        case .dolly: "JSON lines with “instruction”, “context” and “response”"
        case .alpaca: "a JSON list of objects with “instruction”, “input” and “output”"
        }
    }

    /// The records in order; nil for one that is broken, after which nothing more is looked at.
    private func records(
        in bytes: [UInt8], path: String
    ) throws(DownloadError) -> [Record?] {
        switch self {
        case .dolly:
            var records: [Record?] = []
            let lines = bytes.split(separator: UInt8(ascii: "\n"))
            records.reserveCapacity(lines.count)
            for line in lines where line.contains(where: { $0 > UInt8(ascii: " ") }) {
                let object = try? JSONDecoder().decode(DollyRecord.self, from: Data(line))
                records.append(
                    object.map {
                        Record(
                            question: $0.instruction, material: $0.context ?? "",
                            answer: $0.response)
                    })
                if object == nil { break }
            }
            return records
        case .alpaca:
            guard
                let list = try? JSONDecoder().decode(
                    [Lenient<AlpacaRecord>].self, from: Data(bytes))
            else { throw malformed(path, 1) }
            return list.map { item in
                item.value.map {
                    Record(question: $0.instruction, material: $0.input ?? "", answer: $0.output)
                }
            }
        }
    }
}

private struct DollyRecord: Decodable {
    var instruction: String
    var context: String?
    var response: String
}

private struct AlpacaRecord: Decodable {
    var instruction: String
    var input: String?
    var output: String
}

/// An element of a list, or nil where it is not what it should be.
private struct Lenient<Value: Decodable>: Decodable {
    let value: Value?
    init(from decoder: any Decoder) throws { value = try? Value(from: decoder) }
}

/// One instruction with its answer.
private struct Record {
    let question: String
    let material: String
    let answer: String

    /// The ShareGPT line; nil where there is nothing to learn.
    var line: [UInt8]? {
        let material = material.trimmingCharacters(in: .whitespacesAndNewlines)
        let question = question.trimmingCharacters(in: .whitespacesAndNewlines)
        let answer = answer.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !question.isEmpty, !answer.isEmpty else { return nil }
        let asked = material.isEmpty ? question : question + "\n\n" + material
        guard let asked = Self.json(asked), let answered = Self.json(answer) else { return nil }
        return Array(#"{"conversations":[{"from":"human","value":"#.utf8) + asked
            + Array(#"},{"from":"gpt","value":"#.utf8) + answered + Array("}]}\n".utf8)
    }

    private static func json(_ text: String) -> Data? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return try? encoder.encode(text)
    }
}
