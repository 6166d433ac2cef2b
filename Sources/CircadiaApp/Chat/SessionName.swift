import Foundation

/// Names a conversation after its first moment.
enum SessionName {
    /// The time, and four random letters that tell it from others of the same second.
    static func make() -> String {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime]
        return formatter.string(from: Date()) + "-"
            + String(UUID().uuidString.prefix(4).lowercased())
    }
}
