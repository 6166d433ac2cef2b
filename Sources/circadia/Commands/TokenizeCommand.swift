import ArgumentParser
import Foundation

/// `circadia tokenize`: text to token ids and back.
struct TokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize", abstract: "Turn text into token ids, or ids into text.")

    @Option(help: ArgumentHelp("Read this file instead of standard input.", valueName: "file"))
    var file: String?

    @Flag(help: "Turn ids (separated by spaces, commas or newlines) into text.")
    var decode = false

    @Flag(help: "Treat special tokens in the text as plain text.")
    var noSpecial = false

    @OptionGroup var model: ModelOptions
    @OptionGroup var output: OutputOptions

    struct Result: Encodable { let ids: [Int32] }
    struct Text: Encodable { let text: String }

    func run() throws {
        let tokenizer = try model.loadTokenizer()
        let input = try InputText.read(file: file)
        if decode {
            let ids = try Self.parseIDs(input, vocabularySize: tokenizer.vocabularySize)
            let text = tokenizer.decode(ids)
            if output.json {
                try output.console.json(Text(text: text))
            } else {
                output.console.stream(text)
            }
            return
        }
        let ids = tokenizer.encode(input, special: noSpecial ? .plain : .parse)
        if output.json {
            try output.console.json(Result(ids: ids))
        } else {
            output.console.result(ids.map(String.init).joined(separator: " "))
            output.console.note("\(ids.count) tokens")
        }
    }

    static func parseIDs(_ text: String, vocabularySize: Int) throws -> [Int32] {
        try text.split { " ,\n\r\t[]".contains($0) }.map { word in
            guard let id = Int32(word), id >= 0, Int(id) < vocabularySize else {
                throw ValidationError(
                    "“\(word)” is not a token id; give whole numbers from 0 to \(vocabularySize - 1)"
                )
            }
            return id
        }
    }
}

/// Text given as a file or on standard input.
enum InputText {
    static func read(file: String?) throws -> String {
        guard let file else {
            return String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self)
        }
        do {
            return String(
                decoding: try Data(contentsOf: URL(fileURLWithPath: file)), as: UTF8.self)
        } catch {
            throw CommandFailure(
                "\(file): the file cannot be read; check the path and its permissions")
        }
    }
}

/// A failure of a command, with its whole message.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
