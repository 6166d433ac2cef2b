import Foundation

/// The formats of a chat that can be rendered.
package enum ChatFormat: Sendable, Equatable {
    /// `<|im_start|>role\ncontent<|im_end|>\n`; a system message that is put in front of chats
    /// without one, if the template has such a default.
    case chatML(defaultSystem: String?)
    /// `<|start_header_id|>role<|end_header_id|>\n\ncontent<|eot_id|>`, contents trimmed; with
    /// a date, the system block of Llama 3.1 and later that always comes first.
    case llama3(date: String?)

    /// The format that a template writes, told by what it must and must not mention.
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
            // Tools, reasoning and trimming would be lost in silence.
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
            // Llama 3.1 names one fixed date; from 3.2 on it is today's.
            let date = dateString ?? (mentions("strftime_now") ? today() : "26 Jul 2024")
            return .llama3(date: date)
        }
        throw template.unknown
    }

    /// The system message that a ChatML template puts in front of a chat without one.
    private static func defaultSystem(in template: String) -> String? {
        // The line break after the role is one character, or an escape inside a string.
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

    /// Today in the local time zone, as `%d %b %Y` writes it.
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
