import CircadiaLog
import Foundation

/// The log of a chat. Make it before the model is loaded, which takes seconds: it checks that the
/// log can be written, and a night sees the chat from then on.
package struct ChatPlace {
    let log: ChatLog
    let presence: ChatPresence?
    let watch: AdapterWatch

    /// Opens a log for a chat.
    ///
    /// - Parameters:
    ///   - log: neither the file nor its folder need exist.
    ///   - adapter: the adapter's folder, to watch for a new adapter; nil watches nothing. Pass it
    ///     before the adapter is loaded.
    /// - Throws: `FileError` if the log cannot be written.
    package init(log: URL, adapter: URL? = nil) throws {
        self.log = ChatLog(url: log)
        try self.log.checkWritable()
        presence = ChatPresence(log: log)
        watch = AdapterWatch(adapter)
    }
}
