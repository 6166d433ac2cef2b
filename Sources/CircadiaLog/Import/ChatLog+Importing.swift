import CircadiaAnalysis
import CircadiaConversation
import Foundation

extension ChatLog {
    /// What an import added.
    package struct ImportReport: Sendable, Hashable {
        /// Exchanges that were new.
        package internal(set) var added = 0
        /// Exchanges that were in the log, or twice in the import.
        package internal(set) var alreadyThere = 0
        /// Exchanges in which secrets were replaced.
        package internal(set) var redacted = 0
    }

    /// Adds exchanges that the log does not hold yet, by their contents, times and sessions.
    ///
    /// A process that is killed leaves whole lines; repeating the import adds what is missing.
    ///
    /// - Parameters:
    ///   - exchanges: in the order in which they are to stand.
    ///   - keepingSecrets: whether keys, passwords and numbers of accounts go in as they are.
    /// - Returns: what was added.
    /// - Throws: `folderNotMade`, `unreadable`, `unwritable`.
    package func add(
        _ exchanges: [Exchange], keepingSecrets: Bool = false
    ) throws -> ImportReport {
        try checkWritable()
        var report = ImportReport()
        var hashes: Set<ContentHash> = []
        var ids: Set<String> = []
        for line in try lines().lines {
            guard let exchange = line.exchange else { continue }
            hashes.insert(exchange.contentHash)
            ids.insert(exchange.id)
        }
        var batch: [UInt8] = []
        for exchange in exchanges where !exchange.messages.isEmpty {
            let clean = CleanExchange(cleaning: exchange)
            var new = clean.kept(keepingSecrets: keepingSecrets)
            guard hashes.insert(new.contentHash).inserted else {
                report.alreadyThere += 1
                continue
            }
            // The same id with other contents: an edited conversation, or two files' own numbering.
            if !ids.insert(new.id).inserted {
                new.id = new.contentHash.exchangeID
                ids.insert(new.id)
            }
            report.added += 1
            if !keepingSecrets && !clean.secrets.isEmpty { report.redacted += 1 }
            batch += Self.line(of: new)
            if batch.count > 1 << 20 {
                try append(line: batch)
                batch.removeAll(keepingCapacity: true)
            }
        }
        if !batch.isEmpty { try append(line: batch) }
        return report
    }

    /// Gives exchanges other tags, in one atomic step.
    ///
    /// - Parameters:
    ///   - ids: the exchanges; unknown ones are passed over.
    ///   - change: gets an exchange's tags and gives the new ones.
    /// - Returns: the exchanges that were found, with their new tags.
    /// - Throws: `unreadable`, `unwritable`.
    package func retag(
        ids: Set<String>, _ change: ([String]) -> [String]
    ) throws -> [Exchange] {
        var found: [Exchange] = []
        _ = try rewrite { lines in
            var isChanged = false
            let result = lines.map { line -> [UInt8] in
                guard var exchange = line.exchange, ids.contains(exchange.id) else {
                    return line.bytes
                }
                let tags = change(exchange.tags)
                let before = exchange.tags
                exchange.tags = tags
                found.append(exchange)
                guard tags != before,
                    var object = (try? JSONSerialization.jsonObject(with: Data(line.bytes)))
                        as? [String: Any]
                else { return line.bytes }
                isChanged = true
                // What else another program wrote into the line stays; its id must not move.
                object["tags"] = tags.isEmpty ? nil : tags
                object["id"] = exchange.id
                let data = try? JSONSerialization.data(
                    withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
                return data.map { [UInt8]($0) } ?? line.bytes
            }
            return isChanged ? result : nil
        }
        return found
    }
}
