import CircadiaAnalysis
import CircadiaConversation
import CircadiaRetrieval

extension ExchangeStore {
    /// Cleans exchanges and puts them in.
    @discardableResult
    func ingest(
        _ exchanges: [Exchange], policy: StorePolicy, keepingSecrets: Bool = false,
        progress: (_ done: Int, _ total: Int) -> Bool = { _, _ in true }
    ) throws -> RetrievalStore.IngestReport {
        try ingest(
            exchanges.cleaned, policy: policy, keepingSecrets: keepingSecrets, progress: progress)
    }
}
