import Foundation

extension JSONValue {
    /// The value as UTF-8 text.
    ///
    /// - Parameter indent: spaces for each level; 0 writes everything on one line.
    /// - Returns: the text, without a line end.
    package func text(indent: Int = 0) -> String {
        var out = ""
        write(to: &out, indent: indent, level: 0)
        return out
    }

    private func write(to out: inout String, indent: Int, level: Int) {
        switch self {
        case .null: out += "null"
        case .bool(let value): out += value ? "true" : "false"
        case .integer(let value): out += String(value)
        case .number(let value): out += value.isFinite ? "\(value)" : "null"
        case .string(let value): Self.write(string: value, to: &out)
        case .array(let values):
            Self.writeList(values.count, "[", "]", to: &out, indent: indent, level: level) {
                values[$0].write(to: &$1, indent: indent, level: level + 1)
            }
        case .object(let object):
            let members = object.members
            Self.writeList(members.count, "{", "}", to: &out, indent: indent, level: level) {
                Self.write(string: members[$0].key, to: &$1)
                $1 += indent > 0 ? ": " : ":"
                members[$0].value.write(to: &$1, indent: indent, level: level + 1)
            }
        }
    }

    private static func writeList(
        _ count: Int, _ open: String, _ close: String, to out: inout String, indent: Int,
        level: Int, _ element: (Int, inout String) -> Void
    ) {
        out += open
        for index in 0..<count {
            if index > 0 { out += "," }
            if indent > 0 { out += "\n" + String(repeating: " ", count: indent * (level + 1)) }
            element(index, &out)
        }
        if indent > 0, count > 0 {
            out += "\n" + String(repeating: " ", count: indent * level)
        }
        out += close
    }

    private static func write(string: String, to out: inout String) {
        out += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        out += "\""
    }
}

extension JSONValue: Codable {
    /// Reads any JSON value through a decoder.
    package init(from decoder: any Decoder) throws {
        if let container = try? decoder.container(keyedBy: AnyKey.self) {
            var object = JSONObject()
            for key in container.allKeys {
                object[key.stringValue] = try container.decode(JSONValue.self, forKey: key)
            }
            self = .object(object)
            return
        }
        if var container = try? decoder.unkeyedContainer() {
            var values: [JSONValue] = []
            while !container.isAtEnd { values.append(try container.decode(JSONValue.self)) }
            self = .array(values)
            return
        }
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else {
            self = .string(try container.decode(String.self))
        }
    }

    /// Writes any JSON value through an encoder.
    package func encode(to encoder: any Encoder) throws {
        switch self {
        case .object(let object):
            var container = encoder.container(keyedBy: AnyKey.self)
            for (key, value) in object.members {
                try container.encode(value, forKey: AnyKey(stringValue: key))
            }
        case .array(let values):
            var container = encoder.unkeyedContainer()
            for value in values { try container.encode(value) }
        case .null:
            var container = encoder.singleValueContainer()
            try container.encodeNil()
        case .bool(let value):
            var container = encoder.singleValueContainer()
            try container.encode(value)
        case .integer(let value):
            var container = encoder.singleValueContainer()
            try container.encode(value)
        case .number(let value):
            var container = encoder.singleValueContainer()
            try container.encode(value)
        case .string(let value):
            var container = encoder.singleValueContainer()
            try container.encode(value)
        }
    }

    /// A coding key of any name.
    package struct AnyKey: CodingKey {
        /// The key.
        package let stringValue: String
        /// Always nil: keys of JSON objects are texts.
        package var intValue: Int? { nil }
        /// The key of this name.
        package init(stringValue: String) { self.stringValue = stringValue }
        /// Always nil.
        package init?(intValue: Int) { nil }
    }
}
