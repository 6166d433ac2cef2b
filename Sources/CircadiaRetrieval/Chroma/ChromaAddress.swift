import Foundation

/// Where a collection lives: a server, and the tenant, database and name of the collection in it.
///
/// Written as Chroma's own HTTP API names it,
/// `http://host:8000/api/v2/tenants/T/databases/D/collections/C`; what is left out has a default.
package struct ChromaAddress: Sendable, Hashable, CustomStringConvertible {
    /// The variable of the environment that holds the server's token, where it asks for one.
    package static let tokenVariable = "CIRCADIA_CHROMA_TOKEN"

    /// Scheme, host, port and, behind some proxies, the beginning of the path; no final slash.
    package let server: String
    /// The tenant; `default_tenant` unless named.
    package let tenant: String
    /// The database of the tenant; `default_database` unless named.
    package let database: String
    /// The collection's name; `circadia` unless named.
    package let collection: String

    /// Reads an address.
    ///
    /// - Parameter text: such as `http://127.0.0.1:8000`.
    /// - Throws: `chromaAddressInvalid`. Names and passwords are refused: what is in an argument
    ///   shows in every list of processes.
    package init(_ text: String) throws {
        guard let parts = URLComponents(string: text), let host = parts.host, !host.isEmpty,
            let scheme = parts.scheme?.lowercased(), ["http", "https"].contains(scheme),
            parts.user == nil, parts.password == nil, parts.query == nil, parts.fragment == nil
        else { throw RetrievalError.chromaAddressInvalid(address: Self.withoutUser(text)) }
        var path = parts.path.split(separator: "/").map(String.init)
        var names = ["default_tenant", "default_database", "circadia"]
        if let api = path.firstIndex(of: "api") {
            let rest = Array(path[(api + 1)...])
            path.removeSubrange(api...)
            guard rest.first == "v2" else {
                throw RetrievalError.chromaAddressInvalid(address: text)
            }
            let pairs = stride(from: 1, to: rest.count, by: 2).map { ($0, rest[$0]) }
            for ((position, key), (index, expected)) in zip(
                pairs, ["tenants", "databases", "collections"].enumerated())
            {
                guard key == expected, position + 1 < rest.count else {
                    throw RetrievalError.chromaAddressInvalid(address: text)
                }
                names[index] = rest[position + 1]
            }
            guard rest.count <= 7 else { throw RetrievalError.chromaAddressInvalid(address: text) }
        }
        let bracketed = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        server =
            scheme + "://" + bracketed.lowercased() + (parts.port.map { ":\($0)" } ?? "")
            + path.map { "/" + $0 }.joined()
        (tenant, database, collection) = (names[0], names[1], names[2])
    }

    /// The database's path in the API.
    var databasePath: String {
        "/api/v2/tenants/\(Self.escaped(tenant))/databases/\(Self.escaped(database))"
    }

    /// The whole address, defaults written out.
    package var description: String {
        "\(server)\(databasePath)/collections/\(Self.escaped(collection))"
    }

    static func escaped(_ name: String) -> String {
        name.addingPercentEncoding(
            withAllowedCharacters: .alphanumerics.union(.init("-._~".unicodeScalars)))
            ?? name
    }

    private static func withoutUser(_ text: String) -> String {
        guard let at = text.lastIndex(of: "@"), let start = text.range(of: "//") else {
            return text
        }
        return at < start.upperBound
            ? text : text[..<start.upperBound] + "…" + text[at...]
    }
}
