extension UnsafeMutableBufferPointer {
    /// Sorts in place without memory of its own, which the standard library's stable sort takes: the
    /// heap sort of Williams (1964) with Floyd's construction. Equal elements come in any order.
    func heapSort(by precedes: (Element, Element) -> Bool) {
        for root in stride(from: count / 2 - 1, through: 0, by: -1) {
            sift(from: root, end: count, by: precedes)
        }
        for end in stride(from: count - 1, to: 0, by: -1) {
            swapAt(0, end)
            sift(from: 0, end: end, by: precedes)
        }
    }

    /// Moves the element at `root` down until no child comes after it.
    private func sift(from root: Int, end: Int, by precedes: (Element, Element) -> Bool) {
        var root = root
        while 2 * root + 1 < end {
            var child = 2 * root + 1
            if child + 1 < end, precedes(self[child], self[child + 1]) { child += 1 }
            guard precedes(self[root], self[child]) else { return }
            swapAt(root, child)
            root = child
        }
    }
}
