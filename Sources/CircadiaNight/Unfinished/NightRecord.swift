import CircadiaAdapters
import CircadiaAnalysis
import CircadiaConversation
import CircadiaKernels
import CircadiaTraining
import Foundation

/// A night that has begun, as it is kept on disk until it ends. It holds enough to resume the
/// night, however the process ended and however the log has changed.
///
/// Each stage adds its values: `prepared` is nil until the rows are finished, and `outcome` is nil
/// until a candidate was accepted. The checkpoint in the same folder keeps the state of training.
package struct NightRecord: Codable {
    /// The format's version. It must change when the meaning of a property changes.
    package static let currentVersion = 6

    /// The version of the format that the record was written in.
    package var version = Self.currentVersion
    /// The night's number.
    package var number: Int
    /// When it began.
    package var started: Date
    /// The settings that it began with.
    package var options: SleepOptions
    /// The model's name, and what tells its weights from others.
    var model, modelFingerprint: String
    /// The instruction set of its kernels: another one gives other bits.
    var isa: String
    /// The version of the code that began it.
    var codeVersion: String
    /// The adapter that the night continued from (`AdapterOrigin.name`); nil for the base model.
    package var origin: String?
    /// Ids of the log's exchanges, in order.
    package var exchanges: [String]
    /// Their content hashes.
    package var exchangeHashes: [ContentHash]
    /// Its rows and plan; nil until they are finished.
    package var prepared: PreparedNight?
    /// The outcome of an accepted night. The night has ended when its version exists.
    package var outcome: NightOutcome?

    /// A night that begins now.
    package init(
        number: Int, options: SleepOptions, model: String, modelFingerprint: String,
        origin: String?, exchanges: [CleanExchange]
    ) {
        self.number = number
        started = Date()
        self.options = options
        self.model = model
        self.modelFingerprint = modelFingerprint
        isa = KernelRuntime.isa
        codeVersion = CodeVersion.current
        self.origin = origin
        self.exchanges = exchanges.map(\.id)
        exchangeHashes = exchanges.map(\.hashAsSaid)
    }

    /// Finds the night's exchanges in today's log and leaves out those that came later.
    ///
    /// - Throws: `SleepError.nightChanged` if some have been removed, changed or barred since: a
    ///   person who forgets or tags an exchange does not want it trained.
    package func exchanges(in log: [CleanExchange]) throws(SleepError) -> [CleanExchange] {
        let present = Dictionary(log.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let found = zip(exchanges, exchangeHashes).compactMap { id, hash in
            present[id].flatMap { $0.hashAsSaid == hash ? $0 : nil }
        }
        let missing = exchanges.count - found.count
        guard missing == 0 else {
            throw .nightChanged([.exchangesGone(missing, of: exchanges.count)])
        }
        let frozen = Set(prepared?.rows.summary.trainedHashes ?? [])
        let barred = found.count {
            !$0.routing.bars.isEmpty && frozen.contains($0.hash)
        }
        guard barred == 0 else {
            throw .nightChanged([.exchangesBarred(barred)])
        }
        return found
    }

    /// The differences that would change the result of the night.
    package func differences(
        options now: SleepOptions, modelFingerprint: String
    ) -> [NightDifference] {
        options.differences(from: now)
            + (modelFingerprint == self.modelFingerprint ? [] : [.model(name: model)])
            + (isa == KernelRuntime.isa ? [] : [.instructions(was: isa, now: KernelRuntime.isa)])
    }
}
