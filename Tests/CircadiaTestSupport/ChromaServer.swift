import Foundation

/// A real Chroma server on loopback, if `CIRCADIA_PEERS_CHROMA` names the `chroma` program.
package final class ChromaServer: @unchecked Sendable {
    /// The program; nil if the variable is not set.
    package static let program = ProcessInfo.processInfo.environment["CIRCADIA_PEERS_CHROMA"]
        .flatMap { $0.isEmpty ? nil : $0 }

    enum Failure: Error { case noProgram }

    /// Its address, usable once it listens.
    package let address: String
    /// Its port.
    package let port: Int
    private let process = Process()

    /// Starts a server.
    ///
    /// - Parameters:
    ///   - data: the folder for its data.
    ///   - port: the port that it listens on.
    /// - Throws: an error if it cannot be started.
    package init(data: URL, port: Int = .random(in: 20_000..<30_000)) throws {
        guard let program = Self.program else { throw Failure.noProgram }
        self.port = port
        address = "http://127.0.0.1:\(port)"
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = [
            "run", "--path", data.path, "--host", "127.0.0.1", "--port", "\(port)",
        ]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    /// Kills it, as a power cut would.
    package func stop() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    deinit { stop() }
}

/// A proxy in front of a server, in python3, that accepts a single token: Chroma's own server has
/// no tokens since 1.0.
package final class TokenGate {
    /// The proxy's address.
    package let address: String
    private let process = Process()

    /// Starts a proxy.
    ///
    /// - Parameters:
    ///   - server: the address that accepted requests go to.
    ///   - token: the required value of `X-Chroma-Token`.
    /// - Throws: an error if python3 cannot be started.
    package init(before server: String, token: String) throws {
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", Self.script, server, token]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let port = String(
            decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        address = "http://127.0.0.1:\(port.trimmingCharacters(in: .whitespacesAndNewlines))"
    }

    deinit {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    private static let script = """
        import http.server, sys, urllib.error, urllib.request
        server, token = sys.argv[1:]
        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *arguments): pass
            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
                status, answer = 401, b'{"error": "Unauthorized", "message": "no"}'
                if self.headers.get("X-Chroma-Token") == token:
                    request = urllib.request.Request(
                        server + self.path, body, {"Content-Type": "application/json"},
                        method=self.command)
                    try:
                        with urllib.request.urlopen(request) as reply:
                            status, answer = reply.status, reply.read()
                    except urllib.error.HTTPError as error:
                        status, answer = error.code, error.read()
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
            do_GET = do_POST = do_DELETE = do_PUT = answer
        door = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        print(door.server_port, flush=True)
        door.serve_forever()
        """
}
