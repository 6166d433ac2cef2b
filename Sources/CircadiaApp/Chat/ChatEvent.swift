import CircadiaAnalysis
import CircadiaConversation
import CircadiaLog
import CircadiaModel

/// What a front end can show while a chat goes on. Front ends put it into words.
package enum ChatEvent: Sendable {
    // MARK: A turn, in this order

    /// What the store has on the message; not for a message that is kept out of the store.
    case memories(MemoryLookup.Outcome)
    /// The store could not be asked; the reply comes without memories.
    case memoriesFailed(any Error)
    /// A piece of the reply, whole characters.
    case text(String)
    /// The last piece was sent. The exchange is not logged yet.
    case replied(ChatReply)
    /// Secrets of these kinds were taken out of what is logged and stored.
    case secretsRemoved(Set<SecretKind>)
    /// The last line of the log was torn by a crash and was repaired.
    case logRepaired(ChatLogRepair)
    /// The exchange is on the disk.
    case logged(Exchange)
    /// So many exchanges could not be written to the disk. They are kept and tried again after the
    /// next reply and at the end.
    case notLogged(any Error, waiting: Int)
    /// The exchange is in the log, but not in the store.
    case notStored(id: String, any Error)
    /// A night has put another adapter in place: its version, if it says one. This chat goes on
    /// with the one that it began with.
    case newAdapter(version: Int?)

    // MARK: Marks

    /// The last reply was marked.
    case marked(ReplyMark)
    /// There is no reply that could be marked.
    case nothingToMark(ReplyMark)
    /// The exchange was taken out of the log meanwhile.
    case markedExchangeGone
    /// The log could not be changed; the reply is not marked.
    case notMarked(ReplyMark, any Error)
    /// The mark is in the log, but not in the store.
    case markNotStored(any Error)
}
