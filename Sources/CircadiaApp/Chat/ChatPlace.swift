import CircadiaLog
import Foundation

/// Where a chat is logged. It is made before the model is loaded, which takes seconds: a log that
/// cannot be written is found out first, and a night knows of the chat from then on.
package struct ChatPlace {
    let log: ChatLog
    let presence: ChatPresence?
    let watch: AdapterWatch

    /// Opens a log for a chat.
    ///
    /// - Parameters:
    ///   - log: neither the file nor its folder need exist.
    ///   - adapter: the folder that is watched for a new adapter, before it is loaded; nil watches
    ///     none.
    /// - Throws: `FileError` if the log cannot be written.
    package init(log: URL, adapter: URL? = nil) throws {
        self.log = ChatLog(url: log)
        try self.log.checkWritable()
        presence = ChatPresence(log: log)
        watch = AdapterWatch(adapter)
    }
}
