/// What can go wrong with the chat log and imports into it.
///
/// Payloads hold paths, line numbers and ids, never what was said.
package enum LogError: Error, Sendable, Equatable {
    /// There is no log at `path`.
    case logMissing(path: String)
    /// The log holds no exchange; `skippedLines` lines of it could not be read.
    case logEmpty(path: String, skippedLines: Int)
    /// An exchange without messages was to be logged.
    case exchangeEmpty(id: String)
    /// A file to import is of no form that is known; `expected` names those.
    case importUnknown(path: String, expected: String)
}
