import Foundation

/// The chat formats that can be rendered.
package enum ChatFormat: Sendable, Equatable {
    /// `<|im_start|>role\ncontent<|im_end|>\n`. `defaultSystem` is the template's system message
    /// for chats without one, if it has any.
    case chatML(defaultSystem: String?)
    /// `<|start_header_id|>role<|end_header_id|>\n\ncontent<|eot_id|>` with trimmed contents. With
    /// a date, the chat begins with the system block of Llama 3.1 and later.
    case llama3(date: String?)

    /// Recognises the format of a template by what it must and must not mention.
    ///
    /// - Parameters:
    ///   - template: the template's text.
    ///   - dateString: the date for Llama 3's system block, such as `26 Jul 2024`; nil means the
    ///     template's own.
    /// - Returns: the format.
    /// - Throws: `TemplateError.unknownTemplate`.
    package static func recognised(
        in template: TemplateText, dateString: String?
    ) throws(TemplateError) -> ChatFormat {
        let text = template.text
        func mentions(_ part: String) -> Bool { text.contains(part) }
        let readsMessages =
            mentions("add_generation_prompt")
            && (mentions("message['role']") || mentions("message.role")
                || mentions("message[\"role\"]"))
            && (mentions("message['content']") || mentions("message.content")
                || mentions("message[\"content\"]"))
        if readsMessages && mentions("<|im_start|>") && mentions("<|im_end|>") {
            // A template with one of these does more than this renderer, which would silently
            // ignore it.
            let unknownParts = ["tool", "think", "reasoning", "trim", "strip", "bos_token"]
            if !unknownParts.contains(where: mentions) {
                return .chatML(defaultSystem: defaultSystem(in: text))
            }
        }
        if readsMessages && mentions("<|start_header_id|>") && mentions("<|end_header_id|>")
            && mentions("<|eot_id|>") && !mentions("<think>")
        {
            guard mentions("Cutting Knowledge Date") && mentions("Today Date") else {
                if !mentions("tool") { return .llama3(date: nil) }
                throw template.unknown
            }
            // Llama 3.1 names a fixed date. Llama 3.2 and later use today's.
            let date = dateString ?? (mentions("strftime_now") ? today() : "26 Jul 2024")
            return .llama3(date: date)
        }
        throw template.unknown
    }

    /// The system message of a ChatML template for chats without one.
    private static func defaultSystem(in template: String) -> String? {
        // The line break after the role is a character, or an escape inside a string.
        for lineBreak in ["\n", "\\n"] {
            if let start = template.firstRange(of: "<|im_start|>system" + lineBreak),
                let end = template[start.upperBound...].firstRange(of: "<|im_end|>")
            {
                let text = String(template[start.upperBound..<end.lowerBound])
                return text.contains("{{") || text.contains("'") ? nil : text
            }
        }
        return nil
    }

    /// `date` in the local time zone, formatted as `%d %b %Y`; today by default.
    package static func today(_ date: Date = Date()) -> String {
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .current
        let parts = calendar.dateComponents([.day, .month, .year], from: date)
        let day = parts.day ?? 1
        let month = months[((parts.month ?? 1) - 1) % 12]
        return (day < 10 ? "0" : "") + "\(day) \(month) \(parts.year ?? 1970)"
    }
}
