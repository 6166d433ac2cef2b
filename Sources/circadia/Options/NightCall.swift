import ArgumentParser
import CircadiaApp
import CircadiaConversation
import CircadiaModel
import CircadiaNight
import CircadiaTraining
import Foundation

/// What `sleep` and `run-cycle` share: the night with its progress and exit codes. The caller holds
/// the lock.
struct NightCall {
    let loaded: LoadedModel
    let settings: NightRunner.Settings
    let console: Console

    /// Runs the night; what scripts can act on becomes an exit code.
    func run(_ exchanges: [Exchange]) throws -> NightOutcome {
        // Only the night answers to signals by itself, between steps; elsewhere they end the program.
        Interrupt.install(terminationToo: true)
        defer { Interrupt.uninstall() }
        do {
            return try NightRunner(
                model: loaded.model, modelName: loaded.name, directory: loaded.directory,
                settings: settings, isCancelled: { Interrupt.isRequested },
                report: NightPrinter(console: console).show
            ).run(exchanges)
        } catch let error as SleepError {
            guard let code = Self.exitCode(error) else { throw error }
            if code == 0 {
                console.note(Remedies.message(of: error))
            } else {
                console.warn(Remedies.message(of: error))
            }
            throw ExitCode(code)
        } catch let error as TrainingError {
            guard case .timeLimit = error else { throw error }
            console.warn(Remedies.message(of: error))
            throw ExitCode(2)
        }
    }

    /// 0 for a night that nobody needs, 75 (EX_TEMPFAIL in sysexits) for a night that can go on, 2 for
    /// one that was refused; nil for a failure.
    private static func exitCode(_ error: SleepError) -> Int32? {
        switch error {
        case .interrupted: 75
        case .nothingToResume, .nightUnreadable, .nightChanged, .nothingNew: 2
        case .nothingDue: 0
        default: nil
        }
    }
}

/// The lock of a night, as a command takes it.
enum NightLock {
    /// Takes the lock; if another sleep holds it, says so and leaves with exit code 2.
    static func take(for adapterDirectory: URL, console: Console) throws -> SleepLock {
        do {
            return try SleepLock.take(for: adapterDirectory)
        } catch let error as SleepError {
            guard case .alreadySleeping = error else { throw error }
            console.warn(Remedies.message(of: error))
            throw ExitCode(2)
        }
    }
}
