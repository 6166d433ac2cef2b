import Foundation

/// Where a term occurs: one entry for each exchange, with the counts of both sides.
///
/// On disk a block of exchanges has one blob per term: for each entry the distance from the entry
/// before as a variable-length integer, then a byte with the user's count in its upper half and the
/// others' count in its lower half (15 stands for 15 or more).
struct Postings {
    /// Exchanges whose postings share a blob.
    static let blockSize: Int64 = 4096
    /// The prefix of a term that stands for a name by which somebody is addressed.
    static let addressPrefix = "@"

    /// The exchanges' numbers, ascending.
    private(set) var numbers: [Int32] = []
    /// How often the user said the term in each (upper half), and the others (lower half).
    private(set) var counts: [UInt8] = []

    var count: Int { numbers.count }

    /// Calls `body` with every entry.
    @inline(__always)
    func forEach(_ body: (_ number: Int32, _ counts: UInt8) -> Void) {
        numbers.withUnsafeBufferPointer { numbers in
            counts.withUnsafeBufferPointer { counts in
                for entry in 0..<min(numbers.count, counts.count) {
                    body(numbers[entry], counts[entry])
                }
            }
        }
    }

    /// Calls `body` with the entries of some numbers.
    @inline(__always)
    func forEach(in wanted: Range<Int64>, _ body: (_ number: Int32, _ counts: UInt8) -> Void) {
        numbers.withUnsafeBufferPointer { numbers in
            counts.withUnsafeBufferPointer { counts in
                var entry = Self.firstIndex(of: numbers, from: wanted.lowerBound)
                while entry < numbers.count, numbers[entry] < wanted.upperBound {
                    body(numbers[entry], counts[entry])
                    entry += 1
                }
            }
        }
    }

    /// Where numbers from `bound` on begin, by halving.
    private static func firstIndex(of numbers: UnsafeBufferPointer<Int32>, from bound: Int64) -> Int
    {
        var range = 0..<numbers.count
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            range =
                numbers[middle] < bound
                ? middle + 1..<range.upperBound : range.lowerBound..<middle
        }
        return range.lowerBound
    }

    /// Counts of a term in one exchange.
    struct Counts {
        var user = 0
        var other = 0

        fileprivate var byte: UInt8 { UInt8(min(user, 15) << 4 | min(other, 15)) }
    }

    static func block(of number: Int64) -> Int64 { number / blockSize }

    /// Adds the entries of a blob.
    mutating func append(_ blob: UnsafeRawBufferPointer, block: Int64) {
        var last = block * Self.blockSize - 1
        var distance: Int64 = 0
        var shift: Int64 = 0
        var isCount = false
        // More each time: to make room for one blob after the other would copy all of them each time.
        let needed = numbers.count + blob.count / 2
        if numbers.capacity < needed {
            numbers.reserveCapacity(max(needed, 2 * numbers.capacity))
            counts.reserveCapacity(max(needed, 2 * numbers.capacity))
        }
        for byte in blob {
            if isCount {
                last += distance
                numbers.append(Int32(truncatingIfNeeded: last))
                counts.append(byte)
                distance = 0
                shift = 0
                isCount = false
            } else {
                distance |= Int64(byte & 0x7F) << shift
                shift = min(shift + 7, 49)
                isCount = byte < 0x80
            }
        }
    }

    /// A blob with the entries of `blob` and more, whose numbers ascend from above all others.
    static func appending(
        _ added: [(number: Int64, counts: Counts)], to blob: Data, block: Int64
    ) -> Data {
        var postings = Postings()
        blob.withUnsafeBytes { postings.append($0, block: block) }
        var last = postings.numbers.last.map(Int64.init) ?? block * blockSize - 1
        var result = blob
        for (number, counts) in added {
            result += entry(counts, distance: number - last)
            last = number
        }
        return result
    }

    /// A blob without the entry of an exchange.
    static func removing(number: Int64, from blob: Data, block: Int64) -> Data {
        var postings = Postings()
        blob.withUnsafeBytes { postings.append($0, block: block) }
        var last = block * blockSize - 1
        var result = Data()
        for (index, kept) in postings.numbers.enumerated() where Int64(kept) != number {
            let byte = Int(postings.counts[index])
            let counts = Counts(user: byte >> 4, other: byte & 15)
            result += entry(counts, distance: Int64(kept) - last)
            last = Int64(kept)
        }
        return result
    }

    private static func entry(_ counts: Counts, distance: Int64) -> Data {
        var data = Data()
        var rest = distance
        while rest >= 0x80 {
            data.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        data.append(UInt8(rest))
        data.append(counts.byte)
        return data
    }
}
