import CircadiaApp
import Foundation

/// Messages about forgetting.
enum ForgetWording {
    /// Names the adapters in use and the kept versions that became stale.
    static func showStale(_ adapters: [URL], purged: Bool = false, console: Console) {
        for adapter in adapters where !Forgetting.Plan.isKeptVersion(adapter) {
            console.note(
                "\(adapter.relativePath) was trained on them, or may have been; the next sleep "
                    + "retrains without them, and until then --no-adapter runs the base model")
        }
        let names = adapters.filter(Forgetting.Plan.isKeptVersion).map(\.lastPathComponent)
        if !names.isEmpty, !purged {
            console.note(
                "the kept versions \(names.joined(separator: ", ")) were trained on them too, and can "
                    + "no longer be used")
        }
    }

    /// Completes a killed `forget` in a log that is about to be read, and prints that.
    static func completePending(_ log: URL, console: Console) throws {
        show(try PendingForget.completeLog(log), console: console)
    }

    /// Prints the outcome of an interrupted `forget`.
    static func show(_ outcome: PendingForget.Outcome, console: Console) {
        switch outcome {
        case .none: break
        case .forgotten(let count), .broughtBack(let count):
            console.note("an interrupted forget of \(count) exchanges was completed")
        case .waitsForServer(let address):
            console.note("an interrupted forget waits until \(address) answers")
        case .waitsForAccess(let address, let status):
            console.note(
                "an interrupted forget waits until \(address) grants access (status \(status))"
            )
        }
    }
}
