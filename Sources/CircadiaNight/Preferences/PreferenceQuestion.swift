import Foundation

/// A question that a night asks the model to make a pair for a preference.
package struct PreferenceQuestion: Sendable, Equatable, Codable {
    /// The topic of a question, which decides whether an answer can show a preference.
    package enum Topic: String, Sendable, Codable {
        /// Any other topic.
        case general
        /// Sizes, weights, distances, temperatures.
        case measures
        /// Programming.
        case code
    }

    /// The question's id.
    package var id: String
    /// The question's topic.
    package var topic: Topic
    /// The text of the question.
    package var text: String

    /// Makes a question.
    package init(id: String, topic: Topic, text: String) {
        self.id = id
        self.topic = topic
        self.text = text
    }

    /// Reads a file of questions, one JSON object a line.
    ///
    /// - Throws: `CocoaError` if the file cannot be read, `DecodingError` if a line is not a
    ///   question.
    package static func load(_ url: URL) throws -> [PreferenceQuestion] {
        try Data(contentsOf: url).split(separator: UInt8(ascii: "\n")).map {
            try JSONDecoder().decode(PreferenceQuestion.self, from: Data($0))
        }
    }
}
