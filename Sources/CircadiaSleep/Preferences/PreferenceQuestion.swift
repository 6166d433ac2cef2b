import Foundation

/// A question that the night asks its model, so that it answers as a person wants it.
public struct PreferenceQuestion: Sendable, Equatable, Codable {
    /// What a question is about, where that decides whether an answer can show a preference.
    public enum Topic: String, Sendable, Codable {
        /// Anything.
        case general
        /// Sizes, weights, distances, temperatures.
        case measures
        /// Programs.
        case code
    }

    /// Names the question.
    public var id: String
    /// What it is about.
    public var topic: Topic
    /// The question.
    public var text: String

    /// Makes a question.
    public init(id: String, topic: Topic, text: String) {
        self.id = id
        self.topic = topic
        self.text = text
    }

    /// Reads a file of questions, one JSON object a line.
    ///
    /// - Throws: `CocoaError` where the file cannot be read, `DecodingError` where a line is no question.
    public static func load(_ url: URL) throws -> [PreferenceQuestion] {
        try Data(contentsOf: url).split(separator: UInt8(ascii: "\n")).map {
            try JSONDecoder().decode(PreferenceQuestion.self, from: Data($0))
        }
    }
}
