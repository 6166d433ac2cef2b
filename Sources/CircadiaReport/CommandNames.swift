/// A front end's names of the commands and options that a report mentions.
package struct CommandNames: Sendable {
    /// The option that fills the retrieval store.
    let store: String
    /// The commands that measure the harness.
    let cycle, sleep: String
    /// The option of `sleep` that leaves the harness out.
    let quickGate: String

    /// Makes the names.
    package init(store: String, cycle: String, sleep: String, quickGate: String) {
        self.store = store
        self.cycle = cycle
        self.sleep = sleep
        self.quickGate = quickGate
    }
}
