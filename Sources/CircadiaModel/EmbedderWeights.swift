import CircadiaFormats
import CircadiaKernels

/// Weight and bias of a dense layer: `y = x · weightᵀ + bias`.
struct DenseLayer {
    /// `[outputs, inputs]`, f32 or in 8 bits; in an array because the kernels take several.
    let weight: [WeightMatrix]
    /// `[outputs]`.
    let bias: FloatBuffer
}

/// Weight and bias of a LayerNorm, `[hidden]` each.
struct NormLayer {
    let weight, bias: FloatBuffer
}

/// One block of a BERT encoder, `encoder.layer.N`.
struct EmbedderLayer {
    /// `attention.self.{query, key, value}.weight`, in one list because they share their input.
    let queryKeyValue: [WeightMatrix]
    /// `attention.self.query.bias` and so on.
    let queryBias, keyBias, valueBias: FloatBuffer
    /// `attention.output.dense`.
    let attentionOutput: DenseLayer
    /// `attention.output.LayerNorm`.
    let attentionNorm: NormLayer
    /// `intermediate.dense`.
    let intermediate: DenseLayer
    /// `output.dense`.
    let output: DenseLayer
    /// `output.LayerNorm`.
    let outputNorm: NormLayer

    init(
        _ file: EmbedderFile, index: Int, configuration: EmbedderConfiguration
    ) throws(FormatError) {
        let path = "encoder.layer.\(index)"
        let hidden = configuration.hiddenSize
        let inner = configuration.intermediateSize
        let attention = "\(path).attention.self"
        queryKeyValue = [
            try file.matrix("\(attention).query.weight", hidden, hidden),
            try file.matrix("\(attention).key.weight", hidden, hidden),
            try file.matrix("\(attention).value.weight", hidden, hidden),
        ]
        queryBias = try file.vector("\(attention).query.bias", hidden)
        keyBias = try file.vector("\(attention).key.bias", hidden)
        valueBias = try file.vector("\(attention).value.bias", hidden)
        attentionOutput = try file.dense("\(path).attention.output.dense", hidden, hidden)
        attentionNorm = try file.norm("\(path).attention.output.LayerNorm", hidden)
        intermediate = try file.dense("\(path).intermediate.dense", inner, hidden)
        output = try file.dense("\(path).output.dense", hidden, inner)
        outputNorm = try file.norm("\(path).output.LayerNorm", hidden)
    }
}

/// Reads an encoder's tensors and checks their shapes. Names may begin with `bert.`.
struct EmbedderFile {
    private let file: SafetensorsFile
    private let prefix: String
    private let quantized: QuantizedWeights?

    /// A reader that brings the matrices of the blocks to 8 bits where `inQuantizedForm` says so.
    init(_ file: SafetensorsFile, inQuantizedForm isQuantized: Bool = false) {
        self.file = file
        let isPrefixed = file.tensors["bert.embeddings.word_embeddings.weight"] != nil
        prefix = isPrefixed ? "bert." : ""
        guard isQuantized else {
            quantized = nil
            return
        }
        let matrices = file.tensors.filter { name, entry in
            name.contains("encoder.layer.") && Self.canQuantize(entry.shape)
        }
        quantized = QuantizedWeights(file, names: Set(matrices.keys))
    }

    private static func canQuantize(_ shape: [Int]) -> Bool {
        shape.count == 2 && shape[1].isMultiple(of: QuantizedWeights.groupSize)
    }

    /// Waits until matrices in 8 bits are kept for the next program.
    func waitForPackCache() { quantized?.waitForPackCache() }

    func matrix(_ name: String, _ rows: Int, _ columns: Int) throws(FormatError) -> WeightMatrix {
        let entry = try entry(name, [rows, columns])
        guard let format = entry.type.floatFormat else {
            throw .tensor(
                path: file.url.path, name: entry.name,
                problem: .wrongType(
                    expected: ["F32", "F16", "BF16"], found: entry.type.rawValue))
        }
        if let quantized, Self.canQuantize(entry.shape) {
            return try quantized.matrix(entry.name, rows: rows, columns: columns)
        }
        return WeightMatrix(
            dense: try file.bytes(of: entry.name), format: format, rows: rows, columns: columns)
    }

    func vector(_ name: String, _ count: Int) throws(FormatError) -> FloatBuffer {
        try table(name, [count])
    }

    /// A tensor as it lies in the file, in f32.
    func table(_ name: String, _ shape: [Int]) throws(FormatError) -> FloatBuffer {
        let entry = try entry(name, shape)
        if entry.type == .f32 {
            let bytes = try file.bytes(of: entry.name)
            let buffer = FloatBuffer(count: entry.elementCount)
            UnsafeMutableRawBufferPointer(
                start: UnsafeMutableRawPointer(buffer.pointer), count: buffer.byteCount
            ).copyMemory(from: bytes)
            return buffer
        }
        return FloatBuffer(try file.floats(of: entry.name))
    }

    func dense(_ path: String, _ rows: Int, _ columns: Int) throws(FormatError) -> DenseLayer {
        DenseLayer(
            weight: [try matrix("\(path).weight", rows, columns)],
            bias: try vector("\(path).bias", rows))
    }

    func norm(_ path: String, _ width: Int) throws(FormatError) -> NormLayer {
        NormLayer(
            weight: try vector("\(path).weight", width), bias: try vector("\(path).bias", width))
    }

    private func entry(_ name: String, _ shape: [Int]) throws(FormatError) -> TensorEntry {
        guard let entry = file.tensors[prefix + name] else {
            throw .tensor(path: file.url.path, name: prefix + name, problem: .missing)
        }
        guard entry.shape == shape else {
            throw .tensor(
                path: file.url.path, name: prefix + name,
                problem: .wrongShape(expected: shape, found: entry.shape))
        }
        return entry
    }
}
