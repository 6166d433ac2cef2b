import Foundation

extension DownloadError: CustomStringConvertible {
    /// The message shown to people.
    package var description: String {
        switch self {
        case .addressInvalid(let address):
            "\(address): this is neither a file nor an http address."
        case .serverRefused(let address, let status):
            "\(address): the server answered with status \(status)."
        case .connectionFailed(let address, let detail, let partial):
            "\(address): the connection failed: \(detail). What has arrived is in \(partial); "
                + "run the command again to go on from there."
        case .downloadTruncated(let address, let expected, let received, let partial):
            "\(address): \(received) of \(expected) bytes arrived. They are in \(partial); run "
                + "the command again to go on from there."
        case .datasetMalformed(let path, let record, let expected):
            "\(path): record \(record) is not of this dataset. Expected \(expected)."
        }
    }
}

extension DownloadError: LocalizedError {
    /// The same text as `description`.
    package var errorDescription: String? { description }
}
