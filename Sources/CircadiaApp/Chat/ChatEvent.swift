import CircadiaAnalysis
import CircadiaConversation
import CircadiaLog
import CircadiaModel

/// An event of a chat. Front ends put it into words.
package enum ChatEvent: Sendable {
    // MARK: A turn, in this order

    /// The memories for the message. Not reported for a message tagged `no-rag`.
    case memories(MemoryLookup.Outcome)
    /// The store could not be searched; the model replies without memories.
    case memoriesFailed(any Error)
    /// A piece of the reply, in whole characters.
    case text(String)
    /// The reply is complete. The exchange is not logged yet.
    case replied(ChatReply)
    /// Secrets of these kinds were redacted in the log and the store.
    case secretsRemoved(Set<SecretKind>)
    /// A crash had torn the last line of the log; it was repaired.
    case logRepaired(ChatLogRepair)
    /// The exchange is on the disk.
    case logged(Exchange)
    /// The log could not be written. The given number of exchanges wait in memory; the chat tries
    /// again after the next reply and at the end.
    case notLogged(any Error, waiting: Int)
    /// The exchange is in the log, but not in the store.
    case notStored(id: String, any Error)
    /// A night has promoted a new adapter, with its version if known. This chat keeps the adapter
    /// that it started with.
    case newAdapter(version: Int?)

    // MARK: Marks

    /// The last reply was marked.
    case marked(ReplyMark)
    /// There is no reply to mark.
    case nothingToMark(ReplyMark)
    /// The exchange is no longer in the log.
    case markedExchangeGone
    /// The log could not be changed; the reply is not marked.
    case notMarked(ReplyMark, any Error)
    /// The mark is in the log, but not in the store.
    case markNotStored(any Error)
}
