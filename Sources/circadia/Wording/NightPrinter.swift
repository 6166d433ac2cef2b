import ArgumentParser
import CircadiaApp
import CircadiaNight
import CircadiaTraining
import Foundation

/// Shows a night's events: remarks and progress on standard error.
struct NightPrinter {
    let console: Console

    /// Shows one event.
    func show(_ event: NightRunner.Event) {
        switch event {
        case .stored(let exchanges, let selected, let new):
            console.note(
                "store: \(selected) of \(exchanges) exchanges belong there, \(new) were new "
                    + "(all \(exchanges) still train)")
        case .missing(let material): console.warn(Self.missing(material))
        case .waitsForChat: console.note("a chat is in use: the night waits")
        case .goesOn: console.note("the night continues")
        case .night(let event): show(event)
        }
    }

    private static func missing(_ material: NightRunner.ShippedMaterial) -> String {
        switch material {
        case .gate:
            "eval/gate.jsonl or eval/harness.jsonl is missing: the gate judges by held-out "
                + "conversations only"
        case .rehearsal:
            "samples/general.jsonl is missing: the night rehearses no general texts"
        case .questions:
            "samples/questions.jsonl is missing: the night trains no stated preferences"
        }
    }

    private func show(_ event: NightEvent) {
        switch event {
        case .paraphrases(let good, let tried):
            if Console.errorIsTerminal { console.progress("paraphrases: \(good) good of \(tried)") }
        case .preferences(let good, let tried):
            if Console.errorIsTerminal { console.progress("preferences: \(good) good of \(tried)") }
        case .plan(let plan, let wanted): show(plan, wanted: wanted)
        case .training(let progress): show(progress)
        default: event.notes.forEach(console.note)
        }
    }

    private func show(_ plan: TrainingPlan, wanted: Int) {
        if plan.iterations < wanted {
            console.note(
                "only \(plan.iterations) of \(wanted) steps fit into the time until --finish-by")
        }
        let parts =
            plan.microBatchesPerStep > 1
            ? "up to \(plan.microBatchesPerStep) micro-batches of \(plan.microBatchTokens) tokens"
            : "one micro-batch"
        console.note(
            String(
                format:
                    "plan: %d steps, %d tokens to train, about %@ at %.0f tokens/s, peak memory "
                    + "%.2f GB, %@ a step", plan.iterations, plan.tokens,
                Self.clock(plan.seconds), plan.tokensPerSecond, Double(plan.peakBytes) / 1e9,
                parts))
    }

    private func show(_ progress: TrainingProgress) {
        switch progress.event {
        case .evaluation(let step, let loss, _):
            console.note(String(format: "step %d: held-out loss %.3f", step, loss))
        case .checkpoint: break
        case .checkpointFailed(let step, let reason):
            console.warn(
                "step \(step): the checkpoint could not be written, the night continues without it: "
                    + reason)
        case .restored(let step, let factor):
            console.warn(
                "step \(step): loss or gradient is not finite; continuing from the last good state "
                    + "with learning rate × \(factor)")
        case .step(let step):
            let isLast = step.step == progress.iterations
            guard Console.errorIsTerminal || isLast || step.step % 10 == 0 || step.step == 1 else {
                return
            }
            console.progress(
                String(
                    format: "step %d of %d  loss %.3f  %.0f tokens/s  %@ left", step.step,
                    progress.iterations, step.loss, progress.tokensPerSecond,
                    Self.clock(progress.secondsLeft)), isLast: isLast)
        }
    }

    /// Seconds as `m:ss`.
    static func clock(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        return String(format: "%d:%02d", whole / 60, whole % 60)
    }
}
