/// Finds statements about how to answer in what a person says.
///
/// It is to miss some and to see hardly any where there is none: a request for one answer (“write a
/// short poem”, “How far is that? Use metric units.”) is no preference, and neither is what is said
/// about other people. A clause counts where it has the form of a request to the one who answers, and
/// is about all answers: because it says so (“always”, “from now on”, “your answers”), or because
/// the message says nothing else.
package enum PreferenceDetector {
    /// The preferences in a message, in order.
    package static func preferences(in message: String) -> [StatedPreference] {
        // Long texts are quoted or pasted.
        guard message.utf8.count <= 1200, !message.contains("```") else { return [] }
        let text = QuotedText(message)
        let sentences = PreferenceSentence.split(text)
        var found: [(preference: StatedPreference, isStanding: Bool, sentence: Int)] = []
        for (index, sentence) in sentences.enumerated() {
            for clause in sentence.clauses {
                guard let match = PreferenceForms.match(clause) else { continue }
                found.append(
                    (
                        StatedPreference(
                            manner: match.manner, value: match.value.map(text.restored),
                            statement: text.restored(clause.original),
                            isRetraction: match.isRetraction),
                        match.isStanding || clause.isStanding || sentence.isStanding, index
                    ))
            }
        }
        // One who asks something beside it means this answer, unless they say otherwise.
        let others = sentences.indices.filter { index in
            !found.contains { $0.sentence == index } && !sentences[index].isSmallTalk
        }
        var preferences: [StatedPreference] = []
        for (preference, isStanding, _) in found where isStanding || others.isEmpty {
            let isKnown = preferences.contains {
                $0.manner == preference.manner && $0.value == preference.value
            }
            if !isKnown { preferences.append(preference) }
        }
        return preferences
    }
}
