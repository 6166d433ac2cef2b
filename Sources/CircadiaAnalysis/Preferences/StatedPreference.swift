import CircadiaConversation

/// How a person wants to be answered, as they said it: “Please keep your answers short.”
package struct StatedPreference: Sendable, Hashable, Codable {
    /// What a preference is about. Of each, the newest holds, but for `content`.
    package enum Manner: String, Sendable, Hashable, Codable, CaseIterable {
        /// How long answers are.
        case length
        /// What they begin with.
        case opening
        /// What they end with.
        case closing
        /// What the person is called.
        case address
        /// Lists, tables or prose.
        case layout
        /// Metric or imperial.
        case units
        /// The programming language of examples.
        case codeLanguage = "code_language"
        /// The language of answers.
        case language
        /// Whether there are emojis.
        case emoji
        /// British or American.
        case spelling
        /// Formal, friendly, without jargon.
        case tone
        /// What every answer holds: examples, sources, a summary.
        case content
    }

    /// What it is about.
    package let manner: Manner
    /// What is wanted where that is a word or a phrase: a name, a unit, the words to begin with;
    /// `none` for what is to be left out.
    package let value: String?
    /// The sentence, or the part of it, in the person's words.
    package let statement: String
    /// Whether it takes an earlier one back.
    package let isRetraction: Bool
    /// The id of the exchange in which it was said.
    package var exchange: String

    /// The value of what is not to be there.
    package static let none = "none"
    /// The value of a closing that asks something.
    package static let question = "?"

    /// Makes a preference.
    package init(
        manner: Manner, value: String?, statement: String, isRetraction: Bool = false,
        exchange: String = ""
    ) {
        self.manner = manner
        self.value = value
        self.statement = statement
        self.isRetraction = isRetraction
        self.exchange = exchange
    }

    /// The preferences that hold at the end of `log`, the oldest first: newer ones replace older ones
    /// of the same manner, and what was taken back is gone.
    ///
    /// - Parameter log: exchanges in the order of time; those tagged `no-train` are passed over, those
    ///   with a secret, and those that a night made up.
    /// - Returns: the preferences, each with the exchange in which it was stated.
    package static func live(in log: [CleanExchange]) -> [StatedPreference] {
        history(in: log).live
    }

    /// The preferences of `log` that hold at its end (`live`), and those that held before and no longer do.
    ///
    /// - Parameter log: as in `live(in:)`.
    /// - Returns: both, the oldest first.
    package static func history(
        in log: [CleanExchange]
    ) -> (live: [StatedPreference], former: [StatedPreference]) {
        var live: [StatedPreference] = []
        var former: [StatedPreference] = []
        for clean in log where clean.secrets.isEmpty {
            let exchange = clean.exchange
            if exchange.tags.contains(Exchange.noTrainTag) { continue }
            if exchange.tags.contains(Exchange.syntheticTag) { continue }
            for message in exchange.messages where message.role == .user {
                for var preference in PreferenceDetector.preferences(in: message.content) {
                    preference.exchange = exchange.id
                    former += live.filter { preference.replaces($0) }
                    live.removeAll { preference.replaces($0) }
                    if !preference.isRetraction { live.append(preference) }
                }
            }
        }
        former.removeAll { former in
            live.contains {
                $0.manner == former.manner && $0.value?.lowercased() == former.value?.lowercased()
            }
        }
        return (live, former)
    }

    /// Whether an older one holds no longer beside this.
    package func replaces(_ older: StatedPreference) -> Bool {
        guard manner == older.manner else { return false }
        if manner == .content { return value == older.value }
        return !isRetraction || value == nil || older.value == nil
            || value?.lowercased() == older.value?.lowercased()
    }
}
