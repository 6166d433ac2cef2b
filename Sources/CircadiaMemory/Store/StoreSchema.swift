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
        return migrator
    }
}
