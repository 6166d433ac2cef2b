import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Reads lines from standard input. Ctrl-C interrupts the wait, not the program.
struct LineReader {
    /// The result of a wait.
    enum Event: Equatable {
        /// A line without its newline.
        case line(String)
        /// Ctrl-C while waiting.
        case interrupted
        /// Ctrl-D, or the end of a pipe.
        case end
    }

    private var buffer: [UInt8] = []
    private var isAtEnd = false

    /// Waits for the next line.
    mutating func next() -> Event {
        while true {
            if let newline = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: buffer[..<newline], as: UTF8.self)
                buffer.removeSubrange(...newline)
                return .line(line)
            }
            if isAtEnd {
                guard !buffer.isEmpty else { return .end }
                defer { buffer.removeAll() }
                return .line(String(decoding: buffer, as: UTF8.self))
            }
            var chunk = [UInt8](repeating: 0, count: 4096)
            let count = read(STDIN_FILENO, &chunk, chunk.count)
            if count > 0 {
                buffer += chunk[..<count]
            } else if count < 0 && errno == EINTR {
                if Interrupt.isRequested { return .interrupted }
            } else {
                isAtEnd = true
            }
        }
    }
}
