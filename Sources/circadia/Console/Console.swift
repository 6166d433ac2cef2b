import CircadiaFiles
import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The terminal: results on standard output, everything else on standard error.
struct Console: Sendable {
    /// Whether remarks and progress are hidden.
    var isQuiet = false

    /// Whether standard error is a terminal, so that a line may be rewritten in place.
    static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }
    /// Whether standard input is a terminal.
    static var inputIsTerminal: Bool { isatty(STDIN_FILENO) == 1 }

    /// A result, on standard output, with a newline.
    func result(_ text: String) { Self.write(text + "\n", to: STDOUT_FILENO) }

    /// A piece of a result, without a newline.
    func stream(_ text: String) { Self.write(text, to: STDOUT_FILENO) }

    /// A remark, on standard error, unless quiet.
    func note(_ text: String) {
        if !isQuiet { Self.write(text + "\n", to: STDERR_FILENO) }
    }

    /// A warning, on standard error, always.
    func warn(_ text: String) { Self.write("warning: \(text)\n", to: STDERR_FILENO) }

    /// Progress on standard error, unless quiet: rewrites one line on a terminal, adds a line
    /// elsewhere.
    func progress(_ text: String, isLast: Bool = false) {
        guard !isQuiet else { return }
        if Self.errorIsTerminal {
            Self.write("\r\u{1B}[K\(text)\(isLast ? "\n" : "")", to: STDERR_FILENO)
        } else {
            Self.write(text + "\n", to: STDERR_FILENO)
        }
    }

    /// A JSON document on standard output with sorted keys; `pretty` spreads it over lines.
    func json(_ value: some Encodable, pretty: Bool = false) throws {
        result(String(decoding: try RecordJSON.data(value, pretty: pretty), as: UTF8.self))
    }

    /// Writes all bytes, waiting for a slow reader; stops if the reader is gone.
    private static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes {
                #if canImport(Glibc)
                    Glibc.write(descriptor, $0.baseAddress, $0.count)
                #else
                    Darwin.write(descriptor, $0.baseAddress, $0.count)
                #endif
            }
            if written > 0 {
                bytes = bytes.dropFirst(written)
            } else if written < 0 && errno == EINTR {
                continue
            } else {
                return
            }
        }
    }
}
