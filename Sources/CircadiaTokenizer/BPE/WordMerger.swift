/// Merges the tokens of one word. It repeatedly merges the pair with the lowest rank, leftmost
/// first.
///
/// Short words scan all pairs each time, which is faster than a heap up to a few dozen tokens.
/// Longer ones (a line of spaces, text without spaces) use a heap and take O(n log n).
struct WordMerger {
    private static let scanLimit = 48
    private static let noRank = UInt32.max

    private let table: MergeTable.UnsafeTable
    private var tokens: [Int32] = []
    private var merges: [MergeTable.Merge] = []

    // The linked list and the heap for long words.
    private var previous: [Int32] = []
    private var next: [Int32] = []
    private var heap: [Candidate] = []

    init(table: MergeTable.UnsafeTable) { self.table = table }

    /// Merges the bytes of `word` and appends the resulting tokens to `ids`.
    ///
    /// `tokenOfByte` has 256 ids. It is −1 for a byte that the vocabulary lacks; such bytes are
    /// dropped.
    mutating func append(
        _ word: UnsafeBufferPointer<UInt8>, tokenOfByte: UnsafeBufferPointer<Int32>,
        to ids: inout [Int32]
    ) {
        tokens.removeAll(keepingCapacity: true)
        for byte in word {
            let token = tokenOfByte[Int(byte)]
            if token >= 0 { tokens.append(token) }
        }
        if tokens.count > 1 {
            if tokens.count <= Self.scanLimit { mergeByScanning() } else { mergeByHeap() }
        }
        ids.append(contentsOf: tokens)
    }

    @inline(__always)
    private func merge(_ left: Int32, _ right: Int32) -> MergeTable.Merge {
        table.merge(left, right) ?? MergeTable.Merge(rank: Self.noRank, result: -1)
    }

    // MARK: Short words

    /// `merges[i]` is the merge of tokens i and i + 1.
    private mutating func mergeByScanning() {
        let table = self.table
        var count = tokens.count
        merges.removeAll(keepingCapacity: true)
        for i in 0..<count - 1 { merges.append(merge(tokens[i], tokens[i + 1])) }
        tokens.withUnsafeMutableBufferPointer { tokens in
            merges.withUnsafeMutableBufferPointer { merges in
                @inline(__always) func lookUp(_ i: Int) -> MergeTable.Merge {
                    table.merge(tokens[i], tokens[i &+ 1])
                        ?? MergeTable.Merge(rank: Self.noRank, result: -1)
                }
                while count > 1 {
                    var best = 0
                    var bestRank = merges[0].rank
                    for i in 1..<max(count - 1, 1) where merges[i].rank < bestRank {
                        best = i
                        bestRank = merges[i].rank
                    }
                    if bestRank == Self.noRank { break }
                    tokens[best] = merges[best].result
                    count -= 1
                    // Token best + 1 and its merge with the left neighbour are gone.
                    for i in best &+ 1..<max(count, best &+ 1) { tokens[i] = tokens[i &+ 1] }
                    for i in best..<max(count &- 1, best) { merges[i] = merges[i &+ 1] }
                    if best &+ 1 < count { merges[best] = lookUp(best) }
                    if best > 0 { merges[best &- 1] = lookUp(best &- 1) }
                }
            }
        }
        tokens.removeSubrange(count...)
    }

    // MARK: Long words

    /// A pair that could be merged. It is stale once either token has changed.
    private struct Candidate {
        var rank: UInt32
        var position: Int32
        var left: Int32
        var right: Int32
        var result: Int32

        @inline(__always)
        static func < (a: Candidate, b: Candidate) -> Bool {
            a.rank != b.rank ? a.rank < b.rank : a.position < b.position
        }
    }

    private mutating func mergeByHeap() {
        let count = tokens.count
        previous = (0..<count).map { Int32($0 - 1) }
        next = (0..<count).map { $0 + 1 < count ? Int32($0 + 1) : -1 }
        heap.removeAll(keepingCapacity: true)
        for i in 0..<count { pushCandidate(at: i) }
        while let candidate = popCandidate() {
            let position = Int(candidate.position)
            let following = next[position]
            guard following >= 0, tokens[position] == candidate.left,
                tokens[Int(following)] == candidate.right
            else { continue }
            tokens[position] = candidate.result
            tokens[Int(following)] = -1
            next[position] = next[Int(following)]
            if next[position] >= 0 { previous[Int(next[position])] = Int32(position) }
            pushCandidate(at: position)
            if previous[position] >= 0 { pushCandidate(at: Int(previous[position])) }
        }
        tokens.removeAll { $0 < 0 }
    }

    private mutating func pushCandidate(at position: Int) {
        guard next[position] >= 0 else { return }
        let left = tokens[position]
        let right = tokens[Int(next[position])]
        guard let merge = table.merge(left, right) else { return }
        heap.append(
            Candidate(
                rank: merge.rank, position: Int32(position), left: left, right: right,
                result: merge.result))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child] < heap[parent] else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func popCandidate() -> Candidate? {
        guard let best = heap.first else { return nil }
        let last = heap.removeLast()
        if heap.isEmpty { return best }
        heap[0] = last
        var parent = 0
        while true {
            var smallest = parent
            for child in 2 * parent + 1...2 * parent + 2
            where child < heap.count && heap[child] < heap[smallest] {
                smallest = child
            }
            if smallest == parent { return best }
            heap.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
