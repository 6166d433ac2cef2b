import CircadiaConversation
import Foundation

/// What a log's replies are worth as something to learn: which were rejected, which count more.
package struct Lessons: Sendable {
    /// By the exchanges' places in the log.
    package let all: [Lesson]
    private let places: [String: Int]

    /// Goes through a log, in its order.
    ///
    /// A reply is rejected where its exchange is marked `bad`, or where the next message of the same
    /// session corrects it and a person has not called it good.
    package init(_ log: [Exchange]) {
        var lessons = log.map { Lesson(mark: ReplyMark.of($0), replies: []) }
        // The last reply of each session.
        var last: [String: Turn] = [:]
        for (index, exchange) in log.enumerated() {
            var previous = exchange.session.flatMap { last[$0] }
            var question = ""
            var corrected: Correction?
            var isFirst = true
            for message in exchange.spokenMessages {
                if message.role == .user {
                    if let turn = previous {
                        let isTagged = isFirst && exchange.tags.contains(Exchange.correctionTag)
                        let found = isTagged ? .told : turn.correction(by: message, of: exchange)
                        if let kind = found, lessons[turn.exchange].mark != .good {
                            corrected = Correction(
                                kind: kind, exchange: turn.exchange == index ? nil : turn.exchange)
                            lessons[turn.exchange].reject(
                                turn.reply, because: .corrected(in: exchange.id, kind))
                        }
                        previous = nil
                        question = ""
                    }
                    question += (question.isEmpty ? "" : "\n") + message.content
                    isFirst = false
                } else {
                    var reply = ReplyLesson(corrects: corrected)
                    if lessons[index].mark == .bad { reply.rejection = .markedBad }
                    corrected = nil
                    lessons[index].replies.append(reply)
                    previous = Turn(
                        exchange: index, reply: lessons[index].replies.count - 1,
                        question: question, text: message.content, time: exchange.timestamp)
                }
            }
            if let session = exchange.session { last[session] = previous }
        }
        all = lessons
        places = Dictionary(
            log.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Goes through a log whose exchanges are cleaned. A correction is looked for in what was said, not in the
    /// marks that stand for secrets.
    package init(_ log: [CleanExchange]) { self.init(log.map(\.asSaid)) }

    /// The lesson of an exchange; one without remarks where it is not of the log.
    package subscript(id: String) -> Lesson {
        places[id].map { all[$0] } ?? Lesson(mark: nil, replies: [])
    }

    /// The exchanges of the log, by their places, whose replies an exchange's first message corrects, the
    /// earliest first: one, or several where corrections were corrected.
    package func corrected(by id: String) -> [Int] {
        var chain: [Int] = []
        var next = places[id].flatMap { all[$0].correction?.exchange }
        while let place = next, !chain.contains(place), chain.count < Self.longestChain {
            chain.insert(place, at: 0)
            next = all[place].correction?.exchange
        }
        return chain
    }

    /// Corrections of corrections that are followed back.
    private static let longestChain = 4

    /// A reply with what was asked, until the next message comes.
    private struct Turn {
        let exchange: Int
        let reply: Int
        let question: String
        let text: String
        let time: Date?

        func correction(by message: ChatMessage, of exchange: Exchange) -> CorrectionKind? {
            let seconds = exchange.timestamp.flatMap { now in time.map(now.timeIntervalSince) }
            return CorrectionDetector.kind(
                of: message.content, after: question, reply: text, seconds: seconds)
        }
    }
}

/// That a message corrects the reply before it.
package struct Correction: Sendable, Hashable {
    /// How.
    package let kind: CorrectionKind
    /// The place in the log of the exchange with that reply; nil where it is the same exchange.
    package let exchange: Int?

    /// A correction of a reply in the exchange at a place of the log.
    package init(kind: CorrectionKind, exchange: Int?) {
        self.kind = kind
        self.exchange = exchange
    }
}

/// Why a reply is never learnt.
package enum ReplyRejection: Sendable, Hashable, CustomStringConvertible {
    /// A person called it bad.
    case markedBad
    /// The exchange of this id corrects it.
    case corrected(in: String, CorrectionKind)

    /// For people: `rejected: corrected in week-012 (contradicted)`.
    package var description: String {
        switch self {
        case .markedBad: "rejected: marked bad"
        case .corrected(let id, let kind): "rejected: corrected in \(id) (\(kind.words))"
        }
    }
}

/// What one reply is worth.
package struct ReplyLesson: Sendable, Hashable {
    /// Why it is never learnt; nil where it may be.
    package var rejection: ReplyRejection?
    /// What it puts right; nil where it follows no correction.
    package var corrects: Correction?
}

/// What an exchange's replies are worth.
package struct Lesson: Sendable, Hashable {
    /// What a person said of the exchange.
    package let mark: ReplyMark?
    /// Its replies, in order.
    package internal(set) var replies: [ReplyLesson]

    /// How much more a reply counts that puts a rejected one right, or that a person called good.
    package static let emphasis: Float = 2

    /// Whether there are replies and none of them may be learnt.
    package var isRejected: Bool {
        mark == .bad || !replies.isEmpty && replies.allSatisfy { $0.rejection != nil }
    }

    /// The correction that the exchange begins with.
    package var correction: Correction? { replies.first?.corrects }

    /// What a reply's loss is multiplied with in training, 1 unless something was said of it; 0 for one
    /// that is never learnt.
    package func weight(ofReply index: Int) -> Float {
        guard replies.indices.contains(index) else { return mark == .bad ? 0 : 1 }
        if replies[index].rejection != nil { return 0 }
        return (replies[index].corrects == nil ? 1 : Self.emphasis)
            * (mark == .good ? Self.emphasis : 1)
    }

    /// Why it does not count like others, a sentence each, for people; nothing is quoted.
    package func reasons(naming id: (Int) -> String) -> [String] {
        var reasons = replies.compactMap { $0.rejection?.description }
        for correction in replies.compactMap(\.corrects) {
            let place = correction.exchange.map { "the reply of \(id($0))" } ?? "a reply in it"
            reasons.append("counts double: puts right \(place)")
        }
        if mark == .good { reasons.append("counts double: marked good") }
        return reasons
    }

    mutating func reject(_ reply: Int, because rejection: ReplyRejection) {
        if replies[reply].rejection == nil { replies[reply].rejection = rejection }
    }
}
