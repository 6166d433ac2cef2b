import Foundation
import GRDB

/// The tables of a retrieval store and how older ones become today's.
///
/// A migration that was released never changes; a fixture of each version is opened by the tests.
enum StoreSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("v1") { database in
            // number: the order of arrival; neighbours are the nearest numbers of a session.
            try database.execute(
                sql: """
                    CREATE TABLE exchange (
                        number INTEGER PRIMARY KEY AUTOINCREMENT,
                        id TEXT NOT NULL UNIQUE,
                        session TEXT,
                        milliseconds INTEGER,
                        messages TEXT NOT NULL,
                        transcript TEXT NOT NULL,
                        model TEXT,
                        adapter TEXT,
                        tags TEXT NOT NULL,
                        contentHash TEXT NOT NULL UNIQUE,
                        namesTime INTEGER NOT NULL
                    );
                    CREATE INDEX exchangeBySession ON exchange(session, number);
                    CREATE INDEX exchangeByTime ON exchange(milliseconds);
                    CREATE VIRTUAL TABLE searchText USING fts5(
                        body, previous, following, tokenize = 'porter unicode61'
                    );
                    CREATE TABLE vector (
                        number INTEGER NOT NULL REFERENCES exchange(number) ON DELETE CASCADE,
                        part INTEGER NOT NULL,
                        components BLOB NOT NULL,
                        PRIMARY KEY (number, part)
                    ) WITHOUT ROWID;
                    CREATE TABLE property (
                        name TEXT PRIMARY KEY,
                        value TEXT NOT NULL
                    ) WITHOUT ROWID;
                    INSERT INTO property VALUES ('removals', '0');
                    """)
        }
        migrator.registerMigration("v2") { database in
            // posting, block, searchText: derived from exchange and vector, see derive(_:).
            // vector.side: 0 the whole exchange, as v1 had it; 1 the user's part, 2 the others'.
            try database.execute(
                sql: """
                    DROP TABLE searchText;
                    CREATE VIRTUAL TABLE searchText USING fts5(
                        transcript, content = 'exchange', content_rowid = 'number',
                        tokenize = 'unicode61'
                    );
                    ALTER TABLE vector ADD COLUMN side INTEGER NOT NULL DEFAULT 0;
                    CREATE TABLE posting (
                        term TEXT NOT NULL,
                        block INTEGER NOT NULL,
                        entries BLOB NOT NULL,
                        PRIMARY KEY (term, block)
                    ) WITHOUT ROWID;
                    CREATE TABLE block (
                        block INTEGER PRIMARY KEY,
                        columns BLOB NOT NULL,
                        vectors BLOB NOT NULL
                    );
                    INSERT INTO property VALUES ('derivation', '0');
                    """)
        }
        migrator.registerMigration("v3") { database in
            // vector.components: see StoredVector; f32 until now, whose rows filled pages badly.
            let narrowed = DatabaseFunction("narrowed", argumentCount: 1, pure: true) { values in
                Data.fromDatabaseValue(values[0]).map { data in
                    StoredVector.bytes(of: floats(of: data))
                }
            }
            database.add(function: narrowed)
            defer { database.remove(function: narrowed) }
            // identity: tells this database's files from those of others.
            try database.execute(
                sql: """
                    UPDATE vector SET components = narrowed(components);
                    INSERT INTO property VALUES ('identity', lower(hex(randomblob(8))));
                    """)
        }
        return migrator
    }

    /// Little-endian f32.
    private static func floats(of data: Data) -> [Float] {
        data.withUnsafeBytes { bytes in
            (0..<bytes.count / 4).map { index in
                let bits = bytes.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)
                return Float(bitPattern: UInt32(littleEndian: bits))
            }
        }
    }

    /// Brings a database up to date, and gives back the space that its older form took.
    static func migrate(_ pool: DatabasePool) throws {
        let migrator = migrator
        let before = try pool.read(migrator.appliedIdentifiers)
        try migrator.migrate(pool)
        if !before.isEmpty && !before.contains("v3") {
            try pool.writeWithoutTransaction { database in
                try database.execute(sql: "VACUUM")
                try database.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
            }
        }
    }

    /// How what is derived from exchanges is made; a change makes stores derive it again.
    private static let derivation = "1"

    /// Makes what is derived from exchanges anew, where it was made otherwise or not at all.
    static func derive(_ pool: DatabasePool) throws {
        func isCurrent(_ database: Database) throws -> Bool {
            try String.fetchOne(
                database, sql: "SELECT value FROM property WHERE name = 'derivation'")
                == derivation
        }
        if try pool.read(isCurrent) { return }
        try pool.write { database in
            // Another program may have done it meanwhile.
            if try isCurrent(database) { return }
            try database.execute(
                sql: """
                    DELETE FROM posting;
                    DELETE FROM block;
                    INSERT INTO searchText(searchText) VALUES ('rebuild');
                    """)
            let rows = try Row.fetchCursor(
                database, sql: "SELECT * FROM exchange ORDER BY number")
            var index = IndexWriter(database)
            while let row = try rows.next() {
                let number: Int64 = row["number"]
                index.add(ExchangeWords(try RetrievalStore.exchange(row)), number: number)
                for vector in try Row.fetchAll(
                    database, sql: "SELECT side, components FROM vector WHERE number = ?",
                    arguments: [number])
                {
                    try index.add(
                        StoredVector.vector(of: vector["components"]), number: number,
                        side: VectorSide(rawValue: vector["side"]) ?? .whole)
                }
                if number % SearchIndex.blockSize == 0 { try index.flush() }
            }
            try index.flush()
            try database.execute(
                sql: "UPDATE property SET value = ? WHERE name = 'derivation'",
                arguments: [derivation])
            try RetrievalStore.countRemoval(database)
        }
    }
}
