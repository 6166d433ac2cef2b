import Foundation

extension Reference {
    /// One half of a cache.
    package enum Part: Sendable, CaseIterable {
        /// Its keys.
        case keys
        /// Its values.
        case values
    }

    /// The layout of a cache of keys and values: `ck_cache_t` of CKernels.h.
    package struct CacheLayout: Sendable {
        /// Key and value heads.
        package var kvHeads: Int
        /// Capacity in tokens.
        package var capacity: Int
        /// Elements per head.
        package var headDim: Int
        /// The largest integer, 32767 or 127; nil for f32.
        package var most: Double?

        /// Creates a layout from its parts.
        package init(kvHeads: Int, capacity: Int, headDim: Int, most: Double?) {
            self.kvHeads = kvHeads
            self.capacity = capacity
            self.headDim = headDim
            self.most = most
        }

        /// Rows of a head, rounded up to whole blocks of 16.
        package var rows: Int { (capacity + 15) / 16 * 16 }
        /// Elements of a row; an even number for integers.
        var width: Int { most == nil ? headDim : (headDim + 1) / 2 * 2 }
        /// Elements of all keys, or of all values.
        package var numberCount: Int { kvHeads * rows * width }
        /// Elements that share a step: 16 of a key, all of a value.
        func group(_ part: Part) -> Int { part == .keys ? 16 : max(1, headDim) }
        /// Number of steps of keys, or of values.
        package func stepCount(_ part: Part) -> Int {
            most == nil ? 0 : kvHeads * rows * (part == .keys ? (headDim + 15) / 16 : 1)
        }

        /// The index of element `i` of row `s`. Integers: keys `[kvHeads, rows/16, width/2, 16,
        /// 2]`, values `[kvHeads, rows/2, width, 2]`.
        package func number(_ part: Part, _ head: Int, _ s: Int, _ i: Int) -> Int {
            let row = head * rows + s
            if most == nil { return row * width + i }
            return switch part {
            case .keys: ((row / 16 * (width / 2) + i / 2) * 16 + s % 16) * 2 + i % 2
            case .values: (row / 2 * width + i) * 2 + s % 2
            }
        }

        /// The index of the step of element `i` of row `s`: keys `[kvHeads, rows/16, ⌈headDim/16⌉,
        /// 16]`, values `[kvHeads, rows]`.
        package func step(_ part: Part, _ head: Int, _ s: Int, _ i: Int) -> Int {
            let row = head * rows + s
            return part == .values ? row : (row / 16 * ((headDim + 15) / 16) + i / 16) * 16 + s % 16
        }

        /// Rows `0 ..< count` as `[count, kvHeads, headDim]`: each stored element times its step.
        package func rows(
            _ part: Part, _ count: Int, numbers: [Double], steps: [Double]
        ) -> [Double] {
            var x: [Double] = []
            for s in 0..<count {
                for head in 0..<kvHeads {
                    x += (0..<headDim).map {
                        numbers[number(part, head, s, $0)]
                            * (most == nil ? 1 : steps[step(part, head, s, $0)])
                    }
                }
            }
            return x
        }
    }

    /// The cache after `x` `[tokens, kvHeads, headDim]` is appended at row `past` to a cache of
    /// zeros.
    ///
    /// Integers are `x / step` to nearest, ties to even. `step = max(max |x[i]| / most, |x| /
    /// 46300)` over the elements that share it.
    package static func cacheAppend(
        _ layout: CacheLayout, _ part: Part, x: [Double], past: Int
    ) -> (numbers: [Double], steps: [Double]) {
        var numbers = [Double](repeating: 0, count: layout.numberCount)
        var steps = [Double](repeating: 0, count: layout.stepCount(part))
        let width = layout.headDim
        for row in 0..<(width == 0 ? 0 : x.count / width) {
            let (t, head) = row.quotientAndRemainder(dividingBy: layout.kvHeads)
            for first in stride(from: 0, to: width, by: layout.group(part)) {
                let group = first..<min(width, first + layout.group(part))
                let values = x[(row * width + group.lowerBound)..<(row * width + group.upperBound)]
                var step = 1.0
                if let most = layout.most {
                    let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
                    step = max((values.map(abs).max() ?? 0) / most, length / 46300)
                    steps[layout.step(part, head, past + t, first)] = step
                }
                for (i, value) in zip(group, values) {
                    numbers[layout.number(part, head, past + t, i)] =
                        layout.most == nil
                        ? value : step == 0 ? 0 : (value / step).rounded(.toNearestOrEven)
                }
            }
        }
        return (numbers, steps)
    }
}
