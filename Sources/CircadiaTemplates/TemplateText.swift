import CircadiaFiles
import Foundation

/// A chat template and the file that it was found in.
package struct TemplateText: Equatable {
    /// The path of the file, for messages.
    package var path: String
    /// The template itself, in Jinja.
    package var text: String

    /// The error for a template that cannot be rendered.
    package var unknown: TemplateError {
        .unknownTemplate(path: path, beginning: String(text.prefix(60)))
    }

    /// Finds a template: first in `chat_template.jinja`, then in `tokenizer_config.json`.
    ///
    /// - Returns: nil if neither contains one.
    /// - Throws: `TemplateError.unreadable` or `.malformed`.
    package static func find(in directory: URL) throws(TemplateError) -> TemplateText? {
        let file = directory.appendingPathComponent("chat_template.jinja")
        if FileManager.default.fileExists(atPath: file.path) {
            guard let data = try? Data(contentsOf: file) else {
                throw .unreadable(path: file.path, reason: "it cannot be opened")
            }
            return TemplateText(path: file.path, text: String(decoding: data, as: UTF8.self))
        }
        let configuration = directory.appendingPathComponent("tokenizer_config.json")
        guard FileManager.default.fileExists(atPath: configuration.path) else { return nil }
        guard let data = try? Data(contentsOf: configuration, options: .mappedIfSafe) else {
            throw .unreadable(path: configuration.path, reason: "it cannot be opened")
        }
        do throws(JSONReader.Failure) {
            let text = try JSONReader.reading(data, readTemplate)
            return text.map { TemplateText(path: configuration.path, text: $0) }
        } catch {
            throw .malformed(
                path: configuration.path, byte: error.byte, expected: error.expected,
                found: error.found)
        }
    }

    /// Reads the value of `chat_template`: a string, or a list of named templates of which
    /// "default" counts.
    private static func readTemplate(
        _ reader: inout JSONReader
    ) throws(JSONReader.Failure) -> String? {
        var template: String?
        var members = try reader.beginObject()
        while let key = try members.nextKey(&reader) {
            guard key.equals("chat_template", in: reader.bytes) else {
                try reader.skip()
                continue
            }
            if try reader.peek() == .array {
                template = try readNamedTemplates(&reader)
            } else {
                template = try reader.optionalText()
            }
        }
        try reader.end()
        return template
    }

    private static func readNamedTemplates(
        _ reader: inout JSONReader
    ) throws(JSONReader.Failure) -> String? {
        var chosen: String?
        var elements = try reader.beginArray()
        while try elements.next(&reader) {
            var name = ""
            var text: String?
            var members = try reader.beginObject()
            while let key = try members.nextKey(&reader) {
                switch key.text(in: reader.bytes) {
                case "name": name = try reader.text()
                case "template": text = try reader.text()
                default: try reader.skip()
                }
            }
            if name == "default" { chosen = text }
        }
        return chosen
    }
}
