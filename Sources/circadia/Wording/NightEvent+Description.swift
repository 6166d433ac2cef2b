import CircadiaAdapters
import CircadiaConversation
import CircadiaNight
import Foundation

extension NightEvent {
    /// The sentences of the event; none if it is shown as progress or in another way.
    var notes: [String] {
        switch self {
        case .paraphrases, .preferences, .plan, .training: []
        case .leftOut(let leftOut): leftOut.notes
        case .originReplaced(let replacement): [replacement.note]
        case .rows(let counts): [counts.note]
        case .selected(let new, let replayed, let waiting):
            [Self.selected(new: new, replayed: replayed, waiting: waiting)]
        case .gaveUp, .resumed, .begunByOtherVersion, .hadEnded, .keepsShape: [beginning]
        case .preferencePairs(let stated, let training, let heldOut, let refused):
            [
                "preferences: \(stated) stated, \(training) pairs to train, \(heldOut) to measure"
                    + (refused > 0 ? "; \(refused) questions gave no usable answer" : "")
            ]
        case .replies(let rejected, let corrected, let good, let countsDouble):
            [
                "replies: \(rejected) rejected, never learnt; \(corrected) corrections and \(good) "
                    + "marked good count "
                    + (countsDouble ? "double" : "once, with --mlx-compat")
            ]
        case .judged, .promoted, .pruned, .pruningFailed, .diaryFailed: [ending]
        }
    }

    private static func selected(new: Int, replayed: Int, waiting: Int) -> String {
        new == 0
            ? "nothing is new: \(replayed) older exchanges are rehearsed, \(waiting) wait for "
                + "another night"
            : "\(new) exchanges are new, \(replayed) older ones are rehearsed, \(waiting) wait for "
                + "another night"
    }

    /// The sentence of an event before training.
    private var beginning: String {
        switch self {
        case .gaveUp(let started):
            "the night\(started.map { " of \($0.formatted(.iso8601))" } ?? "") did not end and is given "
                + "up for this one; --resume would have continued it"
        case .resumed(let started, let later):
            "resuming the night of \(started.formatted(.iso8601))"
                + (later > 0 ? "; \(later) later exchanges wait for the next night" : "")
        case .begunByOtherVersion(let version, let current):
            "version \(version) began it, this is \(current): the last bits of the adapter may differ"
        case .hadEnded(let started): "the night of \(started.formatted(.iso8601)) had ended"
        case .keepsShape(let kind, let rank, let scale, let blocks):
            "continuing the present adapter (\(kind.rawValue), rank \(rank), scale \(scale), "
                + "\(blocks) blocks), whose shape is not what the flags ask for; --reset-adapter "
                + "starts a new one"
        default: ""
        }
    }

    /// The sentence of an event after training.
    private var ending: String {
        switch self {
        case .judged(let attempt):
            "judged: "
                + (attempt.share == 1
                    ? "candidate" : String(format: "%g of its step", attempt.share))
                + ": " + (attempt.passes ? "passes" : attempt.reasonText)
        case .promoted(let adapter, let version):
            "adapter written to \(adapter), kept as version " + AdapterVersions.name(of: version)
        case .pruned(let numbers, let keeping):
            "removed: version "
                + numbers.map(AdapterVersions.name).joined(separator: ", ")
                + "; the latest \(keeping) are kept (--keep-versions)"
        case .pruningFailed(let reason): "old versions could not be removed: \(reason)"
        case .diaryFailed(let reason): "the diary of this night could not be written: \(reason)"
        default: ""
        }
    }
}

extension NightEvent.LeftOut {
    /// A sentence for each reason to leave something out.
    fileprivate var notes: [String] {
        [
            (tagged, "left out: \(tagged) tagged “\(Exchange.noTrainTag)”"),
            (recalled, "left out: \(recalled) answered from memories, which are not learnt again"),
            (
                rejectedReplies,
                "left out: \(rejectedReplies) replies that were marked bad or corrected"
            ),
            (
                withSecrets,
                "secrets in \(withSecrets) of the exchanges are not trained, nor are replies that "
                    + "repeat them"
            ),
        ].filter { $0.0 > 0 }.map(\.1)
    }
}

extension NightEvent.RowCounts {
    fileprivate var note: String {
        "training on \(scoredTokens) of \(totalTokens) tokens: \(exchanges) exchanges, "
            + "\(paraphrases) paraphrases, \(general) general texts; \(heldOut) exchanges held out"
            + (measured < heldOut ? ", \(measured) measured" : "")
    }
}

extension AdapterOrigin.Replacement {
    fileprivate var note: String {
        switch self {
        case .unwanted(let exchanges, let start):
            "\(exchanges) exchanges were marked bad or tagged “\(Exchange.noTrainTag)” after they were "
                + "learnt: the night retrains without them, from \(start)"
        case .forgotten(let adapter, let start):
            "\(adapter) was trained on exchanges that were forgotten since: the night retrains without "
                + "them, from \(start ?? "the base model")"
        }
    }
}
