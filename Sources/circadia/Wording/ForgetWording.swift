import CircadiaApp
import Foundation

/// What commands say about forgetting.
enum ForgetWording {
    /// Says what became of adapters that were marked stale, those in use and kept versions.
    static func showStale(_ adapters: [URL], purged: Bool = false, console: Console) {
        for adapter in adapters where !Forgetting.Plan.isKeptVersion(adapter) {
            console.note(
                "\(adapter.relativePath) was trained on them, or may have been: the next sleep "
                    + "retrains without them; until then --no-adapter runs the base model")
        }
        let names = adapters.filter(Forgetting.Plan.isKeptVersion).map(\.lastPathComponent)
        if !names.isEmpty, !purged {
            console.note(
                "so were the kept versions \(names.joined(separator: ", ")), which can no longer be "
                    + "used")
        }
    }

    /// Completes what a killed command left in a log that is about to be read, and says so.
    static func completePending(_ log: URL, console: Console) throws {
        show(try PendingForget.completeLog(log), console: console)
    }

    /// Says what became of an interrupted command.
    static func show(_ outcome: PendingForget.Outcome, console: Console) {
        switch outcome {
        case .none: break
        case .forgotten(let count), .broughtBack(let count):
            console.note("an interrupted forget of \(count) exchanges was completed")
        case .waitsForServer(let address):
            console.note("a forget that was interrupted waits until \(address) answers")
        case .waitsForAccess(let address, let status):
            console.note(
                "a forget that was interrupted waits until \(address) lets it in (status \(status))"
            )
        }
    }
}
