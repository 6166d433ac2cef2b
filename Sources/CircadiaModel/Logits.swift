import CircadiaFormats
import CircadiaKernels

/// Which tokens of a forward pass the head is applied to.
package enum LogitsRequest: Sendable, Equatable {
    /// None: the tokens are read into the cache only.
    case none
    /// The last one.
    case last
    /// All of them, in one buffer of `tokens × vocabulary`.
    case all
}

/// Scores of the next token, `[rows, vocabulary]`; valid until the model's next call in the same memory.
package struct Logits {
    /// The tokens that scores were asked for.
    package let rows: Int
    /// Scores per row.
    package let vocabularySize: Int
    /// Row-major scores; a sampler may change them in place.
    package let values: UnsafeMutableBufferPointer<Float>

    /// No scores.
    static var empty: Logits {
        Logits(rows: 0, vocabularySize: 0, values: UnsafeMutableBufferPointer(start: nil, count: 0))
    }

    /// The scores after token `row` of those asked for.
    package subscript(row: Int) -> UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(
            rebasing: values[row * vocabularySize..<(row + 1) * vocabularySize])
    }
}

/// Memory of the head: normed rows and their logits.
final class HeadScratch {
    /// Rows that fit.
    let rows: Int
    /// `[rows, hidden]`.
    let normed: FloatBuffer
    /// `[rows, vocabulary]`.
    let logits: FloatBuffer
    /// `[rows]`.
    let losses: FloatBuffer
    /// `[rows]`.
    let targets: AlignedBuffer<Int32>
    let outputs: [UnsafeMutablePointer<Float>]

    init(configuration: ModelConfiguration, rows: Int) {
        self.rows = rows
        normed = FloatBuffer(count: rows * configuration.hiddenSize)
        logits = FloatBuffer(count: rows * configuration.vocabularySize)
        losses = FloatBuffer(count: rows)
        targets = AlignedBuffer(count: rows)
        outputs = [logits.pointer]
    }
}
