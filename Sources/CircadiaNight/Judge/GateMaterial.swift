import CircadiaConversation
import CircadiaEvaluation
import CircadiaFiles

/// The material of a gate's measurements: general texts and the harness's prompts. Either may be
/// empty.
package struct GateMaterial: Sendable {
    let texts: [GeneralText]
    let prompts: [HarnessPrompt]

    /// Combines general texts and prompts.
    package init(texts: [GeneralText] = [], prompts: [HarnessPrompt] = []) {
        self.texts = texts
        self.prompts = prompts
    }

    /// Whether there is neither a text nor a prompt to measure.
    package var isEmpty: Bool { texts.isEmpty && prompts.isEmpty }

    /// A digest of everything in the material that the measurements depend on.
    ///
    /// It hashes an encoding that is spelled out here, so that renaming a property does not change
    /// it.
    package var digest: String {
        let json = JSONValue.object([
            "texts": .array(texts.map(Self.json)), "prompts": .array(prompts.map(Self.json)),
        ])
        return Array(json.text().utf8).withUnsafeBytes { ContentDigest.hexadecimal(of: $0) }
    }

    private static func json(_ messages: [ChatMessage]) -> JSONValue {
        .array(messages.map { .array([.string($0.role.rawValue), .string($0.content)]) })
    }

    private static func json(_ text: GeneralText) -> JSONValue {
        .array([
            .string(text.id), .string(text.kind.rawValue), json(text.messages), .string(text.text),
        ])
    }

    private static func json(_ prompt: HarnessPrompt) -> JSONValue {
        .array([
            .string(prompt.id), .string(prompt.category.rawValue), json(prompt.messages),
            .integer(prompt.maxTokens), json(prompt.judge),
        ])
    }

    private static func json(_ judge: HarnessPrompt.Judge) -> JSONValue {
        func strings(_ values: [String]) -> JSONValue { .array(values.map(JSONValue.string)) }
        return switch judge {
        case .containsAny(let scorer):
            .array([
                .string("contains_any"), strings(scorer.any), strings(scorer.none),
                scorer.maxWords.map(JSONValue.integer) ?? .null,
            ])
        case .regex(let scorer): .array([.string("regex"), .string(scorer.pattern)])
        case .numeric(let scorer):
            .array([.string("numeric"), .number(scorer.answer), .number(scorer.tolerance)])
        case .jsonKeys(let scorer): .array([.string("json_keys"), strings(scorer.keys)])
        case .formatBullets(let scorer): .array([.string("bullets"), .integer(scorer.count)])
        case .multipleChoice(let choice):
            .array([
                .string("multiple_choice"), strings(choice.options), .integer(choice.answer),
            ])
        }
    }
}
