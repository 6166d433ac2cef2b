/// What can go wrong while data sets are downloaded and read.
package enum DownloadError: Error, Sendable, Equatable {
    /// An address is none that can be downloaded from.
    case addressInvalid(address: String)
    /// The server answered with an error.
    case serverRefused(address: String, status: Int)
    /// The connection failed; what was received is kept in `partial` for the next attempt.
    case connectionFailed(address: String, detail: String, partial: String)
    /// Fewer bytes arrived than the server announced; they are kept for the next attempt.
    case downloadTruncated(address: String, expected: Int64, received: Int64, partial: String)
    /// A downloaded or given file is not the dataset that it should be.
    case datasetMalformed(path: String, record: Int, expected: String)
}
