import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Turns Ctrl-C into a request: the handler only sets a flag that loops check.
enum Interrupt {
    // A signal handler may only write such a word, in a single store.
    nonisolated(unsafe) private static let flag: UnsafeMutablePointer<sig_atomic_t> = {
        let pointer = UnsafeMutablePointer<sig_atomic_t>.allocate(capacity: 1)
        pointer.initialize(to: 0)
        return pointer
    }()

    /// Makes Ctrl-C (and SIGTERM, if `terminationToo`) set `isRequested`.
    static func install(terminationToo: Bool = false) {
        _ = flag
        var action = sigaction()
        #if canImport(Glibc)
            action.__sigaction_handler.sa_handler = { _ in Interrupt.flag.pointee = 1 }
        #else
            action.__sigaction_u.__sa_handler = { _ in Interrupt.flag.pointee = 1 }
        #endif
        // Without SA_RESTART a read that waits for a line returns, so the prompt can be shown
        // again.
        action.sa_flags = 0
        sigaction(SIGINT, &action, nil)
        if terminationToo { sigaction(SIGTERM, &action, nil) }
    }

    /// Makes Ctrl-C and SIGTERM end the program again.
    static func uninstall() {
        signal(SIGINT, SIG_DFL)
        signal(SIGTERM, SIG_DFL)
    }

    /// Whether Ctrl-C came since the last `clear()`.
    static var isRequested: Bool { flag.pointee != 0 }

    /// Resets `isRequested` after an interrupt was handled.
    static func clear() { flag.pointee = 0 }
}
