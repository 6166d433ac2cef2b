import Foundation

extension JSONValue {
    /// Arrays and objects are nested at most so deep.
    private static let depthLimit = 64

    /// Reads a whole file as one JSON value.
    ///
    /// - Throws: `FileError.unreadable`, `.notRegular`, or `.malformedJSON` with the byte offset.
    package init(contentsOf url: URL) throws(FileError) {
        self = try MappedFile(url).withBytes { (bytes) throws(FileError) in
            try JSONValue(parsing: bytes, path: url.path)
        }
    }

    /// Reads one JSON value (RFC 8259, UTF-8); `path` is for messages.
    ///
    /// - Throws: `FileError.malformedJSON` with the byte offset.
    package init(parsing bytes: UnsafeRawBufferPointer, path: String) throws(FileError) {
        var reader = JSONReader(bytes.bindMemory(to: UInt8.self), allowsMark: false)
        do throws(JSONReader.Failure) {
            self = try JSONValue(&reader, depth: 0)
            try reader.end()
        } catch {
            throw .malformedJSON(path: path, offset: error.byte, problem: error.problem)
        }
    }

    /// Reads the next value of `reader`, inside `depth` arrays and objects.
    private init(_ reader: inout JSONReader, depth: Int) throws(JSONReader.Failure) {
        switch try reader.peek() {
        case .object:
            if depth == Self.depthLimit { throw reader.failure("a flatter value", .tooDeep) }
            self = .object(try Self.members(&reader, depth: depth + 1))
        case .array:
            if depth == Self.depthLimit { throw reader.failure("a flatter value", .tooDeep) }
            var elements = try reader.beginArray()
            var values: [JSONValue] = []
            while try elements.next(&reader) {
                values.append(try JSONValue(&reader, depth: depth + 1))
            }
            self = .array(values)
        case .string: self = .string(try reader.exactText())
        case .number: self = try reader.number()
        case .bool:
            let isTrue = reader.bytes[reader.position] == UInt8(ascii: "t")
            try reader.word(isTrue ? "true" : "false")
            self = .bool(isTrue)
        case .null:
            try reader.word("null")
            self = .null
        }
    }

    private static func members(
        _ reader: inout JSONReader, depth: Int
    ) throws(JSONReader.Failure) -> JSONObject {
        var members = try reader.beginObject()
        var object = JSONObject()
        while let (key, quote) = try members.nextExactKey(&reader) {
            if object[key] != nil {
                var failure = reader.failure("another key", .duplicateKey(key))
                failure.byte = quote
                throw failure
            }
            object[key] = try JSONValue(&reader, depth: depth)
        }
        return object
    }
}
