import OrderedCollections

/// A JSON value that remembers the order of its keys and tells integers from other numbers.
///
/// Foundation's reader does neither and gives no byte offset of an error.
package enum JSONValue: Sendable, Equatable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number written without fraction and exponent that fits an `Int`.
    case integer(Int)
    /// Any other number.
    case number(Double)
    /// A string.
    case string(String)
    /// An array.
    case array([JSONValue])
    /// An object.
    case object(JSONObject)

    /// The boolean, or nil where this is none.
    package var boolValue: Bool? {
        if case .bool(let value) = self { return value }
        return nil
    }

    /// The integer, or nil where this is none.
    package var intValue: Int? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }

    /// The number as a double, or nil where this is none.
    package var doubleValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// The string, or nil where this is none.
    package var stringValue: String? {
        if case .string(let value) = self { return value }
        return nil
    }

    /// The elements, or nil where this is no array.
    package var arrayValue: [JSONValue]? {
        if case .array(let value) = self { return value }
        return nil
    }

    /// The object, or nil where this is none.
    package var objectValue: JSONObject? {
        if case .object(let value) = self { return value }
        return nil
    }

    /// The value of a key, or nil where this is no object or lacks the key.
    package subscript(key: String) -> JSONValue? { objectValue?[key] }
}

/// The members of a JSON object in their order.
package struct JSONObject: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    private var values: OrderedDictionary<String, JSONValue> = [:]

    /// An empty object.
    package init() {}

    /// An object with these members; a key named again replaces the value.
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        for (key, value) in elements { self[key] = value }
    }

    /// Reads or sets a member; setting nil removes it.
    package subscript(key: String) -> JSONValue? {
        get { values[key] }
        set { values[key] = newValue }
    }

    /// The keys in order.
    package var keys: [String] { Array(values.keys) }

    /// The number of members.
    package var count: Int { values.count }

    /// The members in order.
    package var members: [(key: String, value: JSONValue)] { Array(values) }

    /// Equal where the same keys have the same values, in any order.
    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.count == right.count && left.values.allSatisfy { right.values[$0.key] == $0.value }
    }
}
