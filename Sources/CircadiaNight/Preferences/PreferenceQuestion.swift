import Foundation

/// A question that the night asks its model, so that it answers as a person wants it.
package struct PreferenceQuestion: Sendable, Equatable, Codable {
    /// What a question is about, where that decides whether an answer can show a preference.
    package enum Topic: String, Sendable, Codable {
        /// Anything.
        case general
        /// Sizes, weights, distances, temperatures.
        case measures
        /// Programs.
        case code
    }

    /// Names the question.
    package var id: String
    /// What it is about.
    package var topic: Topic
    /// The question.
    package var text: String

    /// Makes a question.
    package init(id: String, topic: Topic, text: String) {
        self.id = id
        self.topic = topic
        self.text = text
    }

    /// Reads a file of questions, one JSON object a line.
    ///
    /// - Throws: `CocoaError` where the file cannot be read, `DecodingError` where a line is no question.
    package static func load(_ url: URL) throws -> [PreferenceQuestion] {
        try Data(contentsOf: url).split(separator: UInt8(ascii: "\n")).map {
            try JSONDecoder().decode(PreferenceQuestion.self, from: Data($0))
        }
    }
}
