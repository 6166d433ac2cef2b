import CircadiaAdapters
import CircadiaAnalysis
import CircadiaConversation
import CircadiaKernels
import CircadiaTraining
import Foundation

/// A night that has begun, as it is kept on disk until it ends: enough to go on with it after any
/// end, whatever happened to the log meanwhile.
///
/// Each stage adds its values: `prepared` is nil until the rows are finished, the checkpoint beside it
/// keeps training, and `outcome` is there once a candidate was accepted.
struct NightRecord: Codable {
    /// Changes with the meaning of any member.
    static let currentVersion = 6

    var version = Self.currentVersion
    /// The night's number.
    var number: Int
    var started: Date
    var options: SleepOptions
    var model: String
    var modelFingerprint: String
    var isa: String
    var codeVersion: String
    /// The adapter that the night went on from (`AdapterOrigin.name`); nil for the base model.
    var origin: String?
    /// Ids of the log's exchanges, in order.
    var exchanges: [String]
    /// Their content hashes.
    var exchangeHashes: [ContentHash]
    var prepared: PreparedNight?
    /// The outcome of a night that was accepted. The night is over once its version is there.
    var outcome: NightOutcome?

    init(
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

    /// The exchanges of the night among those of the log today; what came since is left out.
    ///
    /// - Throws: `SleepError.nightChanged` where some have gone, read differently or were barred
    ///   since: a person who forgets something or tags it does not want it trained on.
    func exchanges(in log: [CleanExchange]) throws(SleepError) -> [CleanExchange] {
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

    /// What would make the rest of the night another one.
    func differences(
        options now: SleepOptions, modelFingerprint: String
    ) -> [NightDifference] {
        options.differences(from: now)
            + (modelFingerprint == self.modelFingerprint ? [] : [.model(name: model)])
            + (isa == KernelRuntime.isa ? [] : [.instructions(was: isa, now: KernelRuntime.isa)])
    }
}
