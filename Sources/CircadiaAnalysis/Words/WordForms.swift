/// Words as they are compared where there is no index.
package enum WordForms {
    /// Words without case, and without the endings that English puts to them.
    package static func words(of text: String) -> [String] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber }.map { word in
            for ending in ["ing", "ed", "es", "s"]
            where word.hasSuffix(ending) && word.count - ending.count >= 3 {
                return String(word.dropLast(ending.count))
            }
            return String(word)
        }
    }
}
