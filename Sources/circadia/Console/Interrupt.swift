import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Ctrl-C as a request rather than a death: the handler only sets a flag that loops look at.
enum Interrupt {
    // A signal handler may touch nothing but such a word; it is written by one store.
    nonisolated(unsafe) private static let flag: UnsafeMutablePointer<sig_atomic_t> = {
        let pointer = UnsafeMutablePointer<sig_atomic_t>.allocate(capacity: 1)
        pointer.initialize(to: 0)
        return pointer
    }()

    /// From now on Ctrl-C (and SIGTERM, where `terminationToo`) sets `isRequested`.
    static func install(terminationToo: Bool = false) {
        _ = flag
        var action = sigaction()
        #if canImport(Glibc)
            action.__sigaction_handler.sa_handler = { _ in Interrupt.flag.pointee = 1 }
        #else
            action.__sigaction_u.__sa_handler = { _ in Interrupt.flag.pointee = 1 }
        #endif
        // No SA_RESTART: a read that waits for a line comes back, so the prompt can be shown again.
        action.sa_flags = 0
        sigaction(SIGINT, &action, nil)
        if terminationToo { sigaction(SIGTERM, &action, nil) }
    }

    /// Ctrl-C and SIGTERM end the program again.
    static func uninstall() {
        signal(SIGINT, SIG_DFL)
        signal(SIGTERM, SIG_DFL)
    }

    /// Whether Ctrl-C came since the last `clear()`.
    static var isRequested: Bool { flag.pointee != 0 }

    /// Forgets an interrupt that has been answered.
    static func clear() { flag.pointee = 0 }
}
