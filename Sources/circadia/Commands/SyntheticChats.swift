import CircadiaConversation
import CircadiaModel
import CircadiaRetrieval
import Foundation

/// Made-up exchanges with the word statistics of chats: English words with frequencies after Zipf's
/// law, function words the most common, 720 characters an exchange on average.
///
/// Exchange `number` is the same in every store, so a kept store can grow.
struct SyntheticChats {
    /// Words, the most common first.
    let vocabulary: [String]
    /// The share of all text that the words up to each one make up.
    private let cumulative: [Double]
    /// Function words, which come first in the vocabulary.
    private static let functionWords = """
        the to and of a i in that it you is for was on my with have be this are so not but me at we \
        just what do about as your how if like they can there from or out up an would were when all \
        had get some will then he no more she did her his our been which by has them who their \
        because than could really only these too very where after into am off its here being over \
        should us most same again now why through before those down such own few while once both \
        until during between each under against further
        """.split(separator: " ").map(String.init)

    /// Takes the words, each one token, from the vocabulary of the sentence embedder in
    /// `directory`.
    init(vocabularyOf directory: URL) throws {
        let lines = try String(
            contentsOf: directory.appendingPathComponent("vocab.txt"), encoding: .utf8
        ).split(separator: "\n")
        let common = Set(Self.functionWords)
        let words =
            Self.functionWords
            + lines.filter { line in
                line.utf8.count > 2 && line.utf8.allSatisfy { (0x61...0x7A).contains($0) }
            }.map(String.init).filter { !common.contains($0) }
        vocabulary = words
        var sum = 0.0
        let weights = words.indices.map { rank in
            sum += 1 / Double(rank + 2)
            return sum
        }
        cumulative = weights.map { $0 / sum }
    }

    private func word(_ generator: inout SeededGenerator) -> String {
        let share = Double.random(in: 0..<1, using: &generator)
        var (low, high) = (0, cumulative.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if cumulative[middle] <= share { low = middle + 1 } else { high = middle }
        }
        return vocabulary[low]
    }

    private func text(_ words: ClosedRange<Int>, _ generator: inout SeededGenerator) -> String {
        let count = Int.random(in: words, using: &generator)
        return (0..<count).map { index in
            index % 12 == 11 ? word(&generator) + "." : word(&generator)
        }.joined(separator: " ")
    }

    /// One exchange: 20 make a conversation, 50 a day.
    func exchange(_ number: Int) -> Exchange {
        var generator = SeededGenerator(seed: UInt64(number) + 1000)
        return Exchange(
            id: "synthetic-\(number)",
            timestamp: Date(timeIntervalSince1970: 1_600_000_000 + Double(number) * 1728),
            session: "conversation-\(number / 20)",
            messages: [
                ChatMessage(role: .user, content: text(20...70, &generator)),
                ChatMessage(role: .assistant, content: text(60...130, &generator)),
            ])
    }

    /// A question with four random words of one exchange.
    func question(_ number: Int, among count: Int) -> String {
        var generator = SeededGenerator(seed: UInt64(number) + 7)
        let about = exchange(Int.random(in: 0..<max(1, count), using: &generator))
        let words = about.messages.flatMap { $0.content.split(separator: " ") }
            .map { $0.filter(\.isLetter) }.filter { !Self.functionWords.contains($0) }
        let some = words.shuffled(using: &generator).prefix(4) + ["", "", "", ""]
        return "When did \(some[0]) and \(some[1]) go to the \(some[2]) with us, "
            + "and was \(some[3]) there?"
    }

    /// Fills a store without embedding: each vector is that of a real text plus noise. Questions
    /// are embedded by the model.
    struct Embedder: TextEmbedding {
        let model: SentenceEmbedder
        private let real: [[Float]]
        var dimension: Int { model.dimension }
        var identifier: String { "synthetic" }

        init(model: SentenceEmbedder, chats: SyntheticChats) {
            self.model = model
            real = model.embed((0..<256).map { chats.exchange($0).messages[0].content })
        }

        func embed(question: String) throws -> [Float] { model.embed(question: question) }

        func embed(_ texts: [String]) throws -> [[Float]] {
            texts.map { text in
                var generator = SeededGenerator(
                    seed: text.utf8.reduce(UInt64(5381)) { ($0 &* 33) ^ UInt64($1) })
                let known = real.randomElement(using: &generator) ?? []
                // Sums of bits are about normal, which makes all directions equally likely.
                var vector = known.map { component in
                    let chance = generator.next().nonzeroBitCount - 32
                    return component + 0.01 * Float(chance)
                }
                let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
                for index in vector.indices { vector[index] /= length }
                return vector
            }
        }
    }
}
