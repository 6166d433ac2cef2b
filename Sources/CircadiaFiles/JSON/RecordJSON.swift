import Foundation

/// How records are put into JSON: lines of `nights.jsonl` and `experiments.jsonl`, `night.json`,
/// diaries, and what the program prints with `--json`.
///
/// Keys are sorted, so the same record is the same bytes. Times are ISO 8601. A night that went
/// astray has numbers that JSON lacks; they are the strings `inf`, `-inf` and `nan`.
package enum RecordJSON {
    /// How the names of properties become keys.
    package enum Keys: Sendable {
        /// `heldOutLoss` becomes `held_out_loss`.
        case snakeCase
        /// As they are.
        case asDeclared
    }

    /// The record as one line, or spread over lines where `pretty`, without a line feed at the end.
    ///
    /// - Throws: what the record's own coding throws.
    package static func data(
        _ record: some Encodable, keys: Keys = .snakeCase, pretty: Bool = false
    ) throws -> Data {
        let encoder = JSONEncoder()
        if keys == .snakeCase { encoder.keyEncodingStrategy = .convertToSnakeCase }
        encoder.dateEncodingStrategy = .iso8601
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
        return try encoder.encode(record)
    }

    /// The record as the bytes of a file, line feed included.
    ///
    /// - Parameters:
    ///   - record: what to write.
    ///   - url: the file, for messages.
    ///   - keys: how property names become keys.
    ///   - pretty: spreads the record over lines.
    /// - Returns: the bytes, in UTF-8.
    /// - Throws: `FileError.notEncodable`.
    package static func bytes(
        _ record: some Encodable, for url: URL, keys: Keys = .snakeCase, pretty: Bool = false
    ) throws(FileError) -> [UInt8] {
        do {
            return try [UInt8](data(record, keys: keys, pretty: pretty)) + [UInt8(ascii: "\n")]
        } catch {
            throw .notEncodable(path: url.path)
        }
    }

    /// A decoder for what `data` wrote.
    package static func decoder(keys: Keys = .snakeCase) -> JSONDecoder {
        let decoder = JSONDecoder()
        if keys == .snakeCase { decoder.keyDecodingStrategy = .convertFromSnakeCase }
        decoder.dateDecodingStrategy = .iso8601
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return decoder
    }

    /// Adds a record to a file of lines; makes the file (0600) and its folder where they are missing.
    ///
    /// - Throws: `FileError`; the file is as it was then.
    package static func append(_ record: some Encodable, to url: URL) throws(FileError) {
        try LineFile(url).append(try bytes(record, for: url))
    }

    /// Puts a record, spread over lines and without a line feed at its end, in the place of a file;
    /// makes the folder where it is missing.
    ///
    /// - Throws: `FileError`; the old file is as it was then.
    package static func replace(
        _ url: URL, with record: some Encodable, keys: Keys = .snakeCase
    ) throws(FileError) {
        let bytes = try bytes(record, for: url, keys: keys, pretty: true)
        try Folder.create(url.deletingLastPathComponent())
        try DurableFile.replace(url, with: bytes.dropLast())
    }
}
