import Foundation
import GRDB

extension RetrievalStore {
    /// Takes exchanges out so that nothing of them is left in the file: neither rows, postings and
    /// vectors nor the words that the phrase index keeps of deleted rows, nor free pages.
    ///
    /// - Parameter ids: the exchanges' ids; unknown ones are passed over. Repeating it is harmless.
    /// - Returns: how many were taken out.
    /// - Throws: `storeFailed` and its kin.
    @discardableResult
    package func forget(ids: [String]) throws -> Int {
        let count = try remove(ids: ids)
        try outsideTransaction { database in
            try database.execute(sql: "INSERT INTO searchText(searchText) VALUES ('optimize')")
            try database.execute(sql: "VACUUM")
            try database.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
        }
        return count
    }

    /// Gives an exchange other tags.
    ///
    /// - Parameters:
    ///   - tags: all of them.
    ///   - id: the exchange's id.
    /// - Returns: whether the exchange is in the store.
    /// - Throws: `storeFailed` and its kin.
    @discardableResult
    package func setTags(_ tags: [String], of id: String) throws -> Bool {
        try writing { database in
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.withoutEscapingSlashes]
            let json = String(decoding: try encoder.encode(tags), as: UTF8.self)
            try database.execute(
                sql: "UPDATE exchange SET tags = ? WHERE id = ?", arguments: [json, id])
            return database.changesCount > 0
        }
    }
}
