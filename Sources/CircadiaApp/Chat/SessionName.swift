import Foundation

/// Names a conversation after the time it starts.
enum SessionName {
    /// The time in RFC 3339, and four random characters in case two start in the same second.
    static func make() -> String {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime]
        return formatter.string(from: Date()) + "-"
            + String(UUID().uuidString.prefix(4).lowercased())
    }
}
