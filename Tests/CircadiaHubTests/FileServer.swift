import Foundation

import CircadiaHub

/// A small HTTP server on loopback, in python3: it serves one folder, with or without ranges, and
/// can break off in the middle of a file.
final class FileServer {
    static let python: String? = [
        "/usr/bin/python3", "/usr/local/bin/python3", "/opt/homebrew/bin/python3",
    ]
    .first { FileManager.default.isExecutableFile(atPath: $0) }
    static var isAvailable: Bool { python != nil }

    enum Failure: Error { case notStarted }

    let address: String
    private let process = Process()

    /// - Parameters:
    ///   - folder: what is served; `<name>.etag` beside a file is its ETag.
    ///   - ranges: whether parts of files are served.
    ///   - breakAfter: bytes after which every answer breaks off.
    /// - Throws: where python3 cannot be started.
    init(folder: URL, ranges: Bool = true, breakAfter: Int? = nil) throws {
        guard let python = Self.python else { throw Failure.notStarted }
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = [
            "-c", Self.script, folder.path, ranges ? "1" : "0", "\(breakAfter ?? -1)",
        ]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        var line = Data()
        while !line.contains(0x0A) {
            let piece = output.fileHandleForReading.availableData
            if piece.isEmpty { throw Failure.notStarted }
            line += piece
        }
        let port = String(decoding: line, as: UTF8.self).trimmingCharacters(
            in: .whitespacesAndNewlines)
        address = "http://127.0.0.1:\(port)"
    }

    deinit {
        // Test threads may have SIGTERM blocked, and a child inherits that.
        kill(process.processIdentifier, SIGKILL)
    }

    private static let script = """
        import http.server, os, re, sys
        folder, ranges, break_after = sys.argv[1], sys.argv[2] == "1", int(sys.argv[3])
        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *arguments): pass
            def do_GET(self):
                if self.path.startswith("/status/"):
                    self.send_response(int(self.path.split("/")[2]))
                    self.send_header("Content-Length", "4")
                    self.end_headers()
                    self.wfile.write(b"oops")
                    return
                if self.path.startswith("/moved/"):
                    self.send_response(302)
                    self.send_header("Location", self.path[6:])
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                path = os.path.join(folder, self.path.lstrip("/"))
                if not os.path.isfile(path):
                    self.send_error(404)
                    return
                body = open(path, "rb").read()
                tag = open(path + ".etag").read() if os.path.exists(path + ".etag") else None
                wanted = re.match("bytes=([0-9]+)-", self.headers.get("Range", ""))
                start = 0
                same = self.headers.get("If-Range") in (None, tag)
                if ranges and wanted and same:
                    start = int(wanted.group(1))
                    if start >= len(body):
                        self.send_response(416)
                        self.send_header("Content-Length", "0")
                        self.end_headers()
                        return
                    self.send_response(206)
                    self.send_header(
                        "Content-Range", "bytes %d-%d/%d" % (start, len(body) - 1, len(body)))
                else:
                    self.send_response(200)
                if tag: self.send_header("ETag", tag)
                self.send_header("Content-Length", str(len(body) - start))
                self.end_headers()
                part = body[start:]
                self.wfile.write(part if break_after < 0 else part[:break_after])
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        print(server.server_address[1], flush=True)
        server.serve_forever()
        """
}
