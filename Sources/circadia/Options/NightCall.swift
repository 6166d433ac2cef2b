import ArgumentParser
import CircadiaApp
import CircadiaConversation
import CircadiaModel
import CircadiaNight
import CircadiaTraining
import Foundation

/// Runs a night for `sleep` and `run-cycle`, with its progress and exit codes. The caller holds the
/// lock.
struct NightCall {
    let loaded: LoadedModel
    let settings: NightRunner.Settings
    let console: Console

    /// Runs the night. Errors that scripts can act on become exit codes.
    func run(_ exchanges: [Exchange]) throws -> NightOutcome {
        // A night checks for signals between steps. Elsewhere a signal ends the program.
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

    /// The exit code: 0 if there is nothing to do, 75 (EX_TEMPFAIL in sysexits) if the night can be
    /// resumed, 2 if it was refused; nil for a failure.
    private static func exitCode(_ error: SleepError) -> Int32? {
        switch error {
        case .interrupted: 75
        case .nothingToResume, .nightUnreadable, .nightChanged, .nothingNew: 2
        case .nothingDue: 0
        default: nil
        }
    }
}

/// Takes the lock of a night for a command.
enum NightLock {
    /// Takes the lock. If another sleep holds it, prints that and throws exit code 2.
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
