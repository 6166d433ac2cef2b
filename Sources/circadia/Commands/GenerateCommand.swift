import ArgumentParser
import CircadiaConversation
import CircadiaModel
import Foundation

/// `circadia generate`: one prompt, one answer.
struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Answer one prompt without logging it.")

    @Option(help: "The prompt. (default: standard input)")
    var prompt: String?

    @Flag(help: "Continue the text without a chat template.")
    var raw = false

    @Option(help: "A system message for the model.")
    var system: String?

    @OptionGroup var sampling: SamplingFlags
    @OptionGroup var model: ModelOptions
    @OptionGroup var adapter: AdapterOptions
    @OptionGroup var output: OutputOptions

    struct Result: Encodable {
        let text: String
        let promptTokens, generatedTokens, draftedTokens, acceptedTokens: Int
        let promptTps, generationTps: Double
        let finishReason: String
    }

    func run() throws {
        let console = output.console
        let text = try prompt ?? InputText.read(file: nil)
        if text.isEmpty { throw CommandFailure("the prompt is empty; give --prompt TEXT") }
        let loaded = try model.loadModel()
        let adapted = try adapter.apply(to: loaded, console: console)
        let tokenizer = try loaded.makeTokenizer()
        let template = try loaded.makeTemplate(tokenizer)
        var ids = tokenizer.encode(text)
        if !raw {
            var messages = [ChatMessage(role: .user, content: text)]
            if let system { messages.insert(ChatMessage(role: .system, content: system), at: 0) }
            ids = template.render(messages, addGenerationPrompt: true).ids
        }
        var options = sampling.options
        options.seed = model.seed
        Interrupt.install()
        let result = try adapted.generate(
            prompt: ids, tokenizer: tokenizer, stopTokens: template.stopTokens, options: options,
            onText: { piece in
                if !output.json { console.stream(piece) }
                return !Interrupt.isRequested
            }, isCancelled: { Interrupt.isRequested })
        if output.json {
            try console.json(
                Result(
                    text: result.text, promptTokens: result.promptTokens,
                    generatedTokens: result.generatedTokens,
                    draftedTokens: result.draftedTokens, acceptedTokens: result.acceptedTokens,
                    promptTps: result.promptTokensPerSecond,
                    generationTps: result.generationTokensPerSecond,
                    finishReason: result.finishReason.rawValue))
            return
        }
        console.stream("\n")
        console.note(
            String(
                format: "%d prompt tokens at %.0f/s, %d generated at %.0f/s (%@)",
                result.promptTokens, result.promptTokensPerSecond, result.generatedTokens,
                result.generationTokensPerSecond, result.finishReason.rawValue))
    }
}
