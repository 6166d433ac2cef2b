import CircadiaAnalysis
import CircadiaConversation
import CircadiaLog

/// `/good` and `/bad`: marks the last reply of a chat in the log.
struct ChatMarks {
    let log: ChatLog
    let memories: MemoryLookup?
    let console: Console

    /// Marks an exchange, durably where it is in the log already.
    ///
    /// - Parameters:
    ///   - mark: what the person said of its reply.
    ///   - last: the exchange; nil where nothing was said yet. Its tags change.
    ///   - unsaved: exchanges that are not in the log yet.
    ///   - hasText: whether the person said something after the mark.
    /// - Returns: whether it was marked.
    func add(
        _ mark: ReplyMark, to last: inout Exchange?, unsaved: inout [Exchange], hasText: Bool
    ) -> Bool {
        guard var exchange = last else {
            console.note("(there is no reply yet to call \(mark.rawValue))")
            return false
        }
        exchange.tags = mark.added(to: exchange.tags)
        if let index = unsaved.firstIndex(where: { $0.id == exchange.id }) {
            unsaved[index].tags = exchange.tags
        } else {
            do {
                let found = try log.retag(ids: [exchange.id], mark.added)
                guard !found.isEmpty else {
                    console.note("(the exchange is no longer in the log)")
                    return false
                }
            } catch {
                console.warn("\(error)")
                console.warn("the reply was not marked; say /\(mark.rawValue) again")
                return false
            }
            memories?.setTags(of: exchange)
        }
        last = exchange
        console.note(Self.remark(mark, hasText: hasText))
        return true
    }

    private static func remark(_ mark: ReplyMark, hasText: Bool) -> String {
        switch (mark, hasText) {
        case (.good, _): "(noted: good; the reply counts double in the night; /bad takes it back)"
        case (.bad, false): "(noted: bad; the reply is never learnt; /good takes it back)"
        case (.bad, true): "(noted: bad; the reply is never learnt, the next one counts double)"
        }
    }
}
