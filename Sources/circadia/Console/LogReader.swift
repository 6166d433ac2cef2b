import CircadiaConversation
import CircadiaLog
import Foundation

/// Reads a log and reports its bad lines.
enum LogReader {
    /// The exchanges of the log; only the first `limit` if that is above 0.
    static func read(_ path: String, limit: Int = 0, console: Console) throws -> [Exchange] {
        let exchanges = try contents(of: path, console: console).requireExchanges()
        return limit > 0 ? Array(exchanges.prefix(limit)) : exchanges
    }

    /// The contents of the log, which may be empty.
    static func contents(of path: String, console: Console) throws -> ChatLogContents {
        let url = URL(fileURLWithPath: path)
        try ForgetWording.completePending(url, console: console)
        let contents = try ChatLog.read(url)
        if let text = remark(on: contents.repair) { console.warn("\(path): \(text)") }
        for issue in contents.issues { console.warn("\(path): \(issue)") }
        return contents
    }

    /// A message about the repair of a torn last line; nil if the line was whole.
    static func remark(on repair: ChatLogRepair) -> String? {
        switch repair {
        case .none: nil
        case .completed: "the last line lacked only its line feed, which was added"
        case .movedAside(let url):
            "a crash left the last line torn; its bytes were moved to \(url.lastPathComponent)"
        }
    }
}
