import Foundation
import Testing

import CircadiaFiles
import circadia

/// A running program that a test can write to, read from and send signals to.
///
/// It is started with `posix_spawn`, not with Foundation's `Process`: a test's thread may block
/// signals, and a child process would inherit that and never receive them.
final class RunningProgram {
    /// The process id.
    let pid: pid_t
    private let outputFile: URL
    private let errorFile: URL
    private var inputDescriptor: Int32
    private var status: Int32?

    enum Failure: Error { case notStarted(Int32), timedOut(String) }

    /// Starts it in `folder`, where its output goes to files too. It reads `input`; nil leaves a
    /// pipe open for `send`. `prelude` has shell commands that run before it, such as a limit.
    init(
        _ arguments: [String], in folder: Program.Folder, input: String? = nil,
        environment: [String: String] = [:], prelude: String = ":"
    ) throws {
        // Writing to a program that has ended must be an error, not the end of the tests.
        signal(SIGPIPE, SIG_IGN)
        let name = ".run-\(UUID().uuidString.prefix(8))"
        outputFile = folder.url.appendingPathComponent(name + ".out")
        errorFile = folder.url.appendingPathComponent(name + ".err")
        var ends: [Int32] = [-1, -1]
        if let input {
            ends[0] = open(try folder.write(input, to: name + ".in").path, O_RDONLY | O_CLOEXEC)
        } else {
            guard pipe(&ends) == 0 else { throw Failure.notStarted(errno) }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        }
        defer { close(ends[0]) }
        inputDescriptor = ends[1]

        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
        #else
            var actions = posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        posix_spawn_file_actions_addopen(&actions, 1, outputFile.path, flags, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errorFile.path, flags, 0o600)
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for number in [SIGINT, SIGTERM, SIGPIPE] { sigaddset(&signals, number) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        let script = "cd \"$0\" && { \(prelude); } && exec \"$@\""
        let command =
            ["/bin/sh", "-c", script, folder.url.path, Program.executable.path] + arguments
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            .map { "\($0.key)=\($0.value)" }
        var argv: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, "/bin/sh", &actions, &attributes, &argv, &envp)
        guard code == 0 else { throw Failure.notStarted(code) }
        self.pid = pid
    }

    deinit {
        closeInput()
        if status == nil {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
    }

    /// Its standard output so far.
    var output: String { Self.text(outputFile) }
    /// Its standard error so far.
    var errors: String { Self.text(errorFile) }

    private static func text(_ file: URL) -> String {
        String(decoding: (try? Data(contentsOf: file)) ?? Data(), as: UTF8.self)
    }

    /// Writes a line to its standard input.
    func send(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        let written = write(inputDescriptor, bytes, bytes.count)
        #expect(written == bytes.count, "the program no longer reads")
    }

    /// Ends its standard input, as Ctrl-D does.
    func closeInput() {
        if inputDescriptor >= 0 { close(inputDescriptor) }
        inputDescriptor = -1
    }

    /// Sends a signal.
    func send(signal number: Int32) { kill(pid, number) }

    /// Whether it has ended.
    var hasEnded: Bool {
        if status != nil { return true }
        var raw: Int32 = 0
        if waitpid(pid, &raw, WNOHANG) == pid { status = raw }
        return status != nil
    }

    /// Waits until `condition` is true.
    func wait(
        for what: String, seconds: Double = 60, until condition: () throws -> Bool
    ) throws {
        let end = Date().addingTimeInterval(seconds)
        while try !condition() {
            guard Date() < end else { throw Failure.timedOut("\(what); \(errors)") }
            usleep(2000)
        }
    }

    /// Ends its input, waits until it ends and returns its result. A signal that ended it counts as
    /// 128 plus its number, as in a shell.
    func finish(within seconds: Double = 120) throws -> Program.Outcome {
        closeInput()
        try wait(for: "the program did not end", seconds: seconds) { hasEnded }
        let raw = status ?? 0
        let code = raw & 0x7F == 0 ? (raw >> 8) & 0xFF : 128 + (raw & 0x7F)
        return Program.Outcome(status: code, output: output, errors: errors)
    }
}
